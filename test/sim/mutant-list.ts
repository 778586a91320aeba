/**
 * Seeded bugs: each a small patch of the real source that breaks one rule of DESIGN §6. The simulator must catch every one.
 * `find` must occur exactly once, so that a mutant whose code has moved fails loudly instead of testing nothing.
 */
import type { Patch } from "./hooks.ts";

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
}

const acting = "src/objects/acting.ts";
const identity = "src/objects/identity.ts";
const team = "src/objects/team.ts";
const store = "src/objects/identity-store.ts";
const account = "src/objects/account.ts";
const exactlyOnce = "src/act/exactly-once.ts";
const projector = "src/objects/projector.ts";
const linking = "src/objects/linking.ts";
const splitting = "src/objects/splitting.ts";
const keeper = "src/objects/grant-keeper.ts";
const erasing = "src/objects/erasing.ts";
const node = "src/resolve/node.ts";
const merge = "src/resolve/merge.ts";
const split = "src/resolve/split.ts";
const guard = "src/resolve/guard.ts";
const obligations = "src/resolve/obligations.ts";
const hearing = "src/resolve/hearing.ts";
const listening = "src/objects/listening.ts";
const taskSeen = "src/act/task-seen.ts";

function one(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

export const mutants: readonly Mutant[] = [
  /* ---- link and merge */
  one(
    "drop the seal",
    linking,
    "        this.#seal(root, target, { ...tie, loser: root.name }, answer.erased_at);\n        return this.transfer();",
    "        return this.#state.change(linked(root, todo.node, remembered));",
  ),
  one(
    "seal without an alarm",
    linking,
    "    this.#state.saveAlias(alias);\n    this.#around.arm(Date.now() + guardMs);",
    "    this.#state.saveAlias(alias);",
  ),
  one(
    "acknowledge before absorb",
    linking,
    "      const { parent, sealed, joins } = node;",
    '      const { parent, sealed, joins } = node;\n      this.#state.saveAlias({ role: "alias", parent, epoch: node.epoch, acknowledged: true });',
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
    'if (saved?.role === "erased" || (saved?.role === "alias" && saved.acknowledged)) {',
    'if (saved?.role === "erased" || saved?.role === "alias") {',
  ),
  one("log dropped at the seal", store, "if (node.acknowledged && this.#hasLog)", "if (this.#hasLog)"),
  one(
    "link keeps the state from before the call",
    linking,
    "      const root = this.#linking(todo, life);\n      if (root === null) return;",
    "      const root: Root | null = before;\n      if (root === null) return;",
  ),
  one(
    "join keeps the state from before the call",
    linking,
    "      const then = this.#linking(todo, life);\n      if (then === null) return;",
    "      const then: Root | null = root;\n      if (then === null) return;",
  ),
  one(
    "claim takes a root",
    linking,
    '    if (node.role === "root") return { arm: "root", profile: profileOf(node), ...erasureOf(node) };\n    if (call.full)',
    "    if (call.full)",
  ),
  one(
    "claim does not wait for what is on its way",
    linking,
    "    await this.arrived();\n    const node = this.settled();\n    const remembered",
    "    const node = this.#state.load();\n    const remembered",
  ),
  one(
    "alias becomes a root again",
    identity,
    '    const node = this.#state.load();\n    if (node.role === "alias") {\n      if (isSwallowed',
    '    const node = this.#state.load();\n    if (node.role === "alias" && !node.acknowledged) {\n      if (isSwallowed',
  ),
  one(
    "alias absorbs",
    linking,
    '    if (node.role === "alias") return { arm: "moved", to: node.parent };\n    const before',
    "    const before",
  ),
  one(
    "absorbed twice",
    linking,
    '    if (node.role === "root" && hasAbsorbed(node, call.loser)) return this.#tookIn(node, call.loser);\n',
    "",
  ),
  one(
    "absorbed by name, whatever the version",
    merge,
    "return (root.absorbed[loser.name] ?? -1) >= loser.version;",
    "return Object.hasOwn(root.absorbed, loser.name);",
  ),
  one(
    "a known key is taken in again",
    linking,
    "      if (this.#state.store.entry(entry.signal.idempotency_key) !== null) continue;\n",
    "",
  ),
  one(
    "transfer stops where it was moved on",
    linking,
    "          movedTo = answer.to;\n          break;",
    "          break;",
  ),
  one("first chunk taken for the last", linking, "last: at + absorbEntriesMax >= entries.length }", "last: at === 0 }"),
  one("guard not asked by the asker", linking, "      if (reason !== null) return apart(reason, root);\n", ""),
  // Not here: the guard left out by the one who is asked. The asker has just asked it of the same two; only what changes
  // within that one hop differs, and 5,000 schedules do not meet it.
  one(
    "guard lets two user ids meet",
    guard,
    "if (together > limit && together > Math.max(mine.length, theirs.length))",
    "if (false)",
  ),
  one("links not recorded", node, "    links.splice(owed >= 0 ? owed : links.length, 1, {", "    [].splice(0, 1, {"),
  one(
    "members stay behind",
    merge,
    "new Set([...root.members, ...loser.members, loser.name])",
    "new Set([...root.members, loser.name])",
  ),
  one("ties stay behind", merge, "joinTies(root.ties, loser.ties).map", "joinTies(root.ties, []).map"),
  one(
    "follow-ups stay behind",
    merge,
    "follow_ups: joinFollowUps(root.follow_ups, loser.follow_ups),",
    "follow_ups: root.follow_ups,",
  ),
  one(
    "undecided signals stay behind",
    merge,
    "      ...loser.undecided.filter((item) => !root.undecided.some((own) => own.key === item.key)),\n",
    "",
  ),
  one(
    "decisions stay behind",
    merge,
    "decisions: [...root.unprojected.decisions, ...loser.unprojected.decisions],",
    "decisions: root.unprojected.decisions,",
  ),
  one("merge does not wake who waits", merge, "      waiting: false,\n    })),", "    })),"),
  one("reconcile forgotten", merge, "  return reconcile(merged, onePer);", "  return merged;"),
  one(
    "reconcile keeps the later",
    merge,
    ".sort((a, b) => a.created_at - b.created_at ||",
    ".sort((a, b) => b.created_at - a.created_at ||",
  ),
  /* ---- split */
  one(
    "who is kept apart may be joined",
    guard,
    'if (said > 0 && !(authority.type === "person" && authority.at > said)) return "kept_apart";',
    "",
  ),
  one(
    "a split leaves no word behind",
    split,
    '      if ("state" in kept) apart.push(kept);\n',
    '      if ("state" in kept) continue;\n',
  ),
  one(
    "aliases of who left are not repointed",
    splitting,
    "    for (const node of root.members) await identityStub(this.#env, node).repoint({ to, epoch: root.version });\n",
    "",
  ),
  one(
    "who stays leads through who left",
    splitting,
    "    for (const node of staying) await identityStub(this.#env, node).repoint({ to: here.name, epoch: root.version });\n",
    "",
  ),
  {
    name: "restored as often as it is asked",
    patches: [
      {
        file: splitting,
        find: "    if (memoryOf(this.#state.load()).restored?.includes(call.id) === true) return;\n",
        replace: "",
      },
      {
        file: splitting,
        find: "    if (memory.restored?.includes(call.id) === true) return;\n    if (node.role",
        replace: "    if (node.role",
      },
    ],
  },
  one(
    "what left is forgotten before it arrived",
    splitting,
    "    const entries = this.#state.store.parted()",
    "    const entries = this.#state.store.latest(0)",
  ),
  one(
    "a split is not finished after a crash",
    identity,
    "    for (const parting of root.partings) this.#work",
    "    for (const parting of []) this.#work",
  ),
  one("signals do not follow the split", split, "leaves.has(entry.node_of[0] ?? root.name)).map(", "false).map("),
  one(
    "follow-ups do not follow the split",
    split,
    ".filter((item) => own(item.trigger))",
    ".filter(() => name === root.name)",
  ),
  one(
    "nothing is decided again after a split",
    split,
    "    .filter((key) => again.has(key) && !known.has(key))",
    "    .filter(() => false)",
  ),
  one(
    "split while merges are under way",
    split,
    '  if (moving || owes || !spans(root.ties, nodes)) return { arm: "busy" };\n',
    "",
  ),
  one(
    "a signal stays where a split has made it wrong",
    identity,
    '      if (way === null) return { arm: "moved", to: first };\n      if (this.#state.load() !== node) return { arm: "busy" };\n      if (happenedBefore(call, way.erased_at)) return { arm: "swallowed" };\n',
    "",
  ),
  one(
    "no doubt about who arrives",
    linking,
    "    return dangles || reason !== null ? [{ tie }] : [];",
    "    return [];",
  ),
  one("merged rows keep pointing to who left", split, "gone: goneOn(away, to),", "gone: [],"),
  // Not here: links started while a part leaves. Whoever makes one asks again after each call and then waits for the part.
  /* ---- erase */
  one(
    "late signals of an erased person count",
    identity,
    '    if (isErased(root, call, signal)) return { arm: "swallowed" };\n',
    "",
  ),
  one(
    "an alias does not remember the erased",
    identity,
    '      if (isSwallowed(node, call)) return { arm: "swallowed" };\n',
    "",
  ),
  one(
    "nodes of an erased person stay",
    erasing,
    "    for (const node of [...owed, ...root.members])",
    "    for (const node of owed)",
  ),
  one(
    "archive keeps the erased",
    "src/ledger/history.ts",
    "      .flatMap((entry) => withoutErased(entry, erased) ?? [])\n",
    "",
  ),
  one(
    "history is not rewritten",
    "src/ledger/erasures.ts",
    "    for await (const name of segmentsOf(history, workspace)) await rewrite(history, name, keys);\n",
    "",
  ),
  one(
    "the ledger keeps what it shows of the erased",
    "src/ledger/erasures.ts",
    'follow_ups: shown.follow_ups.map((row) => ({ ...row, version, document: "{}" })),',
    "follow_ups: [],",
  ),
  one(
    "erased before the tasks are closed",
    "src/resolve/erase.ts",
    "openActions(root).length + unreleased(root).length === 0",
    "true",
  ),
  one("tombstones are as old as the lead", erasing, "    const version = final + 1;", "    const version = final;"),
  one(
    "an erasure is not finished after a crash",
    obligations,
    "  if (root.erase !== undefined || root.partings",
    "  if (root.partings",
  ),
  one(
    "the CRM's queue keeps the erased",
    "src/objects/account-store.ts",
    "const { key, state, over, ...body } = bare(action);",
    "const { key, state, over, ...body } = action;",
  ),
  one("somebody new at a node is hidden", erasing, "      version,\n    });", "      version: version + 50,\n    });"),
  one(
    "somebody is taken in after the end",
    linking,
    '    if (isFinal(before)) return { arm: "erased", at: before.erase.at };\n',
    "",
  ),
  one("a late claim takes the node of the erased", linking, "call.after !== node.epoch", "false"),
  one("an erasure forgets who is new", erasing, "    if (!call.within.includes(node.parent)) return;\n", ""),
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
    "this.#state.projectDue || this.#state.unsaved || !this.#work.idle ? now + guardMs : Number.POSITIVE_INFINITY;",
    "Number.POSITIVE_INFINITY;",
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
    "  for (const { followUp, action } of openActions(root)) {\n    const due",
    "  for (const { followUp, action } of openActions(root).slice(0, 0)) {\n    const due",
  ),
  one("no alarm for decisions", obligations, "  for (const item of deciding) at =", "  for (const item of []) at ="),
  /* ---- one external effect */
  one(
    "doubt is not resolved",
    exactlyOnce,
    'return action.state === "intent" && hasOneEffect(action);',
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
  one("intent not written", account, "    this.#store.save(once.map((item) => item.action));", ""),
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
    '    if ((action?.state === "pending" || action?.state === "parked") && inDoubt(action)) {',
    "    if (false) {",
  ),
  one(
    "alarm hides its own last change",
    identity,
    "rounds < hopsMax && this.#state.isAheadOfLedger",
    "rounds > hopsMax && this.#state.isAheadOfLedger",
  ),
  one(
    "unknown key stops an action",
    acting,
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
    "digest(account, ...(step === undefined ? [] : [step])).slice(0, 8)",
    "digest(account, String(Math.random())).slice(0, 8)",
  ),
  one(
    "receipt lost",
    acting,
    '        return state.change(made(after, action.key, answer, moves));\n      case "shown":',
    '        return state.change(setAction(after, action.key, (item) => ({ ...item, state: "done" })));\n      case "shown":',
  ),
  one(
    "closed without its task",
    acting,
    'if (work === null || (work === "create" && current.followUp.state !== "open")) return;',
    "if (work === null) return;",
  ),
  one(
    "whoever asks for what is made is told nothing of it",
    account,
    'if (known?.state === "done" && known !== stored)',
    "if (Math.random() > 2)",
  ),
  one(
    "whoever had it before takes it back",
    "src/act/exactly-once.ts",
    "  if (moves <= (action.moves ?? 0)) return action;\n",
    "",
  ),
  one("who was kept apart is claimed all the same", linking, "const full = isApart || before", "const full = before"),
  one(
    "who was claimed before being kept apart stays",
    merge,
    "const made = isDivided(done) ?",
    "const made = isDivided(done) && done === root ?",
  ),
  one(
    "what is shown may be from before what is forgotten",
    "src/objects/shown-order.ts",
    "Math.max(this.#begunAt, Date.now() - recordFreshMs)",
    "Date.now() - recordFreshMs",
  ),
  one(
    "a receipt after a split tells nobody whose it is",
    node,
    "...((action.moves ?? 0) > moves ? { unannounced: true as const } : {}),",
    "",
  ),
  one(
    "an older update that comes late is the last word",
    listening,
    "else if ((revision ?? 0) >= (known.updated ?? 0))",
    "else",
  ),
  one(
    "a split forgets what was asked about fields",
    split,
    "...(root.questions === undefined ? {} : { questions: root.questions }),",
    "",
  ),
  one(
    "a merge forgets what was asked about the other one's fields",
    merge,
    "...joinQuestions(root, loser, Math.max(root.version, loser.version) + 1),",
    "",
  ),
  one(
    "an overtaken question is forgotten before the ledger knows",
    "src/resolve/field-questions.ts",
    "item.closed_in === undefined || item.closed_in > root.projected.version || isRaised(item),",
    "item.closed_in === undefined || isRaised(item),",
  ),
  one(
    "what leaves was never saved",
    acting,
    '    if (work !== "create" && state.unsaved && asked !== null) state.save(asked);\n',
    "",
  ),
  one(
    "an update on its way is forgotten with a crash",
    acting,
    'if (work !== "create" && state.unsaved && asked !== null)',
    'if (work === "close" && state.unsaved && asked !== null)',
  ),
  one(
    "words that a crash took are trusted",
    acting,
    "item.written !== undefined && digestOfWords(item.written) === words ? item : { ...item, unworded: true }",
    "item",
  ),
  one(
    "what an update left counts as said otherwise",
    taskSeen,
    'if (!kept.some((field) => field !== "body")) return',
    "if (true) return",
  ),
  one(
    "what a refused update may have written is nobody's",
    listening,
    "newsIn(seen.shape, [task.seen, ...task.also])",
    "newsIn(seen.shape, [task.seen])",
  ),
  one("an older update tells nothing of what is gone", acting, "&& shown?.update.gone === undefined", ""),
  one(
    "what was told and not confirmed counts as told",
    "src/objects/listening.ts",
    "    if (task.seen !== told) store.saw(task.key, task.updated, told);\n    task.seen = told;\n",
    "",
  ),
  one(
    "tried again in words that nobody knows",
    "src/act/again.ts",
    "return canonicalJson(earlier) === canonicalJson(task) ? null : earlier;",
    "return null;",
  ),
  /* ---- tokens */
  one(
    "a token that may be used up is sent again",
    keeper,
    '    if (facts.refreshing && refreshRotates) return "lost";\n',
    "",
  ),
  one(
    "a refresh leaves without a mark",
    keeper,
    "    this.#vault.save({ ...facts, refreshing: true, refreshLeftAt: Date.now() });\n",
    "",
  ),
  one("two refreshes at once", keeper, "Date.now() < (facts.refreshLeftAt ?? 0) + crmDeadlineMs", "false"),
  one(
    "a grant that comes again is taken again",
    account,
    "if (call.at !== undefined && (this.#facts?.attachedAt ?? 0) >= at)",
    "if (Math.random() > 2)",
  ),
  one(
    "nobody listens after connecting again",
    account,
    "    if (this.#listening.isOpen) this.#listen();\n    this.#arm(Math.max(",
    "    this.#arm(Math.max(",
  ),
  one(
    "tasks of cancelled follow-ups stay",
    obligations,
    'if (followUp.state === "cancelled" || (followUp.state === "done" && followUp.outcome !== undefined)) return "close";',
    "if (Math.random() > 2) return null;",
  ),
  one(
    "consent not asked when sending",
    acting,
    'if (work !== "close" && this.#isHeld(policy, root, current.followUp))',
    "if (Math.random() > 2)",
  ),
  one(
    "nobody is asked about what waited",
    account,
    "item.waiters.length > 0 || !mustBeConfirmed(item.action)",
    "item.waiters.length >= 0",
  ),
  one(
    "who is asked forgets consent",
    acting,
    "if (!this.#isHeld(policy, root, current.followUp))\n      return {",
    "if (Math.random() < 2)\n      return {",
  ),
  one(
    "decided on what was never saved",
    "src/objects/node-state.ts",
    "const withSnapshot = this.#unsaved && entry.answer !== undefined;",
    "const withSnapshot = false;",
  ),
  /* ---- who holds it */
  one("nobody is asked whose turn it is", obligations, "if (followUp.assign !== undefined) continue;", ""),
  one("the team forgets whom it named", team, "    if (known !== null) return answerOf(known);\n", ""),
  one(
    "an assignment is not written",
    team,
    "    store.add(row);\n    memory.event = event;",
    "    memory.event = event;",
  ),
  one("nobody tells the team that it is over", obligations, 'item.state !== "open" && item.released !== true', "false"),
  one("news stay here", obligations, 'return action.revision < followUp.revision ? "update" : null;', "return null;"),
  one(
    "what was written is not remembered",
    acting,
    'if (command.type === "create_task" && current.action.written === undefined)',
    "if (Math.random() > 2)",
  ),
  one(
    "a no leaves what is open",
    node,
    "const known = enriched(root.follow_ups, decision).map((item) => withdrawnBy(item, decision));",
    "const known = enriched(root.follow_ups, decision);",
  ),
  /* ---- the ledger */
  one("no version guard", "src/ledger/project.ts", '"excluded.version > leads.version"', '"true"'),
  one(
    "unsaved state shown",
    identity,
    "    if (this.#state.unsaved) this.#state.save(root);\n    const signals",
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
        find: "if (this.#state.isAheadOfLedger) this.#state.projectDue = true;",
        replace: "",
      },
      {
        file: identity,
        find: "rounds < hopsMax && this.#state.isAheadOfLedger",
        replace: "rounds > hopsMax && this.#state.isAheadOfLedger",
      },
    ],
  },

  /* ---- what records show */
  one(
    "what is older waits beside what is newer",
    account,
    "if (shows.some((other) => isOlder(command, other.command))) {",
    "if (shows.length < 0) {",
  ),
  one(
    "two writes of a record at once",
    account,
    "return !shows.some((other) => other.busy && other.command.personId === command.personId);",
    "return true;",
  ),
  one("nothing is shown on records", identity, "withRecordsOwed(before, policy, targets, Date.now())", "before"),
  one(
    "no alarm for what records show",
    obligations,
    "  for (const { retry_at } of pendingRecords(root)) at = Math.min(at, retry_at > now ? retry_at : now + guardMs);\n",
    "",
  ),
  /* ---- what people do in a CRM */
  one(
    "hear our own writes as a person's",
    hearing,
    'followUp.state !== "open" || !isOurs',
    'followUp.state !== "open"',
  ),
  one("a task that was heard of is not what we know to stand there", hearing, "...written, ...shown", "...written"),
  one(
    "heard once is heard, whether it was taken in or not",
    listening,
    'if (answer === "later" || ',
    'if ((answer === "later" && seen.arm === "open") || ',
  ),
  one(
    "older open tasks are forgotten at a start",
    listening,
    "const rows = [...older.flatMap((key) => store.rowsOf(key)), ...store.rowsFrom(from)];",
    "const rows = [...older.slice(1).flatMap((key) => store.rowsOf(key)), ...store.rowsFrom(from)];",
  ),
  one("nobody looks at open tasks", account, "    await this.#hear();\n", ""),
  one(
    "no look is behind an alarm",
    account,
    '    if (changed.some(({ state, receipt }) => state === "done" && receipt !== null)) this.#listen();\n',
    "",
  ),
  one(
    "a split leaves the account with the old place",
    split,
    'if (action.state === "done") return { ...action, unannounced: true };',
    'if (action.state === "done") return action;',
  ),
  one(
    "the engine moves a due date that a person has moved",
    node,
    "due_at: item.theirs?.due === undefined ? due_at : item.due_at,",
    "due_at,",
  ),
  one(
    "what was lost is taken for what was written last",
    node,
    '(state !== "pending" && state !== "done") || written',
    'state !== "pending" || written',
  ),
  one(
    "failed batch taken for written",
    projector,
    'item.reject(new Error("the ledger did not take the batch"))',
    "item.resolve()",
  ),
  one(
    "merged leads stay in the ledger",
    merge,
    "gone: [...root.unprojected.gone, ...loser.unprojected.gone, { name: loser.name, version: loser.version + 1 }],",
    "gone: root.unprojected.gone,",
  ),
  one(
    "tombstone no newer than the lead",
    merge,
    "{ name: loser.name, version: loser.version + 1 }",
    "{ name: loser.name, version: loser.version }",
  ),
  one(
    "merge does not raise the version",
    merge,
    "version: Math.max(root.version, loser.version) + 1,",
    "version: root.version + 1,",
  ),
];
