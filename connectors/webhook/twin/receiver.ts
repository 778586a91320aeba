/**
 * Somebody who listens to a webhook as Standard Webhooks asks: verifies what arrives with the connector that takes such deliveries in,
 * and keeps ids. A rejected promise is a broken connection.
 */
import { verify } from "../../standard-webhooks/verify.ts";

export interface Delivered {
  readonly id: string;
  readonly genuine: boolean;
  readonly signatures: number;
  readonly event: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** `lose`: taken and not answered; `drop`: not even taken. */
export type ReceiverFault = "drop" | "lose" | { readonly status: number; readonly retryAfter?: string };

export class WebhookReceiver {
  secrets: readonly string[] = [];
  /** Everything that was taken, repetitions included. */
  readonly taken: Delivered[] = [];
  faults: ReceiverFault[] = [];
  /** Attempts, those that failed included. */
  attempts = 0;

  /** What whoever keeps ids has seen. */
  get once(): readonly Delivered[] {
    return [...new Map(this.taken.map((one) => [one.id, one])).values()];
  }

  async handle(request: Request): Promise<Response> {
    this.attempts++;
    const body = new Uint8Array(await request.arrayBuffer());
    const fault = this.faults.shift();
    if (fault === "drop") throw new TypeError("connection broken");
    if (typeof fault === "object") {
      const headers: Record<string, string> = { location: "https://elsewhere.example.com/" };
      if (fault.retryAfter !== undefined) headers["retry-after"] = fault.retryAfter;
      return new Response("<html>no</html>", { status: fault.status, headers });
    }
    const headers = Object.fromEntries(request.headers);
    const delivery = { method: request.method, url: request.url, headers, body, receivedAt: Date.now() };
    this.taken.push({
      id: headers["webhook-id"] ?? "",
      genuine: verify(delivery, this.secrets, Date.now()).ok,
      signatures: (headers["webhook-signature"] ?? "").split(" ").length,
      event: JSON.parse(new TextDecoder().decode(body)),
    });
    if (fault === "lose") throw new TypeError("answer lost");
    return new Response("ok");
  }
}
