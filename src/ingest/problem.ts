/** Answers to bad input: RFC 9457 problem+json. Brief outside; the rich reason goes to the log and the counts. */

const titles = {
  400: "The request cannot be understood.",
  401: "The request is not authorised.",
  403: "This is not allowed.",
  404: "There is nothing here.",
  405: "This method is not allowed here.",
  409: "The request contradicts what is already known.",
  410: "This is no longer kept.",
  413: "The request is too large.",
  415: "This content type is not understood.",
  422: "The content is not acceptable.",
  503: "Not now; please try again.",
} as const;

export type ProblemStatus = keyof typeof titles;

export interface ProblemDetails {
  /** A stable word for programs, e.g. `body_too_large`. */
  readonly code: string;
  /** A sentence for people. */
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export function problem(
  status: ProblemStatus,
  details: ProblemDetails,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = {
    type: `https://baton.example.com/problems/${details.code}`,
    title: titles[status],
    status,
    ...details,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** Something of ours does not answer: the sender keeps what it has and tries again. */
export function notNow(detail = "Not everything could be stored; send it again."): Response {
  return problem(503, { code: "unavailable", detail }, { "retry-after": "5" });
}
