/** What records show, at rest: nothing is still to be written, the newest is what stands, and a record that is known shows its lead. */
import type { Root } from "../../src/resolve/node.ts";
import { recordsOf } from "../../src/resolve/shown.ts";
import type { CrmAccount } from "./crm.ts";

type Fail = (guarantee: string, text: string) => void;

export function checkRecords(root: Root, accounts: ReadonlyMap<string, CrmAccount>, fail: Fail): void {
  for (const { account, key, person, state, at } of recordsOf(root)) {
    if (state === "pending") fail("G12", `${key} is still to be shown on ${person}, and nothing will move it`);
    const shown = accounts.get(account)?.records.get(person);
    if (state !== "done") continue;
    if (shown === undefined) fail("G3", `${key} is done, and ${person} shows nothing`);
    else if (shown.at < at) fail("G3", `${person} shows what ${key} has replaced`);
  }
  const hasSaidNo = root.lead.consent?.value === false;
  for (const { crm, account, receipt } of root.follow_ups.flatMap((item) => item.actions)) {
    if (hasSaidNo || receipt === undefined || root.erase !== undefined) continue;
    if (!recordsOf(root).some((record) => record.account === account))
      fail("G12", `${receipt.person_id} in ${crm} is known, and shows nothing of its lead`);
  }
}
