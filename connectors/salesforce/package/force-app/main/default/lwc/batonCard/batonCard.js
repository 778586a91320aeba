/**
 * The panel on a lead, a contact or an account. It shows Baton's document as it is and holds no rules: words, order and what is
 * allowed are decided there. It knows three things only: how to ask, how to press once, and how to say what happened.
 */

import pressButton from "@salesforce/apex/BatonCardController.pressButton";
import readCard from "@salesforce/apex/BatonCardController.readCard";
import { Presses, pressOf } from "c/batonPress";
import { api, LightningElement } from "lwc";
import { problemOf, viewOf } from "./view";

/** Milliseconds until a card is read again after a press that was still under way. */
const underWayMs = 5000;

export default class BatonCard extends LightningElement {
  record;
  card;
  problem;
  /** What was done last, for people. */
  said = "";
  isLoading = false;
  /** Button under way, as `keyOf` says it. */
  busy;
  /** Button that waits for what it needs. */
  asking;
  receivedAt = 0;

  presses = new Presses();
  /** Rises with every question: an answer that comes late, for another record or an older state, is not shown. */
  turn = 0;
  timer;

  @api
  get recordId() {
    return this.record;
  }

  set recordId(id) {
    if (id === this.record) return;
    this.record = id;
    this.card = undefined;
    this.busy = undefined;
    this.asking = undefined;
    this.said = "";
    if (this.isConnected) this.load();
  }

  connectedCallback() {
    this.load();
  }

  disconnectedCallback() {
    this.turn += 1;
    clearTimeout(this.timer);
  }

  /* ------------------------------------------------------------------------------------------- asking */

  async load() {
    clearTimeout(this.timer);
    if (!this.record) return;
    const turn = ++this.turn;
    this.isLoading = true;
    this.problem = undefined;
    const answer = await outcomeOf(readCard, { recordId: this.record });
    if (turn !== this.turn) return;
    this.isLoading = false;
    if (!answer.ok) {
      this.problem = problemOf(answer);
      return;
    }
    this.show(answer.body);
  }

  /** `given` is what the button needed. */
  press(button, given) {
    return this.send(pressOf(this.card, button, given), keyOf(button, given));
  }

  async send(press, key) {
    if (this.busy) return;
    clearTimeout(this.timer);
    const opened = this.presses.open(press);
    const turn = ++this.turn;
    this.isLoading = false;
    this.busy = key;
    this.problem = undefined;
    this.said = "One moment …";
    const answer = await outcomeOf(pressButton, { recordId: this.record, press: JSON.stringify(opened) });
    if (turn !== this.turn) return;
    this.busy = undefined;
    this.said = "";
    if (!answer.ok) {
      await this.fail(answer, press, key, opened);
      return;
    }
    this.presses.settle(opened);
    this.asking = undefined;
    this.show(answer.body.card);
    this.said = answer.body.text;
    this.focus("said");
    if (answer.body.status === "under_way") {
      this.timer = setTimeout(() => this.load(), underWayMs);
    }
  }

  /** What may be sent again keeps its `request`; after anything else the card may be out of date, so it is read again. */
  async fail(answer, press, key, opened) {
    const problem = problemOf(answer);
    if (!answer.again) {
      this.presses.settle(opened);
      if (answer.status === 409) {
        this.asking = undefined;
        await this.load();
      }
    }
    this.problem = this.problem ?? { ...problem, press: answer.again ? { press, key } : undefined };
    this.focus("problem");
  }

  show(card) {
    this.receivedAt = Date.now();
    if (card?.state === "ready" || card?.state === "empty") {
      this.card = card;
    } else {
      this.problem = problemOf({
        code: "unknown_card",
        detail: "This card is newer than the package. An admin can update it.",
      });
    }
  }

  /* ------------------------------------------------------------------------------------------- hands */

  refresh() {
    this.said = "";
    this.asking = undefined;
    return this.load();
  }

  tryAgain() {
    const again = this.problem?.press;
    return again ? this.send(again.press, again.key) : this.load();
  }

  choose(event) {
    const { choice, about } = event.currentTarget.dataset;
    const button = this.card.buttons.find((candidate) => candidate.choice === choice);
    if (button.needs === "nothing") {
      this.asking = undefined;
      return this.press(button);
    }
    this.problem = undefined;
    this.asking = { button, about };
    return undefined;
  }

  sendAsked(event) {
    const { button, about } = this.asking;
    return this.press(button, about ?? event.detail.value);
  }

  cancelAsked() {
    const { button, about } = this.asking;
    this.asking = undefined;
    Promise.resolve().then(() => {
      const openers = this.template.querySelectorAll(`[data-choice="${button.choice}"]`);
      for (const opener of openers) {
        if (opener.dataset.about === about) opener.focus();
      }
    });
  }

  /** Whoever works with the keyboard would otherwise stand on a button that is gone. */
  focus(ref) {
    Promise.resolve().then(() => this.refs[ref]?.focus());
  }

  /* ------------------------------------------------------------------------------------------- view */

  get isFirstLoad() {
    return this.isLoading && !this.card;
  }

  get isRefreshing() {
    return this.isLoading && Boolean(this.card);
  }

  get isDisabled() {
    return Boolean(this.busy) || this.isLoading;
  }

  get isEmpty() {
    return this.card?.state === "empty";
  }

  get isReady() {
    return this.card?.state === "ready";
  }

  get view() {
    return viewOf(this.card, { asking: this.asking, isDisabled: this.isDisabled });
  }

  get ariaBusyText() {
    return this.isDisabled ? "true" : "false";
  }
}

function keyOf(button, given) {
  return given === undefined ? button.choice : `${button.choice} ${given}`;
}

/** What Apex says, with the document read; and a word for the case that Apex itself could not be asked. */
async function outcomeOf(apex, parameters) {
  try {
    const answer = await apex(parameters);
    return answer.ok ? { ok: true, body: JSON.parse(answer.document) } : answer;
  } catch (error) {
    const message = error?.body?.message ?? "";
    return /access to the apex class/i.test(message)
      ? {
          ok: false,
          status: 403,
          code: "no_access",
          again: false,
          detail: "Ask an admin for the permission set Baton Seller.",
        }
      : {
          ok: false,
          status: 0,
          code: "no_answer",
          again: true,
          detail: "Salesforce did not answer. Please try again.",
        };
  }
}
