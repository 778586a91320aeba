import type { Emitter } from "../../contract.ts";
import { verify } from "../emitter/verify.ts";
import { manifest } from "./manifest.ts";
import { translate } from "./translate.ts";

/** Signed as HubSpot's webhooks are, and of another shape: one execution of the workflow action "Hand to Baton". */
export const hubspotWorkflow: Emitter = { manifest, verify, translate };
