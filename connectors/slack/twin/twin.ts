/**
 * The Slack twin: what a bot may ask of one workspace, in memory; one request is one turn. It answers `Request`s, so that it can stand
 * behind a port (`src/local/serve.ts`) and inside a test. Facts it follows: `../manifest.ts`. A rejected promise is a broken connection.
 */

/** One fault for the next `times` requests to `method` (any, where none is named). */
export interface SlackFault {
  readonly method?: string;
  times?: number;
  /**
   * `drop`: broken before anything is done, `lose`: after; `limited`: 429; `refuse`: `ok: false` with `error`; `page`: HTML with status
   * `status`, after it was carried out where `done`.
   */
  readonly kind: "drop" | "lose" | "limited" | "refuse" | "page";
  readonly error?: string;
  readonly status?: number;
  readonly done?: boolean;
  readonly retryAfterSeconds?: number;
}

export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
  text: string;
  readonly metadata: unknown;
  edits: number;
  readonly unfurls: boolean;
}

type Said = Record<string, unknown> & { readonly ok: boolean };
type Args = Readonly<Record<string, unknown>>;

export class SlackTwin {
  readonly messages: SlackMessage[] = [];
  /** Methods in the order in which they were asked, faults included. */
  readonly asked: string[] = [];
  faults: SlackFault[] = [];
  /** A message is in the history so long after it was posted. */
  historyLagMs = 0;
  /** Messages that one page of the history holds at most, whatever is asked for. */
  pageMax = 200;
  /** Share of the requests that are carried out and not answered; drawn from a fixed sequence. */
  lostRate = 0;
  readonly tokens = new Set(["xoxb-twin-token-1"]);
  readonly channels = new Map<string, "member" | "stranger" | "archived">([
    ["C0SALES01", "member"],
    ["C0OTHER01", "stranger"],
    ["C0OLD0001", "archived"],
  ]);
  #count = 0;
  #chance = 1;

  async handle(request: Request): Promise<Response> {
    const method = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const text = await request.text();
    this.asked.push(method);
    const fault = this.#next(method);
    if (fault?.kind === "drop") throw new TypeError("connection broken");
    if (fault?.kind === "limited")
      return Response.json(
        { ok: false, error: "ratelimited" },
        { status: 429, headers: { "retry-after": String(fault.retryAfterSeconds ?? 1) } },
      );
    if (fault?.kind === "refuse") return Response.json({ ok: false, error: fault.error });
    const isPage = fault?.kind === "page";
    const said = isPage && fault.done !== true ? null : this.#answer(request, method, text);
    if (isPage) return new Response("<html>Bad gateway</html>", { status: fault.status ?? 502 });
    if (fault?.kind === "lose" || this.#isLost()) throw new TypeError("answer lost");
    return Response.json(said);
  }

  #answer(request: Request, method: string, text: string): Said {
    if (!this.tokens.has((request.headers.get("authorization") ?? "").replace(/^Bearer /, "")))
      return refuse("invalid_auth");
    if (!(request.headers.get("content-type") ?? "").startsWith("application/json")) return refuse("invalid_post_type");
    const args = JSON.parse(text) as Args;
    if (method === "auth.test") return { ok: true, team_id: "T1", bot_id: "B1" };
    const channel = this.channels.get(String(args.channel));
    if (channel === undefined) return refuse("channel_not_found");
    if (channel === "stranger") return refuse("not_in_channel");
    if (method === "conversations.history") return this.#history(args);
    if (channel === "archived") return refuse("is_archived");
    const { text: words } = args;
    if (typeof words !== "string" || words === "") return refuse("no_text");
    if (words.length > 40_000) return refuse("msg_too_long");
    return method === "chat.postMessage" ? this.#post(args, words) : this.#update(args, words);
  }

  #post(args: Args, text: string): Said {
    this.#count++;
    const ts = `${Math.floor(Date.now() / 1000)}.${String(this.#count).padStart(6, "0")}`;
    const unfurls = args.unfurl_links !== false;
    this.messages.push({ channel: String(args.channel), ts, text, metadata: args.metadata, edits: 0, unfurls });
    return { ok: true, channel: args.channel, ts };
  }

  /** Metadata that is not sent is kept. */
  #update({ channel, ts }: Args, text: string): Said {
    const message = this.messages.find((one) => one.channel === channel && one.ts === ts);
    if (message === undefined) return refuse("message_not_found");
    message.text = text;
    message.edits++;
    return { ok: true, channel, ts, text };
  }

  #history({ channel, oldest, latest, limit, cursor, include_all_metadata }: Args): Said {
    const shown = this.messages.filter(
      (one) =>
        one.channel === channel &&
        Number(one.ts) > Number(oldest ?? 0) &&
        Number(one.ts) < Number(latest ?? Number.POSITIVE_INFINITY) &&
        Number(one.ts) * 1000 <= Date.now() - this.historyLagMs,
    );
    shown.reverse();
    const from = Number(cursor ?? 0);
    const to = from + Math.min(Number(limit ?? 100), this.pageMax);
    const messages = shown
      .slice(from, to)
      .map(({ ts, text, metadata }) => ({ type: "message", ts, text, ...(include_all_metadata ? { metadata } : {}) }));
    const more = to < shown.length;
    return { ok: true, messages, has_more: more, response_metadata: { next_cursor: more ? String(to) : "" } };
  }

  #next(method: string): SlackFault | undefined {
    const fault = this.faults.find((one) => one.method === undefined || one.method === method);
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) this.faults.splice(this.faults.indexOf(fault), 1);
    return fault;
  }

  #isLost(): boolean {
    this.#chance = (this.#chance * 16_807) % 2_147_483_647;
    return this.#chance / 2_147_483_647 < this.lostRate;
  }
}

function refuse(error: string): Said {
  return { ok: false, error };
}
