/** The floors: what the platform itself costs on this machine, with nothing of ours in it. */
import { DurableObject } from "cloudflare:workers";

interface FloorEnv {
  readonly FLOOR: DurableObjectNamespace<FloorObject>;
}

export class FloorObject extends DurableObject {
  insert(key: string, body: string): void {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS log (key TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID");
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO log VALUES (?, ?)", key, body);
  }
}

export default {
  async fetch(request, env) {
    const body = (await request.json()) as { messageId: string; userId: string };
    // (a) parse JSON, answer; (b) parse JSON, one insert in one of many objects, answer.
    if (new URL(request.url).pathname === "/b") {
      const stub = env.FLOOR.get(env.FLOOR.idFromName(body.userId));
      await stub.insert(body.messageId, JSON.stringify(body));
    }
    return new Response(null, { status: 202 });
  },
} satisfies ExportedHandler<FloorEnv>;
