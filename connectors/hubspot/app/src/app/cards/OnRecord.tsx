/** Puts the card on a CRM record: where Baton is, which record it is, who looks, and how they are told. */
import { type CrmContext, ErrorState, type ExtensionPointApiActions, Text } from "@hubspot/ui-extensions";
import { useCallback, useMemo } from "react";
import { BatonCard, type Layout } from "./BatonCard.tsx";
import { batonDoor } from "./door.ts";
import type { Told } from "./use-card.ts";

export interface OnRecordProps {
  readonly layout: Layout;
  readonly context: CrmContext;
  readonly actions: Pick<ExtensionPointApiActions<"crm.record.sidebar">, "addAlert" | "refreshObjectProperties">;
}

export function OnRecord({ layout, context, actions }: OnRecordProps) {
  const batonUrl = context.variables?.BATON_URL;
  const { objectTypeId } = context.crm;
  const objectId = String(context.crm.objectId);
  const door = useMemo(
    () => (typeof batonUrl === "string" ? batonDoor(batonUrl, { objectTypeId, objectId }) : null),
    [batonUrl, objectTypeId, objectId],
  );
  const { addAlert, refreshObjectProperties } = actions;
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
