/**
 * The identity section of the policy: which identifiers count, how many a person may have, what two people may share, and
 * how sure likeness must be. Checked at the door with the rest of the document. Pure.
 */
import * as z from "zod";

const type = z.string().regex(/^[a-z][a-z0-9_]{1,39}$/);
const domain = z.string().min(3).max(100);
const share = z.number().min(0).max(1);

export const identityPolicySchema = z.strictObject({
  /** Distinct values of a type that one person may have; a link that would exceed it is put before a person. Other types: no limit. */
  limits: z.record(type, z.int().min(1).max(100)),
  /** Identifiers that one person may have altogether. */
  members_max: z.int().min(2).max(100),
  /**
   * Types that people pass on to others (a device, one click, a switchboard): two people who both have addresses of their own,
   * none of them in common, are never joined over one of these.
   */
  passed_on: z.array(type).max(100),
  /** Local parts of shared inboxes (`info`, `sales`): an address, and as a link between people as weak as a switchboard. */
  role_accounts: z.array(z.string().regex(/^[a-z0-9._-]{1,64}$/)).max(5_000),
  /** Values that name nobody, beyond those that every workspace refuses (`null`, `-1`, `anonymous`); compared without case. */
  blocked_values: z.array(z.string().min(1).max(320)).max(5_000),
  /** Domains of throw-away addresses: such an address is kept as a trait and names nobody. */
  disposable_domains: z.array(domain).max(10_000),
  /** Whether spellings of one mailbox are one where the provider documents it (Gmail's dots and plus tags). */
  provider_rules: z.boolean(),
  likeness: z.strictObject({
    /** Pairs of leads at least this probable are put before a person. */
    propose_at: share,
    /** Pairs at least this probable are merged without asking; 1 = never. */
    merge_at: share,
  }),
});

export type IdentityPolicy = z.infer<typeof identityPolicySchema>;

/** What a workspace starts with, and what a policy without this section means. */
export const defaultIdentityPolicy: IdentityPolicy = {
  limits: {
    user_id: 1,
    email: 10,
    phone: 5,
    hubspot_contact_id: 1,
    salesforce_contact_id: 1,
    salesforce_lead_id: 1,
  },
  members_max: 50,
  passed_on: "anonymous_id phone gclid gbraid wbraid dclid fbclid li_fat_id msclkid ttclid twclid".split(" "),
  role_accounts:
    "abuse accounting accounts admin billing careers contact enquiries finance hello help hr info inquiries it jobs legal mail marketing office orders postmaster press sales security service support team webmaster".split(
      " ",
    ),
  blocked_values: [],
  disposable_domains:
    "10minutemail.com dispostable.com fakeinbox.com getnada.com guerrillamail.com maildrop.cc mailinator.com mailnesia.com moakt.com sharklasers.com temp-mail.org tempmail.com throwawaymail.com trashmail.com yopmail.com".split(
      " ",
    ),
  provider_rules: true,
  likeness: { propose_at: 0.7, merge_at: 1 },
};
