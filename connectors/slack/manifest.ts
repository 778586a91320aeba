/**
 * What Slack is to Baton, as data. Facts, looked up on 2026-11-23:
 * - docs.slack.dev/reference/methods/{chat.postMessage,chat.update,conversations.history,auth.test}: arguments, errors, JSON bodies. There
 *   is no idempotency key; `metadata` comes back with `include_all_metadata`, and an update that says none keeps it.
 * - docs.slack.dev/apis/web-api/rate-limits: one message a second and channel, 429 with `Retry-After` in seconds. History is read fifty
 *   times a minute and more, by apps that a customer built for themselves or that stand in the Marketplace; others once a minute and
 *   15 messages at a time since 2025-05-29.
 * - Scopes: `chat:write` to post and to bring up to date; `channels:history`, in private channels `groups:history`, to look whether a
 *   message arrived whose answer was lost.
 * Unsure: how soon history shows a message. It is treated like a CRM without a server key: two empty reads, 60 s and 10 min after.
 */
import type { DestinationManifest } from "../contract.ts";

export const manifest: DestinationManifest = {
  crm: "slack",
  batchMax: 1,
  budget: { requests: 10, windowMs: 10_000 },
};

/**
 * Errors that every message to this channel would meet: not_authed, not_in_channel, not_allowed_token_type, invalid_auth, account_inactive,
 * token_revoked, token_expired, missing_scope, no_permission, access_denied, ekm_access_denied, team_access_not_granted, channel_not_found,
 * is_archived, is_inactive, restricted_action… Somebody has to mend the app, its token or the channel. What else is refused is one
 * message's own: msg_too_long, message_not_found, edit_window_closed, cant_update_message, invalid_…, metadata_…
 */
export const stopping =
  /^(not_|invalid_auth|account_in|token_|missing_scope|no_permission|((ekm|team)_)?access|channel_|is_|restricted_)/;

/** Errors after which it may have been done all the same, or that pass. Too many messages are told by a 429, which knows for how long. */
export const passing =
  /_error$|_timeout$|^(service_unavailable|team_added_to_org|org_login_required|update_failed|rate_?limited)$/;
