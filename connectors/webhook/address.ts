/** Where a webhook may go (standard-webhooks "SSRF"): strangers type these addresses, and our Worker calls them. Pure. */

/** Names and numbers of machines that are nobody's on the internet. No address is taken by number: a name says whose it is. */
const inner =
  /^\[|^[\d.]+$|^[^.]+\.?$|\.(localhost|local|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)\.?$/;

/** The address as it will be called; null where it is none that a stranger may choose. */
export function webhookAddress(text: string, local: boolean): URL | null {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "" || text.length > 2_000) return null;
  if (local) return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  return url.protocol === "https:" && !inner.test(url.hostname) ? url : null;
}
