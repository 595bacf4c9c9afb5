import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import type { BenchOptions } from "./options.ts";

/** One line of a bench's table. */
export interface Row {
  readonly measure: string;
  /** The figure the bar is about, such as 0.72. */
  readonly ratio: number;
  readonly unit?: string;
  /** What it has to reach; a row without one is there to be known. */
  readonly bar?: { readonly atLeast: number } | { readonly atMost: number };
  /** What stands behind the ratio, in absolute figures. */
  readonly details: string;
}

const results = new URL("../RESULTS.md", import.meta.url);

/** Prints the table, and keeps it as the last run of this bench in bench/RESULTS.md. */
export async function report(name: string, server: string, rows: readonly Row[], options: BenchOptions): Promise<void> {
  const table = [
    "| measure | ratio | bar | |",
    "|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.measure} | **${figure(row.ratio)}${row.unit ?? ""}** ${met(row) ? "" : "(missed)"} | ${bar(row)} | ${row.details} |`,
    ),
  ].join("\n");
  const section = `## ${name}\n\n\`npm run bench -- ${name}\`, ${machine(server)}\n\n${table}\n`;
  process.stdout.write(`\n${section}\n`);
  if (!options.save) return;
  const text = await readFile(results, "utf8").catch(() => head);
  const sections = text.split(/^(?=## )/m);
  const kept = sections.filter((one) => !one.startsWith(`## ${name}\n`));
  const [first = head, ...others] = kept;
  const all = [...others.map((one) => one.trim()), section.trim()].sort();
  await writeFile(results, `${first.trim()}\n\n${all.join("\n\n")}\n`);
}

const head = `# Results

The last run of each bench. Ratios first: each compares two things that took turns in one run on one machine, which is
shared and noisy; absolute figures are there to see the size of things. A ratio is the median over the rounds of each round's own ratio; the
rates in the last column are medians of their own, so one divided by the other can differ from it.
`;

function machine(server: string): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${server}, durable commits, ${cpus().length} cores shared by server and clients, ${memory} GB, Node ${process.versions.node.split(".")[0]}`;
}

function figure(value: number): string {
  return value >= 1000
    ? Math.round(value).toLocaleString("en")
    : value >= 10
      ? value.toFixed(1)
      : value.toFixed(value < 0.1 ? 4 : 2);
}

function met(row: Row): boolean {
  if (!row.bar) return true;
  return "atLeast" in row.bar ? row.ratio >= row.bar.atLeast : row.ratio <= row.bar.atMost;
}

function bar(row: Row): string {
  const unit = row.unit ?? "";
  if (!row.bar) return "";
  return "atLeast" in row.bar
    ? `at least ${figure(row.bar.atLeast)}${unit}`
    : `at most ${figure(row.bar.atMost)}${unit}`;
}
