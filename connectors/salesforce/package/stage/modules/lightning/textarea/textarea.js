import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own field for several lines. Like that one it tells of every key. */
export default class Textarea extends LightningElement {
  @api label;
  @api value;
  @api maxLength;
  @api disabled = false;

  /** The compiler knows no `value` of a text area. */
  renderedCallback() {
    if (this.refs.field.value !== (this.value ?? "")) this.refs.field.value = this.value ?? "";
  }

  @api
  focus() {
    this.refs.field.focus();
  }

  change(event) {
    event.stopPropagation();
    this.dispatchEvent(new CustomEvent("change", { detail: { value: event.target.value } }));
  }
}
