/**
 * Fields of a CRM's record that somebody there has written although the policy lets nobody of that CRM: their value stays (G9), and both sides
 * are told, once a field and day (`ingest/report.ts`). A report that is lost is made again the next time the field is left.
 */
import { type RecordCommand, type RecordField, recordFields } from "../../connectors/contract.ts";
import { mayWrite, ownershipOf } from "../decide/fields/policy.ts";
import type { Env } from "../env.ts";
import { type Report, report } from "../ingest/report.ts";
import { errorName, log } from "../log.ts";
import { workspaceById } from "../workspace.ts";
import type { AccountFacts } from "./account-store.ts";

/** Fields that a write of this record has left because somebody's value stands there; one that the CRM has none of was never ours. */
export function typedOver({ values }: RecordCommand, left: readonly RecordField[]): readonly RecordField[] {
  return recordFields.filter((field) => left.includes(field) && values[field]?.ours !== undefined);
}

/** Never throws. */
export async function reportTyped(
  env: Env,
  { workspace: id, crm }: Pick<AccountFacts, "workspace" | "crm">,
  fields: readonly RecordField[],
  later: (work: Promise<unknown>) => void,
): Promise<void> {
  const now = Date.now();
  try {
    const workspace = (await workspaceById(env, id, now, later))?.workspace;
    if (workspace === undefined) return;
    for (const field of fields) {
      const ownership = ownershipOf(workspace.policy.fields, field);
      if (ownership === undefined || mayWrite(ownership, crm)) continue;
      const { steward: owner } = ownership;
      const detail = `Somebody in ${crm} has written ${field}, which the policy lets others write. Their value stays there.`;
      const reports: Report[] = [{ reason: "field_report", cause: field, detail }];
      await report(env, { workspace, name: crm, ...(owner === undefined ? {} : { owner }) }, reports, now);
    }
  } catch (error) {
    log("error", "account.report", { error: errorName(error) });
  }
}
