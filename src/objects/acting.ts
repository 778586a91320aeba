/**
 * How a follow-up leaves: whose turn it is, its task in each CRM, what is brought up to date there, and what is closed (DESIGN §6.3).
 * Every method may run twice; what is owed lies in the root's state, and after each call that state is read again.
 */
import type { CrmPerson, CrmTask, RecordField } from "../../connectors/contract.ts";
import { crmOf } from "../../connectors/index.ts";
import { digestOfWords, type TaskUpdate, writtenAfter } from "../act/exactly-once.ts";
import { closeTask, createTask, personOf, updateTask } from "../act/outbox.ts";
import { leadLink } from "../api/lead-link.ts";
import { preferredOf, saidOf } from "../decide/candidates.ts";
import { lastResort } from "../decide/decide.ts";
import { companyOf } from "../decide/facts.ts";
import { holdOf } from "../decide/hold.ts";
import type { Policy } from "../decide/policy.ts";
import type { Env } from "../env.ts";
import { guardMs } from "../limits.ts";
import { errorName, log } from "../log.ts";
import type { CrmName, Receipt } from "../model.ts";
import { type Around, ended, type HeardTask, heard } from "../resolve/hearing.ts";
import {
  type ActionRecord,
  assigned,
  cancelFollowUp,
  changeFollowUp,
  type FollowUpRecord,
  type Root,
  recordReceipt,
  setAction,
} from "../resolve/node.ts";
import { findAction, workOn } from "../resolve/obligations.ts";
import { isCrm, isTask, isTold } from "../resolve/targets.ts";
import { lookedAt } from "../resolve/undoing.ts";
import { enrolPerson, isKeptOut } from "./enrolling.ts";
import { accountStub, teamStub } from "./names.ts";
import type { NodeState } from "./node-state.ts";

export type ConfirmAnswer =
  /** `person`: for whom a task is, where it is one: it may have gone on with a split since it was submitted. */
  | { readonly arm: "go"; readonly moves: number; readonly person?: CrmPerson }
  | { readonly arm: "stop" }
  | { readonly arm: "moved"; readonly to: string };

/** `later`: to be told again, with what is seen then; `unknown`: nobody here has that task any more. */
export type HeardAnswer =
  | { readonly arm: "ok" }
  | { readonly arm: "later" }
  | { readonly arm: "unknown" }
  | { readonly arm: "moved"; readonly to: string };

/** `words`: a digest of those that the task was made in. */
export interface Made {
  readonly receipt: Receipt;
  readonly words?: string;
}

export interface SettleCall {
  readonly key: string;
  readonly outcome:
    | Made
    | { readonly problem: string }
    /** Of an update: what stands in the CRM of ours now. */
    | { readonly updated: CrmTask; readonly update: TaskUpdate }
    /** Of a record: the fields that were left. */
    | { readonly left: readonly RecordField[] };
}

/** What acting needs of the object it belongs to. */
export interface Surroundings {
  readonly env: Env;
  readonly state: NodeState;
  policyOf(workspace: string): Promise<Policy>;
  pump(): void;
}

export class Acting {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /* ------------------------------------------------------------------------------------ who holds it */

  /** Asks whose turn it is. The team object answers the same however often it is asked, so nothing need be saved first. */
  async assign(id: string): Promise<void> {
    const { env, state } = this.#around;
    const first = state.root();
    const asked = first?.follow_ups.find((item) => item.id === id);
    if (first === null || asked?.assign === undefined) return;
    const policy = await this.#around.policyOf(first.workspace);
    const owner = await this.#ownerOf(policy, first, asked);
    const root = state.root();
    const owed = root?.follow_ups.find((item) => item.id === id);
    if (root === null || owed?.assign === undefined || owed.state !== "open") return;
    const company = companyOf(policy, root.lead);
    for (const way of owed.assign) {
      const preferred = owner ?? way.preferred;
      const answer = await teamStub(env, root.workspace).assign({
        follow_up: id,
        team: way.team,
        play: way.play,
        known_members: [
          ...way.candidates,
          // Who is merely not in, or not meant for this, may still have the company.
          ...way.excluded.filter(({ why }) => why !== "away"),
        ].map(({ address }) => address),
        one_rep_per_company: policy.one_rep_per_company,
        candidates: way.candidates,
        at: owed.created_at,
        ...(company === undefined ? {} : { company }),
        ...(preferred === undefined ? {} : { preferred }),
      });
      if (answer.arm === "nobody") continue;
      const { holder } = answer;
      // Asked before, when there was nobody.
      const why = answer.why === "handed_over" ? "nobody" : answer.why;
      // Asked before: it may have been for a later way, whose team had somebody when an earlier one had not.
      const { play, due_at, priority } = owed.assign.find((one) => one.play === answer.play) ?? way;
      return this.#assigned(id, { holder, why, play, due_at, priority });
    }
    const holder = lastResort(policy, owed.play);
    // Told, so that whoever asks again hears the same, also when somebody is there by then.
    await teamStub(env, root.workspace).reassign({ follow_up: id, to: holder, by: "engine", at: owed.created_at });
    this.#assigned(id, { holder, why: "nobody" });
  }

