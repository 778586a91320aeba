/** Instants are epoch milliseconds inside and ISO 8601 outside (see `model.ts`). Pure. */

const instants = new Set(
  "accepted_at at closed_at created_at decide_at due_at first_at last_at last_event_timestamp occurred_at overdue_since promised_at raised_at received_at retry_at settled_at since taken_at until".split(
    " ",
  ),
);

/** What others sent stays as they sent it. */
const foreign = new Set(["properties", "traits"]);

/** The same document with every instant of ours in words. */
export function withInstants(document: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, outside(name, value)]));
}

export function instantOf(at: number): string {
  return new Date(at).toISOString();
}

function outside(name: string, value: unknown): unknown {
  if (typeof value === "number") return instants.has(name) ? instantOf(value) : value;
  if (foreign.has(name) || typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? value.map((item) => outside("", item)) : withInstants(value);
}
