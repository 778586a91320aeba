/** Puts the card into the side column of a page that stands in for a record page. */
import { createElement } from "lwc";
import BatonCard from "c/batonCard";

const card = createElement("c-baton-card", { is: BatonCard });
card.recordId = window.stage.record;
document.querySelector("#side").append(card);
