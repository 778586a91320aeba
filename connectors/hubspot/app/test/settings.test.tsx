/** The settings page, and what it makes of Baton's answers. */
import { Alert, Button, Link } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { describe, expect, it, vi } from "vitest";
import { askConnection, type Connection } from "../src/app/settings/connection.ts";
import { SettingsPage } from "../src/app/settings/SettingsPage.tsx";
import { emptyCard } from "./documents.ts";

const batonUrl = "https://baton.example.com";

function page(url: string | null, ...answers: readonly Connection[]) {
  const left = [...answers];
  const ask = vi.fn(async (_url: string) => left.shift() ?? { state: "unknown" as const, detail: null });
  const renderer = createRenderer("settings");
  renderer.render(<SettingsPage batonUrl={url} ask={ask} />);
  return { ...renderer, ask };
}

describe("the settings page", () => {
  it.each([
    ["connected", "Connected", "success", "Baton knows this account and you."],
    [
      "not_a_colleague",
      "Connected, but not for you",
      "warning",
      "Baton knows this account, and its policy does not let you see the card.",
    ],
    ["not_connected", "Not connected", "warning", "Ask whoever runs Baton for a link to connect this account."],
    ["unknown", "Baton could not be asked", "danger", "Please try again."],
  ] as const)("says that it is %s", async (state, title, variant, text) => {
    const { find, waitFor } = page(batonUrl, { state, detail: null });
    await waitFor(() => expect(find(Alert).props).toMatchObject({ title, variant }));
    expect(find(Alert).text).toBe(text);
  });

  it("prefers Baton's own sentence, and asks again when told to", async () => {
    const { find, waitFor, ask } = page(
      batonUrl,
      { state: "not_connected", detail: "The connection was ended yesterday." },
      { state: "connected", detail: null },
    );
    await waitFor(() => expect(find(Alert).text).toBe("The connection was ended yesterday."));
    find(Button).trigger("onClick");
    await waitFor(() => expect(find(Alert).props.title).toBe("Connected"));
    expect(ask.mock.calls).toEqual([[batonUrl], [batonUrl]]);
  });

  it("leads to Baton, where everything else is set", () => {
    const { find } = page(batonUrl);
    expect(find(Link).props.href).toEqual({ url: batonUrl, external: true });
  });

  it("says what is missing where the app was uploaded without an address", () => {
    const { find, ask } = page(null);
    expect(find(Alert).props).toMatchObject({ title: "This app does not know where Baton is", variant: "danger" });
    expect(ask).not.toHaveBeenCalled();
  });
});

describe("the question whether it is connected", () => {
  const answered = async (answer: Response | Error) => {
    const hsFetch = vi.fn(async (_url: string) => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    vi.stubGlobal("self", { hsFetch });
    const connection = await askConnection(`${batonUrl}/`);
    expect(hsFetch.mock.calls[0]?.[0]).toBe(`${batonUrl}/card/hubspot/record?objectTypeId=0-1&objectId=1`);
    return connection;
  };

  it("is answered by the card's own door", async () => {
    expect(await answered(Response.json(emptyCard))).toEqual({ state: "connected", detail: null });
    expect(await answered(Response.json({ detail: "You are no user." }, { status: 403 }))).toEqual({
      state: "not_a_colleague",
      detail: "You are no user.",
    });
    expect(await answered(Response.json({ detail: "Nobody connected it." }, { status: 404 }))).toEqual({
      state: "not_connected",
      detail: "Nobody connected it.",
    });
  });

  it("is left open where Baton does not answer, or not in its own words", async () => {
    expect(await answered(new Error("timeout"))).toEqual({ state: "unknown", detail: null });
    expect(await answered(new Response("<html>", { status: 502 }))).toEqual({ state: "unknown", detail: null });
    expect(await answered(Response.json(null, { status: 401 }))).toEqual({ state: "unknown", detail: null });
  });
});
