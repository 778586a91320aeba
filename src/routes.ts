/** The only table of URLs (DESIGN §7). */
import { Hono } from "hono/tiny";
import { tellOfFollowUp } from "./api/answers.ts";
import { createBacktest, listBacktests, listDifferences, readBacktest } from "./api/backtests.ts";
import { eraseLead } from "./api/erase.ts";
import { leadPage } from "./api/lead-page.ts";
import { listOutlets, removeOutlet, saveOutlet, testOutlet } from "./api/outlets.ts";
import { overviewPage } from "./api/overview.ts";
import { answerException, keepLeadsApart, mergeLeads, splitLead } from "./api/people.ts";
import {
  diffVersion,
  listVersions,
  readPolicy,
  readPolicyPage,
  readPolicySchema,
  readVersion,
  rollBack,
  writePolicy,
} from "./api/policy.ts";
import {
  activateDraft,
  checkDraft,
  createDraft,
  diffDraft,
  listDrafts,
  readDraft,
  removeDraft,
  saveDraft,
} from "./api/policy-drafts.ts";
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
  showCardKey,
} from "./api/setup.ts";
import { undoVersion } from "./api/undo.ts";
import { explainDecision } from "./api/why.ts";

import { pressButton, showCard } from "./card/door.ts";
import type { Env } from "./env.ts";
import { receiveOutboundMessage } from "./ingest/outbound.ts";
import { problem } from "./ingest/problem.ts";
import { receiveWebhook } from "./ingest/receive.ts";
import { receiveSegment, segmentPaths } from "./ingest/segment.ts";
import { receiveSignals } from "./ingest/signals.ts";
import { removeConnection } from "./install/disconnect.ts";
import { finishInstall, startInstall } from "./install/oauth.ts";
import { errorName, log } from "./log.ts";

export const app = new Hono<{ Bindings: Env }>();

app.post("/in/:emitterKey", receiveWebhook);
app.post("/in/:emitterKey/outbound-message", receiveOutboundMessage);
for (const path of segmentPaths) app.post(`/v1/${path}`, receiveSegment);
app.post("/v1/signals", receiveSignals);

app.post("/v1/workspaces", createWorkspace);
app.post("/v1/emitters", createEmitter);
app.get("/v1/emitters", listEmitters);
app.get("/v1/policy", readPolicy);
app.put("/v1/policy", writePolicy);
app.get("/v1/policy/schema", readPolicySchema);
app.post("/v1/policy/rollback", rollBack);
app.get("/v1/policy/versions", listVersions);
app.get("/v1/policy/versions/:version", readVersion);
app.get("/v1/policy/versions/:version/diff", diffVersion);
app.get("/v1/policy/drafts", listDrafts);
app.post("/v1/policy/drafts", createDraft);
app.get("/v1/policy/drafts/:id", readDraft);
app.put("/v1/policy/drafts/:id", saveDraft);
app.delete("/v1/policy/drafts/:id", removeDraft);
app.get("/v1/policy/drafts/:id/diff", diffDraft);
app.get("/v1/policy/drafts/:id/checklist", checkDraft);
app.post("/v1/policy/drafts/:id/activate", activateDraft);
for (const page of ["routing.md", "routing.csv", "ownership.md", "ownership.csv"])
  app.get(`/v1/policy/${page}`, readPolicyPage);
app.post("/v1/policy/versions/:version/undo", undoVersion);
app.post("/v1/connections", createConnection);
app.get("/v1/connections", listConnections);
app.delete("/v1/connections/:id", removeConnection);
app.post("/v1/connections/:id/card-key", showCardKey);
app.post("/v1/outlets", saveOutlet);
app.get("/v1/outlets", listOutlets);
app.delete("/v1/outlets/:name", removeOutlet);
app.post("/v1/outlets/:name/test", testOutlet);
app.get("/v1/leads", listLeads);
app.get("/v1/leads/:id", readLead);
app.post("/v1/leads/:id/split", splitLead);
app.post("/v1/leads/:id/merge", mergeLeads);
app.post("/v1/leads/:id/keep-apart", keepLeadsApart);
app.post("/v1/leads/:id/erase", eraseLead);
app.get("/v1/follow-ups", listFollowUps);
app.post("/v1/follow-ups/:id", tellOfFollowUp);
app.get("/v1/decisions", listDecisions);
app.get("/v1/decisions/:id/why", explainDecision);
app.post("/v1/backtests", createBacktest);
app.get("/v1/backtests", listBacktests);
app.get("/v1/backtests/:id", readBacktest);
app.get("/v1/backtests/:id/differences", listDifferences);
app.get("/v1/exceptions", listExceptions);
app.get("/v1/exceptions/:id", readException);
app.post("/v1/exceptions/:id", answerException);
app.get("/v1/counts", listCounts);

app.get("/oauth/:crm/install", startInstall);
app.get("/oauth/:crm/callback", finishInstall);

for (const crm of ["hubspot", "salesforce"] as const) {
  app.get(`/card/${crm}/record`, showCard(crm));
  app.post(`/card/${crm}/press`, pressButton(crm));
}

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
