/** The card as HubSpot mounts it, with HubSpot's context and actions. */
import { Button, ErrorState } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { describe, expect, it, vi } from "vitest";
import { OnRecord } from "../src/app/cards/OnRecord.tsx";
import { readyCard } from "./documents.ts";
import { readable } from "./show.tsx";

function mounted(variables: Record<string, string> | undefined, ...answers: readonly Response[]) {
  const left = [...answers];
  const hsFetch = vi.fn(
    async (_url: string, _options?: { body?: { request?: string } }) => left.shift() ?? Response.error(),
  );
  vi.stubGlobal("self", { hsFetch });
  const renderer = createRenderer("crm.record.sidebar");
  const { context, actions } = renderer.mocks;
  const { variables: _, ...rest } = context;
  const withVariables = variables === undefined ? rest : { ...rest, variables };
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
