/**
 * Holds every request and every answer against the published shapes: the generated models of `@hubspot/api-client`
 * (CRM-FACTS: the vendor's API descriptions are not licensed for us, its client is). Names and types come from each
 * model's `getAttributeTypeMap()`; what is required stands only in its declaration file, so that is read too.
 *
 * A request may hold nothing unknown and nothing of a wrong type. An answer must hold all that is required, with the
 * right types; more than that is allowed, as in life.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Part of the client and model in it, e.g. `["crm/objects", "SimplePublicObject"]`. */
export type Shape = readonly [part: string, model: string];

export interface Violation {
  readonly at: number;
  readonly where: string;
  readonly what: string;
}

interface Attribute {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
}

type Model = readonly Attribute[];

export class Shapes {
  readonly violations: Violation[] = [];
  count = 0;
  readonly #models = new Map<string, Model | ReadonlySet<string> | null>();

  check(kind: "request" | "answer", shape: Shape, value: unknown, where: string, at: number): boolean {
    const problems: string[] = [];
    this.#compare(kind, shape[0], shape[1], value, "", problems);
    for (const what of problems) {
      this.count++;
      if (this.violations.length < violationsMax) this.violations.push({ at, where: `${kind} ${where}`, what });
    }
    return problems.length === 0;
  }

  clear(): void {
    this.violations.length = 0;
    this.count = 0;
  }

  #compare(kind: string, part: string, type: string, value: unknown, path: string, problems: string[]): void {
    const wrong = () => problems.push(`${path || "body"} is not a ${type}`);
    if (type === "any") return;
    if (type.endsWith(" | null")) {
      if (value !== null) this.#compare(kind, part, type.slice(0, -7), value, path, problems);
      return;
    }
    if (type === "string" || type === "number" || type === "boolean") {
      if (typeof value !== type) wrong();
      return;
    }
    if (type === "Date") {
      if (typeof value !== "string" || Number.isNaN(Date.parse(value))) wrong();
      return;
    }
    const element = /^Array<(.+)>$/.exec(type)?.[1];
    if (element !== undefined) {
      if (!Array.isArray(value)) wrong();
      else
        for (const [index, one] of value.entries())
          this.#compare(kind, part, element, one, `${path}[${index}]`, problems);
      return;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const choices = this.#model(part, type);
      if (!(choices instanceof Set) || !choices.has(String(value))) wrong();
      return;
    }
    const entry = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
    if (entry !== undefined) {
      for (const [key, one] of Object.entries(value)) this.#compare(kind, part, entry, one, `${path}.${key}`, problems);
      return;
    }
    this.#compareModel(kind, part, type, value as Record<string, unknown>, path, problems);
  }

  #compareModel(
    kind: string,
    part: string,
    type: string,
    value: Record<string, unknown>,
    path: string,
    problems: string[],
  ): void {
    const model = this.#model(part, type);
    if (model === null || model instanceof Set) {
      problems.push(`${path || "body"}: no model ${type}`);
      return;
    }
    const known = new Set<string>();
    for (const attribute of model as Model) {
      known.add(attribute.name);
      const given = value[attribute.name];
      if (given === undefined) {
        if (attribute.required) problems.push(`${path}.${attribute.name} is missing`);
      } else this.#compare(kind, part, attribute.type, given, `${path}.${attribute.name}`, problems);
    }
    if (kind !== "request") return;
    for (const name of Object.keys(value)) if (!known.has(name)) problems.push(`${path}.${name} is unknown`);
  }

  /** A model's attributes, an enumeration's values, or null where the client has no such type. */
  #model(part: string, name: string): Model | ReadonlySet<string> | null {
    const key = `${part}/${name}`;
    let model = this.#models.get(key);
    if (model === undefined) {
      model = load(part, name);
      this.#models.set(key, model);
    }
    return model;
  }
}

const require = createRequire(import.meta.url);

interface Generated {
  getAttributeTypeMap?(): { name: string; baseName: string; type: string }[];
}

function load(part: string, name: string): Model | ReadonlySet<string> | null {
  const folder = `@hubspot/api-client/lib/codegen/${part}/models`;
  const all = require(`${folder}/all.js`) as Record<string, Generated>;
  const found = all[name];
  if (found === undefined) return null;
  if (found.getAttributeTypeMap === undefined) return new Set(Object.values(found).map(String));
  const declaration = readFileSync(require.resolve(`${folder}/${name}.js`).replace(/\.js$/, ".d.ts"), "utf8");
  return found.getAttributeTypeMap().map((attribute) => ({
    name: attribute.baseName,
    type: attribute.type,
    required: !declaration.includes(`'${attribute.name}'?:`),
  }));
}

const violationsMax = 200;
