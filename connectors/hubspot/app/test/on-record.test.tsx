/** The card as HubSpot mounts it, with HubSpot's context and actions. */
import { Button, ErrorState } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { describe, expect, it, vi } from "vitest";
import { OnRecord } from "../src/app/cards/OnRecord.tsx";
import { readyCard } from "./documents.ts";
import { readable } from "./show.tsx";

interface Company {
  readonly properties: () => Promise<Record<string, string>>;
}

function mounted(variables: Record<string, string> | undefined, ...answers: readonly Response[]) {
  return mountedOn(null, variables, ...answers);
}

/** On a contact's record, or on that of a company with these properties. */
function mountedOn(
  company: Company | null,
  variables: Record<string, string> | undefined,
  ...answers: readonly Response[]
) {
  const left = [...answers];
  const hsFetch = vi.fn(
    async (_url: string, _options?: { body?: { request?: string } }) => left.shift() ?? Response.error(),
  );
  vi.stubGlobal("self", { hsFetch });
  const renderer = createRenderer("crm.record.sidebar");
  const { context, actions } = renderer.mocks;
  const { variables: _, ...rest } = context;
  const crm = company === null ? rest.crm : { ...rest.crm, objectTypeId: "0-2" };
  const withVariables = { ...rest, crm, ...(variables === undefined ? {} : { variables }) };
  if (company !== null) actions.fetchCrmObjectProperties.willCall(company.properties);
  const draw = () => renderer.render(<OnRecord layout="compact" context={withVariables} actions={actions} />);
  draw();
  return { ...renderer, hsFetch, actions };
}

const variables = { BATON_URL: "https://baton.example.com" };

describe("on a record", () => {
  it("asks Baton, where the app was told it is, for the record that is open", async () => {
    const { hsFetch, waitFor } = mounted(variables, Response.json(readyCard()));
    await waitFor(() => expect(hsFetch).toHaveBeenCalled());
    expect(hsFetch.mock.calls[0]?.[0]).toBe(
      "https://baton.example.com/card/hubspot/record?objectTypeId=0-1&objectId=123",
    );
  });

  it("asks HubSpot for the domain and the name of a company, and Baton for whom it knows there", async () => {
    const properties = async () => ({ domain: "globex.example.com", name: "Globex" });
    const { hsFetch, actions, waitFor, getRootNode } = mountedOn({ properties }, variables, Response.json(readyCard()));
    await waitFor(() => expect(readable(getRootNode())).toContain("Call about the demo"));
    expect(actions.fetchCrmObjectProperties.calls).toEqual([[["domain", "name"]]]);
    expect(hsFetch.mock.calls[0]?.[0]).toBe(
      "https://baton.example.com/card/hubspot/record?objectTypeId=0-2&objectId=123&domain=globex.example.com&name=Globex",
    );
  });

  it("leaves out what a company does not have", async () => {
    const properties = async () => ({ domain: null, name: "Globex" }) as unknown as Record<string, string>;
    const { hsFetch, waitFor } = mountedOn({ properties }, variables, Response.json(readyCard()));
    await waitFor(() => expect(hsFetch).toHaveBeenCalled());
    expect(new URL(hsFetch.mock.calls[0]?.[0] ?? "").searchParams.get("domain")).toBeNull();
  });

  it("says so where HubSpot does not name the company, and asks again when told to", async () => {
    let isDown = true;
    const properties = async () => {
      if (isDown) throw new Error("no");
      return { domain: "globex.example.com" };
    };
    const { hsFetch, waitFor, find, getRootNode } = mountedOn({ properties }, variables, Response.json(readyCard()));
    await waitFor(() => expect(readable(getRootNode())).toContain("HubSpot did not say which company this is."));
    expect(hsFetch).not.toHaveBeenCalled();
    isDown = false;
    find(Button, (button) => readable(button).includes("Try again")).trigger("onClick");
    await waitFor(() => expect(readable(getRootNode())).toContain("Call about the demo"));
  });

  it("asks HubSpot nothing on a contact's record", async () => {
    const { hsFetch, actions, waitFor } = mounted(variables, Response.json(readyCard()));
    await waitFor(() => expect(hsFetch).toHaveBeenCalled());
    expect(actions.fetchCrmObjectProperties.callCount).toBe(0);
  });

  it("asks once, however often HubSpot draws it", async () => {
    const { hsFetch, waitFor, find, getRootNode } = mounted(variables, Response.json(readyCard()));
    await waitFor(() => expect(readable(getRootNode())).toContain("Call about the demo"));
    find(Button, (button) => button.text === "Later").trigger("onClick");
    await waitFor(() => expect(readable(getRootNode())).toContain("Until which day?"));
    expect(hsFetch).toHaveBeenCalledTimes(1);
  });

  it("tells HubSpot what a press did, so that owner and stage beside the card are read anew", async () => {
    const { hsFetch, actions, waitFor, find, getRootNode } = mounted(
      variables,
      Response.json(readyCard()),
      Response.json({ status: "ok", text: "It is yours.", card: readyCard() }),
    );
    await waitFor(() => expect(readable(getRootNode())).toContain("Call about the demo"));
    find(Button, (button) => button.text === "I take it").trigger("onClick");
    await waitFor(() => expect(readable(getRootNode())).toContain("It is yours."));
    expect(actions.addAlert.calls).toEqual([[{ type: "success", message: "It is yours." }]]);
    expect(actions.refreshObjectProperties.callCount).toBe(1);
    const request = hsFetch.mock.calls[1]?.[1]?.body?.request;
    expect(request).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("does not have HubSpot read the record anew where nothing was done", async () => {
    const { actions, waitFor, find, getRootNode } = mounted(
      variables,
      Response.json(readyCard()),
      Response.json({ code: "not_possible", detail: "It is done already." }, { status: 409 }),
      Response.json(readyCard()),
    );
    await waitFor(() => expect(readable(getRootNode())).toContain("Call about the demo"));
    find(Button, (button) => button.text === "I take it").trigger("onClick");
    await waitFor(() => expect(actions.addAlert.calls).toEqual([[{ type: "danger", message: "It is done already." }]]));
    expect(actions.refreshObjectProperties.callCount).toBe(0);
  });

  it.each([undefined, {}])("says what is missing where the app was uploaded without an address (%j)", (given) => {
    const { find, hsFetch } = mounted(given);
    expect(find(ErrorState).props.title).toBe("This app does not know where Baton is");
    expect(hsFetch).not.toHaveBeenCalled();
  });
});
