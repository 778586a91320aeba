/** Nothing that proves or opens anything stands in the package: such values are entered in the customer's own org. */
import { failIf } from "./fail.mjs";

const forbidden = [
  ["keys and secrets of an external client app", /ExtlClntAppGlobalOauth|consumerKey|consumerSecret|clientSecret/i],
  ["a password or token element", /<(password|oauthToken|oauthRefreshToken|awsAccessSecret|certificate|authToken)>/i],
  ["a bearer token", /bearer\s+[A-Za-z0-9._~+/-]{8,}/i],
  ["a key of Baton", /\b(bt|ck)_[A-Za-z0-9]{8,}/],
  ["a private key", /-----BEGIN/],
  ["an access token of Salesforce", /\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{20,}/],
  ["32 or more random characters", /\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}\b/],
  [
    "an address that is not an example",
    /https?:\/\/(?![\w.-]*example\.com\b|soap\.sforce\.com\/2006\/04\/metadata)[\w.-]+/i,
  ],
  ["a person's e-mail address", /[\w.+-]+@(?![\w.-]*example\.com\b)[\w-]+\.[a-z]{2,}/i],
];

export function checkSecrets(files) {
  failIf(files.flatMap(({ path, text }) => [path, text].flatMap(secretsOf).map((what) => `${path}: ${what}`)));
  return `${files.length} files`;
}

export function secretsOf(text) {
  return forbidden.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
}
