/** The name of a policy's content. Pure. */
import { canonicalJson, digest } from "../../crypto.ts";
import type { Policy } from "../policy.ts";

/** The same for the same content, whatever its version: so a backtest of a draft counts for the version it becomes. */
export function digestOf({ version: _version, ...content }: Policy): string {
  return digest("policy", canonicalJson(content));
}
