/**
 * Where the laptop, the tests and the bench keep the engine's state: on tmpfs where there is one. Every commit of an object
 * waits for one fsync, so on a slow or busy disk wall time would say more about the disk than about the engine; and nothing of
 * it is meant to outlive the run.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of this name; the caller empties it. Different runs at once need different names. */
export function scratchFolder(name: string): string {
  return join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `baton-${name}`);
}
