/**
 * The clock of a promise. It counts by what has passed since the card was read, so a wrong clock of the viewer's machine does
 * no harm.
 *
 * `left_ms` is on the policy's clock. Where that is the clock on the wall, it runs; where it is working time, nobody here
 * knows when it stands still: then it is shown as it was, and never more than the wall leaves.
 */

import { duration } from "c/batonText";
import { api, LightningElement } from "lwc";

/** Milliseconds between two looks at the clock. */
const tickMs = 1000;

/** Up to this difference `left_ms` and the time until `due_at` are the same: the document is made while time passes. */
const sameMs = 60_000;

export default class BatonClock extends LightningElement {
  /** `sla` of the document. */
  @api sla;

  /** ISO instant at which the document was made. */
  @api madeAt;

  /** When it was received, on this machine's own clock, in milliseconds. */
  @api receivedAt;

  now = Date.now();
  timer;

  connectedCallback() {
    this.timer = setInterval(() => {
      this.now = Date.now();
    }, tickMs);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  get wallLeft() {
    return Date.parse(this.sla.due_at) - Date.parse(this.madeAt);
  }

  get isWorkingTime() {
    return Math.abs(this.sla.left_ms - this.wallLeft) > sameMs;
  }

  /** Milliseconds; negative once the promise is broken. */
  get left() {
    const passed = Math.max(0, this.now - this.receivedAt);
    if (!this.isWorkingTime) {
      return this.sla.left_ms - passed;
    }
    return this.sla.left_ms > 0 ? Math.min(this.sla.left_ms, this.wallLeft - passed) : this.sla.left_ms;
  }

  get isOver() {
    return this.sla.state !== "met" && (this.sla.state === "breached" || this.left < 0);
  }

  get text() {
    if (this.sla.state === "met") {
      return "Promise kept";
    }
    const length = duration(Math.abs(this.left)) + (this.isWorkingTime ? " of working time" : "");
    return this.isOver ? `Overdue by ${length}` : `${length} left`;
  }

  get look() {
    return this.isOver ? "clock over" : `clock ${this.sla.state}`;
  }
}
