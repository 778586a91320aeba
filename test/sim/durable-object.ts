/** Stands in for `cloudflare:workers` in the simulator (see `hooks.ts`): the base class of an object, and nothing else. */
export class DurableObject<E = unknown> {
  protected readonly ctx: DurableObjectState;
  protected readonly env: E;

  constructor(ctx: DurableObjectState, env: E) {
    this.ctx = ctx;
    this.env = env;
  }
}
