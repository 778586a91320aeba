/**
 * What each play still has to name before it may go live (PLAYBOOK), item by item. Reads a document as it was written, mistakes
 * and all, so that a draft can be worked through. Pure.
 */

export interface ChecklistItem {
  readonly item: string;
  readonly ok: boolean;
  /** What the play names; absent where it is missing. */
  readonly named?: string;
}

export interface PlayChecklist {
  readonly play: string;
  readonly status: string;
  /** Nothing is missing. */
  readonly ready: boolean;
  readonly items: readonly ChecklistItem[];
}

/** Members of `go_live` and what people call them. The triggers are the play's routes; its audit trail is the history of decisions. */
const named = [
  ["source systems", "source_systems"],
  ["destination system", "destination_system"],
  ["owner", "owner"],
  ["fallback owner", "fallback_owner"],
  ["exception route", "exception_route"],
  ["review path", "review_path"],
  ["QA checkpoint", "qa_checkpoint"],
  ["reporting field", "reporting_field"],
] as const;

export function checklistOf(document: unknown): readonly PlayChecklist[] {
  const triggers = triggersOf(document);
  return Object.entries(membersOf(memberOf(document, "plays"))).map(([name, play]) => {
    const goLive = memberOf(play, "go_live");
    const items = [
      itemOf("trigger", triggers.get(name)),
      ...named.map(([words, member]) => itemOf(words, memberOf(goLive, member))),
    ];
    const status = memberOf(play, "status");
    return {
      play: name,
      status: typeof status === "string" ? status : "live",
      ready: items.every(({ ok }) => ok),
      items,
    };
  });
}

/** Names of the items that a play lacks. */
export function missingOf({ items }: PlayChecklist): readonly string[] {
  return items.filter(({ ok }) => !ok).map(({ item }) => item);
}

/** What leads to a play: its routes, and the plays that fall back on it. */
function triggersOf(document: unknown): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (play: unknown, trigger: string) => {
    if (typeof play !== "string") return;
    const known = found.get(play);
    if (known === undefined) found.set(play, [trigger]);
    else known.push(trigger);
  };
  const routes = memberOf(document, "routes");
  for (const route of Array.isArray(routes) ? routes : [])
    add(memberOf(route, "play"), `route “${String(memberOf(route, "name"))}”`);
  for (const [name, play] of Object.entries(membersOf(memberOf(document, "plays"))))
    add(memberOf(play, "fallback"), `fallback of “${name}”`);
  return found;
}

function itemOf(item: string, value: unknown): ChecklistItem {
  const words = Array.isArray(value) ? value.map(String).join(", ") : typeof value === "string" ? value.trim() : "";
  return words === "" ? { item, ok: false } : { item, ok: true, named: words };
}

function memberOf(value: unknown, name: string): unknown {
  return membersOf(value)[name];
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
