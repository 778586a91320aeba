/** Puts the card on a CRM record: where Baton is, which record it is, who looks, and how they are told. */
import { type CrmContext, ErrorState, type ExtensionPointApiActions, Text } from "@hubspot/ui-extensions";
import { useCallback, useMemo, useRef } from "react";
import { BatonCard, type Layout } from "./BatonCard.tsx";
import { batonDoor, type Company } from "./door.ts";
import type { Told } from "./use-card.ts";

export interface OnRecordProps {
  readonly layout: Layout;
  readonly context: CrmContext;
  readonly actions: Pick<
    ExtensionPointApiActions<"crm.record.sidebar">,
    "addAlert" | "refreshObjectProperties" | "fetchCrmObjectProperties"
  >;
}

/** CRM-FACTS §1.2 names contacts and tasks; companies are `0-2` (HubSpot's list of object type ids). */
const companyTypeId = "0-2";

export function OnRecord({ layout, context, actions }: OnRecordProps) {
  const batonUrl = context.variables?.BATON_URL;
  const { objectTypeId } = context.crm;
  const objectId = String(context.crm.objectId);
  const { addAlert, refreshObjectProperties, fetchCrmObjectProperties } = actions;
  // HubSpot may give other functions each time it draws the card, and a door of its own for each would ask Baton each time.
  const fetchProperties = useRef(fetchCrmObjectProperties);
  fetchProperties.current = fetchCrmObjectProperties;
  const door = useMemo(() => {
    if (typeof batonUrl !== "string") return null;
    const company = async () => companyIn(await fetchProperties.current(["domain", "name"]));
    const record = { objectTypeId, objectId };
    return objectTypeId === companyTypeId ? batonDoor(batonUrl, record, company) : batonDoor(batonUrl, record);
  }, [batonUrl, objectTypeId, objectId]);
  const tell = useCallback(
    ({ text, ok }: Told) => {
      addAlert({ type: ok ? "success" : "danger", message: text });
      // A press may have changed the record's owner or stage, which HubSpot shows beside the card.
      if (ok) refreshObjectProperties();
    },
    [addAlert, refreshObjectProperties],
  );
  if (door === null)
    return (
      <ErrorState title="This app does not know where Baton is" type="support">
        <Text>It was uploaded without the variable BATON_URL.</Text>
      </ErrorState>
    );
  return (
    <BatonCard
      layout={layout}
      door={door}
      locale={context.user.locale}
      tell={tell}
      newRequest={() => crypto.randomUUID()}
    />
  );
}

/** What HubSpot has of the two. It types every value as text, and gives null for an empty one. */
function companyIn(properties: Readonly<Record<string, unknown>>): Company {
  const { domain, name } = properties;
  return {
    ...(typeof domain === "string" ? { domain } : {}),
    ...(typeof name === "string" ? { name } : {}),
  };
}
