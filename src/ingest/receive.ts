/**
 * The door: bounded raw body → configured emitter → verify → translate → hand on. Everything that arrives is applied,
 * quarantined where a person sees it, or refused with a clear answer; nothing in between (G1, G16).
 */
import type { Context } from "hono";
import type { Delivery, Emitter, SignalDraft } from "../../connectors/contract.ts";
import { emitterOf } from "../../connectors/index.ts";
import { withoutForeign } from "../decide/fields/entrance.ts";
import type { Env } from "../env.ts";
import { type Failure, quarantined } from "../failure.ts";
import { deliveryBytesMax, handOnConcurrency } from "../limits.ts";
import { errorName, log } from "../log.ts";
import { projectorStub } from "../objects/names.ts";
import type { Count } from "../objects/projector.ts";
import { toSignal } from "../translate/signal.ts";
import { type ConfiguredEmitter, emitterByKey } from "../workspace.ts";
import { boundedBody } from "./body.ts";
import { crmRecord } from "./crm-record.ts";
import { deliver } from "./deliver.ts";
import { notNow, problem } from "./problem.ts";
import { keepQuarantined, keyConflict } from "./quarantine.ts";
import { foreignField, marksReady, type Report, report } from "./report.ts";

export type AppContext = Context<{ Bindings: Env }>;

/** What became of the events of one delivery. */
export interface Tally {
  accepted: number;
  duplicates: number;
  conflicts: number;
  skipped: number;
  quarantined: number;
}

export type Received =
  | { readonly ok: true; readonly tally: Tally }
  | { readonly ok: false; readonly response: Response };

/** Webhooks of any emitter: `POST /in/:emitterKey`. */
export async function receiveWebhook(c: AppContext): Promise<Response> {
  const key = c.req.param("emitterKey") ?? "";
  const received = await receiveDelivery(c, key, (vendor) => vendor !== "segment");
  return received.ok ? Response.json(received.tally, { status: 202 }) : received.response;
}

/** Takes one delivery in. `accepts` says which connectors this door serves. */
export async function receiveDelivery(
  c: AppContext,
  key: string,
  accepts: (vendor: string) => boolean,
  secret?: string,
): Promise<Received> {
  const now = Date.now();
  const admitted = await admit(c, key, accepts, now, deliveryBytesMax, secret);
  if (!admitted.ok) return admitted;
  const { emitter, connector, delivery } = admitted;
  const tally = emptyTally();
  const translated = connector.translate(delivery, emitter.settings);
  if (!translated.ok) {
    if (translated.failure.arm !== "quarantined") return refusal(c, emitter, translated.failure);
    return settle(c, emitter, tally, [{ body: textOf(delivery.body), failure: translated.failure }], now);
  }
  const { drafts, skipped, quarantined: broken = [] } = translated.value;
  tally.skipped = skipped.length;
  const kept = broken
    .slice(0, 1)
    .map(({ reason }): Kept => ({ body: textOf(delivery.body), failure: quarantined(reason) }));
  const stored = await handOnAll(c, emitter, drafts, now, tally, kept);
  return stored ? settle(c, emitter, tally, kept, now) : { ok: false, response: notNow() };
}

export type Admission =
  | { readonly ok: true; readonly emitter: ConfiguredEmitter; readonly connector: Emitter; readonly delivery: Delivery }
  | { readonly ok: false; readonly response: Response };

/**
 * Bounded body, known emitter, verified bytes. The answers to a wrong key, a wrong secret and a wrong signature are the same:
 * the sender is not told which check failed. `secret`: one that came beside the key instead of in the vendor's own header.
 */
export async function admit(
  c: AppContext,
  key: string,
  accepts: (vendor: string) => boolean,
  now: number,
  bytesMax: number,
  secret?: string,
): Promise<Admission> {
  const body = await boundedBody(c.req.raw, bytesMax);
  if (!body.ok) return refusal(c, null, body.failure);
  let emitter: ConfiguredEmitter | null;
  try {
    emitter = await emitterByKey(c.env, key, now, (work) => c.executionCtx.waitUntil(work));
  } catch (error) {
    log("error", "ingest.config_unreachable", { error: errorName(error) });
    return { ok: false, response: notNow("The configuration cannot be read; send it again.") };
  }
  const connector = emitter === null || !accepts(emitter.vendor) ? undefined : emitterOf(emitter.vendor);
  if (emitter === null || connector === undefined) return refusal(c, null, { arm: "refused", reason: "unauthorised" });
  const delivery = deliveryOf(c, body.value, now, secret);
  const verified = connector.verify(delivery, emitter.secrets, now);
  if (verified.ok) return { ok: true, emitter, connector, delivery };
  return refusal(c, emitter, { ...verified.failure, reason: "unauthorised" }, verified.failure.reason);
}

export interface Kept {
  readonly body: string;
  readonly failure: Failure;
}

export function emptyTally(): Tally {
  return { accepted: 0, duplicates: 0, conflicts: 0, skipped: 0, quarantined: 0 };
}

