/** Runs one schedule: builds the platform, lets the senders send, ends the faults, comes to rest, checks. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CrmTask } from "../../connectors/contract.ts";
import { deriveKey, nodeName, seal } from "../../src/crypto.ts";
import { holdOf } from "../../src/decide/hold.ts";
import * as delivering from "../../src/ingest/deliver.ts";
import { drain } from "../../src/ingest/drain.ts";
import { archive } from "../../src/ledger/archive.ts";
import { settleReadsMs } from "../../src/limits.ts";
import type { Signal } from "../../src/model.ts";
import { AccountObject } from "../../src/objects/account.ts";
import type { AccountFacts } from "../../src/objects/account-store.ts";
import type { AnswerAnswer, AnswerCall } from "../../src/objects/answering.ts";
import { CompanyObject } from "../../src/objects/company.ts";
import type { EraseAnswer, EraseCall } from "../../src/objects/erasing.ts";
import { IdentityObject } from "../../src/objects/identity.ts";
import { accountName, accountStub, identityStub } from "../../src/objects/names.ts";
import * as policyCache from "../../src/objects/policy-cache.ts";
import { ProjectorObject } from "../../src/objects/projector.ts";
import type { Choice, ChoiceAnswer, SplitAnswer, SplitCall } from "../../src/objects/splitting.ts";
import { TeamObject } from "../../src/objects/team.ts";
import type { Word as Said } from "../../src/resolve/answers.ts";
import type { Node } from "../../src/resolve/node.ts";
import { recordIdentifier } from "../../src/resolve/records.ts";
import { tieId } from "../../src/resolve/ties.ts";
import type { Workspace, WorkspaceFacts } from "../../src/workspace.ts";
import { seeded } from "../signals.ts";
import { checkAtRest, LiveChecks, leftovers } from "./check.ts";
import { CrmAccount, openScene } from "./crm.ts";
import { Engine, type Violation } from "./engine.ts";
import { type FaultPlan, Faults } from "./faults.ts";
import { enter, leave } from "./globals.ts";
import { Database, Platform } from "./platform.ts";
import { type Deed, type Say, type Scenario, type Sending, startedAt, type Word, workspaceId } from "./scenario.ts";

const { deliver } = delivering;
/** Added by `hooks.ts`: what an isolate remembers must not outlive the schedule. */
const forgetHints = (delivering as unknown as { forgetHints: () => void }).forgetHints;
const forgetPolicies = (policyCache as unknown as { forgetPolicies: () => void }).forgetPolicies;

const migrations = (folder: string) => {
  const path = fileURLToPath(import.meta.resolve(`../../src/ledger/${folder}`));
  return readdirSync(path)
    .sort()
    .map((name) => readFileSync(join(path, name), "utf8"));
};
const control = new Database(migrations("control"));
const ledger = new Database(migrations("migrations"));

export interface Run {
  readonly violation: Violation | null;
  readonly events: number;
  readonly faults: number;
  readonly tasks: number;
  readonly merges: number;
  readonly acknowledged: number;
  readonly virtualMs: number;
  /** Of tokens that rotate: refreshes that used one up, and how often somebody had to connect again. */
  readonly refreshes: number;
  readonly reconnects: number;
  readonly trace: readonly string[];
}

export interface Without {
  readonly plan?: FaultPlan;
  /** Faults by number that do not strike. */
  readonly spared?: ReadonlySet<number>;
  readonly traced?: boolean;
}

