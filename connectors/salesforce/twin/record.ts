/** A lead's or contact's record page with our panel on it, whose calls the panel's Apex makes with the card key of the connection. */
import { randomUUID } from "node:crypto";
import { html } from "hono/html";
import { type CardView, pressOf, recordPage, viewOf } from "../../record-page.ts";
import type { Org } from "./org.ts";

/** Where our card lives, e.g. `http://127.0.0.1:8787/card/salesforce`, and what the administrator put into the Named Credential. */
export interface CardAddress {
  readonly url: string;
  readonly key: string;
}

/** Null where there is no such person. `POST` is one of the panel's buttons. */
export async function personPage(
  org: Org,
  card: CardAddress | null,
  asked: { readonly id: string; readonly method: string; readonly url: URL; readonly form: URLSearchParams },
): Promise<string | null> {
  const { tasks, people } = org.state();
  const person = people.find(({ id }) => id === asked.id);
  if (person === undefined) return null;
  const users = [...org.records.store.table("User").values()]
    .filter((user) => user.values.IsActive === true)
    .map((user) => String(user.values.Email));
  const wanted = asked.form.get("viewer") ?? asked.url.searchParams.get("viewer") ?? "";
  const viewer = users.includes(wanted) ? wanted : (users[0] ?? "");
  const open = tasks.filter((task) => task.who === person.id);
  return recordPage(
    {
      crm: "Salesforce",
      title: person.name ?? person.id,
      fields: Object.entries(org.get(person.id)?.values ?? {}).map(([name, value]) => [name, String(value ?? "")]),
      more: html`<p>${open.map((task) => html`${task.subject} (${task.deleted ? "deleted" : task.status})<br />`)}</p>`,
      action: asked.url.pathname,
      users,
      viewer,
      view: card === null ? { arm: "absent" } : await cardOf(org, card, person, viewer, asked),
    },
    randomUUID,
  );
}

async function cardOf(
  org: Org,
  card: CardAddress,
  person: { readonly id: string; readonly object: string },
  viewer: string,
  { method, form }: { readonly method: string; readonly form: URLSearchParams },
): Promise<CardView> {
  const press = method === "POST" ? pressOf(form) : null;
  if (method === "POST" && press === null)
    return { arm: "refused", status: 422, detail: "Something is missing in this form." };
  const about = new URLSearchParams({
    org: org.organizationId,
    user: viewer,
    object: person.object,
    record: person.id,
  });
  const answer = await fetch(`${card.url}/${press === null ? "record" : "press"}?${about}`, {
    method: press === null ? "GET" : "POST",
    headers: { authorization: `Bearer ${card.key}`, "content-type": "application/json" },
    ...(press === null ? {} : { body: JSON.stringify(press) }),
    signal: AbortSignal.timeout(15_000),
  }).catch(() => null);
  if (answer === null) return viewOf({ status: 0, body: null });
  return viewOf({ status: answer.status, body: await answer.json().catch(() => null) });
}
