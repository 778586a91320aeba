/**
 * One spelling for each mailbox, where the provider itself says that it delivers several spellings to one. Pure.
 *
 * Only for the domains listed here, which belong to providers and not to companies: at any other domain a dot or a plus tag
 * may be another person, and strangers in one record are worse than one person in two. So a provider is listed when a page
 * of its own (or, where that is said, a report of one) was read, and left out when none was found. Looked up 2026-11.
 *
 * For comparing only. Mail is written to the address as it was given: CRMs know people by that spelling.
 */

interface Rule {
  /** The domain that stands for all of the provider's interchangeable ones. */
  readonly domain: string;
  readonly dotsIgnored: boolean;
}

const gmail: Rule = { domain: "gmail.com", dotsIgnored: true };
const tagsOnly = (domain: string): readonly [string, Rule] => [domain, { domain, dotsIgnored: false }];

/**
 * All of these ignore what follows the first plus sign.
 *
 * - Gmail. Dots, and that they do count at companies' domains: https://support.google.com/mail/answer/7436150. Plus tags:
 *   https://gmail.googleblog.com/2008/03/2-hidden-ways-to-get-more-from-your.html (read as quoted). googlemail.com is the same
 *   mailbox: Google's announcements when the name changed, as reported at http://google-info-blog.blogspot.com.
 * - Fastmail: https://www.fastmail.help/hc/en-us/articles/360060591053. Of its many domains the two that its pages use in
 *   examples (fastmail.fm: https://fastmail.com/blog/two-address-resolving-additions); `tag@user.fastmail.com` is left alone.
 * - Proton: https://proton.me/support/addresses-and-aliases, https://proton.me/support/creating-aliases. Its four domains are
 *   addresses of their own, which need not be one person's.
 *
 * Left out: outlook.com, hotmail.com, live.com, msn.com (Microsoft's page on plus addresses is about companies' mail,
 * https://learn.microsoft.com/en-us/exchange/recipients-in-exchange-online/plus-addressing-in-exchange-online; that they work
 * for consumers we only found in the press) and icloud.com, me.com, mac.com (found in blogs only). Yahoo uses no plus tags.
 */
const rules: ReadonlyMap<string, Rule> = new Map([
  ["gmail.com", gmail],
  ["googlemail.com", gmail],
  ...["fastmail.com", "fastmail.fm", "proton.me", "protonmail.com", "protonmail.ch", "pm.me"].map(tagsOnly),
]);

/**
 * The spelling under which an address that is already normalised (`normaliseEmail`) is compared. One that would have nothing
 * left, or nothing that can stand before the @, stays as it is.
 */
export function canonicalMailbox(email: string): string {
  const at = email.lastIndexOf("@");
  const rule = rules.get(email.slice(at + 1));
  if (rule === undefined) return email;
  const given = email.slice(0, at);
  const plus = given.indexOf("+");
  const untagged = plus === -1 ? given : given.slice(0, plus);
  const local = rule.dotsIgnored ? untagged.replaceAll(".", "") : untagged;
  return local === "" || local.endsWith(".") ? email : `${local}@${rule.domain}`;
}
