import type { Emitter } from "../../contract.ts";
import { manifest } from "./manifest.ts";
import { translate } from "./translate.ts";
import { verify } from "./verify.ts";

export const salesforceEvents: Emitter = { manifest, verify, translate };
