/** HubSpot's request signature, version 3, on HubSpot's own vectors (CRM-FACTS §1.8). */
import { describe, expect, it } from "vitest";
import { signV3, uriForms, verifyV3 } from "../../connectors/hubspot/signature.ts";

describe("signature v3", () => {
  const vectors = [
    [
      "f6e94c08-85d0-4608-bcc6-e1850176e7b8",
      "POST",
      "https://www.hubspot.com/webhook",
      "REQUEST_BODY",
      "1632188626483",
      "jf872r5vscVcxCiDRHA4rGrqe/8BPLNVkdJSHdMnGTU=",
    ],
    [
      "f6e94c08-85d0-4608-bcc6-e1850176e7b8",
      "POST",
      "https://www.hubspot.com/webhook",
      "",
      "1632188626483",
      "csXgk7UbrE9F8ZmMvbpuKBxqIvTSqU1EX9pI/SJtxSE=",
    ],
    [
      "12345678-aaaa-bbbb-cccc-ddddeeeeffff",
      "GET",
      "https://hubspot.com/?appId=1&portalId=2&userId=3",
      "",
      "1111111111",
      "zTfXjo07jfzGouo4wvyAj3qEMUTVJ0PPYPACrluQtQI=",
    ],
  ] as const;
  for (const [secret, method, uri, body, timestamp, signature] of vectors) {
    it(`gives HubSpot's own vector for ${method} ${uri} with ${body === "" ? "no" : "a"} body`, () => {
      const request = { method, uri, body, timestamp };
      expect(signV3(secret, request)).toBe(signature);
      const now = Number(timestamp) + 1_000;
      expect(verifyV3(["other", secret], { ...request, signature }, now)).toEqual({ ok: true, value: true });
      const refusal = (change: object, secrets: readonly string[] = [secret], at = now) =>
        verifyV3(secrets, { ...request, signature, ...change }, at);
      expect(refusal({ body: `${body}x` })).toMatchObject({ failure: { reason: "signature_mismatch" } });
      expect(refusal({ uri: `${uri}x` })).toMatchObject({ failure: { reason: "signature_mismatch" } });
      expect(refusal({ signature: "" })).toMatchObject({ failure: { reason: "signature_mismatch" } });
      expect(refusal({ timestamp: "soon" })).toMatchObject({ failure: { reason: "timestamp_unreadable" } });
      expect(refusal({}, [secret], now + 300_001)).toMatchObject({ failure: { reason: "timestamp_too_old" } });
      expect(refusal({}, [])).toMatchObject({ failure: { reason: "no_secret" } });
      expect(refusal({}, [""])).toMatchObject({ failure: { reason: "no_secret" } });
    });
  }

  it("accepts the address as received and with the documented percent-codes decoded, and no others", () => {
    expect(uriForms("https://b.example.com/x?u=a%40b%2Cc%20d")).toEqual([
      "https://b.example.com/x?u=a%40b%2Cc%20d",
      "https://b.example.com/x?u=a@b,c%20d",
    ]);
    expect(uriForms("https://b.example.com/x")).toEqual(["https://b.example.com/x"]);
  });
});
