/**
 * Stands in for the CSV packages that jsforce loads for its Bulk API, which this engine does not use: 85 KB less in the Worker.
 * Should it ever be called, it says so instead of failing strangely.
 */
const refuse = () => {
  throw new Error("CSV is left out of the Worker; see connectors/salesforce/unused.cjs");
};

module.exports = { parse: refuse, stringify: refuse };
