import { api, LightningElement } from "lwc";

/** Stand-in for Salesforce's own card: a title, actions beside it, and what stands in it. */
export default class Card extends LightningElement {
  @api title;
  @api iconName;
}