  /**
   * Whose the lead is by what the CRMs say now, and by what signals have said where they do not. Null where that is nobody of ours, or where
   * a person has named somebody.
   */
  async #ownerOf(policy: Policy, root: Root, followUp: FollowUpRecord): Promise<ReturnType<typeof preferredOf>> {
    if (followUp.assign?.some(({ preferred }) => preferred?.why === "approver")) return null;
    const { env } = this.#around;
    const hot = followUp.tier === "seconds";
    const said = await Promise.all(
      followUp.actions.filter(isTask).map(async (action) => {
        try {
          return await accountStub(env, action.account).recordOwners({ person: personOf(root, action), hot });
        } catch (error) {
          log("info", "identity.record_owners", { account: action.account, error: errorName(error) });
          return null;
        }
      }),
    );
    return preferredOf(policy, [...said.filter((one) => one !== null), saidOf(root.lead)], Date.now());
  }

  #assigned(id: string, found: Parameters<typeof assigned>[2]): void {
    const { state } = this.#around;
    const root = state.root();
    if (root === null) return;
    state.change(assigned(root, id, found));
    state.projectDue = true;
  }

  /** Somebody gave it to somebody else: it counts for that one from now on. */
  async reassign(id: string): Promise<void> {
    const { env, state } = this.#around;
    const first = state.root();
    const item = first?.follow_ups.find((followUp) => followUp.id === id);
    if (first === null || item === undefined) return;
    await teamStub(env, first.workspace).reassign({ follow_up: id, to: item.holder, by: "person", at: Date.now() });
    const root = state.root();
    const now = root?.follow_ups.find((followUp) => followUp.id === id);
    // Given on once more meanwhile: that is told as well.
    if (root === null || now?.holder !== item.holder) return;
    state.change(changeFollowUp(root, id, ({ reassigned: _told, ...followUp }) => followUp));
  }

  /** Whoever held it has room for another one. */
  async release(id: string): Promise<void> {
    const { env, state } = this.#around;
    const first = state.root();
    if (first === null) return;
    // A crash must not take back that it is over: nobody would tell the team that it is not.
    if (state.unsaved) state.save(first);
    await teamStub(env, first.workspace).release({ follow_up: id });
    const root = state.root();
    if (root !== null) state.change(changeFollowUp(root, id, (item) => ({ ...item, released: true })));
  }

  /* ------------------------------------------------------------------------------------ what leaves */

  async act(followUp: FollowUpRecord, action: ActionRecord): Promise<void> {
    const { env, state } = this.#around;
    const before = state.root();
    if (before === null) return;
    // Over before it had a task there: cancelled, or done as the other CRM or a person says.
    if (followUp.state !== "open" && action.state === "pending") return this.#withdraw(action);
    const policy = await this.#around.policyOf(before.workspace);
    const root = state.root();
    if (root === null) return;
    const current = findAction(root, action.key);
    if (current === null) return;
    const work = current.action.state === "pending" ? "create" : workOn(current.followUp, current.action);
    // Settled meanwhile, or closed before it had a task: what is due now is started anew by the next look.
    if (work === null || (work === "create" && current.followUp.state !== "open")) return;
    // Another play than the one that named it was taken in the end, or it is not named any more.
    if (work === "create" && !isCrm(action.crm) && !isTold(policy, current.followUp.play, action))
      return this.#set(root, action.key, () => ({ state: "cancelled" }));
    if (work === "create" && current.action.step !== undefined) return enrolPerson(this.#around, policy, current);
    if (work === "announce") return this.#announce(root.name, current.action);
    // Asked again at the moment of sending: consent may have gone since the decision (G11).
    if (work !== "close" && this.#isHeld(policy, root, current.followUp)) return this.#cancel(root, followUp.id);
    const link = leadLink(env.PUBLIC_URL, env.BATON_MASTER_KEY, root.workspace, root.name);
    const { command, holder } =
      work === "close"
        ? closeTask(root, current.followUp, current.action, link)
        : work === "update"
          ? updateTask(policy, root, current.followUp, current.action, link, Date.now())
          : createTask(policy, root, current.followUp, current.action, link);
    // The account object keeps to what it was told first: that is what stands in the CRM, however late it is confirmed.
    if (command.type === "create_task" && current.action.written === undefined)
      this.#set(root, action.key, () => ({
        written: command.task,
        revision: current.followUp.opened?.revision ?? current.followUp.revision,
      }));
    const hot = followUp.tier === "seconds";
    const { again = 0, moves = 0 } = current.action;
    // Asked again after a crash it must say the same under the same key; and what is closed must be over then.
    const revision = current.action.updating?.revision ?? current.followUp.revision;
    if (command.type === "update_task" && current.action.updating === undefined) {
      const { task } = command;
      this.#set(root, action.key, () => ({ updating: { revision, task, holder } }));
    }
    const asked = state.root();
    if (work !== "create" && state.unsaved && asked !== null) state.save(asked);
    const call = { command, holder, node: root.name, moves, hot, again };
    const answer = await accountStub(env, action.account).submit(call);
    const after = state.root();
    if (after === null) return;
    state.projectDue = true;
    switch (answer.arm) {
      case "done":
        if (work === "close") return this.#set(after, action.key, () => ({ state: "cancelled" }));
        return state.change(made(after, action.key, answer, moves));
      case "shown":
        return;
      case "updated":
        if (command.type === "update_task")
          state.change(
            updated(
              after,
              action.key,
              revision,
              writtenAfter(command.before, command.task, answer.update),
              answer.update,
              Date.now(),
            ),
          );
        return;
      case "cancelled":
        return this.#set(after, action.key, () => ({ state: "cancelled" }));
      case "parked":
        // A task that stands and cannot be brought up to date is a task still; one that cannot be closed is for a person.
        if (work === "update") return state.change(unseen(after, action.key, revision, Date.now()));
        // A message that stays as it is misleads nobody for long: nobody is asked.
        if (work === "close" && !isCrm(action.crm)) return this.#set(after, action.key, () => ({ state: "cancelled" }));
        return state.change(parked(after, action.key, answer.problem));
      case "worded":
        // On disk before it leaves again, for nobody can say it once the task is found; what is new since follows as an update.
        return state.save(
          setAction(after, action.key, (item) => ({
            ...item,
            written: answer.task,
            revision: current.followUp.revision - 1,
          })),
        );
      case "pending":
        return this.#set(after, action.key, (item) => ({
          attempts: item.attempts + 1,
          retry_at: Date.now() + answer.retryAfterMs,
        }));
    }
  }

  async #withdraw(action: ActionRecord): Promise<void> {
    const answer = await accountStub(this.#around.env, action.account).cancel({ key: action.key });
    const root = this.#around.state.root();
    if (root === null) return;
    if (answer.arm === "cancelled") return this.#set(root, action.key, () => ({ state: "cancelled" }));
    if (answer.arm === "done") return this.#around.state.change(made(root, action.key, answer));
    return this.#set(root, action.key, () => ({ retry_at: Date.now() + guardMs }));
  }

  /** Whom the account object is to tell of what people do to this task. */
  async #announce(node: string, { account, key, moves = 0 }: ActionRecord): Promise<void> {
    const { env, state } = this.#around;
    await accountStub(env, account).own({ key, node, moves });
    const root = state.root();
    if (root?.name !== node) return;
    state.change(setAction(root, key, ({ unannounced: _told, ...item }) => item));
  }

  #set(root: Root, key: string, change: (item: ActionRecord) => Partial<ActionRecord>): void {
    this.#around.state.change(setAction(root, key, (item) => ({ ...item, ...change(item) })));
  }

  /** Asked by the account object before it sends something that waited: does it still hold? */
  async confirm(call: { readonly key: string }): Promise<ConfirmAnswer> {
    const { state } = this.#around;
    const first = state.load();
    if (first.role === "alias") return { arm: "moved", to: first.parent };
    if (first.role === "unused") return { arm: "stop" };
    // It may have gone on with a split before: whoever has it now submits it again.
    if (first.role === "erased") throw new Error("the action is not known here");
    const policy = await this.#around.policyOf(first.workspace);
    const root = state.load();
    if (root.role === "alias") return { arm: "moved", to: root.parent };
    const parted = root.role === "root" ? partedWith(root, call.key) : null;
    if (parted !== null) return { arm: "moved", to: parted };
    const current = root.role === "root" ? findAction(root, call.key) : null;
    // On its way here with a merge, perhaps: "stop" would cancel it for good, a throw makes the account ask again.
    if (root.role !== "root" || current === null) throw new Error("the action is not known here yet");
    if (current.followUp.state !== "open") return { arm: "stop" };
    // Of the sequence alone: the call is made all the same.
    if (current.action.step !== undefined && isKeptOut(policy, root)) {
      this.#set(root, call.key, () => ({ state: "cancelled" }));
      this.#around.pump();
      return { arm: "stop" };
    }
    if (!this.#isHeld(policy, root, current.followUp))
      return {
        arm: "go",
        moves: current.action.moves ?? 0,
        ...(isTask(current.action) ? { person: personOf(root, current.action) } : {}),
      };
    this.#cancel(root, current.followUp.id);
    this.#around.pump();
    return { arm: "stop" };
  }

  /** The account object tells how an action that it had taken over came out. May come twice. */
  settle(call: SettleCall): { readonly moved: string | null } {
    const { state } = this.#around;
    const node = state.load();
    if (node.role === "alias") return { moved: node.parent };
    if (node.role !== "root") return { moved: null };
    const { key, revision } = actionOf(call.key);
    const current = findAction(node, key);
    if (current === null) return { moved: partedWith(node, key) };
    const { outcome } = call;
    if (revision !== null) {
      const shown = "updated" in outcome ? outcome : null;
      // A later one may have come through before: what it found no more to be there is gone all the same.
      const isPast = current.action.revision >= revision && shown?.update.gone === undefined;
      if (current.action.state !== "done" || isPast) return { moved: null };
      state.change(
        shown === null
          ? unseen(node, key, revision, Date.now())
          : updated(node, key, revision, shown.updated, shown.update, Date.now()),
      );
    } else if (current.action.state === "done") return { moved: null };
    else if ("receipt" in outcome) state.change(made(node, key, outcome));
    else if ("problem" in outcome) state.change(parked(node, key, outcome.problem));
    state.projectDue = true;
    this.#around.pump();
    return { moved: null };
  }

  /** The account object tells what somebody did to a task of ours. May come twice, and late; on disk when this answers. */
  async heard(call: HeardTask): Promise<HeardAnswer> {
    const { state } = this.#around;
    const first = state.load();
    if (first.role === "alias") return { arm: "moved", to: first.parent };
    if (first.role !== "root") return { arm: "unknown" };
    const policy = await this.#around.policyOf(first.workspace);
    const root = state.load();
    if (root.role === "alias") return { arm: "moved", to: root.parent };
    if (root.role !== "root") return { arm: "unknown" };
    const current = findAction(root, call.key);
    if (current === null) {
      const parted = partedWith(root, call.key);
      return parted === null ? { arm: "later" } : { arm: "moved", to: parted };
    }
    const { PUBLIC_URL, BATON_MASTER_KEY } = this.#around.env;
    const link = leadLink(PUBLIC_URL, BATON_MASTER_KEY, root.workspace, root.name);
    const { command } = createTask(policy, root, current.followUp, current.action, link);
    const { written = command.type === "create_task" ? command.task : undefined } = current.action;
    // Of what an outlet was told nobody is heard.
    const { crm } = current.action;
    if (written === undefined || !isCrm(crm)) return { arm: "unknown" };
    const answer = heard(root, call, around(crm, current.action, written, call, policy, Date.now()));
    if (answer.arm === "later" || answer.root === root) return { arm: answer.arm };
    state.save(answer.root);
    state.projectDue = true;
    this.#around.pump();
    return { arm: "ok" };
  }

  #isHeld(policy: Policy, root: Root, followUp: FollowUpRecord): boolean {
    return holdOf(policy, root.lead, policy.plays[followUp.play], Date.now(), root.approvals) !== null;
  }

  /** On disk before the account object hears of it, for what is cancelled there never comes back. */
  #cancel(root: Root, id: string): void {
    this.#around.state.save(cancelFollowUp(root, id, "consent or a hold forbids it", Date.now()));
  }
}

