"use strict";
// Stands in for `undici`, which compiles WebAssembly at run time and so cannot start in a Worker (wrangler [alias]).
// jsforce loads it with its default transport; our connections bring their own transport (client.ts), which sends through
// the session's `send`. So nothing here is ever called for a request, and `fetch` says so instead of bypassing the budget.
class Unused {}
class SocketError extends Error {}

module.exports = {
  fetch: async () => {
    throw new Error("a Salesforce request must go through the session's transport");
  },
  Response: globalThis.Response,
  Agent: Unused,
  ProxyAgent: Unused,
  errors: { SocketError },
};
