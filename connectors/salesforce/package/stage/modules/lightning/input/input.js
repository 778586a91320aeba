import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own field, for an instant: it takes and gives ISO 8601 and shows local time. */
export default class Input extends LightningElement {
  @api label;
  @api type;
  @api min;
  @api disabled = false;
  @api required = false;
  instant = "";

  @api
  get value() {
    return this.instant;
  }

  set value(iso) {
    this.instant = iso;
  }

  @api
  focus() {
    this.refs.field.focus();
  }

  get local() {
    const at = new Date(this.instant);
    return Number.isNaN(at.getTime())
      ? ""
      : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }

  change(event) {
    event.stopPropagation();
    const at = new Date(event.target.value);
    this.instant = Number.isNaN(at.getTime()) ? "" : at.toISOString();
    this.dispatchEvent(new CustomEvent("change", { detail: { value: this.instant } }));
  }
}
