/**
 * `POST /v1/signals`: our own API. One JSON signal or CloudEvent, or NDJSON with one signal per line for backfills. Key and
 * secret of a `baton` emitter are the user name and password (`curl -u key:secret`).
 */
import type { SignalDraft } from "../../connectors/contract.ts";
import { ndjsonBytesMax, ndjsonLinesMax } from "../limits.ts";
import { notNow, problem } from "./problem.ts";
import {
  type AppContext,
  admit,
  countLater,
  emptyTally,
  handOnAll,
  type Kept,
  receiveDelivery,
  settle,
} from "./receive.ts";

const isOurs = (vendor: string): boolean => vendor === "baton";

export async function receiveSignals(c: AppContext): Promise<Response> {
  const credentials = basicCredentials(c.req.header("authorization"));
  if (credentials === null) return problem(401, { code: "unauthorised" });
  const type = c.req.header("content-type") ?? "";
  if (/^application\/(x-)?(ndjson|jsonl|jsonlines)/i.test(type)) return receiveLines(c, credentials);
  const received = await receiveDelivery(c, credentials.key, isOurs, credentials.secret);
  return received.ok ? Response.json(received.tally, { status: 202 }) : received.response;
}

/** Each line stands for itself: good lines are applied, bad ones listed with their number and reason. */
async function receiveLines(c: AppContext, { key, secret }: Credentials): Promise<Response> {
  const now = Date.now();
  const admitted = await admit(c, key, isOurs, now, ndjsonBytesMax, secret);
  if (!admitted.ok) return admitted.response;
  const { emitter, connector, delivery } = admitted;
  const lines = new TextDecoder().decode(delivery.body).split("\n");
  if (lines.filter((line) => line.trim() !== "").length > ndjsonLinesMax) {
    return problem(413, { code: "too_many_lines", detail: `A request may hold ${ndjsonLinesMax} lines.` });
  }

  const drafts: SignalDraft[] = [];
  const errors: { path: string; message: string }[] = [];
  const encoder = new TextEncoder();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const one = { ...delivery, body: encoder.encode(line), headers: { "content-type": "application/json" } };
    const translated = connector.translate(one, emitter.settings);
    const path = `line ${index + 1}`;
    if (!translated.ok) errors.push({ path, message: translated.failure.detail ?? translated.failure.reason });
    else {
      drafts.push(...translated.value.drafts);
      for (const bad of translated.value.quarantined ?? [])
        errors.push({ path: `${path}, item ${bad.index + 1}`, message: bad.reason });
    }
  }
  if (drafts.length === 0 && errors.length > 0) {
    countLater(c, emitter, ["refused:no_good_line"]);
    return problem(400, { code: "no_good_line", detail: "Not one line is a signal.", errors: errors.slice(0, 100) });
  }
  const tally = emptyTally();
  const kept: Kept[] = [];
  if (!(await handOnAll(c, emitter, drafts, now, tally, kept))) return notNow();
  const settled = await settle(c, emitter, tally, kept, now);
  if (!settled.ok) return settled.response;
  return Response.json({ ...settled.tally, refused: errors.length, errors: errors.slice(0, 100) }, { status: 202 });
}

interface Credentials {
  readonly key: string;
  readonly secret: string;
}

function basicCredentials(header: string | undefined): Credentials | null {
  const [scheme, value] = (header ?? "").split(" ", 2);
  if (scheme?.toLowerCase() !== "basic" || value === undefined) return null;
  try {
    const [key, ...rest] = atob(value).split(":");
    return key === undefined || key === "" ? null : { key, secret: rest.join(":") };
  } catch {
    return null;
  }
}
