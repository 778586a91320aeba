/** Puts the card into the side column of a page that stands in for a record page. */

import BatonCard from "c/batonCard";
import { createElement } from "lwc";

const card = createElement("c-baton-card", { is: BatonCard });
card.recordId = window.stage.record;
document.querySelector("#side").append(card);
