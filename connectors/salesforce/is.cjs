"use strict";
/**
 * Stands in for `@sindresorhus/is`, of which jsforce uses five checks to know how long a body is (util/get-body-size.js): 3 KB
 * less in the Worker. `nodeStream` takes an observable for a stream, which the package does not; nothing here sends one.
 * test/unit/stand-ins.test.ts says so should jsforce ever use a sixth.
 */
module.exports = {
  string: (value) => typeof value === "string",
  function_: (value) => typeof value === "function",
  buffer: (value) => Buffer.isBuffer(value),
  urlSearchParams: (value) => value instanceof URLSearchParams,
  nodeStream: (value) => typeof value === "object" && value !== null && typeof value.pipe === "function",
};
