/**
 * Pure. Reads the part of SOQL that programs like ours use: SELECT fields or COUNT() FROM one object, WHERE with =, !=, <, <=,
 * >, >=, LIKE, IN, NOT IN, NOT, AND, OR and parentheses, ORDER BY, LIMIT, OFFSET. AND and OR do not mix without parentheses.
 */
import type { Value } from "./fields.ts";

export type Condition =
  | {
      readonly type: "compare";
      readonly field: string;
      readonly operator: "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE";
      readonly value: Value;
    }
  | { readonly type: "in"; readonly field: string; readonly values: readonly Value[]; readonly negated: boolean }
  | { readonly type: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly type: "not"; readonly part: Condition };

export interface Statement {
  /** Null for COUNT(). */
  readonly fields: readonly string[] | null;
  readonly object: string;
  readonly where: Condition | null;
  readonly order: readonly { readonly field: string; readonly descending: boolean; readonly nullsLast: boolean }[];
  readonly limit: number | null;
  readonly offset: number;
}

export class MalformedQuery extends Error {}

type Token =
  | { readonly type: "word"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "sign"; readonly text: string };

export function parseSoql(source: string): Statement {
  return new Parser(scan(source)).statement();
}

const unescaped: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  f: "\f",
  N: "\n",
  R: "\r",
  T: "\t",
  B: "\b",
  F: "\f",
};

function scan(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|'((?:[^'\\]|\\.)*)'|(<=|>=|!=|<>|[=<>(),])|([A-Za-z0-9_.:+-]+)/gy;
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(source);
    if (match === null) {
      throw new MalformedQuery(`unexpected token: '${source.charAt(at)}'`);
    }
    const [, quoted, sign, word] = match;
    if (quoted !== undefined) {
      tokens.push({
        type: "text",
        text: quoted.replaceAll(/\\(.)/gs, (_, character: string) => unescaped[character] ?? character),
      });
    } else if (sign !== undefined) {
      tokens.push({ type: "sign", text: sign === "<>" ? "!=" : sign });
    } else if (word !== undefined) {
      tokens.push({ type: "word", text: word });
    }
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  statement(): Statement {
    this.#expect("SELECT");
    const fields = this.#selected();
    this.#expect("FROM");
    const object = this.#word();
    const where = this.#take("WHERE") ? this.#condition() : null;
    const order = this.#take("ORDER") ? this.#order() : [];
    const limit = this.#take("LIMIT") ? this.#number() : null;
    const offset = this.#take("OFFSET") ? this.#number() : 0;
    const extra = this.#tokens[this.#at];
    if (extra !== undefined) {
      throw new MalformedQuery(`unexpected token: '${extra.text}'`);
    }
    return { fields, object, where, order, limit, offset };
  }

  #selected(): readonly string[] | null {
    const fields = [this.#word()];
    if (fields[0]?.toUpperCase() === "COUNT" && this.#take("(")) {
      this.#expect(")");
      return null;
    }
    while (this.#take(",")) {
      fields.push(this.#word());
    }
    return fields;
  }

  #condition(): Condition {
    const first = this.#term();
    const word = ["AND", "OR"].find((candidate) => this.#peek(candidate));
    if (word === undefined) {
      return first;
    }
    const parts = [first];
    while (this.#take(word)) {
      parts.push(this.#term());
    }
    return { type: word === "AND" ? "and" : "or", parts };
  }

  #term(): Condition {
    if (this.#take("NOT")) {
      return { type: "not", part: this.#term() };
    }
    if (this.#take("(")) {
      const inner = this.#condition();
      this.#expect(")");
      return inner;
    }
    const field = this.#word();
    if (this.#take("NOT")) {
      this.#expect("IN");
      return { type: "in", field, values: this.#list(), negated: true };
    }
    if (this.#take("IN")) {
      return { type: "in", field, values: this.#list(), negated: false };
    }
    const operator = (["=", "!=", "<=", ">=", "<", ">", "LIKE"] as const).find((candidate) => this.#take(candidate));
    if (operator === undefined) {
      throw new MalformedQuery(`unexpected token: '${this.#tokens[this.#at]?.text ?? "<EOF>"}'`);
    }
    return { type: "compare", field, operator, value: this.#value() };
  }

  #list(): readonly Value[] {
    this.#expect("(");
    const values = [this.#value()];
    while (this.#take(",")) {
      values.push(this.#value());
    }
    this.#expect(")");
    return values;
  }

  #value(): Value {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token?.type === "text") {
      return token.text;
    }
    const word = token?.type === "word" ? token.text : null;
    switch (word?.toLowerCase()) {
      case undefined:
        throw new MalformedQuery(`unexpected token: '${token?.text ?? "<EOF>"}'`);
      case "null":
        return null;
      case "true":
        return true;
      case "false":
        return false;
    }
    if (word !== null && /^[+-]?\d+(?:\.\d+)?$/.test(word)) {
      return Number(word);
    }
    // An instant or a date stands without quotes.
    if (word !== null && /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?$/.test(word)) {
      return word;
    }
    throw new MalformedQuery(`Bind variables only allowed in Apex code: '${word}'`);
  }

  #order(): Statement["order"] {
    this.#expect("BY");
    const order: { field: string; descending: boolean; nullsLast: boolean }[] = [];
    do {
      const field = this.#word();
      const descending = this.#take("DESC");
      if (!descending) {
        this.#take("ASC");
      }
      const nullsLast = this.#take("NULLS") && (this.#take("LAST") || !this.#take("FIRST"));
      order.push({ field, descending, nullsLast });
    } while (this.#take(","));
    return order;
  }

  #number(): number {
    const value = this.#value();
    if (typeof value !== "number") {
      throw new MalformedQuery("a number is expected");
    }
    return value;
  }

  #word(): string {
    const token = this.#tokens[this.#at];
    if (token?.type !== "word") {
      throw new MalformedQuery(`unexpected token: '${token?.text ?? "<EOF>"}'`);
    }
    this.#at += 1;
    return token.text;
  }

  #peek(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && token.type !== "text" && token.text.toUpperCase() === text;
  }

  #take(text: string): boolean {
    const taken = this.#peek(text);
    this.#at += taken ? 1 : 0;
    return taken;
  }

  #expect(text: string): void {
    if (!this.#take(text)) {
      throw new MalformedQuery(`expecting '${text}', found '${this.#tokens[this.#at]?.text ?? "<EOF>"}'`);
    }
  }
}
