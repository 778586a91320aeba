/** One submission → one draft. Typeform's `token` names the response and is the same at every try. Pure. */
import { fail, ok, quarantined, type Result } from "../../src/failure.ts";
import type { Consent, Identifier } from "../../src/model.ts";
import { normaliseEmail, normaliseInstant, normalisePhone } from "../../src/translate/normalise.ts";
import { arrivalOfFields } from "../attribution.ts";
import { firstText, type JsonRecord, parseObject, recordOf, textOf } from "../body.ts";
import type { Delivery, EmitterSettings, Translation } from "../contract.ts";
import { accountOf, draftOf, identifier, one, skip } from "../draft.ts";
import { mappedKind } from "../kinds.ts";
import { type Answer, deliverySchema, type FormResponse } from "./schema.ts";

export function translate(delivery: Delivery, settings: EmitterSettings): Result<Translation> {
  const body = parseObject(delivery.body);
  if (!body.ok) return body;
  const parsed = deliverySchema.safeParse(body.value);
  if (!parsed.success) return fail(quarantined("unknown_shape", "Expected a form_response with form_id and token."));
  const { event_type: type, form_response: response } = parsed.data;
  if (type === "form_response_partial") return ok(skip("The form was not sent; its answers come again when it is."));
  if (type !== "form_response") return fail(quarantined("unknown_event_type"));

  const questions = questionsOf(response);
  const answers = (response.answers ?? []).map((answer) => ({
    answer,
    question: questions.get(answer.field.id),
    value: answerValue(answer),
  }));
  const traits: Record<string, string> = {};
  for (const { answer, question, value } of answers) {
    const name = answer.type === "text" && question?.type === "short_text" ? traitOf(question) : undefined;
    if (name !== undefined && typeof value === "string" && traits[name] === undefined) traits[name] = value;
  }
  const typed = (kind: string) =>
    answers.flatMap(({ answer, value }) => (answer.type === kind && typeof value === "string" ? [value] : []))[0];
  const hidden = recordOf(response.hidden);
  const arrival = arrivalOfFields(hidden);
  const draft = draftOf({
    id: response.token,
    kind: mappedKind(response.form_id, settings) ?? textOf(settings.kind) ?? "form_submitted",
    occurredAt: normaliseInstant(response.submitted_at),
    identifiers: [
      ...identifiersOf(typed("email"), withCountry(typed("phone_number"), settings), hidden),
      ...arrival.identifiers,
    ],
    traits: { ...hiddenTraits(hidden), ...traits },
    account: accountOf(
      traits.company ?? firstText(hidden, "company", "company_name"),
      firstText(hidden, "company_domain", "domain"),
    ),
    attribution: arrival.attribution,
    consent: consentOf(answers, settings),
    properties: {
      form_id: response.form_id,
      ...(response.definition?.title ? { form_title: response.definition.title } : {}),
      answers: answers.map(({ answer, question, value }) => ({
        ref: question?.ref ?? answer.field.ref ?? answer.field.id,
        ...(question?.title === undefined ? {} : { question: question.title }),
        value,
      })),
      ...(typeof response.calculated?.score === "number" ? { score: response.calculated.score } : {}),
      ...(response.hidden ? { hidden } : {}),
    },
  });
  return draft.identifiers.length === 0
    ? fail(quarantined("names_nobody", "No answer and no hidden field names a person."))
    : ok(one(draft));
}

interface Question {
  readonly type: string | undefined;
  readonly ref: string | undefined;
  readonly title: string | undefined;
}

function questionsOf(response: FormResponse): ReadonlyMap<string, Question> {
  const questions = new Map<string, Question>();
  for (const field of response.definition?.fields ?? []) {
    const id = textOf(field.id);
    if (id !== undefined)
      questions.set(id, { type: textOf(field.type), ref: textOf(field.ref), title: textOf(field.title) });
  }
  return questions;
}

/** The answer stands under the name of its type; choices are kept by their labels. */
function answerValue(answer: Answer): unknown {
  const given = answer[answer.type];
  if (answer.type === "choice") return firstText(recordOf(given), "label", "other") ?? null;
  if (answer.type === "choices") return [...listOf(recordOf(given).labels), ...listOf(recordOf(given).other)];
  return given ?? null;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/* ---------------------------------------------------------------------------------------------------- traits */

/** The ref is chosen by whoever built the form, so it goes before the title, which is prose and changes. */
const traitPatterns: readonly (readonly [string, RegExp])[] = [
  ["firstname", /\bfirst ?name\b|\bgiven name\b|\bvorname\b|\bpr[eé]nom\b/],
  ["lastname", /\blast ?name\b|\bsurname\b|\bfamily name\b|\bnachname\b/],
  ["job_title", /\bjob ?title\b|\bjob role\b|\byour role\b|\byour position\b|^(?:role|position)$/],
  ["company", /\bcompany(?: name)?\b|\borgani[sz]ation(?: name)?\b|\bemployer\b|\bbusiness name\b|\bfirma\b/],
  ["name", /^name$|\bfull name\b|\byour name\b/],
];

function traitOf(question: Question): string | undefined {
  return matching(question.ref) ?? matching(question.title);
}

function matching(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 80) return undefined;
  const words = text
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  return traitPatterns.find(([, pattern]) => pattern.test(words))?.[0];
}

function hiddenTraits(hidden: JsonRecord): Record<string, string> {
  const traits: Record<string, string> = {};
  for (const [name, ...spellings] of [
    ["firstname", "first_name", "firstname"],
    ["lastname", "last_name", "lastname"],
    ["name", "name", "full_name"],
    ["company", "company", "company_name"],
    ["job_title", "job_title", "title"],
    ["country", "country"],
  ] as const) {
    const value = firstText(hidden, ...spellings);
    if (value !== undefined) traits[name] = value;
  }
  return traits;
}

/* ----------------------------------------------------------------------------------------------- identifiers */

/**
 * Hidden fields come out of the address of the form, which anybody can edit or pass on. What was typed goes before them;
 * and when somebody types another address than the link carried, the link was forwarded, so its user id is another
 * person's. Ids of CRM records are never believed from there.
 */
function identifiersOf(
  email: string | undefined,
  phone: string | undefined,
  hidden: JsonRecord,
): (Identifier | undefined)[] {
  const linked = firstText(hidden, "email");
  const forwarded = email !== undefined && linked !== undefined && normaliseEmail(email) !== normaliseEmail(linked);
  return [
    identifier("user_id", forwarded ? undefined : firstText(hidden, "user_id", "userid", "userId", "uid")),
    identifier("email", email ?? linked),
    identifier("phone", phone ?? firstText(hidden, "phone", "phone_number")),
    identifier("anonymous_id", firstText(hidden, "anonymous_id", "anonymousid", "ajs_anonymous_id")),
  ];
}

/** Numbers typed without a country code need the form's own country. */
function withCountry(phone: string | undefined, settings: EmitterSettings): string | undefined {
  const region = textOf(settings.region)?.toUpperCase();
  return phone === undefined || region === undefined ? phone : (normalisePhone(phone, region) ?? phone);
}

function consentOf(
  answers: readonly { readonly answer: Answer; readonly question: Question | undefined }[],
  settings: EmitterSettings,
): Consent | undefined {
  const field = textOf(settings.consent_field);
  if (field === undefined) return undefined;
  const asked = answers.find(({ answer, question }) =>
    [answer.field.id, answer.field.ref, question?.ref].includes(field),
  );
  return typeof asked?.answer.boolean === "boolean" ? { follow_up: asked.answer.boolean } : undefined;
}
