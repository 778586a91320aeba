/** Sales Engagement's `assignTargetToSalesCadence` (CRM-FACTS §2.7): a tracker for each target. Codes of refusals are a guess. */
import type { Call } from "./records.ts";
import { type Asked, type Desk, notFound, type Reply } from "./reply.ts";

const action = "standard/assignTargetToSalesCadence";

export function assign(desk: Desk, { body }: Asked, name: string, call: Call): Reply {
  if (name !== action || !desk.faults.salesEngagement) {
    return notFound();
  }
  const { inputs = [] } = (body ?? {}) as { inputs?: readonly Readonly<Record<string, string>>[] };
  const results = inputs.map((input) => result(assignOne(desk, input, call)));
  const status = results.every(({ isSuccess }) => isSuccess) ? 200 : 400;
  return { status, body: results, shape: "action", expects: "inputs" };
}

/** Null, or why not. */
function assignOne(
  { records, faults }: Desk,
  { salesCadenceNameOrId, targetId = "", userId }: Readonly<Record<string, string>>,
  call: Call,
): string | null {
  const cadence = [...records.store.table("ActionCadence").values()].find(
    ({ id, values }) => id === salesCadenceNameOrId || values.Name === salesCadenceNameOrId,
  );
  const target = records.store.get(targetId);
  const user = userId === undefined ? undefined : records.store.get(userId);
  if (cadence === undefined || cadence.values.State !== "Active") {
    return "The cadence does not exist or is not active.";
  }
  if (target === undefined || target.values.IsDeleted === true || target.values.IsConverted === true) {
    return "The target cannot be added to a cadence.";
  }
  if (user?.values.IsActive !== true) {
    return "The assignee has no access to cadences.";
  }
  const trackers = [...records.store.table("ActionCadenceTracker").values()];
  const isIn = trackers.some(
    ({ values }) =>
      values.TargetId === target.id && values.ActionCadenceId === cadence.id && values.State !== "Complete",
  );
  if (isIn) {
    return faults.refusesAssignedTargets ? "The target is already in this cadence." : null;
  }
  records.put(
    "ActionCadenceTracker",
    { ActionCadenceId: cadence.id, TargetId: target.id, OwnerId: user.id, State: "Active" },
    call,
  );
  return null;
}

function result(problem: string | null) {
  const errors = problem === null ? null : [{ statusCode: "INVALID_ARGUMENT_TYPE", message: problem, fields: [] }];
  return { actionName: "assignTargetToSalesCadence", errors, isSuccess: problem === null, outputValues: null };
}
