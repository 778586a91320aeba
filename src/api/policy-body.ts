/**
 * How a policy comes in and goes out: JSON or YAML, bounded before anything looks at its meaning. YAML is read by its JSON schema
 * alone: no tags, no aliases, so that a document is never longer than what was sent.
 */
import { dump, JSON_SCHEMA, load, YAMLException } from "js-yaml";
import * as z from "zod";
import { type Policy, policySchema, policyShape } from "../decide/policy.ts";
import { boundedBody } from "../ingest/body.ts";
import { type ProblemDetails, problem } from "../ingest/problem.ts";
import type { AppContext } from "../ingest/receive.ts";
import { policyBytesMax, policyDepthMax, policyMistakesMax, policyStoredBytesMax } from "../limits.ts";

const jsonTypes = /^(?:application\/(?:[a-z.-]+\+)?json)?$/;
const yamlTypes = /^(?:application|text)\/(?:x-)?yaml$/;

/** The body, whatever it means, or the answer to give. */
export async function readDocument(c: AppContext): Promise<{ readonly value: unknown } | Response> {
  const type = (c.req.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const isYaml = yamlTypes.test(type);
  if (!isYaml && !jsonTypes.test(type))
    return problem(415, { code: "unknown_type", detail: "Send application/json or application/yaml." });
  const body = await boundedBody(c.req.raw, policyBytesMax);
  if (!body.ok) {
    const { reason, detail = "" } = body.failure;
    return problem(reason === "body_too_large" ? 413 : 400, { code: reason, detail });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body.value);
  } catch {
    return problem(400, { code: "not_text", detail: "The body is not UTF-8 text." });
  }
  const parsed = isYaml ? parseYaml(text) : parseJson(text);
  if (parsed instanceof Response) return parsed;
  const refused = unsafeIn(parsed.value);
  return refused === null ? parsed : invalid([refused]);
}

function parseJson(text: string): { readonly value: unknown } | Response {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const at = /at position (\d+)/.exec(String(error))?.[1];
    return unreadable("not_json", "The body is not JSON", at === undefined ? null : placeOf(text, Number(at)));
  }
}

function parseYaml(text: string): { readonly value: unknown } | Response {
  try {
    return { value: load(text, { schema: JSON_SCHEMA, maxDepth: policyDepthMax, maxAliases: 0 }) };
  } catch (error) {
    if (!(error instanceof YAMLException)) return unreadable("not_yaml", "The body is not YAML", null);
    const { reason, mark } = error;
    const place = mark === undefined ? null : `line ${mark.line + 1}, column ${mark.column + 1}`;
    const why = reason.startsWith("aliases")
      ? "Aliases (*name) are not taken; write it out"
      : reason.startsWith("nesting")
        ? `It nests deeper than ${policyDepthMax}`
        : `The body is not YAML (${reason})`;
    return unreadable("not_yaml", why, place);
  }
}

function unreadable(code: string, why: string, place: string | null): Response {
  const message = place === null ? `${why}.` : `${why}: ${place}.`;
  return problem(400, { code, detail: message, errors: [{ path: "", message }] });
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  return `line ${before.split("\n").length}, column ${position - before.lastIndexOf("\n")}`;
}

const forbiddenNames = new Set(["__proto__", "constructor", "prototype"]);

export interface ListedMistake {
  readonly path: string;
  readonly message: string;
}

/** Looks for what no check behind may meet, without recursion: a document may be nested a hundred thousand deep. */
function unsafeIn(document: unknown): ListedMistake | null {
  const open: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: document, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (typeof value !== "object" || value === null) continue;
    if (path.length >= policyDepthMax)
      return { path: cut(path.join(".")), message: `It nests deeper than ${policyDepthMax}.` };
    for (const [name, item] of Object.entries(value)) {
      if (forbiddenNames.has(name))
        return { path: cut([...path, name].join(".")), message: `Nothing can be named "${name}".` };
      if (typeof item === "object") open.push({ value: item, path: [...path, name] });
    }
  }
  return null;
}

/** 422 with the first mistakes, and how many there are. */
export function invalid(mistakes: readonly ListedMistake[], more: Omit<ProblemDetails, "code"> = {}): Response {
  const counted =
    mistakes.length <= policyMistakesMax
      ? {}
      : { detail: `There are ${mistakes.length} mistakes; the first ${policyMistakesMax} are listed.` };
  return problem(422, { code: "invalid", ...counted, ...more, errors: mistakes.slice(0, policyMistakesMax) });
}

export type Checked<T> =
  | { readonly ok: true; readonly policy: T }
  | { readonly ok: false; readonly mistakes: readonly ListedMistake[] };

/** The whole check: `version` is the number that the document would get. */
export function checkPolicy(document: unknown, version: number): Checked<Policy> {
  return checkWith(policySchema, document, version);
}

/** The shape alone: the document can be compared with others, and may still be wrong. */
export function readPolicyShape(document: unknown, version: number): Checked<Policy> {
  return checkWith(policyShape, document, version);
}

function checkWith(schema: typeof policyShape, document: unknown, version: number): Checked<Policy> {
  const given = isObject(document) ? { ...document, version } : document;
  const parsed = schema.safeParse(given);
  if (!parsed.success) return { ok: false, mistakes: listedMistakes(parsed.error) };
  if (new TextEncoder().encode(JSON.stringify(parsed.data)).length <= policyStoredBytesMax)
    return { ok: true, policy: parsed.data };
  const message = `With its defaults written out it would be longer than ${policyStoredBytesMax} bytes.`;
  return { ok: false, mistakes: [{ path: "", message }] };
}

export function listedMistakes(error: z.ZodError): readonly ListedMistake[] {
  return error.issues.map(({ path, message }) => ({ path: cut(path.join(".")), message: cut(message) }));
}

/** Names in a document may be as long as the document. */
function cut(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Who says so, and why: in the body or in the query. */
export const saidBy = z.email({ error: "Say who you are: the e-mail address of the person who does this." }).max(320);
export const note = z.string().max(500);

/** JSON, or YAML where the reader prefers it. */
export function wantsYaml(c: AppContext): boolean {
  const accepted = (c.req.header("accept") ?? "").toLowerCase().split(",");
  const place = (words: string) => accepted.findIndex((type) => type.includes(words));
  const yaml = place("yaml");
  const json = place("json");
  return yaml >= 0 && (json < 0 || yaml < json);
}

export function yamlAnswer(document: unknown): Response {
  const text = dump(document, { lineWidth: 140, noRefs: true });
  return new Response(text, { headers: { "content-type": "application/yaml; charset=utf-8", vary: "accept" } });
}
