/** The face for tests and for a person's hands: state, journal, switches, and everything a seller does in the CRM. */
import { type Answer, invalid, notFound } from "./answers.ts";
import { type CardRequest, sendCardRequest } from "./card.ts";
import type { Faults } from "./faults.ts";
import { changeRecord, createRecord } from "./objects.ts";
import type { ObjectType } from "./schemas.ts";
import type { TwinRecord } from "./store.ts";
import { fields, type Owner, personSource, type Twin } from "./twin.ts";

export async function serveAdmin(
  twin: Twin,
  method: string,
  path: string,
  query: URLSearchParams,
  body: unknown,
): Promise<Answer> {
  const [, , section = "", id = "", verb = ""] = path.split("/");
  const key = `${method} ${section}${id === "" ? "" : "/*"}${verb === "" ? "" : `/${verb}`}`;
  const ask = (): Record<string, unknown> => fields(body ?? {});
  switch (key) {
    case "GET state":
      return json(stateOf(twin));
    case "GET journal":
      return json({
        entries: twin.journal.since(Number(query.get("since") ?? 0), Number(query.get("limit") ?? 100_000)),
      });
    case "GET faults":
      return json(twin.faults.current);
    case "POST faults":
      return setFaults(twin, ask() as Partial<Faults>);
    case "POST reset":
      return json(reset(twin, ask() as Partial<Faults>));
    case "POST grant":
      return json(twin.tokens.issue(ask().scopes as string[] | undefined));
    case "POST expire":
      twin.tokens.expireAll();
      return json({});
    case "POST uninstall":
      twin.tokens.uninstall();
      return json({});
    case "POST owners":
      twin.account.owners = (ask().owners as Owner[] | undefined) ?? twin.account.owners;
      return json({ owners: twin.account.owners });
    case "POST merge":
      return mergeByHand(twin, ask());
    case "POST contact":
      return created(createRecord(twin, "contacts", { properties: ask() }, seller));
    case "POST contact/*/edit":
      return edit(twin, "contacts", id, ask());
    case "POST contact/*/delete":
      return remove(twin, "contacts", id);
    case "POST task/*/complete":
      return edit(twin, "tasks", id, { hs_task_status: "COMPLETED" });
    case "POST task/*/edit":
      return edit(twin, "tasks", id, ask());
    case "POST task/*/delete":
      return remove(twin, "tasks", id);
    case "POST contact/*/enrol":
      return json(
        twin.sequences.add(id, String(ask().sequence), String(ask().sender ?? ""), Number(ask().at ?? twin.now())),
      );
    case "POST contact/*/finish":
      for (const one of twin.sequences.enrolled) if (one.contactId === id) one.active = false;
      return json({});
    case "POST webhooks":
      twin.webhooks.aim(typeof ask().target === "string" ? String(ask().target) : null);
      return json({ target: twin.webhooks.target });
    case "POST webhooks/*":
      return id === "flush"
        ? flush(twin)
        : json({ status: await twin.webhooks.sendRaw(ask().events as Record<string, unknown>[]) });
    case "POST card":
      return json({ answers: await sendCardRequest(twin, ask() as unknown as CardRequest) });
    default:
      throw notFound("No such admin page");
  }
}

export function stateOf(twin: Twin) {
  return {
    tasks: [...twin.store.all("tasks")].map((task) => taskState(twin, task)),
    contacts: [...twin.store.all("contacts")].map((contact) => contactState(twin, contact)),
    enrolled: twin.sequences.enrolled,
    faults: twin.faults.current,
    limits: { peak: twin.limits.peak, refused: twin.limits.refused },
    shapes: { violations: twin.shapes.count, first: twin.shapes.violations },
    webhooks: { target: twin.webhooks.target, sent: twin.webhooks.sent },
    portalId: twin.account.portalId,
  };
}

export type TwinState = ReturnType<typeof stateOf>;

function taskState(twin: Twin, task: TwinRecord) {
  const { properties } = task;
  return {
    id: task.id,
    /** The server key, of whichever world. */
    key: properties.baton_key ?? properties.hs_unique_id ?? null,
    marker: /\[baton:([^\]]*)\]/.exec(properties.hs_task_body ?? "")?.[1] ?? null,
    contacts: twin.store.linked(task, "contacts").map((contact) => contact.id),
    subject: properties.hs_task_subject ?? "",
    body: properties.hs_task_body ?? "",
    status: properties.hs_task_status ?? "",
    priority: properties.hs_task_priority ?? "",
    type: properties.hs_task_type ?? "",
    owner: properties.hubspot_owner_id ?? null,
    dueAt: new Date(
      /^\d+$/.test(properties.hs_timestamp ?? "") ? Number(properties.hs_timestamp) : (properties.hs_timestamp ?? ""),
    ).getTime(),
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
    archived: task.archivedAt !== null,
  };
}

function contactState(twin: Twin, contact: TwinRecord) {
  return {
    id: contact.id,
    email: contact.properties.email ?? null,
    properties: contact.properties,
    tasks: twin.store.linked(contact, "tasks").map((task) => task.id),
    createdAt: contact.createdAt,
    updatedAt: contact.updatedAt,
    archived: contact.archivedAt !== null,
    mergedInto: contact.mergedInto,
    mergedIds: contact.mergedIds,
  };
}

/** Empties the account and switches all faults off, but for those given. Grants and owners stay. */
function reset(twin: Twin, faults: Partial<Faults>) {
  twin.webhooks.drop();
  twin.store.clear();
  twin.journal.clear();
  twin.limits.clear();
  twin.sequences.clear();
  twin.shapes.clear();
  twin.faults.reset(faults);
  return { faults: twin.faults.current };
}

function setFaults(twin: Twin, change: Partial<Faults>): Answer {
  try {
    twin.faults.set(change);
  } catch (error) {
    throw invalid(error instanceof TypeError ? error.message : "no such fault");
  }
  return json(twin.faults.current);
}

function mergeByHand(twin: Twin, ask: Record<string, unknown>): Answer {
  const [primary, other] = [ask.primary, ask.merged].map((id) => twin.store.live("contacts", String(id)));
  if (primary === undefined || other === undefined || primary === other) throw notFound("Contact to merge not found");
  return json({ id: twin.store.merge(primary, other, seller).id });
}

function edit(twin: Twin, type: ObjectType, id: string, properties: Record<string, unknown>): Answer {
  const record = twin.store.followed(type, id);
  if (record === undefined) throw notFound(`No such ${type}`);
  changeRecord(twin, record, properties, seller);
  return json({ id: record.id, properties: record.properties });
}

function remove(twin: Twin, type: ObjectType, id: string): Answer {
  const record = twin.store.live(type, id);
  if (record === undefined) throw notFound(`No such ${type}`);
  twin.store.archive(record, seller);
  return json({ id });
}

async function flush(twin: Twin): Promise<Answer> {
  await twin.webhooks.flush();
  return json({ sent: twin.webhooks.sent });
}

function created(record: TwinRecord): Answer {
  return { status: 201, body: { id: record.id, properties: record.properties } };
}

function json(body: unknown): Answer {
  return { status: 200, body };
}

const seller = personSource(1);
