import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own button. */
export default class Button extends LightningElement {
  @api label;
  @api variant = "neutral";
  @api disabled = false;

  @api
  focus() {
    this.refs.button.focus();
  }

  get look() {
    return `button ${this.variant}`;
  }
}
