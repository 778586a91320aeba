/**
 * Apex is parsed with a grammar that follows Salesforce's; nothing is compiled or run. From API 67 on the mode of every access to
 * the database and the sharing of a class are said, for what is not said runs as the user.
 */
import { ApexErrorListener, ApexParserFactory } from "@apexdevtools/apex-parser";
import { failIf } from "./fail.mjs";

class Listener extends ApexErrorListener {
  problems = [];

  apexSyntaxError(line, column, message) {
    this.problems.push(`line ${line}:${column} ${message}`);
  }
}

export function checkApex(files) {
  const apex = files.filter(({ path }) => /\.(cls|trigger)$/.test(path));
  failIf(
    apex.flatMap(({ path, text }) =>
      [...syntaxOf(text, path.endsWith(".trigger")), ...modesOf(text)].map((problem) => `${path}: ${problem}`),
    ),
  );
  return `${apex.length} files, parsed but neither compiled nor run`;
}

export function syntaxOf(text, isTrigger) {
  const listener = new Listener();
  const { parser } = ApexParserFactory.createLexerAndParser(text, listener);
  if (isTrigger) parser.triggerUnit();
  else parser.compilationUnit();
  return listener.problems;
}

export function modesOf(text) {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  const problems = [];
  if (
    /^public (?!enum)[\w ]*class/m.test(code) &&
    !/(with|without|inherited) sharing class/.test(code) &&
    !code.includes("@IsTest")
  ) {
    problems.push("a class that does not say its sharing");
  }
  for (const [statement] of code.matchAll(/^\s*(insert|update|upsert|delete|undelete)\s+(?!as (user|system))\w.*$/gm)) {
    problems.push(`no mode: ${statement.trim()}`);
  }
  for (const [query] of code.matchAll(/\[\s*SELECT[^\]]*\]/gi)) {
    if (!/WITH (USER|SYSTEM)_MODE/i.test(query)) problems.push(`no mode: ${query.replaceAll(/\s+/g, " ")}`);
  }
  for (const [call] of code.matchAll(/Database\.(query|insert|update|delete|upsert)\([^;]*;/g)) {
    if (!/AccessLevel\./.test(call)) problems.push(`no mode: ${call.replaceAll(/\s+/g, " ")}`);
  }
  return problems;
}
