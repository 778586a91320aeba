/** The first stage of a backtest: history dealt to parts by lead. One call is one slice. */
import { digest } from "../../crypto.ts";
import { backtestLookbackMs, backtestSignalsMax, backtestSliceBytes, backtestSliceSegments } from "../../limits.ts";
import type { Decision } from "../../model.ts";
import { emptyLead } from "../../resolve/lead.ts";
import { type Checkpoint, type Job, Refused } from "../backtests.ts";
import { erasedKeys, segmentsOf, withoutErased } from "../erasures.ts";
import { beganAt } from "../lookup.ts";
import type { JournalEntry } from "../rows.ts";

type Gathering = Extract<Checkpoint, { stage: "gather" }>;

/** A line of a part: an entry of history with the lead it belongs to in the end, or how a follow-up was closed. */
export type Line =
  | JournalEntry
  | { readonly type: "closing"; readonly id: string; readonly state: string; readonly at: number | null };

const followUpsPerSlice = 5_000;
/** A decision, and the signals that wait for it, are journalled within the longest usual window. */
const journalledWithinMs = 86_400_000;

export async function gather(job: Job, checkpoint: Gathering): Promise<Checkpoint> {
  const finals = await finalLeads(job);
  const dealt = new Dealt(checkpoint.parts, job.request.leads_percent, finals);
  const next =
    checkpoint.what === "follow_ups"
      ? await dealFollowUps(job, checkpoint, dealt)
      : await dealSegments(job, checkpoint, dealt);
  const order = `${checkpoint.what === "follow_ups" ? 0 : 1}-${String(checkpoint.slices).padStart(6, "0")}`;
  for (const [part, lines] of dealt.lines.entries())
    if (lines.length > 0)
      await job.env.HISTORY.put(`${job.folder}/parts/${part}/${order}.ndjson`, `${lines.join("\n")}\n`);
  return next;
}

/** What became of follow-ups comes first: it must be known before they are made again. */
async function dealFollowUps(job: Job, checkpoint: Gathering, dealt: Dealt): Promise<Checkpoint> {
  const { ledger, workspace, request } = job;
  const first = `fu_${Math.max(0, request.from - backtestLookbackMs).toString(36)}`;
  const rows = await ledger
    .prepare(
      `SELECT id, lead, state, due_at, document ->> '$.closed_at' AS closed_at FROM follow_ups
       WHERE workspace = ? AND id > ? ORDER BY id LIMIT ?`,
    )
    .bind(workspace, checkpoint.after === "" ? first : checkpoint.after, followUpsPerSlice)
    .all<{ id: string; lead: string; state: string; due_at: number; closed_at: number | null }>();
  for (const { id, lead, state, due_at, closed_at } of rows.results)
    dealt.add(lead, () => ({ type: "closing", id, state, at: closed_at ?? (state === "open" ? null : due_at) }));
  const last = rows.results.at(-1);
  const more = rows.results.length === followUpsPerSlice && last !== undefined;
  return {
    ...checkpoint,
    slices: checkpoint.slices + 1,
    ...(more ? { after: last.id } : { what: "segments" as const, after: "" }),
  };
}

