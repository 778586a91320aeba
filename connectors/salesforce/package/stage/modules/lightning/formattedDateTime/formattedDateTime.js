import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own date and time: in the language and zone of the browser. */
export default class FormattedDateTime extends LightningElement {
  @api value;
  @api month;
  @api day;
  @api hour;
  @api minute;

  get text() {
    const { month, day, hour, minute } = this;
    return new Intl.DateTimeFormat(undefined, { month, day, hour, minute }).format(new Date(this.value));
  }
}
