/** Every metadata file is well-formed XML in the metadata namespace, and its version is the project's. */
import { XMLValidator } from "fast-xml-parser";
import { failIf } from "./fail.mjs";

const version = "68.0";

export function checkXml(files) {
  const xml = files.filter(({ path }) => path.endsWith("-meta.xml"));
  failIf(xml.flatMap(({ path, text }) => problemsOf(text).map((problem) => `${path}: ${problem}`)));
  return `${xml.length} files`;
}

export function problemsOf(text) {
  const valid = XMLValidator.validate(text);
  if (valid !== true) return [`${valid.err.msg} (line ${valid.err.line})`];
  const problems = [];
  if (!text.includes('xmlns="http://soap.sforce.com/2006/04/metadata"')) problems.push("not in the metadata namespace");
  const [, given] = /<apiVersion>([^<]*)<\/apiVersion>/.exec(text) ?? [];
  if (given !== undefined && given !== version) problems.push(`API version ${given} instead of ${version}`);
  return problems;
}