export function runSchedule(scenario: Scenario, without: Without = {}): Run {
  const { seed, policy, targets } = scenario;
  const faults = new Faults(without.plan ?? scenario.plan, seeded(seed ^ 0xfa17), without.spared ?? new Set());
  const engine = new Engine(startedAt, faults, seeded(seed ^ 0xde1a), without.traced === true);
  const classes = {
    identity: IdentityObject,
    account: AccountObject,
    projector: ProjectorObject,
    team: TeamObject,
    company: CompanyObject,
  };
  const platform = new Platform(engine, { classes, control, ledger, drain });
  enter(engine, seeded(seed ^ 0xc0de));
  try {
    forgetHints();
    forgetPolicies();
    const accounts = targets.map((target) => ({ ...target, account: accountName(workspaceId, target.crm, "1") }));
    setUp(scenario, accounts);
    const crmAccounts = new Map(accounts.map(({ account, crm, world }) => [account, new CrmAccount(crm, world)]));
    const master = platform.newEnv().BATON_MASTER_KEY;
    const nameKey = deriveKey(master, "names", workspaceId);
    const checks = new LiveChecks(platform, crmAccounts);
    openScene({
      platform,
      accounts: crmAccounts,
      hears: () => engine.now < startedAt + scenario.faultsEndAt + hearsMs,
      onSend: (key) => checks.onSend(key, (lead) => holdOf(policy, lead, { type: "call" }, engine.now) !== null),
      onOverwrite: (task, field, value) => checks.onOverwrite(task, field, value),
      onOlder: ({ key, personId }) => engine.fail("G9", `${key} stands on ${personId} over something newer`),
      onTask: (account, task) => {
        const record = recordIdentifier(account.crm, task.personId);
        if (record !== null)
          platform.labels.set(nodeName(nameKey, workspaceId, record.type, record.value), record.value);
        checks.onTask(account, task);
      },
    });
    connect(platform, crmAccounts, master);
    connectAgain(platform, crmAccounts, startedAt + scenario.faultsEndAt + hearsMs);
    for (const { signal } of scenario.sendings) {
      for (const { type, value } of signal.identifiers)
        platform.labels.set(nodeName(nameKey, workspaceId, type, value), value);
    }
    const facts: WorkspaceFacts = {
      id: workspaceId,
      policyVersion: policy.version,
      policyJson: JSON.stringify(policy),
      targets: accounts.map(({ crm, account }) => ({ crm, account })),
    };
    const workspace: Workspace = { id: workspaceId, policy, targets: facts.targets, shard: 0, nameKey };
    for (const sending of scenario.sendings) sendAt(platform, checks, workspace, facts, sending);
    // A pointer to nobody is harmless as long as the next who comes by it makes it a person's again: so somebody comes.
    const latecomers: Sending[] = [];
    engine.at(startedAt + scenario.faultsEndAt + lateMs, null, "latecomers", () => {
      for (const name of leftovers(platform)) {
        const sending = latecomerBy(platform.label(name), scenario.sendings, engine.now);
        latecomers.push(sending);
        sendAt(platform, checks, workspace, facts, sending);
      }
    });
    for (const { at, says, of } of scenario.words) {
      const name = of === undefined ? null : nodeName(nameKey, workspaceId, of.type, of.value);
      sayAt(platform, checks, at, says, name);
    }
    for (const { at, says } of scenario.sayings) answerAt(platform, checks, facts, at, says);
    for (const { at, does } of scenario.deeds) doAt(platform, checks, [...crmAccounts.values()], at, does);
    for (const { at, to } of scenario.touches) touchAt(engine, [...crmAccounts.values()], at, to);
    disturb(platform, scenario.faultsEndAt);
    engine.at(startedAt + scenario.faultsEndAt, null, "the faults end", () => {
      faults.over = true;
      engine.say(() => "---- the faults end");
    });
    engine.run();
    if (engine.violation === null)
      checkAtRest(platform, checks, crmAccounts, policy, [...scenario.sendings, ...latecomers]);
    return {
      violation: engine.violation,
      events: engine.events,
      faults: faults.count,
      tasks: [...crmAccounts.values()].reduce((sum, account) => sum + account.tasks.length, 0),
      merges: checks.merges,
      acknowledged: checks.acknowledged.size,
      virtualMs: engine.now - startedAt,
      refreshes: sum(crmAccounts, ({ refreshes }) => refreshes),
      reconnects: sum(crmAccounts, ({ connected }) => connected - 1),
      trace: engine.trace(),
    };
  } finally {
    leave();
    for (const host of platform.hosts.values()) host.disk.release();
    ledger.empty();
  }
}

function sum(accounts: ReadonlyMap<string, CrmAccount>, of: (tokens: CrmAccount["tokens"]) => number): number {
  return [...accounts.values()].reduce((total, { tokens }) => total + of(tokens), 0);
}

/** Somebody looks now and then whether an account wants to be connected again, and does so. */
function connectAgain(platform: Platform, accounts: ReadonlyMap<string, CrmAccount>, until: number): void {
  const { engine } = platform;
  for (const [name, account] of accounts) {
    const look = () => {
      if (engine.now > until) return;
      const again = () => void engine.after(engine.between(5_000, 60_000), null, "look at the connection", look);
      const facts = platform.host("account", name).disk.kv.get("facts") as AccountFacts | undefined;
      if (facts?.status !== "blocked") return again();
      engine.say(() => `somebody connects ${platform.label(name)} again: ${facts.problem}`);
      const grant = account.tokens.connect(name);
      const at = engine.now;
      platform.spawn(
        "person",
        async (env) => {
          await accountStub(env, name).attach({
            name,
            workspace: workspaceId,
            crm: account.crm,
            grant,
            at,
            settleReadsMs,
          });
        },
        again,
        again,
      );
    };
    if (account.crm === "salesforce") engine.after(30_000, null, "look at the connection", look);
  }
}

