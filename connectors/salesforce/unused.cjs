/**
 * Stands in for what jsforce loads and this engine does not use: the CSV packages of its Bulk API and the XML of its SOAP calls,
 * 200 KB less in the Worker. Should CSV ever be called, it says so instead of failing strangely; an answer in XML (a gateway's
 * error page) stays the text that it is.
 */
const refuse = () => {
  throw new Error("CSV is left out of the Worker; see connectors/salesforce/unused.cjs");
};

module.exports = { parse: refuse, stringify: refuse, parseStringPromise: async (text) => text };
