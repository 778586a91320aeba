/** A plain first page, until the console stands here: what this is, and where to go. */
import type { AppContext } from "../ingest/receive.ts";

export function overviewPage(c: AppContext): Response | Promise<Response> {
  return c.html(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Baton</title>
<style>body{font:16px/1.5 system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem}code{background:#f3f3f3;padding:.1em .3em}</style></head>
<body><h1>Baton</h1><p>One accountable follow-up for every lead. This engine is running.</p>
<ul><li>Webhooks: <code>POST /in/&lt;emitter key&gt;</code></li><li>Segment's API: <code>POST /v1/track</code>, <code>/v1/identify</code>, …</li>
<li>Native signals: <code>POST /v1/signals</code></li><li>Leads, follow-ups, decisions, exceptions: <code>GET /v1/…</code> with a workspace key</li></ul></body></html>`);
}
