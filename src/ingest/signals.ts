/**
 * `POST /v1/signals`: our own API. One JSON signal or CloudEvent, or NDJSON with one signal per line for backfills. The key
 * of a `baton` emitter is the Bearer token.
 */

import type { SignalDraft } from "../../connectors/contract.ts";
import { emitterOf } from "../../connectors/index.ts";
import { ndjsonBytesMax, ndjsonLinesMax } from "../limits.ts";
import { emitterByKey } from "../workspace.ts";
import { boundedBody } from "./body.ts";
import { notNow, problem } from "./problem.ts";
import {
  type AppContext,
  countLater,
  deliveryOf,
  emptyTally,
  handOnAll,
  type Kept,
  receiveDelivery,
  settle,
} from "./receive.ts";
import { writeKeyOf } from "./segment.ts";

export async function receiveSignals(c: AppContext): Promise<Response> {
  const key = writeKeyOf(c.req.header("authorization"));
  if (key === null) return problem(401, { code: "unauthorised" });
  const type = c.req.header("content-type") ?? "";
  if (/^application\/(x-)?(ndjson|jsonl?ines?)/i.test(type)) return receiveLines(c, key);
  const received = await receiveDelivery(c, key, (vendor) => vendor === "baton");
  return received.ok ? Response.json(received.tally, { status: 202 }) : received.response;
}

/** Each line stands for itself: good lines are applied, bad ones listed with their number and reason. */
async function receiveLines(c: AppContext, key: string): Promise<Response> {
  const now = Date.now();
  const body = await boundedBody(c.req.raw, ndjsonBytesMax);
  if (!body.ok)
    return problem(413, {
      code: body.failure.reason,
      ...(body.failure.detail === undefined ? {} : { detail: body.failure.detail }),
    });
  const emitter = await emitterByKey(c.env, key, now, (work) => c.executionCtx.waitUntil(work));
  const connector = emitterOf("baton");
  if (emitter === null || emitter.vendor !== "baton" || connector === undefined)
    return problem(401, { code: "unauthorised" });
  const lines = new TextDecoder().decode(body.value).split("\n");
  const filled = lines.filter((line) => line.trim() !== "").length;
  if (filled > ndjsonLinesMax)
    return problem(413, { code: "too_many_lines", detail: `A request may hold ${ndjsonLinesMax} lines.` });

  const drafts: SignalDraft[] = [];
  const errors: { path: string; message: string }[] = [];
  const encoder = new TextEncoder();
  const json = { "content-type": "application/json" };
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const delivery = { ...deliveryOf(c, encoder.encode(line), now), headers: json };
    const translated = connector.translate(delivery, emitter.settings);
    if (translated.ok) drafts.push(...translated.value.drafts);
    else errors.push({ path: `line ${index + 1}`, message: translated.failure.detail ?? translated.failure.reason });
  }
  if (drafts.length === 0 && errors.length > 0) {
    countLater(c, emitter, ["refused:no_good_line"]);
    return problem(400, { code: "no_good_line", detail: "Not one line is a signal.", errors: errors.slice(0, 100) });
  }
  const tally = emptyTally();
  const kept: Kept[] = [];
  const stored = await handOnAll(c, emitter, drafts, now, tally, kept);
  if (!stored) return notNow();
  const settled = await settle(c, emitter, tally, kept, now);
  return settled.ok
    ? Response.json({ ...settled.tally, refused: errors.length, errors: errors.slice(0, 100) }, { status: 202 })
    : settled.response;
}
