/**
 * What our own fields are called in an org. A managed package puts its namespace before them (`acme__Baton_Key__c`). Which one that is belongs
 * to the package and so to the whole deployment: it is fixed when the Worker is built, by `[define]` in wrangler.toml (docs/deploy.md, step 5).
 */
declare const SALESFORCE_NAMESPACE: unknown;

/** Letters, digits and single underscores, at most 15 (ISVforce Guide, "Namespaces"). */
const form = /^[A-Za-z](?:_?[A-Za-z0-9]){0,14}$/;

/** @throws where the namespace that was built in is none: the Worker does not start. */
export function ownName(name: string): string {
  const given: unknown = typeof SALESFORCE_NAMESPACE === "undefined" ? "" : SALESFORCE_NAMESPACE;
  if (given === "") return name;
  if (typeof given !== "string" || given.length > 15 || !form.test(given))
    throw new Error(
      "SALESFORCE_NAMESPACE is no namespace of a package: letters, digits and single underscores, at most 15.",
    );
  return `${given}__${name}`;
}
