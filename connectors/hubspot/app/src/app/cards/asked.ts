/** What a seller filled in before a button is sent, checked, and as it goes into the press. Pure: now is an argument. */
import type { Press, ReadyCard } from "./document.ts";

export type Button = ReadyCard["buttons"][number];

/** Day and time in the viewer's own time zone; `month` begins at 0, as HubSpot's inputs have it. */
export interface Moment {
  readonly day: { readonly year: number; readonly month: number; readonly date: number } | null;
  readonly time: { readonly hours: number; readonly minutes: number };
}

export interface Filled {
  readonly moment: Moment;
  /** E-mail address of a colleague, lead of a duplicate, or id of a link. */
  readonly picked: string | null;
  readonly reason: string;
}

export type Fields = Pick<Press, "until" | "to" | "with" | "link" | "reason">;

export type Asked = { readonly ok: true; readonly fields: Fields } | { readonly ok: false; readonly message: string };

export const nothingFilled: Filled = {
  moment: { day: null, time: { hours: 9, minutes: 0 } },
  picked: null,
  reason: "",
};

export function askedFor(needs: Button["needs"], filled: Filled, nowMs: number): Asked {
  switch (needs) {
    case "nothing":
      return { ok: true, fields: {} };
    case "until":
      return until(filled.moment, nowMs);
    case "colleague":
      return picked(filled, "Choose a colleague.", (to) => ({ to }));
    case "duplicate":
      return picked(filled, "Choose a person.", (lead) => ({ with: lead }));
    case "link":
      return picked(filled, "Choose what is to be undone.", (link) => ({ link }));
    case "reason": {
      const reason = filled.reason.trim();
      return { ok: true, fields: reason === "" ? {} : { reason } };
    }
  }
}

function until({ day, time }: Moment, nowMs: number): Asked {
  if (day === null) return { ok: false, message: "Choose a day." };
  const at = new Date(day.year, day.month, day.date, time.hours, time.minutes);
  return at.getTime() > nowMs
    ? { ok: true, fields: { until: at.toISOString() } }
    : { ok: false, message: "Choose a time that is still to come." };
}

function picked(filled: Filled, missing: string, fields: (value: string) => Fields): Asked {
  return filled.picked === null ? { ok: false, message: missing } : { ok: true, fields: fields(filled.picked) };
}

/** These are about people and not about a follow-up, so they name none. */
const aboutPeople: ReadonlySet<Press["choice"]> = new Set(["merge", "keep_apart", "split"]);

export function pressOf(card: ReadyCard, button: Button, fields: Fields, request: string): Press {
  const followUp = aboutPeople.has(button.choice) ? undefined : card.follow_up?.id;
  return {
    request,
    lead: card.lead.lead,
    ...(followUp === undefined ? {} : { follow_up: followUp }),
    choice: button.choice,
    ...fields,
  };
}