/** After the faults: time for whatever people did in a CRM to be heard, and for what follows from it. */
const hearsMs = 15 * 60_000;

/** After the faults, when everything but a tombstone's end has had its time. */
const lateMs = 6 * 3_600_000;

function latecomerBy(value: string, sendings: readonly Sending[], at: number): Sending {
  // Else it is a record of a CRM, of which only that one told.
  const record = recordIdentifier(value.length === 18 ? "salesforce" : "hubspot", value);
  const known = sendings.find(({ signal }) => signal.identifiers.some((item) => item.value === value)) ?? sendings[0];
  const identifier = known?.signal.identifiers.find((item) => item.value === value) ?? record ?? undefined;
  if (known === undefined || identifier === undefined) throw new Error(`nobody ever named ${value}`);
  const id = `late-${value}`;
  const signal: Signal = {
    ...known.signal,
    id,
    idempotency_key: `${known.signal.emitter}:${id}`,
    kind: "page_viewed",
    identifiers: [identifier],
    occurred_at: at,
  };
  return { at: at - startedAt, signal, persistent: true };
}

/** The sender of one signal: sends it again, now and then, until it hears that it was accepted. */
function sendAt(
  platform: Platform,
  checks: LiveChecks,
  workspace: Workspace,
  facts: WorkspaceFacts,
  sending: Sending,
): void {
  const { engine } = platform;
  const attempt = (number: number) => {
    const signal = { ...sending.signal, received_at: engine.now };
    let heard = false;
    const again = () => {
      if (heard || !sending.persistent) return;
      heard = true;
      engine.after(engine.between(500, 20_000), null, "send again", () => attempt(number + 1));
    };
    if (engine.strikes("hints_forgotten", () => "")) forgetHints();
    engine.say(() => `send ${signal.id} ${signal.kind} [${signal.identifiers.map(({ value }) => value).join(" ")}]`);
    platform.spawn(
      `ingest ${signal.id}.${number}`,
      (env) => deliver(env, workspace, facts, signal),
      (result) => {
        if (!result.ok || result.value === null) return again();
        engine.say(() => `${signal.id} is acknowledged: ${result.value}`);
        if (result.value === "conflict") engine.fail("G2", `${signal.id} conflicts with itself`);
        if (result.value !== "swallowed") checks.acknowledged.set(signal.idempotency_key, signal);
        // The answer may be lost on its way out: then the sender comes again with something that is already there.
        if (engine.strikes("call_lost_after", () => `202 of ${signal.id}`)) again();
        heard = true;
      },
      again,
    );
  };
  engine.at(startedAt + sending.at, null, "send", () => attempt(1));
}

/** A person's word about who is who, of whoever has that node or of anybody, said again until it is heard. */
function sayAt(platform: Platform, checks: LiveChecks, at: number, says: Word, of: string | null): void {
  const { engine } = platform;
  engine.at(startedAt + at, null, says, () => {
    const roots = platform.hostsOf("identity").flatMap((host) => {
      const node = host.disk.kv.get("node") as Node | undefined;
      return node?.role === "root" ? [node] : [];
    });
    const root = roots[engine.between(0, roots.length)];
    if (root === undefined) return;
    if (says === "split") {
      const tie = root.ties[engine.between(0, root.ties.length)];
      if (tie === undefined) return;
      const call = { tie: tieId(tie), by: "ops@example.com", at: engine.now };
      engine.say(() => `a person splits ${platform.label(tie.a)} from ${platform.label(tie.b)}`);
      insist(
        platform,
        root.name,
        (stub) => stub.split(call),
        (arm) => {
          if (arm === "split") checks.onSplit(tie);
        },
      );
      return;
    }
    if (says === "erase") {
      const name = of ?? root.name;
      engine.say(() => `a person wants ${platform.label(name)} erased`);
      const call = { by: "ops@example.com", at: engine.now };
      insist(
        platform,
        name,
        (stub) => stub.erase(call),
        () => {},
      );
      return;
    }
    const conflict = root.apart[engine.between(0, root.apart.length)];
    const other = roots[engine.between(0, roots.length)];
    const node = says === "merge" ? other?.name : conflict?.state === "open" ? conflict.node : undefined;
    if (node === undefined || node === root.name) return;
    const choice = says === "settle_apart" ? "keep_apart" : "merge";
    const call: Choice = { choice, node, by: "ops@example.com", at: engine.now };
    engine.say(() => `a person says ${choice} of ${platform.label(root.name)} and ${platform.label(node)}`);
    if (choice === "merge") checks.onMerge(root.name, node, engine.now);
    insist(
      platform,
      root.name,
      (stub) => stub.choose(call),
      (arm) => {
        if (arm === "ok" && choice === "keep_apart") checks.onKeptApart(conflict?.from ?? root.name, node);
      },
    );
  });
}

