/** Names of objects and the way to them. A stub is broken after some errors, so each attempt takes a new one (DESIGN §6). */
import { digest, nodeName } from "../crypto.ts";
import type { Env } from "../env.ts";
import { hintEntriesMax, hopsMax } from "../limits.ts";
import type { Signal, TargetName } from "../model.ts";

export function identityStub(env: Env, name: string) {
  return env.IDENTITY.get(env.IDENTITY.idFromName(name));
}

/**
 * What whoever this identity is by now answers, wherever merges have moved it; null where it does not come to rest. The generated stub types
 * are too deep for the compiler, so whoever asks names the one method in `ask`.
 */
export async function askIdentity<Stub, Answer extends { readonly arm: string }>(
  env: Env,
  name: string,
  ask: (stub: Stub) => Promise<Answer | Moved>,
): Promise<Exclude<Answer, Moved> | null> {
  let target = name;
  for (let hops = 0; hops < hopsMax; hops++) {
    const answer = await ask(identityStub(env, target) as unknown as Stub);
    if (!isMoved(answer)) return answer as Exclude<Answer, Moved>;
    target = answer.to;
  }
  return null;
}

interface Moved {
  readonly arm: "moved";
  readonly to: string;
}

function isMoved(answer: { readonly arm: string }): answer is Moved {
  return answer.arm === "moved";
}

export function accountStub(env: Env, name: string) {
  return env.ACCOUNT.get(env.ACCOUNT.idFromName(name));
}

/** Whose turn it is in the teams of a workspace. */
export function teamStub(env: Env, workspace: string) {
  return env.TEAM.get(env.TEAM.idFromName(workspace));
}

/** What the people of one company do together; see `company.ts`. */
export function companyStub(env: Env, workspace: string, domain: string) {
  return env.COMPANY.get(env.COMPANY.idFromName(`${workspace}/${domain}`));
}

export function accountName(workspace: string, crm: TargetName, crmAccount: string): string {
  return `${workspace}/${crm}/${crmAccount}`;
}

/**
 * Projections of one ledger shard are gathered by a few objects ("lanes"), so that they are batched and yet no object
 * carries the whole traffic of a workspace.
 */
const projectorLanes = 4;

export function projectorStub(env: Env, shard: number, name: string) {
  const lane = Number.parseInt(digest(name).slice(0, 4), 16) % projectorLanes;
  return env.PROJECTOR.get(env.PROJECTOR.idFromName(`ledger-${shard}/${lane}`));
}

/** The nodes of a signal's identifiers, strongest first. */
export function nodesOf(nameKey: Uint8Array, signal: Signal): readonly string[] {
  return signal.identifiers.map(({ type, value }) => rememberedName(nameKey, signal.workspace, type, value));
}

/** Names already computed in this isolate. A name is a pure function of its parts, so a copy is never wrong; bounded. */
const names = new Map<string, string>();

function rememberedName(nameKey: Uint8Array, workspace: string, type: string, value: string): string {
  const parts = `${workspace}|${type}|${value}`;
  const known = names.get(parts);
  if (known !== undefined) return known;
  const name = nodeName(nameKey, workspace, type, value);
  if (names.size >= hintEntriesMax) names.delete(names.keys().next().value ?? "");
  names.set(parts, name);
  return name;
}

/** Errors after which the platform says that trying again is pointless or harmful. */
export function isOverloaded(error: unknown): boolean {
  return typeof error === "object" && error !== null && "overloaded" in error && error.overloaded === true;
}
