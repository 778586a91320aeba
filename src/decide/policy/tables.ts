/** Tables as Markdown and as CSV. What stands in them was typed by people and is read by programs: nothing of it is markup or a formula. Pure. */
import type { Table } from "./export.ts";

export function markdownOf(heading: string, tables: readonly Table[]): string {
  const parts = tables.map(({ title, columns, rows }) => {
    if (rows.length === 0) return `## ${markdownText(title)}\n\nNothing yet.\n`;
    const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
    return `## ${markdownText(title)}\n\n${[line(columns), `|${" --- |".repeat(columns.length)}`, ...rows.map(line)].join("\n")}\n`;
  });
  return `# ${markdownText(heading)}\n\n${parts.join("\n")}`;
}

/** One header and one table, RFC 4180. */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/** Tables of different columns as one: a line for each cell that is not the row's name. */
export function longTable(tables: readonly Table[]): Table {
  return {
    title: "",
    columns: ["section", "name", "item", "value"],
    rows: tables.flatMap(({ title, columns, rows }) =>
      rows.flatMap(([name = "", ...cells]) =>
        cells.map((cell, index) => [title, name, columns[index + 1] ?? "", cell]),
      ),
    ),
  };
}

function markdownText(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|~&]/g, "\\$&");
}

/** A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection). */
const formula = /^[=+\-@\t\r]/;

function csvCell(text: string): string {
  const harmless = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
