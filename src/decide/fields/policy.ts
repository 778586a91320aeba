/**
 * Who may write what: the field section of the policy, checked at the door, and the table that is published of it. Pure.
 *
 * Three owners. `engine`: our own fields, which the engine keeps right. `human`: read and never written by the engine. `shared`:
 * whoever may write it writes it, and the engine carries it from one CRM to the other. Whatever the rule, a person's newer value
 * stays.
 */
import * as z from "zod";
import { fieldKinds, numberOf, spelled } from "./spelling.ts";

const fieldName = z.string().regex(/^[a-z][a-z0-9_]{0,59}$/);
const fieldsMax = 200;

export const fieldRules = ["owner_wins", "newest_wins", "highest_wins", "ask"] as const;
export type FieldRule = (typeof fieldRules)[number];

const fieldSchema = z
  .strictObject({
    owner: z.enum(["engine", "human", "shared"]),
    /** Who is told of writes that should not have been, and asked where the rule is `ask`. */
    steward: z.email().optional(),
    /** What the value is, and so when two spellings of it are one. */
    kind: z.enum(fieldKinds).default("text"),
    /** Systems whose values count: names of emitters, `hubspot`, `salesforce` (what works inside that CRM), or `*`: everybody. */
    writers: z.array(z.string().min(1).max(80)).max(100),
    rule: z.enum(fieldRules),
    /** The ladder of `highest_wins`, lowest first; numbers need none. */
    order: z.array(z.string().min(1).max(200)).min(2).max(50).optional(),
    /** CRMs into which the engine carries the value. */
    write_to: z
      .array(z.enum(["hubspot", "salesforce"]))
      .max(2)
      .default([]),
    /** A number that moved by less than this since it was written is not written again. */
    deadband: z.number().positive().max(1e9).optional(),
  })
  .superRefine((field, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const { owner, writers, rule, order, kind } = field;
    if (rule === "ask" && field.steward === undefined)
      refuse("steward", "The rule is to ask, and there is no steward who could be asked.");
    if (rule === "highest_wins" && kind !== "number" && order === undefined)
      refuse("order", "Only numbers have a highest value by themselves: list the values, lowest first.");
    if (rule !== "highest_wins" && order !== undefined)
      refuse("order", "An order is only looked at where the highest wins.");
    if (order !== undefined && new Set(order.map((value) => spelled(kind, value))).size < order.length)
      refuse("order", "A value stands twice in the order.");
    if (owner === "human" && field.write_to.length > 0)
      refuse("write_to", "The engine never writes a field that people own: make it shared, or carry it nowhere.");
    if (owner === "human" && writers.includes("engine"))
      refuse("writers", "The engine never writes a field that people own.");
    if (owner === "shared" && rule === "owner_wins")
      refuse("rule", "A shared field has no owner who could win: choose newest_wins, highest_wins or ask.");
    if (owner === "engine" && writers.includes("*"))
      refuse("writers", "What everybody may write is not the engine's own: make it shared.");
    if (writers.includes("*") && writers.length > 1) refuse("writers", "“*” means everybody already.");
    if (new Set(writers).size < writers.length) refuse("writers", "A system is named twice.");
    if (new Set(field.write_to).size < field.write_to.length) refuse("write_to", "A CRM is named twice.");
    if (field.deadband !== undefined && kind !== "number") refuse("deadband", "Only a number can move by too little.");
  });

export const fieldPolicySchema = z.record(fieldName, fieldSchema).superRefine((policy, context) => {
  if (Object.keys(policy).length > fieldsMax)
    context.addIssue({ code: "custom", message: `A workspace has at most ${fieldsMax} fields with an owner.` });
});

export type FieldPolicy = z.infer<typeof fieldPolicySchema>;
export type FieldOwnership = z.infer<typeof fieldSchema>;

export function ownershipOf(policy: FieldPolicy, field: string): FieldOwnership | undefined {
  return Object.hasOwn(policy, field) ? policy[field] : undefined;
}

/** Whether values of this system count. A person's always do, whoever they are: that is asked elsewhere. */
export function mayWrite(ownership: FieldOwnership, system: string): boolean {
  if (system === "engine")
    return ownership.owner === "engine" || ownership.writers.some((name) => name === "engine" || name === "*");
  return ownership.writers.includes(system) || ownership.writers.includes("*");
}

/** Place of a value on the ladder of `highest_wins`; `undefined` under other rules. What the ladder does not list is lowest. */
export function rankOfValue(ownership: FieldOwnership, value: string): number | undefined {
  if (ownership.rule !== "highest_wins") return undefined;
  if (ownership.order === undefined) return numberOf(value) ?? Number.MIN_SAFE_INTEGER;
  const own = spelled(ownership.kind, value);
  return ownership.order.findIndex((step) => spelled(ownership.kind, step) === own);
}

/** What a new workspace starts with. */
export function defaultFieldPolicy(steward: string): FieldPolicy {
  const engines = {
    owner: "engine",
    steward,
    writers: ["engine"],
    rule: "owner_wins",
    write_to: ["hubspot", "salesforce"],
  } as const;
  const people = { owner: "human", steward, writers: ["*"], rule: "owner_wins" } as const;
  const shared = {
    owner: "shared",
    steward,
    writers: ["*"],
    rule: "newest_wins",
    write_to: ["hubspot", "salesforce"],
  } as const;
  return fieldPolicySchema.parse({
    lead_score: { ...engines, kind: "number", deadband: 5 },
    lifecycle_state: {
      ...engines,
      kind: "choice",
      rule: "highest_wins",
      order: ["unknown", "subscriber", "lead", "engaged", "trial", "sales_ready", "customer", "churned"],
    },
    lead_level: engines,
    last_event_timestamp: { ...engines, kind: "instant" },
    idempotency_key: engines,
    baton_lead_id: engines,
    lead_source: engines,
    follow_up_reason: engines,
    email: { ...people, kind: "email" },
    first_name: people,
    last_name: people,
    phone: { ...people, kind: "phone" },
    company: people,
    job_title: people,
    country: people,
    website: { ...shared, kind: "url" },
    time_zone: shared,
  });
}

/** One line of the published table. */
export interface OwnershipRow {
  readonly field: string;
  readonly owner: FieldOwnership["owner"];
  readonly may_write: readonly string[];
  readonly rule: string;
  readonly steward: string;
  readonly carried_to: readonly string[];
}

export function ownershipTable(policy: FieldPolicy): readonly OwnershipRow[] {
  return Object.entries(policy)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, item]) => ({
      field,
      owner: item.owner,
      may_write: item.writers.includes("*")
        ? ["everybody"]
        : [...new Set([...(item.owner === "engine" ? ["engine"] : []), ...item.writers])].sort(),
      rule: ruleInWords(item),
      steward: item.steward ?? "",
      carried_to: item.write_to,
    }));
}

function ruleInWords({ owner, rule, order }: FieldOwnership): string {
  switch (rule) {
    case "owner_wins":
      return owner === "engine"
        ? "The engine's value, unless a person's is newer."
        : "The newest value that a person typed; without one, the newest of the others.";
    case "newest_wins":
      return "The newest value.";
    case "highest_wins":
      return `The highest value${order === undefined ? "" : ` (${order.join(" < ")})`} since a person last typed one.`;
    case "ask":
      return "A newer value that differs is put before the steward.";
  }
}