/** Hands drafts on, a bounded number at a time. False when one could be stored nowhere: then the sender must try again. */
export async function handOnAll(
  c: AppContext,
  emitter: ConfiguredEmitter,
  drafts: readonly SignalDraft[],
  now: number,
  tally: Tally,
  kept: Kept[],
): Promise<boolean> {
  const origin = { workspace: emitter.workspace.id, emitter: emitter.name, receivedAt: now };
  let allStored = true;
  const handOn = async (draft: SignalDraft): Promise<void> => {
    const signal = toSignal(draft, origin, emitter.workspace.policy.identity);
    if (!signal.ok) {
      kept.push({ body: JSON.stringify(draft), failure: signal.failure });
      return;
    }
    if (draft.record !== undefined) {
      const known = await crmRecord(c.env, emitter, draft.record, signal.value, draft.erases === true);
      if (known === "unreachable") allStored = false;
      if (known !== "goes_on") {
        if (known === "erased") tally.accepted++;
        return;
      }
    }
    const { signal: own, foreign } = withoutForeign(emitter.workspace.policy.fields, signal.value);
    const delivered = await deliver(c.env, emitter.workspace, emitter.facts, own);
    if (delivered === "applied" && marksReady(own)) tell(c, emitter, [notCanonical], now);
    if (delivered === "applied" && foreign.length > 0) tell(c, emitter, foreign.map(foreignField), now);
    if (delivered === null) allStored = false;
    else if (delivered === "duplicate") tally.duplicates++;
    else if (delivered === "swallowed") tally.skipped++;
    else if (delivered === "conflict") {
      tally.conflicts++;
      kept.push({
        body: JSON.stringify(draft),
        failure: keyConflict,
      });
    } else tally.accepted++;
  };
  for (let at = 0; at < drafts.length; at += handOnConcurrency) {
    await Promise.all(drafts.slice(at, at + handOnConcurrency).map(handOn));
  }
  return allStored;
}

/** Keeps what must be kept, counts what is worth counting, and answers. */
export async function settle(
  c: AppContext,
  emitter: ConfiguredEmitter,
  tally: Tally,
  kept: readonly Kept[],
  now: number,
): Promise<Received> {
  tally.quarantined = kept.length;
  const place = { workspace: emitter.workspace.id, shard: emitter.workspace.shard, emitter: emitter.name };
  try {
    for (const { body, failure } of kept) await keepQuarantined(c.env, place, body, failure, now);
  } catch (error) {
    log("error", "ingest.quarantine", { error: errorName(error) });
    return {
      ok: false,
      response: notNow(),
    };
  }
  if (kept.length > 0) {
    const broken = kept.map(({ failure }) => ({ cause: failure.reason, detail: failure.detail ?? "" }));
    tell(
      c,
      emitter,
      broken.map((item): Report => ({ reason: "contract_break", ...item })),
      now,
    );
  }
  const reasons = kept.map(({ failure }) => `quarantined:${failure.reason}`);
  if (tally.duplicates > 0) reasons.push("duplicate");
  if (reasons.length > 0) countLater(c, emitter, reasons, tally.duplicates);
  return { ok: true, tally };
}

const notCanonical: Report = {
  reason: "not_canonical",
  cause: "marked_ready",
  detail: "This tool marks leads ready for follow-up. Only Baton does; what it sent was heard as a signal.",
};

/** Behind the answer: a report that is lost is made again by the next delivery of its kind. */
function tell(c: AppContext, emitter: ConfiguredEmitter, reports: readonly Report[], now: number): void {
  const told = report(c.env, emitter, reports, now).catch((error: unknown) =>
    log("error", "ingest.report", { error: errorName(error) }),
  );
  c.executionCtx.waitUntil(told);
}

function refusal(
  c: AppContext,
  emitter: ConfiguredEmitter | null,
  failure: Failure,
  inside = failure.reason,
): { readonly ok: false; readonly response: Response } {
  if (emitter !== null) countLater(c, emitter, [`refused:${inside}`]);
  log("info", "ingest.refused", { reason: inside, emitter: emitter?.name });
  const details = { code: failure.reason, ...(failure.detail === undefined ? {} : { detail: failure.detail }) };
  if (failure.reason === "unauthorised") return { ok: false, response: problem(401, { code: "unauthorised" }) };
  return { ok: false, response: problem(failure.reason.endsWith("too_large") ? 413 : 400, details) };
}

export function countLater(
  c: AppContext,
  emitter: ConfiguredEmitter,
  reasons: readonly string[],
  duplicates = 0,
): void {
  const counts: Count[] = reasons.map((what) => ({
    workspace: emitter.workspace.id,
    emitter: emitter.name,
    what,
    count: what === "duplicate" ? duplicates : 1,
  }));
  c.executionCtx.waitUntil(projectorStub(c.env, emitter.workspace.shard, emitter.name).count(counts));
}

function deliveryOf(c: AppContext, body: Uint8Array, receivedAt: number, secret: string | undefined): Delivery {
  const headers: Record<string, string> = {};
  c.req.raw.headers.forEach((value, name) => {
    headers[name] = value;
  });
  if (secret !== undefined) headers.authorization = `Bearer ${secret}`;
  // Vendors sign the address that they called, which is the public one, whatever stands between.
  const { url } = c.req;
  const pathAt = url.indexOf("/", url.indexOf("://") + 3);
  return { method: c.req.method, url: `${c.env.PUBLIC_URL}${url.slice(pathAt)}`, headers, body, receivedAt };
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}
