/** Tests of the card's components, as Salesforce's own tool runs them: base components are stubs, Apex is a mock. */
const { jestConfig } = require("@salesforce/sfdx-lwc-jest/config");

module.exports = {
  ...jestConfig,
  testRegex: "/__tests__/.*\\.test\\.js$",
  setupFilesAfterEnv: [...(jestConfig.setupFilesAfterEnv ?? []), "<rootDir>/check/jest.setup.cjs"],
};
