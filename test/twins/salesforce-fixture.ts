/** What the Salesforce connector's tests share: one twin per file, empty before each test, which must have found nothing wrong with what was sent. */
import { afterAll, afterEach, expect } from "vitest";
import type { CrmSession, Send } from "../../connectors/contract.ts";
import { startSalesforceTwin } from "../../connectors/salesforce/twin/server.ts";

export const twin = await startSalesforceTwin();
export const send: Send = (request) => fetch(request);

/** As the account object would open it now. */
export function sessionNow(part: Partial<CrmSession> = {}): CrmSession {
  return { accessToken: twin.org.grant().accessToken, apiUrl: twin.url, world: "unique_property", send, ...part };
}

afterEach(() => {
  expect(twin.org.state(true).violations.first).toEqual([]);
  twin.org.reset();
});

afterAll(() => twin.close());