/**
 * Its task stands. A crash may have taken the words in which it was asked for, and it was asked for again in those of a later hour: what
 * the account was told first is what stands there.
 */
function made(root: Root, key: string, { receipt, words }: Made, moves = 0): Root {
  return setAction(recordReceipt(root, key, receipt, moves), key, (item) =>
    item.written !== undefined && digestOfWords(item.written) === words ? item : { ...item, unworded: true },
  );
}

/**
 * The CRM shows this revision now, but for what a person changed there. A task that somebody has completed or deleted says what came
 * of the follow-up.
 */
function updated(root: Root, key: string, revision: number, written: CrmTask, update: TaskUpdate, now: number): Root {
  const shown = setAction(root, key, (item) =>
    item.revision > revision
      ? item
      : { ...shownIn(settledUpdate(item, revision), update), revision, written, updated: revision },
  );
  if (update.gone === undefined) return lookedAt(shown, key, update.kept, now);
  const isOpen = findAction(shown, key)?.followUp.state === "open";
  if (!isOpen) return shown;
  return ended(shown, key, update.gone === "deleted" ? { arm: "deleted" } : { arm: "completed", at: now }, now);
}

/** What the CRM's own spelling of the task means beside what we wrote there. */
function around(
  name: CrmName,
  { receipt }: ActionRecord,
  written: CrmTask,
  { seen }: HeardTask,
  policy: Policy,
  now: number,
): Around {
  const crm = crmOf(name);
  const ownerId = written.ownerId ?? receipt?.owner_id;
  return {
    written,
    ours: crm.shape(ownerId === undefined ? written : { ...written, ownerId }),
    dueAt: seen.arm === "open" ? crm.dueAt(seen.shape.due, written.dueAt) : null,
    knows: (address) =>
      Object.values(policy.teams).some((team) => team.members.some((member) => member.address === address)),
    now,
  };
}

