/**
 * One HubSpot account in virtual time: the real account object and the real client against the twin, with nothing between them but
 * latency. Who asks stands in for identities and does as they do: it waits, asks again when told to, and confirms what is asked of it.
 */
import type { Command } from "../../connectors/contract.ts";
import { serveApi } from "../../connectors/hubspot/twin/api.ts";
import type { Faults as TwinFaults } from "../../connectors/hubspot/twin/faults.ts";
import { build } from "../../connectors/hubspot/twin/server.ts";
import type { Twin } from "../../connectors/hubspot/twin/twin.ts";
import { drain } from "../../src/ingest/drain.ts";
import { AccountObject, type SubmitAnswer } from "../../src/objects/account.ts";
import type { SettleCall } from "../../src/objects/acting.ts";
import { accountName, accountStub } from "../../src/objects/names.ts";
import { seeded } from "../signals.ts";
import { Engine } from "./engine.ts";
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

export interface HubspotWorld {
  readonly engine: Engine;
  readonly twin: Twin;
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
const account = accountName(workspace, "hubspot", "4501");
const node = `${workspace}/identity`;
/** Loaded by and by in a Worker; in a turn nothing may wait for a file. */
const clientParts = [
  "client",
  "install",
  "create-tasks",
  "update-tasks",
  "close-tasks",
  "resolve-tasks",
  "resolve-marked",
];

export async function openHubspotWorld(seed: number, faults: Partial<TwinFaults> = {}): Promise<HubspotWorld> {
  for (const part of clientParts) await import(`../../connectors/hubspot/${part}.ts`);
  const engine = new Engine(begunAt, new Faults({}, seeded(seed), new Set()), seeded(seed ^ 0xde1a), false);
  engine.eventsMax = 20_000_000;
  const asked = new Map<string, Asked>();
  const identity = class {
    confirm() {
      return { arm: "go", moves: 0 };
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
  const twin = build({
    clientId: "",
    clientSecret: "",
    now: () => engine.now,
    faults: { ...faults, enforceLimits: true },
  });
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
      const broken = (delayMs: number) => answer(delayMs, () => reject(new TypeError("fetch failed")));
      engine.after(engine.between(10, 40), null, "request", () => {
        if (isDown()) return broken(engine.random() < 0.5 ? engine.between(5, 50) : deadlineMs);
        const one = url.pathname.startsWith("/oauth/")
          ? { answer: twin.tokens.token(new URLSearchParams(text)), rows: 0 }
          : serveApi(twin, {
              method: request.method,
              path: url.pathname,
              query: url.searchParams,
              authorization: request.headers.get("authorization") ?? undefined,
              text,
            });
        const { answer: said, rows } = one;
        if (said === null) return broken(5);
        const body = said.status === 204 ? null : JSON.stringify(said.body ?? {});
        const headers = { "content-type": "application/json", ...said.headers };
        answer(engine.between(40, 120) + (rows ?? 0), () =>
          resolve(new Response(body, { status: said.status, headers })),
        );
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
    twin,
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
        const { accessToken, refreshToken, expiresAt } = twin.tokens.issue();
        const grant = {
          accessToken,
          refreshToken,
          expiresAt,
          apiUrl: "https://hubspot.example.com",
          crmAccount: "4501",
          scopes: [],
        };
        const attach = { name: account, workspace, crm: "hubspot" as const, grant, at: begunAt };
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
