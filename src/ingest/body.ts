/**
 * Reads a body up to a bound, before anything looks at it. Some clients (RudderStack's) send gzip: the bound then holds for
 * what comes out, so that a small bomb cannot unfold in memory.
 */
import { fail, ok, type Result, refused } from "../failure.ts";

export async function boundedBody(request: Request, bytesMax: number): Promise<Result<Uint8Array>> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > bytesMax) return fail(tooLarge(bytesMax));
  if (request.body === null) return ok(new Uint8Array(0));
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding === "identity" && declared > 0) return ok(new Uint8Array(await request.arrayBuffer()));
  if (encoding !== "identity" && encoding !== "gzip")
    return fail(refused("unknown_encoding", "A body may be plain or gzip."));
  try {
    return await readBounded(
      encoding === "gzip" ? request.body.pipeThrough(new DecompressionStream("gzip")) : request.body,
      bytesMax,
    );
  } catch {
    return fail(refused("broken_body", "The body ends early or is not what its encoding says."));
  }
}

async function readBounded(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > bytesMax) return fail(tooLarge(bytesMax));
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

function tooLarge(bytesMax: number) {
  return refused("body_too_large", `A body may be ${bytesMax} bytes.`);
}