/**
 * The CRM does not take it. What is over meanwhile is withdrawn as before, until nothing of an earlier attempt can come any more: for a
 * person nothing is left to be done.
 */
function parked(root: Root, key: string, problem: string): Root {
  const current = findAction(root, key);
  if (current?.action.state === "pending" && current.followUp.state !== "open") return root;
  return setAction(root, key, (item) => ({ ...item, state: "parked", problem }));
}

/** Where nothing was left out, all of its words are ours. */
function shownIn({ unworded, ...action }: ActionRecord, { kept, gone }: TaskUpdate): ActionRecord {
  const isKnown = unworded === undefined || (kept.length === 0 && gone === undefined);
  return isKnown ? action : { ...action, unworded };
}

/** The CRM does not take what this revision says, and never will. An attempt whose answer was lost may have got through all the same. */
function unseen(root: Root, key: string, revision: number, now: number): Root {
  return lookedAt(
    setAction(root, key, (item) => ({ ...settledUpdate(item, revision), revision, unworded: true })),
    key,
    null,
    now,
  );
}

/** It is known how this update came out. */
function settledUpdate(action: ActionRecord, revision: number): ActionRecord {
  const { updating, ...rest } = action;
  return updating !== undefined && updating.revision > revision ? action : rest;
}

/** Updates carry the key of their action and the revision that they bring. */
function actionOf(key: string): { readonly key: string; readonly revision: number | null } {
  const match = /^(.*)-u(\d+)$/.exec(key);
  return match === null ? { key, revision: null } : { key: match[1] ?? "", revision: Number(match[2]) };
}

/** The root that an action went to with a split that is under way. */
function partedWith(root: Root, key: string): string | null {
  return root.partings.find((parting) => findAction(parting.root, key) !== null)?.to ?? null;
}
