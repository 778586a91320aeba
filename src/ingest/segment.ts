/**
 * Segment's HTTP tracking API, so that Segment, RudderStack and Jitsu clients deliver unchanged. The write key is an emitter
 * key: Basic user name, Bearer token, or `writeKey` in the body (EMITTERS §2).
 */
import { problem } from "./problem.ts";
import { type AppContext, receiveDelivery } from "./receive.ts";

/** The documented paths, and the short ones that the SDKs use. */
export const segmentPaths: readonly string[] = [
  "track",
  "identify",
  "page",
  "screen",
  "group",
  "alias",
  "batch",
  "import",
  "t",
  "i",
  "p",
  "s",
  "g",
  "a",
  "b",
];

export async function receiveSegment(c: AppContext): Promise<Response> {
  const key = writeKeyOf(c.req.header("authorization")) ?? (await writeKeyInBody(c));
  if (key === null) return problem(401, { code: "unauthorised" });
  const received = await receiveDelivery(c, key, (vendor) => vendor === "segment");
  // Segment's own answer; some clients look at it.
  return received.ok ? Response.json({ success: true, ...received.tally }) : received.response;
}

function writeKeyOf(header: string | undefined): string | null {
  const [scheme, value] = (header ?? "").split(" ", 2);
  if (value === undefined) return null;
  if (scheme?.toLowerCase() === "bearer") return value;
  if (scheme?.toLowerCase() !== "basic") return null;
  try {
    return atob(value).split(":", 1)[0] || null;
  } catch {
    return null;
  }
}

/** Browser clients without an Authorization header put the key into the message. */
async function writeKeyInBody(c: AppContext): Promise<string | null> {
  const declared = Number(c.req.header("content-length") ?? "0");
  if (declared === 0 || declared > 600_000) return null;
  try {
    const body: unknown = await c.req.raw.clone().json();
    const key = typeof body === "object" && body !== null && "writeKey" in body ? body.writeKey : null;
    return typeof key === "string" ? key : null;
  } catch {
    return null;
  }
}
