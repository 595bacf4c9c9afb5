import { parseJson } from "../store/json.ts";
import type { Cli } from "./cli.ts";
import { toJsonLine } from "./json.ts";
import { type Column, columnWidths, shortTime, tableLine } from "./table.ts";
import { printable } from "./text.ts";

/** Prints rows as they come: NDJSON, a table, or, where nobody looks, lines with tabs between the cells. */
export interface RowWriter {
  /** Prints a page of rows, each a JSON object in one line. */
  add(lines: readonly string[]): Promise<void>;
  /** Says that these were all: an empty table has its heading too. */
  end(): Promise<void>;
}

/** No terminal is as wide as this; what lies behind need not be measured. */
const longest = 2000;

/** @param columns what a table shows of a row; JSON has it all */
export function rowWriter(cli: Cli, columns: readonly Column[]): RowWriter {
  if (cli.json) {
    return { add: (lines) => cli.out.write(lines.map((line) => `${line}\n`).join("")), end: async () => undefined };
  }
  return cli.out.isTerminal ? terminalTable(cli, columns) : tabSeparated(cli, columns);
}

function terminalTable({ out }: Cli, columns: readonly Column[]): RowWriter {
  let widths: number[] | undefined;
  const add = async (lines: readonly string[]) => {
    const rows = lines.map((line) => cellsOf(columns, line).map((cell) => shortTime(cell.slice(0, longest))));
    if (widths === undefined) {
      widths = columnWidths(columns, rows, out.width);
      await out.line(
        out.bold(
          tableLine(
            columns,
            widths,
            columns.map(({ name }) => name),
          ),
        ),
      );
    }
    for (const cells of rows) await out.line(tableLine(columns, widths, cells));
  };
  return { add, end: async () => (widths === undefined ? add([]) : undefined) };
}

function tabSeparated({ out }: Cli, columns: readonly Column[]): RowWriter {
  let isBegun = false;
  const add = async (lines: readonly string[]) => {
    const rows = lines.map((line) => cellsOf(columns, line));
    if (!isBegun) rows.unshift(columns.map(({ name }) => name));
    isBegun = true;
    await out.write(rows.map((cells) => `${cells.join("\t")}\n`).join(""));
  };
  return { add, end: async () => (isBegun ? undefined : add([])) };
}

function cellsOf(columns: readonly Column[], line: string): string[] {
  const row = parseJson(line);
  const members = new Map(typeof row === "object" && row !== null ? Object.entries(row) : []);
  return columns.map(({ name }) => {
    const value: unknown = members.get(name) ?? "";
    return printable(typeof value === "string" ? value : toJsonLine(value));
  });
}
