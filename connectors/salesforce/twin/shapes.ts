/**
 * The published shapes of what Salesforce answers and of what it is asked, checked at run time and tied to jsforce's types
 * with `satisfies`. A violation is a bug of this twin or of our client; both are counted in `/admin/state`.
 *
 * Where jsforce's types and the documentation differ (rows of a collections request name an error `statusCode`, CRM-FACTS
 * §2.1), the shape here is the documented one, built from jsforce's type.
 */

import type { TokenResponse } from "jsforce/lib/oauth2.js";
import type { QueryResult } from "jsforce/lib/query.js";
import type {
  IdentityInfo,
  OrganizationLimitsInfo,
  SaveError,
  SaveResult,
  UpsertResult,
} from "jsforce/lib/types/common.js";
import * as z from "zod";

const id = z.string().regex(/^[0-9A-Za-z]{18}$/);

const saveError = z.strictObject({
  message: z.string(),
  errorCode: z.string().regex(/^[A-Z][A-Z0-9_]+$/),
  fields: z.array(z.string()).exactOptional(),
  duplicateResult: z.looseObject({ matchResults: z.array(z.unknown()) }).exactOptional(),
}) satisfies z.ZodType<SaveError>;

type RowError = Omit<SaveError, "errorCode"> & { statusCode: string };

const rowError = z.strictObject({
  statusCode: z.string(),
  message: z.string(),
  fields: z.array(z.string()),
  duplicateResult: z.looseObject({ matchResults: z.array(z.unknown()) }).exactOptional(),
}) satisfies z.ZodType<RowError>;

const saved = z.strictObject({ id, success: z.literal(true), errors: z.tuple([]) }) satisfies z.ZodType<SaveResult>;
const upserted = z.strictObject({
  id,
  success: z.literal(true),
  errors: z.tuple([]),
  created: z.boolean(),
}) satisfies z.ZodType<UpsertResult>;
const unsaved = z.strictObject({ success: z.literal(false), errors: z.array(rowError).min(1) }) satisfies z.ZodType<
  Omit<Extract<SaveResult, { success: false }>, "errors"> & { errors: RowError[] }
>;

const record = z.looseObject({ attributes: z.looseObject({ type: z.string(), url: z.string() }) });
const query = z.strictObject({
  totalSize: z.int().min(0),
  done: z.boolean(),
  nextRecordsUrl: z.string().exactOptional(),
  records: z.array(record),
}) satisfies z.ZodType<QueryResult<z.infer<typeof record>>>;

const part = z.strictObject({
  body: z.unknown(),
  httpHeaders: z.record(z.string(), z.string()),
  httpStatusCode: z.int(),
  referenceId: z.string(),
});

const token = z.strictObject({
  access_token: z.string().min(1),
  refresh_token: z.string().exactOptional(),
  signature: z.string(),
  scope: z.string(),
  instance_url: z.url(),
  id: z.url(),
  token_type: z.literal("Bearer"),
  issued_at: z.string().regex(/^\d+$/),
}) satisfies z.ZodType<TokenResponse>;

const urlNames = ["enterprise", "metadata", "partner", "rest", "sobjects", "search", "query", "profile"] as const;
const identity = z.looseObject({
  id: z.url(),
  user_id: id,
  organization_id: id,
  username: z.string(),
  display_name: z.string(),
  nick_name: z.string(),
  email: z.string(),
  photos: z.strictObject({ picture: z.string(), thumbnail: z.string() }),
  urls: z.record(z.enum(urlNames), z.string()),
  user_type: z.string(),
  language: z.string(),
}) satisfies z.ZodType<IdentityInfo>;

export const answers = {
  errors: z.array(saveError).min(1),
  saved,
  upserted,
  rows: z.array(z.union([upserted, saved, unsaved])),
  choices: z.array(z.string().startsWith("/services/data/")),
  record,
  query,
  composite: z.strictObject({ compositeResponse: z.array(part).min(1).max(25) }),
  limits: z.record(
    z.string(),
    z.looseObject({ Max: z.int(), Remaining: z.int() }),
  ) satisfies z.ZodType<OrganizationLimitsInfo>,
  // Built as jsforce's `DescribeSObjectResult` (describe.ts); here only what programs decide by.
  describe: z.looseObject({
    name: z.string(),
    fields: z.array(
      z.looseObject({
        name: z.string(),
        type: z.string(),
        externalId: z.boolean(),
        unique: z.boolean(),
        idLookup: z.boolean(),
        createable: z.boolean(),
        updateable: z.boolean(),
      }),
    ),
  }),
  sobjects: z.strictObject({
    encoding: z.string(),
    maxBatchSize: z.int(),
    sobjects: z.array(z.looseObject({ name: z.string() })),
  }),
  action: z.array(
    z.looseObject({ actionName: z.string(), isSuccess: z.boolean(), errors: z.array(rowError).nullable() }),
  ),
  versions: z.array(z.strictObject({ label: z.string(), url: z.string(), version: z.string() })),
  resources: z.record(z.string(), z.string()),
  token,
  oauth_error: z.strictObject({ error: z.string().regex(/^[a-z_]+$/), error_description: z.string() }),
  identity,
  none: z.undefined(),
} as const;

export type AnswerShape = keyof typeof answers;

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const values = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), value);
const attributes = z.strictObject({ type: z.string() });
const collection = z.strictObject({
  allOrNone: z.boolean().exactOptional(),
  records: z
    .array(z.looseObject({ attributes }).and(z.record(z.string(), z.union([value, attributes]))))
    .min(1)
    .max(200),
});

export const requests = {
  values,
  collection,
  composite: z.strictObject({
    allOrNone: z.boolean().exactOptional(),
    collateSubrequests: z.boolean().exactOptional(),
    compositeRequest: z
      .array(
        z.strictObject({
          method: z.enum(["GET", "POST", "PATCH", "PUT", "DELETE"]),
          url: z.string().startsWith("/services/data/v"),
          referenceId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_]*$/),
          body: z.unknown().exactOptional(),
          httpHeaders: z.record(z.string(), z.string()).exactOptional(),
        }),
      )
      .min(1)
      .max(25),
  }),
  inputs: z.strictObject({ inputs: z.array(z.record(z.string(), z.string())).min(1).max(200) }),
  none: z.undefined(),
} as const;

export type RequestShape = keyof typeof requests;

/** Salesforce asks for 128 random bytes in base64url, which are 171 characters, more than the 128 of RFC 7636. */
const secret = { client_id: z.string().min(1), client_secret: z.string().min(1) };
export const tokenForms = z.discriminatedUnion("grant_type", [
  z.strictObject({
    ...secret,
    grant_type: z.literal("authorization_code"),
    code: z.string(),
    redirect_uri: z.url(),
    code_verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,171}$/),
  }),
  z.strictObject({
    ...secret,
    grant_type: z.literal("refresh_token"),
    refresh_token: z.string(),
    format: z.string().exactOptional(),
    // jsforce sends it with refreshes too, and Salesforce takes no offence.
    code_verifier: z.string().exactOptional(),
  }),
]);

/** Null, or what does not fit and where, without the values. */
export function check(shape: z.ZodType, body: unknown): string | null {
  const result = shape.safeParse(body);
  return result.success
    ? null
    : result.error.issues
        .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
        .join("; ")
        .slice(0, 300);
}
