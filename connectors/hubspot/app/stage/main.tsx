/** A page that stands in for HubSpot's record page, with the card as in the sidebar (`#sidebar`) or in a tab (`#tab`). */
import { createRoot } from "react-dom/client";
import { OnRecord, type OnRecordProps } from "../src/app/cards/OnRecord.tsx";

const place = location.hash === "#tab" ? "tab" : "sidebar";
const { batonUrl, objectTypeId, objectId } = window.batonHost;
const context = {
  crm: { objectTypeId, objectId },
  user: { locale: "en-gb" },
  variables: { BATON_URL: batonUrl },
} as unknown as OnRecordProps["context"];
const said = document.getElementById("said");
const actions: OnRecordProps["actions"] = {
  addAlert: ({ message }) => {
    if (said !== null) said.textContent = String(message);
  },
  refreshObjectProperties: () => undefined,
  fetchCrmObjectProperties: async () => ({ ...window.batonHost.company }),
};
const root = document.getElementById("card");
if (root !== null) {
  root.className = place;
  createRoot(root).render(
    <OnRecord layout={place === "tab" ? "wide" : "compact"} context={context} actions={actions} />,
  );
}
