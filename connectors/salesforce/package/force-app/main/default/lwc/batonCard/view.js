/** From Baton's document to what the template shows. Pure: it adds keys, words for codes, and what is open or disabled. */
import { signed, webAddress, words } from "c/batonText";

/** How many entries of a list are seen at once; a side column is narrow and sellers are in a hurry. */
const pointsShown = 4;
const momentsShown = 5;

const levels = { watch: "To watch", card: "On the card", task: "Task", urgent: "Urgent" };
const titles = {
  no_access: "You may not see this card yet",
  no_credential: "You may not see this card yet",
  not_a_colleague: "Baton does not know you as a colleague",
  unproven: "Baton does not accept this org’s key",
  not_connected: "This org is not connected to Baton",
  not_possible: "That is not possible any more",
  busy: "Somebody else was faster",
  no_answer: "No answer",
  wrong_object: "This card cannot stand here",
  no_record: "This record is not there",
  unknown_card: "This card cannot be shown",
};

/** A refusal or a lost answer; `again` where the same question may be asked once more. */
export function problemOf(answer) {
  return { title: titles[answer.code] ?? "This did not work", detail: answer.detail, again: answer.again === true };
}

/** `asking` is `{button, about}` while something is asked for. */
export function viewOf(card, { asking, isDisabled }) {
  const of = (needs) => card.buttons.filter((given) => given.needs === needs);
  const main = card.buttons.filter(({ needs }) => needs !== "duplicate" && needs !== "link");
  const suggested = main.find(({ possible }) => possible)?.choice;
  const button = (about) => (given) => ({
    key: `${given.choice} ${about ?? ""}`,
    choice: given.choice,
    about,
    label: given.label,
    variant: given.choice === suggested ? "brand" : "neutral",
    isDisabled: isDisabled || !given.possible,
  });
  /** A list of one or none, so that another button gets another form and not the text of the last. */
  const asks = (about) => (asking && asking.about === about ? [asking.button] : []);
  const duplicates = card.duplicates.map((entry) => ({
    ...personOf(entry),
    because: entry.because,
    buttons: of("duplicate").map(button(entry.lead)),
    asks: asks(entry.lead),
  }));
  const links = card.links.map((link) => ({ ...link, buttons: of("link").map(button(link.id)), asks: asks(link.id) }));
  const shown = [...main, ...(duplicates.length > 0 ? of("duplicate") : []), ...(links.length > 0 ? of("link") : [])];
  return {
    person: personOf(card.lead),
    company: [card.lead.job_title, card.lead.company].filter(Boolean).join(", "),
    lifecycle: words(card.lead.lifecycle_state),
    headline: card.why.headline,
    level: levels[card.why.level],
    levelLook: `badge ${card.why.level}`,
    score: card.why.score,
    points: listOf(card.why.points.map(pointOf), pointsShown),
    followUp: card.follow_up ? followUpOf(card.follow_up) : undefined,
    buttons: main.map(button(undefined)),
    asks: asks(undefined),
    notNow: notNowOf(shown, main.length),
    duplicates,
    links,
    timeline: listOf(card.timeline, momentsShown),
    earlier:
      card.earlier > 0
        ? `${card.earlier} earlier ${card.earlier === 1 ? "entry is" : "entries are"} in Baton.`
        : undefined,
    related: card.related.map((entry) => ({
      ...personOf(entry),
      score: `Score ${entry.score}`,
      hasFollowUp: entry.open_follow_up,
    })),
    colleagues: card.colleagues,
    hasDuplicates: duplicates.length > 0,
    hasLinks: links.length > 0,
    hasRelated: card.related.length > 0,
    hasTimeline: card.timeline.length > 0,
  };
}

function personOf({ lead, name, email, job_title, record_url }) {
  return { key: lead, name, email, jobTitle: job_title, url: webAddress(record_url) };
}

function pointOf({ text, points, at }, index) {
  return { key: index, text, points: signed(points), at, look: points < 0 ? "number off" : "number" };
}

function followUpOf(followUp) {
  return {
    ...followUp,
    isOpen: followUp.state === "open",
    stateText: words(followUp.state),
    stateLook: `badge ${followUp.state}`,
    priorityText: words(followUp.priority),
    because: followUp.reasons.map((text, key) => ({ key, text })),
  };
}

/** The first ones, and the rest behind a line that opens. */
function listOf(entries, count) {
  const rest = entries.slice(count);
  return { first: entries.slice(0, count), rest, hasRest: rest.length > 0, more: `${rest.length} more` };
}

/** Buttons with the same reason stand in one line, without their names where it is true of all that say what came of the follow-up. */
function notNowOf(buttons, count) {
  const byReason = new Map();
  for (const { label, why_not } of buttons.filter(({ possible }) => !possible)) {
    const reason = why_not ?? "Not possible now.";
    byReason.set(reason, [...(byReason.get(reason) ?? []), label]);
  }
  return [...byReason].map(([reason, labels]) => ({
    key: reason,
    labels: labels.length >= count ? undefined : `${labels.join(", ")}:`,
    reason,
  }));
}
