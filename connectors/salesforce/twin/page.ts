/** Pure. A page for a person who wants to see what is in the org. */
import type { Org } from "./org.ts";

const rowsMax = 500;

export function page(org: Org): string {
  const { counts, api, violations, tasks, people } = org.state();
  const names = new Map(people.map((person) => [person.id, person.name ?? ""]));
  const owners = new Map(
    [...org.records.store.table("User").values()].map((user) => [user.id, String(user.values.Name)]),
  );
  const taskRows = tasks
    .toReversed()
    .slice(0, rowsMax)
    .map((task) => [
      task.subject,
      names.get(task.who ?? "") ?? "",
      owners.get(task.owner ?? "") ?? "",
      task.deleted ? "deleted" : task.status,
      new Date(task.createdAt).toISOString(),
      task.key,
      task.id,
    ]);
  const peopleRows = people
    .toReversed()
    .slice(0, rowsMax)
    .map((person) => [
      person.object,
      person.name,
      person.email,
      person.deleted
        ? person.master === null
          ? "deleted"
          : `merged into ${person.master}`
        : person.convertedTo === null
          ? ""
          : `converted to ${person.convertedTo}`,
      person.key,
      person.id,
    ]);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Salesforce twin</title>
<style>body{font:14px system-ui;margin:2rem;color:#222}table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left}th{background:#f4f4f4}</style></head>
<body><h1>Salesforce twin</h1>
<p>A local stand-in. ${counts.tasks} tasks (${counts.tasksDeleted} deleted), ${counts.leads} leads, ${counts.contacts} contacts; ${api.used} of ${api.limit} API requests; ${violations.count} broken shapes; ${counts.doubledKeys} doubled keys.</p>
${table("Tasks", ["Subject", "For", "Owner", "Status", "Created", "Key", "Id"], taskRows)}
${table("Leads and contacts", ["Kind", "Name", "E-mail", "State", "Key", "Id"], peopleRows)}
</body></html>`;
}

function table(title: string, head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const cells = (tag: string, values: readonly (string | null)[]): string =>
    values
      .map((value) => `<${tag}>${isPerson(value) ? `<a href="/${value}">${value}</a>` : html(value ?? "")}</${tag}>`)
      .join("");
  return `<h2>${title}</h2><table><tr>${cells("th", head)}</tr>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}</table>`;
}

/** The id of a lead or contact: they have a page of their own. */
function isPerson(value: string | null): value is string {
  return /^00[Q3]\w{15}$/.test(value ?? "");
}

function html(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
