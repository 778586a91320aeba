import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own button with an icon. */
export default class ButtonIcon extends LightningElement {
  @api alternativeText;
  @api disabled = false;
  @api iconName;
}
