/** `GET /leads/:id?key=…`: why this person, why now. What a seller sees who follows the link in a task. */
import { storyOf } from "../card/story.ts";
import { minuteOf } from "../card/words.ts";
import { kindRuleOf, type Policy } from "../decide/policy.ts";
import type { AppContext } from "../ingest/receive.ts";
import type { IdentityView } from "../objects/identity.ts";
import { displayName, emailOf, lifecycleOf } from "../resolve/lead.ts";
import { workspaceById } from "../workspace.ts";
import { html } from "./html.ts";
import { isLeadLinkKey } from "./lead-link.ts";
import { leadIdOf, viewOf } from "./read.ts";

export async function leadPage(c: AppContext): Promise<Response> {
  const id = leadIdOf(c);
  const workspace = id.split("/")[0] ?? "";
  const key = c.req.query("key") ?? "";
  const found = await workspaceById(c.env, workspace, Date.now(), (work) => c.executionCtx.waitUntil(work));
  const allowed = found !== null && isLeadLinkKey(c.env.BATON_MASTER_KEY, workspace, id, key);
  const view = allowed ? await viewOf(c.env, id) : null;
  if (found === null || view === null)
    return c.html(page("Not found", html`<p>This link leads nowhere (any more).</p>`).text, 404);
  c.header("x-robots-tag", "noindex");
  c.header("referrer-policy", "no-referrer");
  return c.html(page(displayName(view.root.lead), content(view, found.workspace.policy)).text);
}

function content(view: IdentityView, policy: Policy) {
  const { lead, follow_ups } = view.root;
  const { why, timeline, earlier } = storyOf(view, policy, Date.now());
  const { total, fit, intent } = why.score;
  const company = lead.fields.company?.value ?? lead.account?.value.name;
  const facts = [emailOf(lead), lead.fields.phone?.value, lead.fields.job_title?.value, company].filter(
    (fact) => fact !== undefined,
  );
  return html`
    <p class="facts">${facts.join(" · ")}</p>
    <p class="why">${why.headline}</p>
    <p><b class="score">${total}</b> points (fit ${fit}, intent ${intent}) · ${lifecycleOf(lead, (kind) => kindRuleOf(policy, kind).lifecycle)}</p>
    <h2>Why</h2>
    <ul>${why.points.map(({ text, points }) => html`<li>${text} <span class="points">${points}</span></li>`)}</ul>
    <h2>Follow-ups</h2>
    ${follow_ups.length === 0 ? html`<p>None yet.</p>` : ""}
    <ul>${follow_ups.map(
      (item) =>
        html`<li><b>${item.play}</b>, ${item.state}, held by ${item.holder}, due ${minuteOf(item.due_at)}${item.actions.map((action) => html`<br><small>${action.outlet ?? action.crm}: ${action.state}${action.receipt === undefined ? "" : ` (${action.outlet === undefined ? "task" : "message"} ${action.receipt.task_id})`}</small>`)}</li>`,
    )}</ul>
    <h2>What happened, across all tools</h2>
    <table>
      <thead><tr><th>When</th><th>What</th><th>Where from</th></tr></thead>
      <tbody>${timeline.map(
        ({ at, what, source }) => html`<tr><td>${minuteOf(Date.parse(at))}</td><td>${what}</td><td>${source}</td></tr>`,
      )}</tbody>
    </table>
    ${earlier === 0 ? "" : html`<p class="facts">And ${earlier} more before that.</p>`}`;
}

function page(title: string, body: ReturnType<typeof html>) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} · Baton</title>
        <style>
          body { font: 16px/1.5 system-ui, sans-serif; color: #1c2330; max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; }
          h1 { margin-bottom: 0; } h2 { font-size: 1.05rem; margin-top: 2rem; }
          .why { font-size: 1.1rem; } .facts { color: #55606f; margin-top: 0.2rem; } .score { font-size: 1.6rem; } .points { color: #55606f; }
          table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; }
          td, th { padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid #e4e8ee; vertical-align: top; }
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`;
}
