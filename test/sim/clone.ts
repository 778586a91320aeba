/** What crosses a call or lies on disk is a copy. Fast for plain data; refuses what the platform's serialisation refuses. */
export function clone<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol")
    throw new DOMException(`${typeof value} could not be cloned`, "DataCloneError");
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(copy(item));
    return items;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const done: Record<string, unknown> = {};
  // Nothing is inherited that could be enumerated: see above.
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    done[key] = typeof item === "string" || typeof item === "number" ? item : copy(item);
  }
  return done;
}
