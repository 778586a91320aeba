/** What one file calls another is there: classes, fields, objects, credentials and principals of permission sets, Apex of the card. */
import { XMLParser } from "fast-xml-parser";
import { failIf } from "./fail.mjs";

const parser = new XMLParser({ isArray: (_name, _path, isLeaf) => !isLeaf });

export function checkNames(files, project) {
  const problems = [];
  const there = new Set(files.map(({ path }) => path.replace(/^force-app\/main\/default\//, "")));
  const need = (from, path) => there.has(path) || problems.push(`${from} names ${path}, which is not there`);
  for (const { path, text } of files) {
    for (const [, name] of text.matchAll(/<apexClass>([^<]+)</g)) need(path, `classes/${name}.cls`);
    for (const [, name] of text.matchAll(/<externalCredential>([^<]+)</g)) {
      need(path, `externalCredentials/${name}.externalCredential-meta.xml`);
    }
    for (const [, name, principal] of text.matchAll(/<externalCredentialPrincipal>([^<-]+)-([^<]+)</g)) {
      need(path, `externalCredentials/${name}.externalCredential-meta.xml`);
      const credential = files.find((file) => file.path.endsWith(`/${name}.externalCredential-meta.xml`));
      if (credential && !credential.text.includes(`<parameterName>${principal}</parameterName>`)) {
        problems.push(`${path} names the principal ${principal} of ${name}, which is not there`);
      }
    }
    for (const [, credential] of text.matchAll(/\$Credential\.(\w+)\./g)) {
      if (!path.endsWith(`/${credential}.externalCredential-meta.xml`))
        problems.push(`${path} reads another credential`);
    }
    for (const [, name] of text.matchAll(/<externalClientApplication>([^<]+)</g)) {
      need(path, `externalClientApps/${name}.eca-meta.xml`);
    }
    for (const [, object, field] of text.matchAll(/<field>(\w+)\.(\w+__c)</g)) {
      // Fields of a task are made on Activity and granted on Task.
      need(path, `objects/${object === "Task" ? "Activity" : object}/fields/${field}.field-meta.xml`);
    }
    for (const [, object] of text.matchAll(/<object>(\w+__c)</g))
      need(path, `objects/${object}/${object}.object-meta.xml`);
    for (const [, name, method] of text.matchAll(/@salesforce\/apex\/(\w+)\.(\w+)"/g)) {
      need(path, `classes/${name}.cls`);
      const apex = files.find((file) => file.path.endsWith(`/${name}.cls`))?.text ?? "";
      if (!new RegExp(`@AuraEnabled\\s+public static \\w+ ${method}\\(`).test(apex)) {
        problems.push(`${path} calls ${name}.${method}, which is not there`);
      }
    }
    for (const [, name] of text.matchAll(/from "c\/(\w+)"/g)) need(path, `lwc/${name}/${name}.js`);
    for (const [, name] of text.matchAll(/<c-([\w-]+)/g)) {
      const component = name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
      need(path, `lwc/${component}/${component}.js`);
    }
    for (const [, name] of text.matchAll(/'(Baton_(?:Card|Events))'/g))
      need(path, `namedCredentials/${name}.namedCredential-meta.xml`);
  }
  problems.push(...keysOf(files));
  if (project.sourceApiVersion !== "68.0") problems.push("sfdx-project.json: another API version");
  failIf(problems);
  return `${there.size} files`;
}

/** The keys prove that a follow-up is written once: text of 255, External ID, unique, case sensitive (CRM-FACTS §2.1). */
function keysOf(files) {
  return ["Activity", "Lead"].flatMap((object) => {
    const path = `force-app/main/default/objects/${object}/fields/Baton_Key__c.field-meta.xml`;
    const text = files.find((file) => file.path === path)?.text;
    if (text === undefined) return [`${path} is not there`];
    const [field] = parser.parse(text).CustomField;
    const is = `${field.type} ${field.length} ${field.externalId} ${field.unique} ${field.caseSensitive}`;
    return is === "Text 255 true true true" ? [] : [`${path}: ${is}`];
  });
}
