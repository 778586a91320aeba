/** Sends requests over a bounded number of kept-alive connections, and statistics of what came back. */
import { Agent, type IncomingMessage, request } from "node:http";

export interface Shot {
  /** POST unless said otherwise. */
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Landed {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/** `node:http` costs the sender a third of the CPU of `fetch`, which matters on a machine that also runs the engine. */
export class Gun {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#port = port;
  }

  fire(shot: Shot): Promise<Landed> {
    const begun = performance.now();
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          path: shot.path,
          method: shot.method ?? "POST",
          agent: this.#agent,
          headers: { ...shot.headers, "content-length": String(Buffer.byteLength(shot.body)) },
        },
        (answer: IncomingMessage) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () =>
            resolve({
              status: answer.statusCode ?? 0,
              text: Buffer.concat(chunks).toString(),
              ms: performance.now() - begun,
            }),
          );
          answer.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(shot.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `work` for every item, at most `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

/** The value below which the share `p` of the numbers lies; NaN of none. */
export function percentile(numbers: readonly number[], p: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