async function dealSegments(job: Job, checkpoint: Gathering, dealt: Dealt): Promise<Checkpoint> {
  const { env, ledger, workspace, request } = job;
  const erased = await erasedKeys(ledger, workspace);
  let { after, signals } = checkpoint;
  const deal = (given: JournalEntry) => {
    const entry = withoutErased(given, erased);
    if (entry === null || !isInTime(entry, request)) return;
    if (dealt.add(entry.lead, (lead) => slim({ ...entry, lead })) && entry.type === "signal") signals++;
  };
  let [bytes, segments] = [0, 0];
  let done = true;
  for await (const name of segmentsOf(env.HISTORY, workspace, after === "" ? firstSegment(job) : after)) {
    if (beganAt(name) > request.to + journalledWithinMs) break;
    if (bytes >= backtestSliceBytes || segments >= backtestSliceSegments) {
      done = false;
      break;
    }
    const text = (await (await env.HISTORY.get(name))?.text()) ?? "";
    for (const line of text.split("\n")) if (line !== "") deal(JSON.parse(line) as JournalEntry);
    bytes += text.length;
    segments++;
    after = name;
  }
  if (done) {
    const rows = await ledger
      .prepare("SELECT entries FROM journal WHERE workspace = ? ORDER BY id")
      .bind(workspace)
      .all<{ entries: string }>();
    for (const { entries } of rows.results) for (const entry of JSON.parse(entries) as JournalEntry[]) deal(entry);
  }
  if (signals > backtestSignalsMax)
    throw new Refused(
      `There are more than ${backtestSignalsMax.toLocaleString("en")} signals in this range and the ${backtestLookbackMs / 86_400_000} days before; take a shorter one, or a share of the leads.`,
    );
  if (done) return { stage: "replay", parts: checkpoint.parts, part: 0 };
  return { ...checkpoint, slices: checkpoint.slices + 1, after, signals };
}

/** `startAfter` is exclusive, and no segment is called like a bare day. A segment may have been begun on the day before. */
export function firstSegment({ workspace, request }: Pick<Job, "workspace" | "request">): string {
  const at = Math.max(0, request.from - backtestLookbackMs - 86_400_000);
  return `history/${workspace}/${new Date(at).toISOString().slice(0, 10)}`;
}

function isInTime(entry: JournalEntry, { from, to }: Job["request"]): boolean {
  const at = entry.type === "signal" ? entry.signal.received_at : entry.decision.at;
  return at >= from - backtestLookbackMs && at < to;
}

/** Of a decision, what is counted of it, and what people had approved by then. */
function slim(entry: JournalEntry): JournalEntry {
  if (entry.type === "signal") return entry;
  const { decision, inputs, lead } = entry;
  const { assign: _ways, enrichment: _more, withdrawn: _less, ...rest } = decision;
  const counted: Decision = { ...rest, signals: [], reasons: decision.reasons.slice(0, 1) };
  if (inputs === undefined || inputs.approvals.length === 0) return { type: "decision", lead, decision: counted };
  const approved = { lead_id: lead, lead: emptyLead, follow_ups: [], approvals: inputs.approvals };
  return { type: "decision", lead, decision: counted, inputs: approved };
}

class Dealt {
  readonly lines: string[][];
  readonly #percent: number;
  readonly #finals: ReadonlyMap<string, string>;

  constructor(parts: number, percent: number, finals: ReadonlyMap<string, string>) {
    this.lines = Array.from({ length: parts }, () => []);
    this.#percent = percent;
    this.#finals = finals;
  }

  /** False where the lead is not of the share that is asked for. */
  add(recorded: string, line: (lead: string) => Line): boolean {
    const lead = this.#finalOf(recorded);
    const share = Number.parseInt(digest("backtest", lead).slice(0, 8), 16);
    if (share % 100 >= this.#percent) return false;
    this.lines[Math.floor(share / 100) % this.lines.length]?.push(JSON.stringify(line(lead)));
    return true;
  }

  #finalOf(lead: string): string {
    let at = lead;
    for (let hops = 0; hops < 40; hops++) {
      const next = this.#finals.get(at);
      if (next === undefined) return at;
      at = next;
    }
    return at;
  }
}

/** Leads that have become part of another one: the signals they were recorded with are that one's. */
async function finalLeads({ ledger, workspace }: Job): Promise<ReadonlyMap<string, string>> {
  const rows = await ledger
    .prepare("SELECT id, merged_into FROM leads WHERE workspace = ? AND merged_into IS NOT NULL AND merged_into <> ''")
    .bind(workspace)
    .all<{ id: string; merged_into: string }>();
  return new Map(rows.results.map(({ id, merged_into }) => [id, merged_into]));
}
