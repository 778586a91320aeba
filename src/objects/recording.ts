/** The record that a receipt names becomes an identifier of the person (`resolve/records.ts`). May run twice. */
import { nodeName } from "../crypto.ts";
import type { LinkTodo } from "../resolve/node.ts";
import { findAction } from "../resolve/obligations.ts";
import { isUnambiguous, recorded, recordIdentifier } from "../resolve/records.ts";
import type { Workspace } from "../workspace.ts";
import type { NodeState } from "./node-state.ts";

export async function recordPerson(
  state: NodeState,
  workspaceOf: (id: string) => Promise<Workspace>,
  key: string,
): Promise<void> {
  const first = state.root();
  if (first === null) return;
  const { nameKey, targets } = await workspaceOf(first.workspace);
  const root = state.root();
  const found = root === null ? null : findAction(root, key);
  if (root === null || found === null) return;
  const { followUp, action } = found;
  if (action.receipt === undefined || action.recorded === true) return;
  const identifier = recordIdentifier(action.crm, action.receipt.person_id);
  const isUsable = identifier !== null && isUnambiguous(action.crm, targets) && root.erase === undefined;
  const link: LinkTodo | null = !isUsable
    ? null
    : {
        node: nodeName(nameKey, root.workspace, identifier.type, identifier.value),
        identifier,
        since: Date.now(),
        // Whoever the follow-up goes with in a split has its record, too.
        from: state.store.entry(followUp.trigger)?.node_of[0] ?? root.name,
        by: followUp.trigger,
        authority: { type: "receipt" },
      };
  state.change(recorded(root, key, link));
  state.projectDue = true;
}
