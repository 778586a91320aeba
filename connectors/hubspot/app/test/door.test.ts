/** What leaves the card through `hubspot.fetch`, and what its answers mean. */
import { describe, expect, it, vi } from "vitest";
import { batonDoor } from "../src/app/cards/door.ts";
import { emptyCard, readyCard } from "./documents.ts";

const press = { request: "request-1", lead: "ld_kim", choice: "claim" } as const;

/** HubSpot puts `hsFetch` on the worker's `self`; `hubspot.fetch` calls it. */
function answering(...answers: readonly (Response | Error)[]) {
  const left = [...answers];
  const hsFetch = vi.fn(async (_url: string, _options?: object) => {
    const answer = left.shift();
    if (answer instanceof Response) return answer;
    throw answer ?? new Error("No answer was prepared.");
  });
  vi.stubGlobal("self", { hsFetch });
  return { hsFetch, door: batonDoor("https://baton.example.com/", { objectTypeId: "0-1", objectId: "151" }) };
}

function problem(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } });
}

describe("the door", () => {
  it("asks for the card of this record", async () => {
    const { hsFetch, door } = answering(Response.json(readyCard()));
    expect(await door.read()).toEqual({ ok: true, value: readyCard() });
    expect(hsFetch.mock.calls).toEqual([
      ["https://baton.example.com/card/hubspot/record?objectTypeId=0-1&objectId=151", { method: "GET" }],
    ]);
  });

  it("sends a press as it is, and nothing of who presses: HubSpot adds that and signs it", async () => {
    const answer = { status: "ok", text: "Noted.", card: emptyCard };
    const { hsFetch, door } = answering(Response.json(answer));
    expect(await door.press(press)).toEqual({ ok: true, value: answer });
    expect(hsFetch.mock.calls).toEqual([
      [
        "https://baton.example.com/card/hubspot/press?objectTypeId=0-1&objectId=151",
        { method: "POST", body: { request: "request-1", lead: "ld_kim", choice: "claim" } },
      ],
    ]);
  });

  it("says on a company's record which company it is, each time anew, and of a contact nothing", async () => {
    const company = vi
      .fn<() => Promise<{ domain?: string; name?: string }>>()
      .mockResolvedValueOnce({ domain: "globex.example.com", name: "Müller & Söhne (Berlin) + Co" })
      .mockResolvedValueOnce({ domain: " ", name: `${"n".repeat(254)}😀` })
      .mockResolvedValueOnce({});
    const { hsFetch } = answering(Response.json(emptyCard), Response.json(emptyCard), Response.json(emptyCard));
    const door = batonDoor("https://baton.example.com", { objectTypeId: "0-2", objectId: "900" }, company);
    for (let times = 0; times < 3; times++) expect(await door.read()).toMatchObject({ ok: true });
    const at = "https://baton.example.com/card/hubspot/record?objectTypeId=0-2&objectId=900";
    expect(hsFetch.mock.calls.map(([url]) => url)).toEqual([
      `${at}&domain=globex.example.com&name=M%C3%BCller%20%26%20S%C3%B6hne%20(Berlin)%20%2B%20Co`,
      // Cut to 255 characters, and never half of one.
      `${at}&name=${"n".repeat(254)}`,
      at,
    ]);
  });

  it("does not ask Baton about a company that HubSpot does not name: nobody known there is another answer", async () => {
    const { hsFetch } = answering(Response.json(emptyCard));
    const company = async () => Promise.reject(new Error("not allowed"));
    const door = batonDoor("https://baton.example.com", { objectTypeId: "0-2", objectId: "900" }, company);
    const problem = { kind: "again", detail: "HubSpot did not say which company this is. Please try again." };
    expect(await door.read()).toEqual({ ok: false, problem });
    expect(await door.press(press)).toEqual({ ok: false, problem });
    expect(hsFetch).not.toHaveBeenCalled();
  });

  it.each([
    [401, "unproven", "refused"],
    [403, "not_a_colleague", "not_allowed"],
    [404, "not_connected", "not_connected"],
    [409, "not_possible", "refused"],
    [409, "busy", "again"],
    [422, "bad_input", "refused"],
    [429, "too_many", "again"],
    [500, "broken", "again"],
    [503, "unavailable", "again"],
  ] as const)("takes %d %s for %s, in Baton's words", async (status, code, kind) => {
    const { door } = answering(problem(status, { code, status, title: "Not shown", detail: "Said by Baton." }));
    expect(await door.press(press)).toEqual({ ok: false, problem: { kind, detail: "Said by Baton." } });
  });

  it.each([401, 403, 404, 409, 418, 429, 502])("finds words of its own for a %d that has none", async (status) => {
    const { door } = answering(new Response("<html>", { status }), problem(status, { detail: "" }));
    const [bare, empty] = [await door.read(), await door.read()];
    expect(bare).toEqual(empty);
    expect(bare.ok ? "" : bare.problem.detail).toMatch(/^[A-Z].+\.$/);
  });

  it("may be asked again where nobody answered", async () => {
    const { door } = answering(new Error("timeout"));
    expect(await door.read()).toEqual({
      ok: false,
      problem: { kind: "again", detail: "Baton could not be reached. Please try again." },
    });
  });

  it.each([
    ["no JSON", new Response("<html>a proxy's page</html>")],
    ["a card of a state that is not known", Response.json({ state: "sealed" })],
    ["nothing", new Response(null, { status: 204 })],
    ["null", Response.json(null)],
  ])("does not take %s for a card", async (_what, response) => {
    const { door } = answering(response);
    expect(await door.read()).toMatchObject({ ok: false, problem: { kind: "again" } });
  });

  it("does not take a card for the answer to a press: it may have been done, or not", async () => {
    const { door } = answering(Response.json(emptyCard));
    expect(await door.press(press)).toMatchObject({ ok: false, problem: { kind: "again" } });
  });
});
