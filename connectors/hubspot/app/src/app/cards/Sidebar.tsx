import { hubspot } from "@hubspot/ui-extensions";
import { OnRecord } from "./OnRecord.tsx";

hubspot.extend<"crm.record.sidebar">(({ context, actions }) => (
  <OnRecord layout="compact" context={context} actions={actions} />
));
