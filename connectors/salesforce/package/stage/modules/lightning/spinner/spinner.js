import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own spinner. */
export default class Spinner extends LightningElement {
  @api alternativeText;
  @api size;
}
