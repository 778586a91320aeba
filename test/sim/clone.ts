/** What crosses a call or lies on disk is a copy. Fast for plain data; refuses what the platform's serialisation refuses. */
export function clone<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol")
    throw new DOMException(`${typeof value} could not be cloned`, "DataCloneError");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const done: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) done[key] = copy(item);
  return done;
}