/** Somebody says something about a follow-up, or the sweeper comes by, until it is heard. */
function answerAt(platform: Platform, checks: LiveChecks, { targets }: WorkspaceFacts, at: number, says: Say): void {
  const { engine } = platform;
  engine.at(startedAt + at, null, says, () => {
    const items = platform.hostsOf("identity").flatMap((host) => {
      const node = host.disk.kv.get("node") as Node | undefined;
      return node?.role === "root" ? node.follow_ups.map((item) => ({ item, lead: node.name })) : [];
    });
    const found = items[engine.between(0, items.length)];
    if (found === undefined) return;
    const { item, lead } = found;
    engine.say(() => `a person says ${says} of ${item.id} at ${platform.label(lead)}`);
    const speaker = { by: "kim@example.com", at: engine.now };
    const word = says === "sweep" || says === "retry" ? null : wordOf(says, engine.now);
    const key = item.actions[0]?.key ?? "";
    if (says === "reassign") checks.onWord("ownerId", "2");
    if (says === "snooze") checks.onWord("dueAt", engine.now + 86_400_000);
    insist(
      platform,
      lead,
      (stub) => {
        if (says === "sweep") return stub.overdue();
        if (word === null)
          return stub.answer({ ...speaker, exception: `ex_${key}`, way: { choice: "retry" }, targets });
        return stub.answer({ ...speaker, follow_up: item.id, word });
      },
      () => {},
    );
  });
}

function wordOf(says: Exclude<Say, "sweep" | "retry">, now: number): Said {
  switch (says) {
    case "done":
      return { choice: "done", outcome: "reached" };
    case "dismiss":
      return { choice: "dismiss", reason: "not a fit" };
    case "reassign":
      return { choice: "reassign", to: "kim@example.com" };
    case "undo":
      return { choice: "undo", reason: "undone: policy version 1" };
    case "snooze":
      return { choice: "snooze", until: now + 86_400_000 };
  }
}

interface Addressee {
  answer(call: AnswerCall): Promise<AnswerAnswer>;
  overdue(): Promise<AnswerAnswer>;
  split(call: SplitCall): Promise<SplitAnswer>;
  choose(call: Choice): Promise<ChoiceAnswer>;
  erase(call: EraseCall): Promise<EraseAnswer>;
}

function insist(
  platform: Platform,
  name: string,
  ask: (stub: Addressee) => Promise<SplitAnswer | ChoiceAnswer | EraseAnswer | AnswerAnswer>,
  heard: (arm: string) => void,
): void {
  const { engine } = platform;
  const attempt = (left: number) => {
    const again = () => {
      if (left > 0) engine.after(engine.between(500, 30_000), null, "say again", () => attempt(left - 1));
    };
    platform.spawn(
      "person",
      async (env) => {
        let target = name;
        for (let hops = 0; hops < 40; hops++) {
          const answer = await ask(identityStub(env, target) as unknown as Addressee);
          if (answer.arm !== "moved") return answer.arm;
          target = answer.to;
        }
        return "busy";
      },
      (result) => (result.ok && result.value !== "busy" ? heard(result.value) : again()),
      again,
    );
  };
  attempt(30);
}

function touchAt(engine: Engine, accounts: readonly CrmAccount[], at: number, to: "deleted" | "completed"): void {
  engine.at(startedAt + at, null, "touch", () => {
    const tasks = accounts
      .filter((account) => to === "completed" || account.world === "unique_property")
      // Deleted between a late commit and the retry that no read could have stopped: nobody can tell that from "never made".
      .flatMap((account) => account.tasks.filter((task) => task.state === "open" && !(to === "deleted" && task.late)));
    const task = tasks[engine.between(0, tasks.length)];
    if (task === undefined) return;
    task.state = to;
    task.modifiedAt = engine.now;
    engine.say(() => `a person sets ${task.id} to ${to}`);
  });
}

