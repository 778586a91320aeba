/** The only table of URLs (DESIGN §7). */
import { Hono } from "hono";
import { eraseLead } from "./api/erase.ts";
import { leadPage } from "./api/lead-page.ts";
import { overviewPage } from "./api/overview.ts";
import { keepLeadsApart, mergeLeads, settleException, splitLead } from "./api/people.ts";
import {
  listCounts,
  listDecisions,
  listExceptions,
  listFollowUps,
  listLeads,
  readException,
  readLead,
} from "./api/read.ts";
import {
  createConnection,
  createEmitter,
  createWorkspace,
  listConnections,
  listEmitters,
  readPolicy,
  writePolicy,
} from "./api/setup.ts";
import type { Env } from "./env.ts";
import { problem } from "./ingest/problem.ts";
import { receiveWebhook } from "./ingest/receive.ts";
import { receiveSegment, segmentPaths } from "./ingest/segment.ts";
import { receiveSignals } from "./ingest/signals.ts";
import { finishInstall, startInstall } from "./install/oauth.ts";
import { errorName, log } from "./log.ts";

export const app = new Hono<{ Bindings: Env }>();

app.post("/in/:emitterKey", receiveWebhook);
for (const path of segmentPaths) app.post(`/v1/${path}`, receiveSegment);
app.post("/v1/signals", receiveSignals);

app.post("/v1/workspaces", createWorkspace);
app.post("/v1/emitters", createEmitter);
app.get("/v1/emitters", listEmitters);
app.get("/v1/policy", readPolicy);
app.put("/v1/policy", writePolicy);
app.post("/v1/connections", createConnection);
app.get("/v1/connections", listConnections);
app.get("/v1/leads", listLeads);
app.get("/v1/leads/:id", readLead);
app.post("/v1/leads/:id/split", splitLead);
app.post("/v1/leads/:id/merge", mergeLeads);
app.post("/v1/leads/:id/keep-apart", keepLeadsApart);
app.post("/v1/leads/:id/erase", eraseLead);
app.get("/v1/follow-ups", listFollowUps);
app.get("/v1/decisions", listDecisions);
app.get("/v1/exceptions", listExceptions);
app.get("/v1/exceptions/:id", readException);
app.post("/v1/exceptions/:id", settleException);
app.get("/v1/counts", listCounts);

app.get("/oauth/:crm/install", startInstall);
app.get("/oauth/:crm/callback", finishInstall);

app.get("/healthz", (c) => c.text("ok"));
app.get("/leads/:id", leadPage);
app.get("/", overviewPage);

app.all("/in/*", () =>
  problem(405, { code: "method_not_allowed", detail: "Deliveries are sent with POST." }, { allow: "POST" }),
);
app.notFound(() => problem(404, { code: "not_found" }));
app.onError((error) => {
  log("error", "request.failed", { error: errorName(error) });
  return problem(503, { code: "unavailable" }, { "retry-after": "5" });
});
