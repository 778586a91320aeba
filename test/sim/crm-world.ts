/**
 * One CRM account in virtual time: the real account object and the real client against a stand-in, with nothing between them but
 * latency. Who asks stands in for identities and does as they do: it waits, asks again when told to, and confirms what is asked of it.
 */
import type { Command, Grant } from "../../connectors/contract.ts";
import { drain } from "../../src/ingest/drain.ts";
import type { CrmName } from "../../src/model.ts";
import { AccountObject, type SubmitAnswer } from "../../src/objects/account.ts";
import type { SettleCall } from "../../src/objects/acting.ts";
import { accountName, accountStub } from "../../src/objects/names.ts";
import { seeded } from "../signals.ts";
import { drainMicrotasks, Engine } from "./engine.ts";
import { Faults } from "./faults.ts";
import { enter, leave } from "./globals.ts";
import { Database, Platform } from "./platform.ts";

export interface Asked {
  readonly key: string;
  readonly hot: boolean;
  /** Epoch ms. */
  readonly at: number;
  /** When who asked knew that its task stands. */
  doneAt: number | null;
  /** Whatever else became of it. */
  ended: string | null;
}

export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
}

/** A stand-in without its HTTP server. */
export interface Side {
  readonly crm: CrmName;
  readonly crmAccount: string;
  readonly apiUrl: string;
  grant(): Pick<Grant, "accessToken" | "refreshToken" | "expiresAt"> & Partial<Grant>;
  /** Within the turn; null where the connection breaks. `rows` make it slower by a millisecond each. */
  answer(request: Incoming): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly rows: number;
  } | null>;
}

export interface CrmWorld<T extends Side> {
  readonly engine: Engine;
  readonly side: T;
  /** Requests under way at once, at most so far. */
  readonly most: () => number;
  readonly asked: ReadonlyMap<string, Asked>;
  /** A follow-up's task is wanted from then on. */
  ask(at: number, name: string, hot: boolean): void;
  /** Nothing that is sent from then on is answered, until it is. */
  outage(from: number, until: number): void;
  /** Tasks that are open are looked at as long as it runs, so it is told when to end. */
  run(until: number): void;
}

export const begunAt = Date.UTC(2026, 10, 23);
const workspace = "rush";
const node = `${workspace}/identity`;

export function openCrmWorld<T extends Side>(seed: number, open: (now: () => number) => T): CrmWorld<T> {
  const engine = new Engine(begunAt, new Faults({}, seeded(seed), new Set()), seeded(seed ^ 0xde1a), false);
  engine.eventsMax = 20_000_000;
  const asked = new Map<string, Asked>();
  const identity = class {
    confirm() {
      return { arm: "go", moves: 0 };
    }
    heard() {
      return { arm: "ok" };
    }
    settle({ key, outcome }: SettleCall) {
      end(key, "receipt" in outcome ? null : JSON.stringify(outcome));
      return { moved: null };
    }
  };
  const none = () => new Database([]);
  const platform = new Platform(engine, {
    classes: { account: AccountObject, identity },
    control: none(),
    ledger: none(),
    drain,
  });
  const side = open(() => engine.now);
  const account = accountName(workspace, side.crm, side.crmAccount);
  let underWay = 0;
  let most = 0;
  const outages: { readonly from: number; readonly until: number }[] = [];
  const isDown = () => outages.some(({ from, until }) => engine.now >= from && engine.now < until);

  const end = (key: string, problem: string | null) => {
    const item = asked.get(key);
    if (item === undefined || item.doneAt !== null || item.ended !== null) return;
    if (problem === null) item.doneAt = engine.now;
    else item.ended = problem;
  };

  /** In the turn of whoever sends: its body is there at once. */
  const transmit = async (request: Request): Promise<Response> => {
    const text = await request.text();
    const url = new URL(request.url);
    return platform.ask<Response>((answer, resolve, reject) => {
      most = Math.max(most, ++underWay);
      const after = (delayMs: number, work: () => void) =>
        answer(delayMs, () => {
          underWay--;
          work();
        });
      const broken = (delayMs: number) => after(delayMs, () => reject(new TypeError("fetch failed")));
      engine.after(engine.between(10, 40), null, "request", () => {
        if (isDown()) return broken(engine.random() < 0.5 ? engine.between(5, 50) : deadlineMs);
        const { method, headers } = request;
        side.answer({ method, url, headers, text }).then(
          (said) => {
            if (said === null) return broken(5);
            const { status, headers, rows } = said;
            const body = status === 204 ? null : said.body;
            after(engine.between(40, 120) + rows, () => resolve(new Response(body, { status, headers })));
          },
          () => broken(5),
        );
        // An event of nobody's has no turn that would wait for it.
        drainMicrotasks();
      });
    });
  };

  const submit = (command: Command, hot: boolean) => {
    const item = asked.get(command.key);
    if (item === undefined || item.doneAt !== null || item.ended !== null) return;
    const again = (delayMs: number) => void engine.after(delayMs, null, "ask again", () => submit(command, hot));
    platform.spawn<SubmitAnswer>(
      "identity",
      (env) => accountStub(env, account).submit({ command, holder: "ada@example.com", node, hot }),
      (result) => {
        if (!result.ok) return again(5_000);
        const { value } = result;
        if (value.arm === "pending") return again(value.retryAfterMs);
        end(command.key, value.arm === "done" ? null : JSON.stringify(value));
      },
      () => again(5_000),
    );
  };

  return {
    engine,
    side,
    most: () => most,
    asked,
    ask(at, name, hot) {
      const key = `fu_${name}-rush`;
      asked.set(key, { key, hot, at, doneAt: null, ended: null });
      const task = {
        subject: `Call ${name}`,
        body: "Asked for a demo",
        dueAt: at + 3_600_000,
        priority: "high",
        type: "call",
      } as const;
      const person = { lead: `${workspace}/${name}`, email: `${name}@example.com`, lastName: name };
      engine.at(at, null, "follow-up", () => submit({ type: "create_task", key, person, task }, hot));
    },
    outage: (from, until) => outages.push({ from, until }),
    run(until) {
      const { fetch } = globalThis;
      enter(engine, seeded(seed ^ 0xc0de));
      globalThis.fetch = ((request: Request) => transmit(request)) as typeof globalThis.fetch;
      try {
        const { crm, crmAccount, apiUrl } = side;
        const grant = { apiUrl, crmAccount, scopes: [], ...side.grant() };
        const attach = { name: account, workspace, crm, grant, at: begunAt };
        let isPrepared = false;
        platform.spawn(
          "consent",
          async (env) => {
            const { ok } = await accountStub(env, account).attach(attach);
            return ok;
          },
          (result) => {
            isPrepared = result.ok && result.value;
          },
          () => {},
        );
        engine.run(until);
        if (!isPrepared) throw new Error("the account was not prepared");
        if (engine.violation !== null) throw new Error(`${engine.violation.guarantee}: ${engine.violation.text}`);
      } finally {
        leave();
        globalThis.fetch = fetch;
        for (const host of platform.hosts.values()) host.disk.release();
      }
    },
  };
}

/** Of a request (`crmDeadlineMs`): its time-out is the real world's. */
const deadlineMs = 20_000;
