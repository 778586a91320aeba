/**
 * What happened, over all tools: signals, what Baton made of them, and what people said and did. Newest first; where two are of one
 * instant, the consequence stands above its cause. Pure.
 */
import { withoutRoute } from "../act/outbox.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { CrmName, Signal } from "../model.ts";
import type { LeadFold } from "../resolve/lead.ts";
import type { FollowUpRecord, LogEntry, Root, Target } from "../resolve/node.ts";
import { isCrm } from "../resolve/targets.ts";
import { tieId } from "../resolve/ties.ts";
import { capital } from "./words.ts";

export interface Moment {
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  readonly what: string;
  readonly source: string;
}

export const timelineMax = 50;
/** Two signals of one delivery may be a few words long each; a page title may be anything. */
const detailMax = 120;

/** `log`: the latest signals; `earlier` counts what is not shown, also signals that are not in it. */
export function timelineOf(
  policy: Policy,
  root: Root,
  log: readonly LogEntry[],
): { readonly shown: readonly Moment[]; readonly earlier: number } {
  const signals = log.map(({ signal }) => ofSignal(policy, signal));
  const rest = [...root.follow_ups.flatMap((item) => ofFollowUp(item)), ...ofJoins(root)];
  const all = [...rest, ...signals].sort((a, b) => b.at - a.at);
  const shown = all.slice(0, timelineMax);
  return { shown, earlier: Math.max(signalsOf(root.lead), signals.length) + rest.length - shown.length };
}

/** Every signal is counted once in its kind, however long ago it was. */
function signalsOf({ kinds }: LeadFold): number {
  return Object.values(kinds).reduce((sum, { count }) => sum + count, 0);
}

function ofSignal(policy: Policy, signal: Signal): Moment {
  const { idempotency_key, occurred_at, emitter, kind } = signal;
  const detail = detailOf(signal);
  const words = capital(kindRuleOf(policy, kind).words);
  return {
    id: idempotency_key,
    at: occurred_at,
    what: detail === undefined ? words : `${words}: ${detail}`,
    source: emitter,
  };
}

/** Which page, which event, which form: where the tool says so. */
function detailOf({ kind, properties }: Signal): string | undefined {
  const names = kind === "page_viewed" ? ["title", "path", "url"] : kind === "form_submitted" ? ["form"] : ["event"];
  if (kind !== "product_used" && names[0] === "event") return undefined;
  const found = names.map((name) => properties[name]).find((value) => typeof value === "string" && value !== "");
  return typeof found === "string" ? found.slice(0, detailMax).toWellFormed() : undefined;
}

const crmLabels: Readonly<Record<CrmName, string>> = { hubspot: "HubSpot", salesforce: "Salesforce" };

function sentTo({ crm, outlet, step }: Target): string {
  if (isCrm(crm) && step !== undefined) return `Sequence in ${crmLabels[crm]}`;
  return isCrm(crm) ? `Task in ${crmLabels[crm]}` : `Told ${outlet ?? crm}`;
}

function ofFollowUp(item: FollowUpRecord): Moment[] {
  const { id, play, created_at, closed_at, closed_because, actions } = item;
  const words = (item.words ?? []).map((word, index) => ({
    id: `${id}:said:${word.request ?? index}`,
    at: word.at,
    what: capital(word.said),
    source: word.by,
  }));
  const tasks = actions.flatMap(({ key, receipt, ...target }) =>
    receipt === undefined
      ? []
      : [{ id: `${key}:task`, at: receipt.at, what: `${sentTo(target)}: ${play}`, source: "baton" }],
  );
  // What a person closed stands there in their own words already.
  const isSaid = closed_at !== undefined && words.some(({ at }) => at === closed_at);
  const closed =
    closed_at === undefined || isSaid
      ? []
      : [
          {
            id: `${id}:closed`,
            at: closed_at,
            what: `Follow-up closed: ${closed_because ?? "no longer needed"}`,
            source: "baton",
          },
        ];
  const reason = item.reasons[0] === undefined ? undefined : withoutRoute(item.reasons[0].text);
  return [
    ...closed,
    ...words.reverse(),
    ...tasks,
    {
      id: `${id}:opened`,
      at: created_at,
      what: `Follow-up “${play}” for ${item.opened?.holder ?? item.holder}${reason === undefined ? "" : `: ${reason}`}`,
      source: "baton",
    },
  ];
}

function ofJoins(root: Root): Moment[] {
  return root.ties
    .filter(({ loser }) => loser !== undefined)
    .map((tie) => ({
      id: tieId(tie),
      at: tie.at,
      what: "Two leads turned out to be one person",
      source: tie.by.startsWith("person:") ? tie.by.slice("person:".length) : "baton",
    }));
}
