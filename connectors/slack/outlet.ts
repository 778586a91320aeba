/**
 * Slack as an outlet: a follow-up is one message in one channel, posted, brought up to date, and marked when it is over. Each message
 * carries its key as metadata, and `ts` is its receipt: a post whose answer was lost is looked for in the channel before it is repeated.
 */
import * as z from "zod";
import { fail, ok, type Result } from "../../src/failure.ts";
import type { Attempt, Command, CrmSession, Destination, Outcome, Resolution, TaskCommand } from "../contract.ts";
import { isOfTask, type Mishap, notTold, retryAfterMs, silent } from "../outlet.ts";
import { manifest, passing, stopping } from "./manifest.ts";

export const slack: Destination = {
  ...silent,
  manifest,

  /** Who we are, and whether the channel can be read: without that a lost answer could never be looked up. */
  async install(session) {
    for (const method of ["auth.test", "conversations.history"]) {
      const said = await call(session, method, { limit: 1 });
      if (!said.ok) return said;
    }
    return ok({ world: "marker", timeZone: null, recordUrl: { person: "", task: "" } });
  },

  execute: (session, commands) => Promise.all(commands.map((command) => write(session, command))),

  resolve: (session, commands, attempt) => Promise.all(commands.map(({ key }) => find(session, key, attempt))),
};

async function write(session: CrmSession, command: Command): Promise<Outcome> {
  if (!isOfTask(command)) return notTold;
  const isNew = command.type === "create_task";
  const said = await call(session, isNew ? "chat.postMessage" : "chat.update", {
    text: textOf(command),
    parse: "none",
    ...(isNew
      ? {
          unfurl_links: false,
          unfurl_media: false,
          metadata: { event_type: eventType, event_payload: { key: command.key } },
        }
      : { ts: command.taskId }),
  });
  if (said.ok && said.value.ts !== undefined)
    return { arm: "done", taskId: said.value.ts, personId: "", created: isNew };
  if (said.ok) return { arm: "unknown", reason: "no_ts" };
  // Somebody has deleted it: there is nothing to be brought up to date.
  if (!isNew && said.failure.arm === "refused" && said.failure.reason === "message_not_found")
    return { arm: "done", taskId: command.taskId, personId: "", created: false };
  return said.failure;
}

const eventType = "baton_follow_up";

function textOf(command: TaskCommand): string {
  if (command.type !== "close_task") return `*${plain(command.task.subject)}*\n${plain(command.task.body)}`;
  const { subject, link = "" } = command.told ?? {};
  const done = subject === undefined ? "" : `:white_check_mark: ~${plain(subject)}~\n`;
  return `${done}${plain(command.note)}\n${plain(link)}`;
}

/** As text: nothing that stands in a name calls a channel together or becomes a link. */
function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Clocks differ, and Slack may have been slow: what is looked at before and after the attempt. */
const aroundMs = 10 * 60_000;
const pagesMax = 5;

async function find(session: CrmSession, key: string, attempt: Attempt | undefined): Promise<Resolution> {
  const at = attempt?.at ?? 0;
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const said = await call(session, "conversations.history", {
      oldest: String((at - aroundMs) / 1000),
      latest: String((at + aroundMs) / 1000),
      limit: 200,
      include_all_metadata: true,
      cursor,
    });
    if (!said.ok) return said.failure;
    const { messages, response_metadata } = said.value;
    const found = messages?.find(({ metadata }) => metadata?.event_payload.key === key);
    if (found !== undefined) return { arm: "found", taskId: found.ts, personId: "" };
    cursor = response_metadata?.next_cursor;
    if (messages !== undefined && !cursor) return { arm: "absent" };
  }
  return { arm: "unknown", reason: "history_unread" };
}

const answer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  ts: z.string().optional(),
  messages: z
    .array(
      z.object({
        ts: z.string(),
        // Of other apps it may look otherwise.
        metadata: z
          .object({ event_payload: z.object({ key: z.string() }) })
          .optional()
          .catch(undefined),
      }),
    )
    .optional(),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

async function call(
  session: CrmSession,
  method: string,
  args: object,
): Promise<Result<z.infer<typeof answer>, Mishap>> {
  try {
    const response = await session.send(
      new Request(`${session.apiUrl}/${method}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${session.accessToken}`,
          "content-type": "application/json; charset=utf-8",
        },
        body: JSON.stringify({ channel: session.crmAccount, ...args }),
      }),
    );
    if (response.status === 429)
      return fail({
        arm: "deferred",
        retryAfterMs: retryAfterMs(response.headers),
        scope: "account",
        reason: "ratelimited",
      });
    const said = answer.parse(await response.json());
    return said.ok ? ok(said) : fail(mishapOf(said.error ?? ""));
  } catch {
    return fail({ arm: "unknown", reason: "no_answer" });
  }
}

function mishapOf(error: string): Mishap {
  const reason = /^[a-z_]{1,60}$/.test(error) ? error : "refused";
  return { arm: stopping.test(reason) ? "blocked" : passing.test(reason) ? "unknown" : "refused", reason };
}
