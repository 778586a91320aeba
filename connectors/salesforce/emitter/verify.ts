/** `Authorization: Bearer <secret>`, as our own API takes it; what a named credential sends with a callout. */
export { verify } from "../../native/verify.ts";