/** What people do to tasks in a CRM as they please; nobody there knows of the engine. */
function doAt({ engine }: Platform, checks: LiveChecks, accounts: readonly CrmAccount[], at: number, does: Deed): void {
  engine.at(startedAt + at, null, does, () => {
    const open = accounts
      // See `touchAt`.
      .filter((account) => does !== "deleted" || account.world === "unique_property")
      .flatMap((account) =>
        account.tasks.filter((task) => task.state === "open" && !(does === "deleted" && task.late)),
      );
    const task = open[engine.between(0, open.length)];
    if (task === undefined) return;
    engine.say(() => `somebody has ${does} ${task.id} (${task.key})`);
    task.modifiedAt = engine.now;
    if (does === "completed" || does === "deleted") {
      task.state = does;
      return;
    }
    const type = (change: Partial<CrmTask>) => {
      task.says = { ...task.says, ...change };
      for (const [field, value] of Object.entries(change)) {
        task.typed.set(field, value);
        checks.onWord(field, value);
      }
    };
    if (does === "given") type({ ownerId: task.says.ownerId === "1" ? "2" : "1" });
    else if (does === "postponed") type({ dueAt: task.says.dueAt + engine.between(1, 4) * 86_400_000 });
    else if (does === "renamed") type({ subject: `Theirs ${engine.between(0, 1_000)}` });
    else type({ priority: "low" });
  });
}

/** Objects die or are evicted at moments of their own, and the cron runs. */
function disturb(platform: Platform, untilMs: number): void {
  const { engine } = platform;
  const rounds = 24;
  for (let round = 0; round < rounds; round++) {
    engine.at(startedAt + Math.floor(untilMs * engine.random() ** 3), null, "disturb", () => {
      const live = [...platform.hosts.values()].filter((host) => host.actor !== null);
      const victim = live[engine.between(0, live.length)];
      if (victim !== undefined && engine.strikes("crash_any", () => victim.label)) victim.evict();
      if (victim !== undefined && engine.strikes("outage", () => victim.label))
        victim.unreachableUntil = engine.now + engine.between(3_000, 90_000);
      for (const host of live) {
        if (host.idle && engine.strikes("evict", () => host.label)) host.evict();
      }
    });
  }
  // The last one when the tombstones of whoever was erased are gone as well.
  for (const at of [untilMs / 2, untilMs + 3_600_000, untilMs + 37 * 86_400_000])
    engine.at(startedAt + Math.floor(at), null, "cron", () =>
      platform.spawn(
        "cron",
        (env) => archive(env),
        () => {},
        () => {},
      ),
    );
}

function setUp(scenario: Scenario, accounts: readonly { crm: string; account: string; world: string }[]): void {
  const { policy } = scenario;
  control.empty();
  control.batch([
    {
      sql: "INSERT INTO workspaces VALUES (?, ?, '', ?, 0, 0)",
      bindings: [workspaceId, workspaceId, policy.version],
    },
    {
      sql: "INSERT INTO policies (workspace, version, document, author, created_at) VALUES (?, ?, ?, '', 0)",
      bindings: [workspaceId, policy.version, JSON.stringify(policy)],
    },
    ...accounts.map(({ crm, account, world }) => ({
      sql: "INSERT INTO crm_accounts VALUES (?, ?, ?, '1', 'connected', ?, '{}', 0)",
      bindings: [account, workspaceId, crm, world],
    })),
  ]);
}

/** Writes down what `attach` would have: the account is connected before the schedule begins. */
function connect(platform: Platform, accounts: ReadonlyMap<string, CrmAccount>, master: string): void {
  for (const [account, { crm, world, tokens }] of accounts) {
    const grant = tokens.connect(account);
    const host = platform.host("account", account);
    platform.labels.set(account, crm);
    // With the simulator's own Web Crypto this settles in the microtasks of the first turn, before any alarm or call.
    void seal(deriveKey(master, "grants", workspaceId), account, JSON.stringify(grant)).then((sealed) => {
      const facts: AccountFacts = {
        name: account,
        workspace: workspaceId,
        crm,
        crmAccount: "1",
        installation: { world, timeZone: null, recordUrl: { person: "", task: "" } },
        grant: sealed,
        grantedAt: startedAt,
        refreshing: false,
        status: "connected",
        problem: null,
        settleReadsMs,
      };
      host.disk.put("facts", facts);
      host.disk.commit();
    });
  }
}
