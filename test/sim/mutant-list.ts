/**
 * Seeded bugs: each a small patch of the real source that breaks one rule of DESIGN §6. The simulator must catch every one.
 * `find` must occur exactly once, so that a mutant whose code has moved fails loudly instead of testing nothing.
 */
import type { Patch } from "./hooks.ts";

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
}

const identity = "src/objects/identity.ts";
const store = "src/objects/identity-store.ts";
const account = "src/objects/account.ts";
const exactlyOnce = "src/act/exactly-once.ts";
const projector = "src/objects/projector.ts";
const node = "src/resolve/node.ts";
const obligations = "src/resolve/obligations.ts";

function one(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

export const mutants: readonly Mutant[] = [
  /* ---- link and merge */
  one(
    "drop the seal",
    identity,
    "        this.#seal(root, target);\n        return this.#transfer();",
    "        return this.#change(linkDone(root, todo.node));",
  ),
  one(
    "seal without an alarm",
    identity,
    "    this.#node = alias;\n    this.#arm(Date.now() + guardMs);",
    "    this.#node = alias;",
  ),
  one(
    "acknowledge before absorb",
    identity,
    "      const { parent, sealed } = node;",
    '      const { parent, sealed } = node;\n      this.#store.saveAlias({ role: "alias", parent, acknowledged: true });',
  ),
  one(
    "sealed state asks once only",
    identity,
    '    else if (after.role === "alias" && !after.acknowledged) this.#arm(Date.now() + guardMs);',
    "",
  ),
  one(
    "sealed log forgotten by a crash",
    store,
    'if (saved?.role === "alias" && saved.acknowledged) return saved;',
    'if (saved?.role === "alias") return saved;',
  ),
  one("log dropped at the seal", store, "if (node.acknowledged && this.#hasLog)", "if (this.#hasLog)"),
  one(
    "link keeps the state from before the call",
    identity,
    "      const root = this.#root();\n      if (root === null || !root.links",
    "      const root: Root | null = before;\n      if (root === null || !root.links",
  ),
  one(
    "join keeps the state from before the call",
    identity,
    "      const after = this.#root();\n      if (after === null) return;\n      if (joined.arm",
    "      const after: Root | null = root;\n      if (after === null) return;\n      if (joined.arm",
  ),
  one(
    "claim takes a root",
    identity,
    '    if (node.role === "root") return { arm: "root", strong: strongOf(node) };',
    "",
  ),
  one(
    "alias becomes a root again",
    identity,
    '    const node = this.#load();\n    if (node.role === "alias") {\n      if (node.acknowledged)',
    '    const node = this.#load();\n    if (node.role === "alias" && !node.acknowledged) {\n      if (node.acknowledged)',
  ),
  one(
    "alias absorbs",
    identity,
    '    const node = this.#load();\n    if (node.role === "alias") return { arm: "moved", to: node.parent };\n    let root',
    "    const node = this.#load();\n    let root",
  ),
  one("absorbed twice", identity, 'if (root.absorbed.includes(call.loser.name)) return { arm: "ok" };', ""),
  one(
    "a known key is taken in again",
    identity,
    "if (this.#store.entry(entry.signal.idempotency_key) !== null) continue;",
    "",
  ),
  one(
    "transfer stops where it was moved on",
    identity,
    "          movedTo = answer.to;\n          break;",
    "          break;",
  ),
  one(
    "first chunk taken for the last",
    identity,
    "const last = index === chunks.length - 1;",
    "const last = index === 0;",
  ),
  one(
    "guard not asked by the asker",
    identity,
    "if (reason !== null) return this.#change(keepApart(root, todo.node, target, reason, Date.now()));",
    "",
  ),
  // Not here: the guard left out by the one who is asked. The asker has just asked it of the same two; only what changes
  // within that one hop differs, and 5,000 schedules do not meet it.
  one("guard lets two user ids meet", node, '    return "two_user_ids";', "    return null;"),
  one("links not recorded", node, "    links.push({ node, identifier, since: signal.received_at });", ""),
  one(
    "members stay behind",
    node,
    "new Set([...root.members, ...loser.members, loser.name])",
    "new Set([...root.members, loser.name])",
  ),
  one(
    "follow-ups stay behind",
    node,
    "follow_ups: joinFollowUps(root.follow_ups, loser.follow_ups),",
    "follow_ups: root.follow_ups,",
  ),
  one(
    "undecided signals stay behind",
    node,
    "      ...loser.undecided.filter((item) => !root.undecided.some((own) => own.key === item.key)),\n",
    "",
  ),
  one(
    "decisions stay behind",
    node,
    "decisions: [...root.unprojected.decisions, ...loser.unprojected.decisions],",
    "decisions: root.unprojected.decisions,",
  ),
  one("merge does not wake who waits", node, "      waiting: false,\n    })),", "    })),"),
  one("reconcile forgotten", node, "  return reconcile(merged, onePer);", "  return merged;"),
  one(
    "reconcile keeps the later",
    node,
    ".sort((a, b) => a.created_at - b.created_at ||",
    ".sort((a, b) => b.created_at - a.created_at ||",
  ),
  /* ---- the log */
  one("duplicates counted", store, "ON CONFLICT DO NOTHING", "ON CONFLICT (key) DO UPDATE SET seq = excluded.seq"),
  one(
    "replay misses the first row",
    store,
    'this.#entries("WHERE seq > ? ORDER BY seq", this.#savedSeq)',
    'this.#entries("WHERE seq > ? ORDER BY seq", this.#savedSeq + 1)',
  ),
  one("last to arrive wins", "src/resolve/lead.ts", "return compareStamps(a, b) >= 0 ? a : b;", "return b;"),
  /* ---- the door */
  one(
    "sealed accepts and forgets",
    identity,
    '{ arm: "moved", to: after.parent } : { arm: "busy" };',
    '{ arm: "applied" } : { arm: "busy" };',
  ),
  one("accepted though nobody took it", "src/ingest/deliver.ts", "    return null;\n", '    return "queued";\n'),
  one(
    "queue acknowledged first",
    "src/ingest/drain.ts",
    "const delivered = await handOver(",
    "message.ack();\n        const delivered = await handOver(",
  ),
  /* ---- alarms */
  one(
    "no alarm behind work",
    identity,
    "const owed = this.#projectDue || this.#unsaved || !this.#work.idle ? now + guardMs : Number.POSITIVE_INFINITY;",
    "const owed = Number.POSITIVE_INFINITY;",
  ),
  one(
    "alarm not armed again",
    identity,
    'if (after.role === "root") this.#armFor(after, Date.now());',
    'if (after.role === "root") {}',
  ),
  one(
    "alarm thinks it still runs",
    identity,
    "    } finally {\n      this.#inAlarm = false;\n    }",
    "    } finally {\n    }",
  ),
  one("no alarm for links", obligations, "  if (root.links.length > 0) at =", "  if (false) at ="),
  one(
    "no alarm for actions",
    obligations,
    "  for (const { action } of openActions(root))\n    at = Math.min(at, action.retry_at > now ? action.retry_at : now + guardMs);",
    "",
  ),
  one("no alarm for decisions", obligations, "  for (const item of deciding) at =", "  for (const item of []) at ="),
  /* ---- one external effect */
  one(
    "doubt is not resolved",
    exactlyOnce,
    'return action.state === "intent" && action.command.type === "create_task";',
    "return false;",
  ),
  one(
    "unknown taken for not done",
    exactlyOnce,
    "return { action: { ...action, notBefore: now + 250 } };",
    'return { action: { ...action, state: "pending", notBefore: now + 250 } };',
  ),
  one("one empty read is enough", exactlyOnce, "emptyReads >= settleReadsMs.length", "emptyReads >= 1"),
  one(
    "a failed look-up taken for absent",
    exactlyOnce,
    '    case "absent": {',
    '    case "unknown":\n    case "absent": {',
  ),
  one("intent not written", account, "    this.#store.save(allowed.map((item) => item.action));", ""),
  one("done is done again", account, "const answer = known === null ? null : settled(known);", "const answer = null;"),
  one(
    "no tombstone on cancel",
    account,
    '      this.#cancelled(action ?? newAction({ command, holder: "", node: "", hot: false }));',
    "      void command;",
  ),
  one(
    "cancelled though in doubt",
    account,
    "        if (!inDoubt(item.action)) this.#cancelled(item.action);",
    "        if (item.action.attempts >= 0) this.#cancelled(item.action);",
  ),
  one(
    "cancel forgets doubt",
    account,
    'if (action?.state === "pending" && inDoubt(action)) {',
    "if (Math.random() > 2) {",
  ),
  one(
    "alarm hides its own last change",
    identity,
    "rounds < hopsMax && this.#isAheadOfLedger()",
    "rounds > hopsMax && this.#isAheadOfLedger()",
  ),
  one(
    "unknown key stops an action",
    identity,
    'throw new Error("the action is not known here yet");',
    'return { arm: "stop" };',
  ),
  one(
    "cancel does not wait for doubt",
    account,
    'if (item?.busy === true || action?.state === "intent") {',
    "if (Math.random() > 2) {",
  ),
  one(
    "cancel wakes nobody",
    account,
    "      // After a crash nobody else may come to resolve it: who cancels does not submit again.\n      this.#pump();",
    "",
  ),
  one(
    "action keys from chance",
    node,
    "digest(account).slice(0, 8)",
    "digest(account, String(Math.random())).slice(0, 8)",
  ),
  one(
    "a cancel leaves before it is on disk",
    identity,
    "    this.#save(next);\n    this.#node = next;\n  }\n\n  #isAheadOfLedger",
    "    this.#change(next);\n  }\n\n  #isAheadOfLedger",
  ),
  one(
    "receipt lost",
    identity,
    '        return this.#change(recordReceipt(root, action.key, answer.receipt));\n      case "cancelled":',
    '        return this.#change(setAction(root, action.key, (item) => ({ ...item, state: "done" })));\n      case "cancelled":',
  ),
  one(
    "closed without its task",
    identity,
    'if (current.action.state !== (closing ? "done" : "pending")) return;',
    'if (current.action.state === "parked") return;',
  ),
  one(
    "tasks of cancelled follow-ups stay",
    obligations,
    'const toClose = followUp.state === "cancelled" && action.state === "done";',
    "const toClose = false;",
  ),
  one(
    "consent not asked when sending",
    identity,
    "if (!closing && holdOf(policy, now.lead) !== null)",
    "if (Math.random() > 2)",
  ),
  one(
    "nobody is asked about what waited",
    account,
    'item.waiters.length > 0 || item.action.command.type !== "create_task"',
    "item.waiters.length >= 0",
  ),
  one(
    "who is asked forgets consent",
    identity,
    'if (holdOf(found.workspace.policy, root.lead) === null) return { arm: "go" };',
    'return { arm: "go" };',
  ),
  /* ---- the ledger */
  one("no version guard", "src/ledger/project.ts", '"excluded.version > leads.version"', '"true"'),
  one(
    "unsaved state shown",
    identity,
    "    if (this.#unsaved) this.#save(root);\n    const signals",
    "    const signals",
  ),
  one(
    "more confirmed than shown",
    identity,
    "projected: { version: root.version, seq: root.seq },",
    "projected: { version: after.version, seq: after.seq },",
  ),
  {
    name: "alarm never compares with the ledger",
    patches: [
      {
        file: identity,
        find: "if (this.#isAheadOfLedger()) this.#projectDue = true;",
        replace: "",
      },
      {
        file: identity,
        find: "rounds < hopsMax && this.#isAheadOfLedger()",
        replace: "rounds > hopsMax && this.#isAheadOfLedger()",
      },
    ],
  },
  one(
    "failed batch taken for written",
    projector,
    'item.reject(new Error("the ledger did not take the batch"))',
    "item.resolve()",
  ),
  one(
    "merged leads stay in the ledger",
    node,
    "gone: [...root.unprojected.gone, ...loser.unprojected.gone, { name: loser.name, version: loser.version + 1 }],",
    "gone: root.unprojected.gone,",
  ),
  one(
    "tombstone no newer than the lead",
    node,
    "{ name: loser.name, version: loser.version + 1 }",
    "{ name: loser.name, version: loser.version }",
  ),
  one(
    "merge does not raise the version",
    node,
    "version: Math.max(root.version, loser.version) + 1,",
    "version: root.version + 1,",
  ),
];
