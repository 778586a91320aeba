import { describe, expect, it } from "vitest";
import { loginUrlOf } from "../../src/install/login-host.ts";

describe("a host at which a Salesforce organisation logs in", () => {
  it.each([
    ["login.salesforce.com", "https://login.salesforce.com"],
    ["test.salesforce.com", "https://test.salesforce.com"],
    ["acme.my.salesforce.com", "https://acme.my.salesforce.com"],
    ["acme--dev.sandbox.my.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com"],
    ["acme-dev-ed.develop.my.salesforce.com", "https://acme-dev-ed.develop.my.salesforce.com"],
    ["a.scratch.my.salesforce.com", "https://a.scratch.my.salesforce.com"],
  ])("is %s", (host, url) => {
    expect(loginUrlOf(host)).toBe(url);
  });

  it.each([
    "",
    "example.com",
    "salesforce.com",
    "www.salesforce.com",
    "my.salesforce.com",
    ".my.salesforce.com",
    "-acme.my.salesforce.com",
    "acme.my.salesforce.com.example.com",
    "example.com/.my.salesforce.com",
    "example.com#.my.salesforce.com",
    "someone@acme.my.salesforce.com",
    "acme.my.salesforce.com:8443",
    "acme.my.salesforce.com/",
    "https://acme.my.salesforce.com",
    "ACME.my.salesforce.com",
    "acme.other.my.salesforce.com",
    "acme.my.salesforce.com\n",
  ])("is never %j", (host) => {
    expect(loginUrlOf(host)).toBeNull();
  });
});
