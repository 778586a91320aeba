import { hubspot } from "@hubspot/ui-extensions";
import { OnRecord } from "./OnRecord.tsx";

hubspot.extend<"crm.record.tab">(({ context, actions }) => (
  <OnRecord layout="wide" context={context} actions={actions} />
));
