/**
 * One JSON line per event. Only words, numbers, node names (HMACs) and workspace ids may be logged: never a value that a
 * person typed, never a secret (G14 and STYLE "Failures").
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export function log(level: "info" | "warn" | "error", event: string, fields: LogFields = {}): void {
  const line = JSON.stringify({ level, event, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}

/** What may be said of a thrown thing: its class and, for our own errors, nothing more; a vendor's message may hold personal data. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
