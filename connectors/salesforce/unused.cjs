/**
 * Stands in for what jsforce loads and this engine does not use: the CSV packages of its Bulk API and the writer of XML, 155 KB
 * less in the Worker. Should it ever be called, it says so instead of failing strangely.
 */
const refuse = () => {
  throw new Error("CSV and written XML are left out of the Worker; see connectors/salesforce/unused.cjs");
};

module.exports = { parse: refuse, stringify: refuse, create: refuse, begin: refuse };
