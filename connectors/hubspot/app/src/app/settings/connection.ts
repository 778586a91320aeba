/**
 * Whether Baton knows this HubSpot account and whoever looks. Asked at the card's own door, so that what is told here is what the
 * card will meet: a record nobody has heard of is answered with an empty card. A component of HubSpot may import nothing from
 * beside its own folder; hence the few lines that `cards/door.ts` has too.
 */
import { hubspot } from "@hubspot/ui-extensions";

export interface Connection {
  readonly state: "connected" | "not_a_colleague" | "not_connected" | "unknown";
  /** Baton's own sentence, where it gave one. */
  readonly detail: string | null;
}

/** Contact 1; which one does not matter, and what comes back about it is not looked at. */
const anyRecord = new URLSearchParams({ objectTypeId: "0-1", objectId: "1" });

export async function askConnection(batonUrl: string): Promise<Connection> {
  let response: Response;
  try {
    response = await hubspot.fetch(`${batonUrl.replace(/\/+$/, "")}/card/hubspot/record?${anyRecord}`, {
      method: "GET",
    });
  } catch {
    return { state: "unknown", detail: null };
  }
  if (response.ok) return { state: "connected", detail: null };
  const body: unknown = await response.json().catch(() => null);
  const detail = typeof body === "object" && body !== null ? (body as { detail?: unknown }).detail : null;
  return { state: stateOf(response.status), detail: typeof detail === "string" ? detail : null };
}

function stateOf(status: number): Connection["state"] {
  if (status === 403) return "not_a_colleague";
  return status === 404 ? "not_connected" : "unknown";
}
