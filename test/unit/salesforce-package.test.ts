/** The Salesforce package and the engine agree on what they say to each other: the card's document, presses, events, fields. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { ownFields } from "../../connectors/contract.ts";
import { translate } from "../../connectors/salesforce/emitter/translate.ts";
import { recordFieldsOf } from "../../connectors/salesforce/record-fields.ts";
import { api, names } from "../../connectors/salesforce/requests.ts";
import { type Card, cardShape, choices, pressShape, type ReadyCard } from "../../src/card/document.ts";

const folder = join(import.meta.dirname, "../../connectors/salesforce/package");
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const documents = readdirSync(join(folder, "stage/documents"));
const document = (name: string): Card => cardShape.parse(JSON.parse(read(`stage/documents/${name}.json`)));

interface Press {
  readonly pressOf: (card: Card, button: ReadyCard["buttons"][number], given?: string) => object;
  readonly Presses: new () => { readonly open: (press: object) => object };
}

/** A component of Salesforce's has no types. */
const component = async (): Promise<Press> =>
  import(pathToFileURL(join(folder, "force-app/main/default/lwc/batonPress/batonPress.js")).href);

describe("The card in Salesforce", () => {
  it.each(documents)("is tested with a document that the engine could send: %s", (name) => {
    expect(cardShape.safeParse(JSON.parse(read(`stage/documents/${name}`))).error?.issues).toBeUndefined();
  });

  it("sends a press that the engine takes, for every button", async () => {
    const { pressOf, Presses } = await component();
    const card = document("full");
    const buttons = card.state === "ready" ? card.buttons : [];
    const given = {
      nothing: undefined,
      until: "2031-03-03T10:00:00.000Z",
      colleague: "robin@example.com",
      duplicate: "lead_ada2",
      link: "link_1",
      reason: "They are a school.",
    };
    const presses = new Presses();
    const sent = buttons.map((button) => pressShape.parse(presses.open(pressOf(card, button, given[button.needs]))));
    expect(sent.map(({ choice }) => choice)).toEqual([...choices]);
    expect(sent.filter(({ follow_up }) => follow_up === undefined).map(({ choice }) => choice)).toEqual([
      "merge",
      "keep_apart",
      "split",
    ]);
    expect(new Set(sent.map(({ request }) => request)).size).toBe(sent.length);
  });
});

describe("The Salesforce package", () => {
  it("has the keys that the connector writes by, and no namespace of which the connector does not know", () => {
    const field = (object: string, name: string) =>
      read(`force-app/main/default/objects/${object}/fields/${name}.field-meta.xml`);
    expect(field("Activity", names.taskKey)).toContain("<externalId>true</externalId>");
    expect(field("Lead", names.leadKey)).toContain("<externalId>true</externalId>");
    expect(JSON.parse(read("sfdx-project.json"))).toMatchObject({ namespace: "", sourceApiVersion: api.version });
  });

  it.each(["Lead", "Contact"])(
    "has on %s every field that the connector shows of a lead, and lets Baton write it",
    (object) => {
      const rights = read("force-app/main/default/permissionsets/Baton_Integration.permissionset-meta.xml");
      const types = { text: "Text", number: "Number", datetime: "DateTime" };
      for (const { name, type, max } of ownFields.map((field) => recordFieldsOf[field])) {
        const field = read(`force-app/main/default/objects/${object}/fields/${name}.field-meta.xml`);
        expect(field).toContain(`<type>${types[type]}</type>`);
        if (type === "text") expect(field).toContain(`<length>${max}</length>`);
        if (type === "number") expect(field).toContain(`<precision>${String(max).length}</precision>`);
        expect(rights).toMatch(new RegExp(`<editable>true</editable>\\s*<field>${object}.${name}</field>`));
      }
    },
  );

  it("lets Baton write those fields of Salesforce's own that a policy may share with it; names and the company need no right", () => {
    const rights = read("force-app/main/default/permissionsets/Baton_Integration.permissionset-meta.xml");
    const shared = (["phone", "job_title", "website"] as const).flatMap((field) => {
      const { name, only } = recordFieldsOf[field];
      return only === undefined ? [`Contact.${name}`, `Lead.${name}`] : [`${only}.${name}`];
    });
    expect(shared).toEqual(["Contact.Phone", "Lead.Phone", "Contact.Title", "Lead.Title", "Lead.Website"]);
    for (const name of shared)
      expect(rights).toMatch(new RegExp(`<editable>true</editable>\\s*<field>${name}</field>`));
  });

  it("tells of conversions and merges in the words that the emitter understands", () => {
    const said = read("force-app/main/default/classes/BatonEvents.cls").matchAll(/'(\w+)' =>|put\('(\w+)'/g);
    expect(new Set([...said].map(([, first, second]) => first ?? second))).toEqual(
      new Set([
        "type",
        "lead_id",
        "contact_id",
        "account_id",
        "occurred_at",
        "object",
        "master_record_id",
        "merged_ids",
      ]),
    );
    const body = JSON.stringify([
      {
        type: "lead_converted",
        lead_id: "00Qak00000AbCdEEAV",
        contact_id: "003ak00000IiFInAAN",
        account_id: "001ak00000XyZabAAF",
        occurred_at: "2026-03-02T10:00:00.123Z",
      },
      {
        type: "records_merged",
        object: "Contact",
        master_record_id: "003ak00000IiFInAAN",
        merged_ids: ["003ak00000IiFIoAAN", "003ak00000IiFIpAAN"],
        occurred_at: "2026-03-02T10:00:00.123Z",
      },
    ]);
    const delivery = {
      method: "POST",
      url: "https://in.example.com/in/key",
      headers: {},
      body: new TextEncoder().encode(body),
      receivedAt: Date.parse("2026-03-02T10:00:05.000Z"),
    };
    const translation = translate(delivery, {});
    expect(translation.ok && translation.value.drafts.map(({ kind }) => kind)).toEqual([
      "crm_lead_converted",
      "crm_records_merged",
    ]);
    expect(translation.ok && translation.value.quarantined).toBeUndefined();
  });
});
