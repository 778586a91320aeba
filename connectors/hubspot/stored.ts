/**
 * What HubSpot makes of values that were written to a task, undone for comparison. Pure. What exactly it changes is not
 * published: the editor wraps lines in `p` and `div`, and reads give instants in ISO. So text is compared without its wrapping
 * and spaces; any other tag is a person's (bold, a link, a list) and makes a difference.
 */

/** The words of a body or subject, line by line, without blank lines and without our marker. */
export function textOf(html: string): string {
  const lines = html
    .replaceAll(/<br\s*\/?>|<\/(?:p|div)>/gi, "\n")
    .replaceAll(/<(?:p|div)(?:\s[^<>]*)?>/gi, "")
    // A tag that is left must not be taken for the same characters in our text, which are entities.
    .replaceAll("<", "\u0000")
    .replaceAll(/&(#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,6});/gi, (entity, name: string) => decoded(name) ?? entity)
    .split("\n")
    .map((line) => line.replaceAll(/\s+/g, " ").trim());
  if (marked.test(lines.findLast((line) => line !== "") ?? ""))
    lines.splice(
      lines.findLastIndex((line) => line !== ""),
      1,
    );
  return lines.filter((line) => line !== "").join("\n");
}

/** What our marker was written as, to be written again below another body; empty where there is none. */
export function markerIn(html: string): string {
  const found = /\[baton:[^\]<>]*\]/.exec(html)?.[0];
  return found === undefined ? "" : `<br><br>${found}`;
}

/** Epoch ms from either form; not a number where there is none. */
export function instantOf(value: string): number {
  return /^\d+$/.test(value) ? Number(value) : Date.parse(value);
}

function decoded(name: string): string | undefined {
  if (!name.startsWith("#")) return entities[name.toLowerCase()];
  const code = name[1]?.toLowerCase() === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };
const marked = /^\[baton:[^\]]*\]$/;
