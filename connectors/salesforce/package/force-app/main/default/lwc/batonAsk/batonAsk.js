/**
 * Asks for what a button needs before it is sent. Fires `send` with the answer (empty where there was nothing to say) and
 * `cancel`, which Escape does as well.
 */
import { api, LightningElement } from "lwc";

/** A seller who puts something off mostly means tomorrow. */
const suggestedMs = 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

export default class BatonAsk extends LightningElement {
  /** The button of the document. */
  @api button;

  /** Whom it can be handed to. */
  @api colleagues = [];

  /** What it is about, for the question: a person or a join. */
  @api subject = "";

  @api isBusy = false;

  value = "";
  missing = false;
  shown = false;

  connectedCallback() {
    if (this.isUntil) {
      this.value = new Date(Math.ceil((Date.now() + suggestedMs) / hourMs) * hourMs).toISOString();
    }
  }

  renderedCallback() {
    if (!this.shown) {
      this.shown = true;
      (this.refs.field ?? this.refs.send).focus();
    }
  }

  get isUntil() {
    return this.button.needs === "until";
  }

  get isColleague() {
    return this.button.needs === "colleague";
  }

  get isReason() {
    return this.button.needs === "reason";
  }

  get isQuestion() {
    return this.button.needs === "duplicate" || this.button.needs === "link";
  }

  get question() {
    return `${this.button.label}: ${this.subject}?`;
  }

  get label() {
    return `${this.button.label}: what else is needed`;
  }

  get earliest() {
    return new Date().toISOString();
  }

  get options() {
    return this.colleagues.map(({ email, name }) => ({
      label: name === email ? email : `${name} (${email})`,
      value: email,
    }));
  }

  get problem() {
    return this.isUntil ? "Say until when; it must be in the future." : "Choose a colleague.";
  }

  keepValue(event) {
    this.value = event.detail.value ?? "";
    this.missing = false;
  }

  send() {
    this.missing = (this.isUntil && !(Date.parse(this.value) > Date.now())) || (this.isColleague && this.value === "");
    if (this.missing) {
      this.refs.field.focus();
      return;
    }
    // Salesforce gives an instant without seconds where none were typed.
    const value = this.isUntil ? new Date(this.value).toISOString() : this.value;
    this.dispatchEvent(new CustomEvent("send", { detail: { value } }));
  }

  cancel() {
    this.dispatchEvent(new CustomEvent("cancel"));
  }

  onKey(event) {
    if (event.key === "Escape" && !this.isBusy) {
      event.stopPropagation();
      this.cancel();
    }
  }
}
