/**
 * The page that stands in for a CRM's record page in both twins: what the CRM knows on the left, Baton's card on the right. Plain
 * HTML without a script, every button is a form, so that a person with any browser can try what a seller would do. What the
 * vendors' own front ends make of the same document is in `hubspot/app` and `salesforce/package`.
 */
import { html } from "hono/html";
import { type Card, cardShape, type Press, pressedShape, pressShape, type ReadyCard } from "../src/card/document.ts";

export type Html = ReturnType<typeof html>;

/** What the door of the card answered: the card, and after a press what was done; or why not. */
export type CardView =
  | { readonly arm: "card"; readonly card: Card; readonly said: string | null }
  | { readonly arm: "refused"; readonly status: number; readonly detail: string }
  /** The twin was not told where Baton is. */
  | { readonly arm: "absent" };

export interface RecordPage {
  readonly crm: string;
  readonly title: string;
  /** Name and value of each field, as the CRM holds them. */
  readonly fields: readonly (readonly [string, string])[];
  /** Further lines of the CRM's own: links to the tasks, for instance. */
  readonly more?: Html;
  /** Where the forms go to. */
  readonly action: string;
  /** Users of the CRM account whom the page can be looked at as, and who does so now. */
  readonly users: readonly string[];
  readonly viewer: string;
  readonly view: CardView;
}

/** An answer of the door, read strictly: a card that breaks its own contract is shown as a mistake, not half. */
export function viewOf(answer: { readonly status: number; readonly body: unknown }): CardView {
  const pressed = pressedShape.safeParse(answer.body);
  if (pressed.success) return { arm: "card", card: pressed.data.card, said: pressed.data.text };
  const card = cardShape.safeParse(answer.body);
  if (card.success) return { arm: "card", card: card.data, said: null };
  const { detail } = (answer.body ?? {}) as { readonly detail?: unknown };
  if (answer.status >= 400 && typeof detail === "string") return { arm: "refused", status: answer.status, detail };
  if (answer.status === 0) return { arm: "refused", status: 0, detail: "Baton did not answer." };
  return { arm: "refused", status: answer.status, detail: `Baton's answer is no card: ${card.error.message}` };
}

/** What one of the forms sent; null where it is none of ours. */
export function pressOf(form: URLSearchParams): Press | null {
  const given = Object.fromEntries([...form].filter(([name, value]) => name !== "viewer" && value !== ""));
  const until = given.until === undefined ? {} : { until: new Date(`${given.until}:00Z`).toISOString() };
  const parsed = pressShape.safeParse({ ...given, ...until });
  return parsed.success ? parsed.data : null;
}

