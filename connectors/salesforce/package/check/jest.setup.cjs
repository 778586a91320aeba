/** jsdom has no `crypto.getRandomValues` in this version; every browser that Salesforce supports has. */
const { webcrypto } = require("node:crypto");

if (globalThis.crypto?.getRandomValues === undefined) {
  Object.defineProperty(globalThis, "crypto", { value: webcrypto, configurable: true });
}
