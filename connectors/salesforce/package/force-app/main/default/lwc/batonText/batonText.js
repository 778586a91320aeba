/** Words for what the card's document says in codes and numbers. */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** The two largest units that say something: `2 d 3 h`, `1 h 12 min`, `12 min 05 s`. Seconds count below an hour only. */
export function duration(ms) {
  const left = Math.max(0, Math.floor(ms / 1000) * 1000);
  const days = Math.floor(left / day);
  const hours = Math.floor((left % day) / hour);
  const minutes = Math.floor((left % hour) / minute);
  const seconds = Math.floor((left % minute) / 1000);
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return minutes > 0 ? `${minutes} min ${String(seconds).padStart(2, "0")} s` : `${seconds} s`;
}

/** With its sign, so that points that were taken off are seen as such. */
export function signed(points) {
  return points < 0 ? `−${Math.abs(points)}` : `+${points}`;
}

/** `sales_qualified` → `Sales qualified`. */
export function words(code) {
  const text = code.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Only what leads to a page of the web; an address from outside could be anything else. */
export function webAddress(url) {
  return typeof url === "string" && /^https:\/\//i.test(url) ? url : undefined;
}
