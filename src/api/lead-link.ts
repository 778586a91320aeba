/**
 * The link that a task carries: it opens one lead's page, read-only, without a login of ours, for whoever can see the task in
 * the CRM. The key in it is an HMAC over the lead's id under a key of the workspace, so links cannot be guessed or turned
 * into links to others. Pure.
 */
import { deriveKey, nodeName, sameText } from "../crypto.ts";

export function leadLink(publicUrl: string, masterKey: string, workspace: string, lead: string): string {
  return `${publicUrl}/leads/${encodeURIComponent(lead)}?key=${linkKey(masterKey, workspace, lead)}`;
}

export function isLeadLinkKey(masterKey: string, workspace: string, lead: string, key: string): boolean {
  return sameText(linkKey(masterKey, workspace, lead), key);
}

function linkKey(masterKey: string, workspace: string, lead: string): string {
  const name = nodeName(deriveKey(masterKey, "lead-links", workspace), workspace, "lead", lead);
  return name.slice(workspace.length + 1);
}
