/** A contact's record page, with the card that our app shows on it: asked for, signed and sent as HubSpot does (CRM-FACTS §1.9). */
import { randomUUID } from "node:crypto";
import { html } from "hono/html";
import { type CardView, pressOf, recordPage, viewOf } from "../../record-page.ts";
import type { Answer } from "./answers.ts";
import { sendCardRequest } from "./card.ts";
import type { TwinRecord } from "./store.ts";
import type { Owner, Twin } from "./twin.ts";

/** `POST` is one of the card's buttons. */
export async function contactPage(
  twin: Twin,
  contact: TwinRecord,
  asked: { readonly method: string; readonly url: URL; readonly form: URLSearchParams },
): Promise<Answer> {
  const users = twin.account.owners.filter((owner) => !owner.archived);
  const wanted = asked.form.get("viewer") ?? asked.url.searchParams.get("viewer");
  const viewer = users.find(({ email }) => email === wanted) ?? users[0];
  const { firstname = "", lastname = "", email = "" } = contact.properties;
  const tasks = twin.store.linked(contact, "tasks");
  const page = {
    crm: "HubSpot",
    title: `${firstname} ${lastname}`.trim() || email || `Contact ${contact.id}`,
    fields: Object.entries(contact.properties),
    more: html`<p>${tasks.map(
      (task) =>
        html`<a href="/tasks/${twin.account.portalId}/view/all/task/${task.id}">${task.properties.hs_task_subject}</a> (${task.archivedAt === null ? task.properties.hs_task_status : "deleted"})<br />`,
    )}</p>`,
    action: asked.url.pathname,
    users: users.map((user) => user.email),
    viewer: viewer?.email ?? "",
    view: await cardOf(twin, contact.id, viewer, asked),
  };
  return { status: 200, html: await recordPage(page, randomUUID) };
}

async function cardOf(
  twin: Twin,
  id: string,
  viewer: Owner | undefined,
  { method, form }: { readonly method: string; readonly form: URLSearchParams },
): Promise<CardView> {
  if (twin.cardUrl === null || viewer === undefined) return { arm: "absent" };
  const record = `objectTypeId=0-1&objectId=${id}`;
  const by = { userId: viewer.userId, userEmail: viewer.email };
  const press = method === "POST" ? pressOf(form) : null;
  if (method === "POST" && press === null)
    return { arm: "refused", status: 422, detail: "Something is missing in this form." };
  const answers =
    press === null
      ? await sendCardRequest(twin, { url: `${twin.cardUrl}/record?${record}`, method: "GET", ...by })
      : await sendCardRequest(twin, { url: `${twin.cardUrl}/press?${record}`, body: press, ...by });
  return viewOf(answers.at(-1) ?? { status: 0, body: null });
}
