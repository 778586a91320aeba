/** Puts a draft together: repeated identifiers once, empty parts left out. Pure. */
import type { AccountRef, Attribution, Consent, Identifier } from "../src/model.ts";
import type { SignalDraft, Translation } from "./contract.ts";
import { forbidsFollowUp } from "./kinds.ts";

export interface DraftParts {
  readonly id: string | undefined;
  readonly kind: string;
  readonly occurredAt: number | undefined;
  readonly identifiers: readonly (Identifier | undefined)[];
  readonly traits?: Readonly<Record<string, unknown>>;
  readonly account?: AccountRef | undefined;
  readonly attribution?: Attribution | undefined;
  readonly consent?: Consent | undefined;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export function draftOf(parts: DraftParts): SignalDraft {
  const identifiers: Identifier[] = [];
  for (const item of parts.identifiers) {
    if (item === undefined || identifiers.some((known) => known.type === item.type && known.value === item.value))
      continue;
    identifiers.push(item);
  }
  const consent = forbidsFollowUp(parts.kind) ? { follow_up: false } : parts.consent;
  return {
    ...(parts.id === undefined ? {} : { id: parts.id }),
    kind: parts.kind,
    ...(parts.occurredAt === undefined ? {} : { occurredAt: parts.occurredAt }),
    identifiers,
    ...(isEmpty(parts.traits) ? {} : { traits: parts.traits }),
    ...(isEmpty(parts.account) ? {} : { account: parts.account }),
    ...(isEmpty(parts.attribution) ? {} : { attribution: parts.attribution }),
    ...(consent === undefined ? {} : { consent }),
    ...(isEmpty(parts.properties) ? {} : { properties: parts.properties }),
  };
}

function isEmpty(part: object | undefined): part is undefined {
  if (part === undefined) return true;
  for (const _ in part) return false;
  return true;
}

export function identifier(type: string, value: string | undefined): Identifier | undefined {
  return value === undefined ? undefined : { type, value };
}

/** An account with only the members that are known. */
export function accountOf(name: string | undefined, domain: string | undefined): AccountRef {
  return { ...(name === undefined ? {} : { name }), ...(domain === undefined ? {} : { domain }) };
}

/** Many companies use the e-mail address as user id; then it is both. The exact check comes later, in `normalise.ts`. */
export function emailIn(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= 320 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) ? text : undefined;
}

export function one(draft: SignalDraft): Translation {
  return { drafts: [draft], skipped: [] };
}

export function skip(reason: string): Translation {
  return { drafts: [], skipped: [{ index: 0, reason }] };
}
