import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import type { ConsumerKind } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { toBigint, toMoment } from "./arguments.ts";
import { type Cli, withSession } from "./cli.ts";
import { toJsonLine } from "./json.ts";
import { rowWriter } from "./rows.ts";
import type { Column } from "./table.ts";

/*
 * What the commands for handlers, for projections and for the outbox have in common.
 */

/** A handler, a projection or a route, in words and in SQL. */
export interface Kind {
  readonly kind: ConsumerKind;
  /** The command they are under. */
  readonly command: "handlers" | "projections" | "outbox";
}

const lines = z.array(z.object({ line: z.string() }));

/** Prints the rows of a query, each a JSON object in its column `line`; gives how many. */
export async function printRows(
  cli: Cli,
  columns: readonly Column[],
  text: string,
  values: readonly unknown[] = [],
): Promise<number> {
  const rows = lines.parse(await withSession(cli, ({ db }) => db.query(text, values)));
  const writer = rowWriter(cli, columns);
  if (rows.length > 0) await writer.add(rows.map(({ line }) => line));
  await writer.end();
  return rows.length;
}

/** Does something to a consumer, and says so. */
export async function act(
  cli: Cli,
  facts: object,
  sentence: string,
  work: (db: Db) => Promise<unknown>,
): Promise<void> {
  await withSession(cli, ({ db }) => work(db));
  await cli.out.line(cli.json ? toJsonLine(facts) : sentence);
}

/** Where to begin: as SQL takes it. */
export function toStart(text: string): string {
  if (text === "start" || text === "now") return text;
  if (/^\d+$/.test(text)) return String(toBigint(text));
  try {
    return toMoment(text);
  } catch {
    throw new InvalidArgumentError("It is start, now, a position, or a moment such as 2026-11-21T09:30:00Z or 2h.");
  }
}

/** Commands that pause and resume. */
export function stateCommands(cli: Cli, { kind, command }: Kind) {
  const pause = new Command("pause")
    .description(`Pause a ${kind}; when it returns, nothing more of it is being ${doings[kind]}.`)
    .argument("<name>", `the ${kind}`)
    .option("--reason <text>", "why, for whoever looks at it")
    .addHelpText("after", `\nExample:\n  $ daybook ${command} pause ${example(kind)} --reason "the read table moves"`)
    .action((name, { reason }) =>
      act(cli, { kind, name, state: "paused", reason: reason ?? null }, `paused ${kind} ${name}`, (db) =>
        db.query(`select daybook.pause_${kind}($1, $2)`, [name, reason]),
      ),
    );
  const resume = new Command("resume")
    .description(`Let a ${kind} that is paused or halted go on.`)
    .argument("<name>", `the ${kind}`)
    .addHelpText("after", `\nExample:\n  $ daybook ${command} resume ${example(kind)}`)
    .action((name) =>
      act(cli, { kind, name, state: "running" }, `resumed ${kind} ${name}`, (db) =>
        db.query(`select daybook.resume_${kind}($1)`, [name]),
      ),
    );
  return [pause, resume];
}

/** The option that says where to begin. */
export const fromOption = () =>
  new Option("--from <where>", "start, now, the position behind which to begin, or a moment").argParser(toStart);

const doings = { handler: "handled", projection: "written", route: "sent" } as const;

/** A name for examples. */
export function example(kind: ConsumerKind): string {
  return { handler: "room-view", projection: "queue", route: "announcements" }[kind];
}