/** `request` makes the id of a press: one per button of the page, so that sending a form again is the same press. */
export async function recordPage(page: RecordPage, request: () => string): Promise<string> {
  return String(
    await html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <title>${page.title} · ${page.crm} (stand-in)</title>
          <style>
            ${style}
          </style>
        </head>
        <body>
          <header><a href="/">${page.crm} <small>stand-in</small></a>${viewers(page)}</header>
          <main>
            <section class="record">
              <h1>${page.title}</h1>
              ${page.more ?? ""}
              <dl>${page.fields.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
            </section>
            <aside aria-label="Baton">${cardOf(page, request)}</aside>
          </main>
        </body>
      </html>`,
  );
}

function viewers({ users, viewer }: RecordPage): Html {
  return html`<form method="get">
    <label>You are <select name="viewer">${users.map((user) => html`<option ${user === viewer ? "selected" : ""}>${user}</option>`)}</select></label>
    <button>Look</button>
  </form>`;
}

function cardOf(page: RecordPage, request: () => string): Html {
  const { view } = page;
  switch (view.arm) {
    case "absent":
      return html`<h2>Baton</h2><p>This stand-in runs alone: <code>npm start</code> shows the card here.</p>`;
    case "refused":
      return html`<h2>Baton</h2><p role="alert" class="refused">${view.detail}</p>`;
    case "card":
      return html`<h2>Baton</h2>
        ${view.said === null ? "" : html`<p role="status" class="said">${view.said}</p>`}
        ${view.card.state === "empty" ? html`<p>${view.card.text}</p>` : ready(page, view.card, request)}`;
  }
}

function ready(page: RecordPage, card: ReadyCard, request: () => string): Html {
  const { why, lead, follow_up: followUp } = card;
  return html`
    <p class="headline">${why.headline}</p>
    <p><b class="score">${why.score.total}</b> points (fit ${why.score.fit}, intent ${why.score.intent}) · ${lead.lifecycle_state}</p>
    <ul>${why.points.map(({ text, points }) => html`<li>${text} <small>${points > 0 ? `+${points}` : points}</small></li>`)}</ul>
    <h3>Follow-up</h3>
    ${
      followUp === null
        ? html`<p>None.</p>`
        : html`<p><b>${followUp.title}</b>, ${followUp.state}: ${followUp.holder}, due ${short(followUp.due_at)}, ${followUp.priority} priority</p>
        ${followUp.sla === null ? "" : html`<p class="${followUp.sla.state}">First contact promised until ${short(followUp.sla.due_at)}: ${clock(followUp.sla)}</p>`}`
    }
    <div class="buttons">${card.buttons.map((button) => form(page, card, button, request))}</div>
    ${list(
      "Maybe the same person",
      card.duplicates.map((item) => html`${item.name} ${item.email ?? ""}: ${item.because}`),
    )}
    ${list(
      "At the same company",
      card.related.map(
        (item) => html`${item.name}, ${item.score} points${item.open_follow_up ? ", has an open follow-up" : ""}`,
      ),
    )}
    <h3>What happened, across all tools</h3>
    <ol class="timeline">${card.timeline.map((item) => html`<li><time datetime="${item.at}">${short(item.at)}</time> ${item.what} <small>${item.source}</small></li>`)}</ol>
    ${card.earlier > 0 ? html`<p>and ${card.earlier} earlier</p>` : ""}
  `;
}

function form(page: RecordPage, card: ReadyCard, button: ReadyCard["buttons"][number], request: () => string): Html {
  const { choice, label, needs, possible, why_not } = button;
  const isAboutWho = choice === "merge" || choice === "keep_apart" || choice === "split";
  const followUp =
    isAboutWho || card.follow_up === null
      ? ""
      : html`<input type="hidden" name="follow_up" value="${card.follow_up.id}" />`;
  return html`<form method="post" action="${page.action}">
    <input type="hidden" name="viewer" value="${page.viewer}" />
    <input type="hidden" name="request" value="${request()}" />
    <input type="hidden" name="lead" value="${card.lead.lead}" />
    <input type="hidden" name="choice" value="${choice}" />${followUp}
    ${possible ? input(card, label, needs) : ""}
    <button ${possible ? "" : "disabled"} title="${why_not ?? ""}">${label}</button>
  </form>`;
}

function input(card: ReadyCard, label: string, needs: ReadyCard["buttons"][number]["needs"]): Html | string {
  const select = (name: string, options: readonly (readonly [string, string])[]) =>
    html`<select name="${name}" aria-label="${label}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select>`;
  switch (needs) {
    case "nothing":
      return "";
    case "until":
      return html`<input type="datetime-local" name="until" aria-label="${label} until (UTC)" required />`;
    case "reason":
      return html`<input name="reason" aria-label="${label}: why" placeholder="why" />`;
    case "colleague":
      return select(
        "to",
        card.colleagues.map(({ email, name }) => [email, name]),
      );
    case "duplicate":
      return select(
        "with",
        card.duplicates.map((item) => [item.lead, `${item.name} ${item.email ?? ""}`]),
      );
    case "link":
      return select(
        "link",
        card.links.map((item) => [item.id, item.what]),
      );
  }
}

function list(title: string, items: readonly Html[]): Html | string {
  return items.length === 0 ? "" : html`<h3>${title}</h3><ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

function clock({
  state,
  left_ms,
}: {
  readonly state: "running" | "met" | "breached";
  readonly left_ms: number;
}): string {
  const minutes = Math.abs(Math.round(left_ms / 60_000));
  if (state === "met") return "kept";
  return state === "running" ? `${minutes} minutes left` : `${minutes} minutes late`;
}

function short(at: string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2330; background: #f5f7fa; margin: 0; }
header { display: flex; justify-content: space-between; align-items: center; background: #fff; border-bottom: 1px solid #dfe5ec; padding: .6rem 1.5rem; }
header a { color: inherit; font-weight: 600; text-decoration: none; }
main { display: grid; grid-template-columns: minmax(18rem, 1fr) 26rem; gap: 1.5rem; padding: 1.5rem; max-width: 72rem; margin: auto; }
@media (max-width: 46rem) { main { grid-template-columns: 1fr; } }
section, aside { background: #fff; border: 1px solid #dfe5ec; border-radius: 8px; padding: 1rem 1.3rem; align-self: start; }
h1 { font-size: 1.4rem; margin: 0 0 .8rem; } h2 { font-size: 1.1rem; margin: 0 0 .6rem; } h3 { font-size: .95rem; margin: 1.3rem 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; overflow-wrap: anywhere; } dt { color: #55606f; } dd { margin: 0; }
ul, ol { margin: 0; padding-left: 1.1rem; } .timeline { list-style: none; padding: 0; } .timeline li { border-top: 1px solid #eef1f5; padding: .25rem 0; }
small, time { color: #55606f; } .headline { font-weight: 600; margin: 0 0 .4rem; } .score { font-size: 1.5rem; }
.running { color: #1a6b3c; } .breached, .refused { color: #a32020; } .said { background: #e8f4ec; border-radius: 6px; padding: .4rem .7rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .6rem; } .buttons form { display: flex; gap: .25rem; margin: 0; }
button, select, input { font: inherit; padding: .2rem .6rem; border: 1px solid #b9c4d0; border-radius: 6px; background: #fff; max-width: 11rem; }
button:not(:disabled) { cursor: pointer; background: #eef4fb; } button:disabled { color: #8a94a1; }`;
