/**
 * The only place that leaves the card: `hubspot.fetch` to Baton's card door. HubSpot signs the call and adds who is looking
 * (`userId portalId userEmail appId`); we add which record. HubSpot sends a call again when the connection breaks or the answer
 * is a 5xx, so that a press may arrive twice: it carries a `request` of its own, and Baton answers it the same way both times.
 */
import { hubspot } from "@hubspot/ui-extensions";
import type { Card, Press, Pressed } from "./document.ts";

export interface Door {
  read(): Promise<Answer<Card>>;
  press(press: Press): Promise<Answer<Pressed>>;
}

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem };

export interface Problem {
  /**
   * `not_allowed`: Baton knows the account, and this person may not see or do this. `not_connected`: Baton does not know the
   * account. `refused`: nothing was done, and the same again would be refused again. `again`: nobody knows whether it was done,
   * or it was too early; the same may be sent again.
   */
  readonly kind: "not_allowed" | "not_connected" | "refused" | "again";
  /** A sentence for whoever looks. */
  readonly detail: string;
}

/** Where the record is: ids of HubSpot, e.g. `0-1` and `151`. */
export interface RecordPlace {
  readonly objectTypeId: string;
  readonly objectId: string;
}

/** What a company is called in HubSpot: Baton knows companies by these, for it searches nothing in a CRM. */
export type Company = Readonly<Partial<Record<"domain" | "name", string>>>;

/**
 * `batonUrl` is Baton's origin, e.g. `https://baton.example.com`, and stands in the app's `permittedUrls.fetch`. `company` says, on a
 * company's record, which company that is; it is asked each time, for a seller may have just corrected it.
 */
export function batonDoor(batonUrl: string, record: RecordPlace, company?: () => Promise<Company>): Door {
  const ask = async <Value>(
    path: string,
    options: Options,
    understood: (value: unknown) => value is Value,
  ): Promise<Answer<Value>> => {
    let called: Company;
    try {
      called = company === undefined ? {} : await company();
    } catch {
      // Without them Baton would say that it knows nobody there, which nobody has asked it.
      return failed("again", "HubSpot did not say which company this is. Please try again.");
    }
    const query = queryOf({ objectTypeId: record.objectTypeId, objectId: record.objectId, ...called });
    return call(`${batonUrl.replace(/\/+$/, "")}/card/hubspot/${path}?${query}`, options, understood);
  };
  return {
    read: () => ask("record", { method: "GET" }, isCard),
    press: (press) => ask("press", { method: "POST", body: { ...press } }, isPressed),
  };
}

type Options = NonNullable<Parameters<typeof hubspot.fetch>[1]>;

/** As Baton takes them: at most 255 characters, and what is empty is left out. A space is `%20`: `+` is read in two ways. */
function queryOf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => [name, cut(value.trim())] as const)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}

const valueCharactersMax = 255;

/** Never in the middle of a character: half of one cannot be written into an address. */
function cut(value: string): string {
  return value.slice(0, valueCharactersMax).replace(/[\uD800-\uDBFF]$/, "");
}

async function call<Value>(
  url: string,
  options: Options,
  understood: (value: unknown) => value is Value,
): Promise<Answer<Value>> {
  let response: Response;
  try {
    response = await hubspot.fetch(url, options);
  } catch {
    return failed("again", "Baton could not be reached. Please try again.");
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) return { ok: false, problem: problemOf(response.status, body) };
  if (understood(body)) return { ok: true, value: body };
  // Not known to be undone: a press whose answer cannot be read may have been carried out.
  return failed("again", "Baton answered something that this card does not understand. Please reload the page.");
}

function problemOf(status: number, body: unknown): Problem {
  const detail = textOf(body, "detail");
  switch (status) {
    case 401:
      return { kind: "refused", detail: detail ?? "HubSpot's signature was not accepted." };
    case 403:
      return { kind: "not_allowed", detail: detail ?? "You may not see this." };
    case 404:
      return { kind: "not_connected", detail: detail ?? "Baton is not connected to this HubSpot account." };
    case 409:
      return {
        kind: textOf(body, "code") === "busy" ? "again" : "refused",
        detail: detail ?? "This is not possible any more.",
      };
    case 429:
      return { kind: "again", detail: detail ?? "Too many requests at once. Please try again in a moment." };
    default:
      return status < 500
        ? { kind: "refused", detail: detail ?? "Baton did not accept this." }
        : { kind: "again", detail: detail ?? "Baton did not answer in time. Please try again." };
  }
}

function failed(kind: Problem["kind"], detail: string): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { kind, detail } };
}

function textOf(body: unknown, member: string): string | undefined {
  const value = typeof body === "object" && body !== null ? (body as Record<string, unknown>)[member] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Baton made and checked the document; this only tells it from the answer of something in between. */
function isCard(value: unknown): value is Card {
  const state = textOf(value, "state");
  return state === "ready" || state === "empty";
}

function isPressed(value: unknown): value is Pressed {
  return textOf(value, "status") !== undefined && isCard((value as { card?: unknown }).card);
}
