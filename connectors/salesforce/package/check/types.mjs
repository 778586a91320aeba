/** Salesforce's own library reads the source and converts it to the form that is deployed, with nothing left over. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentSet, MetadataConverter, RegistryAccess } from "@salesforce/source-deploy-retrieve";
import { failIf } from "./fail.mjs";

/** Types that the package must have, so that a folder that is skipped does not go unseen. */
const expected = [
  "ApexClass",
  "ApexTrigger",
  "CustomField",
  "CustomObject",
  "CustomTab",
  "ExternalClientApplication",
  "ExternalCredential",
  "ExtlClntAppOauthSettings",
  "LightningComponentBundle",
  "ListView",
  "NamedCredential",
  "PermissionSet",
];

export async function checkConversion(root, files, project, out) {
  const registry = new RegistryAccess();
  const problems = expected
    .filter((name) => registry.getTypeByName(name) === undefined)
    .map((name) => `unknown type ${name}`);
  const set = ComponentSet.fromSource({ fsPaths: [join(root, "force-app")], registry });
  set.sourceApiVersion = project.sourceApiVersion;
  const components = [...set.getSourceComponents()];
  const members = components.flatMap((component) => [component, ...component.getChildren()]);
  const types = new Set(members.map(({ type }) => type.name));
  problems.push(...expected.filter((name) => !types.has(name)).map((name) => `no ${name}`));
  const known = new Set(
    members.flatMap((component) => [component.xml, ...component.walkContent()].filter((path) => path !== undefined)),
  );
  problems.push(
    ...files.filter(({ path }) => !known.has(join(root, path))).map(({ path }) => `${path} belongs to no type`),
  );
  failIf(problems);

  await new MetadataConverter(registry).convert(set, "metadata", {
    type: "directory",
    outputDirectory: out,
    genUniqueDir: false,
  });
  const manifest = readFileSync(join(out, "package.xml"), "utf8");
  const missing = expected.filter((name) => !manifest.includes(`<name>${name}</name>`));
  if (!manifest.includes(`<version>${project.sourceApiVersion}</version>`))
    missing.push(`version ${project.sourceApiVersion}`);
  failIf(missing.map((name) => `the converted manifest lacks ${name}`));
  const task = readFileSync(join(out, "objects/Activity.object"), "utf8");
  failIf(task.includes("<fullName>Baton_Key__c</fullName>") ? [] : ["the key is not on Activity"]);
  const count = readdirSync(out, { recursive: true }).length;
  return `${members.length} components of ${types.size} types, ${count} files converted`;
}
