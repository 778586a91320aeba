/** Reads a body up to a bound, before anything looks at it. */
import { fail, ok, refused, type Result } from "../failure.ts";

export async function boundedBody(request: Request, bytesMax: number): Promise<Result<Uint8Array>> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > bytesMax) return fail(refused("body_too_large", `A body may be ${bytesMax} bytes.`));
  if (request.body === null) return ok(new Uint8Array(0));
  if (declared > 0) return ok(new Uint8Array(await request.arrayBuffer()));
  // No declared length: count while reading, and stop at the bound.
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > bytesMax) return fail(refused("body_too_large", `A body may be ${bytesMax} bytes.`));
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return ok(whole);
}
