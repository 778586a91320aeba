/**
 * The types of `src/card/document.ts` as a file of their own, for the HubSpot project: what is uploaded must be complete in
 * itself and brings no zod. Printed from the schemas, so that a change of the document changes the card's types too; a test
 * compares the file with this. Pure.
 */
import * as z from "zod";
import { cardShape, pressedShape, pressShape } from "../../../src/card/document.ts";

/** What occurs in the JSON Schema of our document; anything else is an error, lest a type be printed too wide. */
interface Node {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly maxLength?: number;
}

export function cardTypes(): string {
  const press = schemaOf(pressShape);
  const choice = press.properties?.choice;
  const reasonMax = press.properties?.reason?.maxLength;
  if (choice === undefined || reasonMax === undefined) throw new Error("A press has no choice or no bounded reason.");
  const states = Object.fromEntries(optionsOf(schemaOf(cardShape)).map((option) => [stateName(option), option]));
  const pressed = printObject(schemaOf(pressedShape), 0, { Card: schemaOf(cardShape) });
  return `${[
    `/**
 * Made from Baton's \`src/card/document.ts\`, where each member is explained, by \`npm run types:hubspot-app\`.
 * Not to be edited.
 */`,
    `export type Choice =\n${choice.enum?.map((value) => `  | ${literal(value)}`).join("\n")};`,
    ...Object.entries(states).map(([name, node]) => declare(name, printObject(node, 0, { Choice: choice }))),
    declare("Card", Object.keys(states).join(" | ")),
    declare("Press", printObject(press, 0, { Choice: choice })),
    declare("Pressed", pressed),
    `/** Longest \`reason\` of a press, in characters. */\nexport const reasonCharsMax = ${reasonMax};`,
  ].join("\n\n")}\n`;
}

function schemaOf(schema: z.ZodType): Node {
  return z.toJSONSchema(schema) as Node;
}

function optionsOf(node: Node): readonly Node[] {
  const options = node.anyOf ?? node.oneOf;
  if (options === undefined) throw new Error("The card has no states.");
  return options;
}

/** `{state: "ready", …}` is the type `ReadyCard`. */
function stateName(node: Node): string {
  const state = String(node.properties?.state?.const);
  return `${state.charAt(0).toUpperCase()}${state.slice(1)}Card`;
}

function declare(name: string, type: string): string {
  return `export type ${name} = ${type};`;
}

type Known = Readonly<Record<string, Node>>;

function print(node: Node, indent: number, known: Known): string {
  const same = JSON.stringify(stripped(node));
  for (const [name, other] of Object.entries(known)) if (JSON.stringify(stripped(other)) === same) return name;
  if (node.const !== undefined) return literal(node.const);
  if (node.enum !== undefined) return node.enum.map(literal).join(" | ");
  const options = node.anyOf ?? node.oneOf;
  if (options !== undefined) return options.map((option) => print(option, indent, known)).join(" | ");
  if (typeof node.type === "object")
    return node.type.map((type) => print({ ...node, type }, indent, known)).join(" | ");
  switch (node.type) {
    case "string":
    case "boolean":
    case "null":
      return node.type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `readonly ${printItems(node.items, indent, known)}[]`;
    case "object":
      return printObject(node, indent, known);
    default:
      throw new Error(`No type is known for ${JSON.stringify(node)}.`);
  }
}

function printItems(items: Node | undefined, indent: number, known: Known): string {
  if (items === undefined) throw new Error("A list does not say of what.");
  const type = print(items, indent, known);
  return type.includes(" | ") && !type.startsWith("{") ? `(${type})` : type;
}

function printObject(node: Node, indent: number, known: Known): string {
  const pad = " ".repeat(indent + 2);
  const members = Object.entries(node.properties ?? {}).map(([name, value]) => {
    const optional = node.required?.includes(name) === true ? "" : "?";
    return `${pad}readonly ${name}${optional}: ${print(value, indent + 2, known)};`;
  });
  return `{\n${members.join("\n")}\n${" ".repeat(indent)}}`;
}

function literal(value: unknown): string {
  return JSON.stringify(value);
}

/** Without the schema's own address, which only the outermost has. */
function stripped(node: Node): Node {
  const { $schema: _, ...rest } = node as Node & { readonly $schema?: string };
  return rest;
}
