/** The checks of the package refuse what they are there to refuse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { modesOf, syntaxOf } from "./apex.mjs";
import { checkNames } from "./names.mjs";
import { secretsOf } from "./secrets.mjs";
import { problemsOf } from "./xml.mjs";

const project = { sourceApiVersion: "68.0" };
const key = (more) =>
  `<CustomField><type>Text</type><length>255</length><externalId>true</externalId><unique>true</unique>${more}</CustomField>`;
const field = (object) => `force-app/main/default/objects/${object}/fields/Baton_Key__c.field-meta.xml`;
const keys = [
  { path: field("Activity"), text: key("<caseSensitive>true</caseSensitive>") },
  { path: field("Lead"), text: key("<caseSensitive>true</caseSensitive>") },
];

test("XML that is not well formed, of another namespace or of another version is refused", () => {
  const good = '<A xmlns="http://soap.sforce.com/2006/04/metadata"><apiVersion>68.0</apiVersion></A>';
  assert.deepEqual(problemsOf(good), []);
  assert.equal(problemsOf(good.replace("</A>", "")).length, 1);
  assert.deepEqual(problemsOf("<A></A>"), ["not in the metadata namespace"]);
  assert.deepEqual(problemsOf(good.replace("68.0", "59.0")), ["API version 59.0 instead of 68.0"]);
});

test("secrets, keys and addresses of anybody are refused", () => {
  assert.deepEqual(secretsOf("{!'Bearer ' &amp; $Credential.Baton_Card.CardKey}"), []);
  assert.deepEqual(secretsOf("Bearer abcdefgh12345678"), ["a bearer token"]);
  assert.deepEqual(secretsOf("ck_abcdefgh1234"), ["a key of Baton"]);
  assert.deepEqual(secretsOf("<consumerSecret>x</consumerSecret>"), ["keys and secrets of an external client app"]);
  assert.deepEqual(secretsOf("<password>x</password>"), ["a password or token element"]);
  assert.deepEqual(secretsOf(`key = '${"a1".repeat(16)}'`), ["32 or more random characters"]);
  assert.deepEqual(secretsOf("https://baton.example.com and http://soap.sforce.com/2006/04/metadata"), []);
  assert.deepEqual(secretsOf("https://elsewhere.example.org"), ["an address that is not an example"]);
  assert.deepEqual(secretsOf("somebody@elsewhere.example.org"), ["a person's e-mail address"]);
});

test("Apex that cannot be parsed, or that does not say its mode, is refused", () => {
  assert.deepEqual(syntaxOf("public with sharing class A { void b() { insert as system c; } }", false), []);
  assert.equal(syntaxOf("public with sharing class A { void b( { } }", false).length > 0, true);
  assert.equal(syntaxOf("trigger A on Lead(after update) { b( }", true).length > 0, true);
  assert.deepEqual(
    modesOf("public with sharing class A {\n insert as user b;\n [SELECT Id FROM Lead WITH USER_MODE];\n}"),
    [],
  );
  assert.deepEqual(modesOf("public class A {}"), ["a class that does not say its sharing"]);
  assert.deepEqual(modesOf("  insert rows;"), ["no mode: insert rows;"]);
  assert.deepEqual(modesOf("x = [SELECT Id FROM Lead];"), ["no mode: [SELECT Id FROM Lead]"]);
  assert.deepEqual(modesOf("Database.query(soql);"), ["no mode: Database.query(soql);"]);
});

test("a name that leads to nothing is refused", () => {
  assert.equal(checkNames(keys, project), "2 files");
  const refused = (text, path = "force-app/main/default/permissionsets/A.permissionset-meta.xml") =>
    assert.throws(() => checkNames([...keys, { path, text }], project), /which is not there/);
  refused("<apexClass>Gone</apexClass>");
  refused("<field>Lead.Gone__c</field>");
  refused("<externalCredentialPrincipal>Gone-Baton</externalCredentialPrincipal>");
  refused('import a from "@salesforce/apex/Gone.a";', "force-app/main/default/lwc/a/a.js");
  refused("<c-gone></c-gone>", "force-app/main/default/lwc/a/a.html");
});

test("a key that would let two tasks share it is refused", () => {
  assert.throws(
    () => checkNames([keys[0], { path: field("Lead"), text: key("<caseSensitive>false</caseSensitive>") }], project),
    /Text 255 true true false/,
  );
  assert.throws(() => checkNames([keys[0]], project), /is not there/);
});
