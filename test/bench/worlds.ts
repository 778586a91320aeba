/** The runtimes that `people.ts` sends signals to. */
import { Gun } from "../../src/local/load.ts";
import type { Engine } from "../../src/local/runtime.ts";

export const loadConnections = 2;

export interface World {
  readonly name: "small" | "large";
  readonly leads: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A signal of this person that leads to nothing. */
  readonly signal: (person: number) => string;
  readonly state: string;
  readonly restart: () => Promise<void>;
  engine: Engine;
  gun: Gun;
}

export function world(
  facts: Omit<World, "engine" | "gun" | "restart">,
  port: number,
  engine: Engine,
  start: () => Promise<Engine>,
): World {
  const opened: World = {
    ...facts,
    engine,
    gun: new Gun(port, loadConnections),
    restart: async () => {
      await close(opened);
      opened.engine = await start();
      opened.gun = new Gun(port, 1);
    },
  };
  return opened;
}

export async function close(world: World): Promise<void> {
  world.gun.close();
  await world.engine.stop();
}

/** Milliseconds until the signal was accepted. */
export async function send(world: World, person: number): Promise<number> {
  const begun = performance.now();
  await fire(world, "application/json", world.signal(person));
  return performance.now() - begun;
}

export async function fire(world: World, type: string, body: string): Promise<string> {
  const landed = await world.gun.fire({
    path: world.path,
    headers: { "content-type": type, ...world.headers },
    body,
  });
  if (landed.status !== 202) throw new Error(`${world.name} answered ${landed.status}: ${landed.text}`);
  return landed.text;
}
