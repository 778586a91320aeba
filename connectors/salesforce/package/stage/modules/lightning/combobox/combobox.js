import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own list of choices. */
export default class Combobox extends LightningElement {
  @api label;
  @api placeholder;
  @api options = [];
  @api value;
  @api disabled = false;
  @api required = false;

  @api
  focus() {
    this.refs.field.focus();
  }

  get shown() {
    return this.options.map((option) => ({ ...option, selected: option.value === this.value }));
  }

  change(event) {
    event.stopPropagation();
    this.dispatchEvent(new CustomEvent("change", { detail: { value: event.target.value } }));
  }
}
