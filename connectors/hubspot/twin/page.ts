/** Pages for a person who wants to see what is in the twin. Plain HTML; everything shown is escaped. */
import type { TwinRecord } from "./store.ts";
import type { Twin } from "./twin.ts";

export function overview(twin: Twin): string {
  const tasks = [...twin.store.all("tasks")].reverse();
  const contacts = [...twin.store.all("contacts")].filter((contact) => contact.mergedInto === null).reverse();
  const taskRows = tasks.slice(0, rowsMax).map((task) => {
    const people = twin.store.linked(task, "contacts").map((contact) => link(twin, contact));
    const state = task.archivedAt === null ? text(task, "hs_task_status") : "deleted";
    return row([
      link(twin, task),
      text(task, "hs_task_subject"),
      people.join(", "),
      ownerOf(twin, task),
      state,
      time(Number(task.properties.hs_timestamp)),
      time(task.createdAt),
    ]);
  });
  const contactRows = contacts
    .slice(0, rowsMax)
    .map((contact) =>
      row([
        link(twin, contact),
        text(contact, "email"),
        `${text(contact, "firstname")} ${text(contact, "lastname")}`,
        text(contact, "company"),
        text(contact, "lifecyclestage"),
        String(twin.store.linked(contact, "tasks").length),
      ]),
    );
  return document(
    "HubSpot twin",
    `<p>Portal ${twin.account.portalId}, world <code>${twin.faults.current.world}</code>.
<a href="/admin/state">state</a> · <a href="/admin/journal">journal</a></p>
<h2>${tasks.length} tasks</h2>${table(["Task", "Subject", "Contact", "Owner", "Status", "Due", "Created"], taskRows)}
<h2>${contacts.length} contacts</h2>${table(["Contact", "E-mail", "Name", "Company", "Stage", "Tasks"], contactRows)}`,
  );
}

export function taskPage(twin: Twin, task: TwinRecord): string {
  const contacts = twin.store.linked(task, "contacts");
  const lines = Object.entries(task.properties).map(([name, value]) => row([escapeHtml(name), escapeHtml(value)]));
  return document(
    `Task ${task.id}`,
    `<p><a href="/">all</a></p>${table(["Property", "Value"], lines)}
<p>Linked: ${contacts.map((contact) => link(twin, contact)).join(", ") || "nothing"}</p>`,
  );
}

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function link(twin: Twin, record: TwinRecord): string {
  const { portalId } = twin.account;
  const path = record.type === "tasks" ? `/tasks/${portalId}/view/all/task/` : `/contacts/${portalId}/record/0-1/`;
  return `<a href="${path}${record.id}">${record.id}</a>`;
}

function ownerOf(twin: Twin, task: TwinRecord): string {
  const id = task.properties.hubspot_owner_id;
  return escapeHtml(twin.account.owners.find((owner) => owner.id === id)?.email ?? id ?? "");
}

function text(record: TwinRecord, name: string): string {
  return escapeHtml(record.properties[name] ?? "");
}

function time(at: number): string {
  return Number.isFinite(at) ? new Date(at).toISOString().slice(0, 16).replace("T", " ") : "";
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return `<table><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr>${rows.join("")}</table>`;
}

function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font:14px system-ui;margin:2em}td,th{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}</style>
<h1>${escapeHtml(title)}</h1>${body}</html>`;
}

const rowsMax = 200;
