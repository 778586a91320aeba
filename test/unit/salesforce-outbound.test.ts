/** Salesforce's Outbound Messages: what is read from an envelope, what is refused, and what Salesforce takes for an acknowledgement. */
import { describe, expect, it } from "vitest";
import { acknowledgement, readOutboundMessage } from "../../connectors/salesforce/outbound.ts";
import { envelope, isAcknowledged } from "../../connectors/salesforce/twin/outbound.ts";

const organization = "00D5g000004XyzAEAS";
const notification = (number: number) => ({
  id: `04l5g00000${String(number).padStart(5, "0")}AAA`,
  object: "Lead" as const,
  record: "00Qak00000AbCdEEAV",
});
const many = (count: number) => Array.from({ length: count }, (_, index) => notification(index));
const read = (xml: string) => readOutboundMessage(new TextEncoder().encode(xml));
const one = envelope(organization, many(1));

describe("an Outbound Message", () => {
  it("names its organisation, by the fifteen characters that say it, and how many notifications it has", () => {
    expect(read(one)).toEqual({ ok: true, value: { organization: "00D5g000004XyzA", notifications: 1 } });
    expect(read(envelope(organization.slice(0, 15), many(100)))).toEqual({
      ok: true,
      value: { organization: "00D5g000004XyzA", notifications: 100 },
    });
  });

  it("may give its elements any prefix", () => {
    const prefixed = one
      .replaceAll("soapenv:", "s:")
      .replaceAll("soapenv=", "s=")
      .replaceAll("<Notification>", "<ob:Notification>")
      .replaceAll("<OrganizationId>", "<ob:OrganizationId>");
    expect(read(prefixed)).toMatchObject({ ok: true });
  });

  it.each([
    ["no XML", '{"OrganizationId":"00D5g000004XyzAEAS"}', "not_an_outbound_message"],
    ["another envelope", one.replace("2005/09/outbound", "2006/04/metadata"), "not_an_outbound_message"],
    [
      "a document type, which may unfold entities",
      one.replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>'),
      "document_type",
    ],
    ["no notification", envelope(organization, []), "unclear_outbound_message"],
    ["more than a hundred", envelope(organization, many(101)), "unclear_outbound_message"],
    ["an id of something else", envelope("0055g000004XyzAEAS", many(1)), "unclear_outbound_message"],
    [
      "two organisations",
      one.replace("<ActionId>", `<OrganizationId>${organization}</OrganizationId><ActionId>`),
      "unclear_outbound_message",
    ],
  ])("is refused where it is %s", (_what, xml, reason) => {
    expect(read(xml)).toMatchObject({ ok: false, failure: { arm: "refused", reason } });
  });

  it("is refused where it is not UTF-8", () => {
    const bytes = new Uint8Array([...new TextEncoder().encode(one), 0xff, 0xfe]);
    expect(readOutboundMessage(bytes)).toMatchObject({ ok: false, failure: { reason: "not_utf8" } });
  });

  it("is over for Salesforce when our answer says so, and for no other", async () => {
    expect(await isAcknowledged(new Response(acknowledgement))).toBe(true);
    expect(await isAcknowledged(new Response(acknowledgement, { status: 503 }))).toBe(false);
    expect(await isAcknowledged(new Response(acknowledgement.replace("true", "false")))).toBe(false);
  });
});
