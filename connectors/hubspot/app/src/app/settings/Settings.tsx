import { hubspot } from "@hubspot/ui-extensions";
import { askConnection } from "./connection.ts";
import { SettingsPage } from "./SettingsPage.tsx";

hubspot.extend<"settings">(({ context }) => {
  const batonUrl = context.variables?.BATON_URL;
  return <SettingsPage batonUrl={typeof batonUrl === "string" ? batonUrl : null} ask={askConnection} />;
});
