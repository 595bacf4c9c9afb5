import { Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import type { Db } from "../../db.ts";
import { toBigint } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import { utc } from "../events.ts";
import { toJsonLine } from "../json.ts";
import { rowWriter } from "../rows.ts";
import { numberColumn } from "../table.ts";
import { counted } from "../text.ts";

const help = `
States: ahead, current, past, sealing, sealed. Rows are as PostgreSQL's statistics have them. passed: sealed, and every
checkpoint lies behind it.

Examples:
  $ daybook partitions
  $ daybook partitions ensure --months 6
  $ daybook partitions seal`;

const ensureHelp = `
Examples:
  $ daybook partitions ensure               as many months ahead as the setting partitions_ahead says
  $ daybook partitions ensure --months 12   a year ahead`;

const sealHelp = `
Nothing is recorded any more in a partition that is sealed, even if the clock goes back; readers skip it by its last
position. It waits for transactions that were under way: while there are some, the partition stays "sealing".

Example:
  $ daybook partitions seal`;

export function partitionsCommand(cli: Cli) {
  const ensure = new Command("ensure")
    .description("Make the partitions of this month and of the months ahead that are missing.")
    .addOption(
      new Option("--months <n>", "how many months ahead; the setting partitions_ahead if not given").argParser(
        toBigint,
      ),
    )
    .addHelpText("after", ensureHelp)
    .action(async ({ months }) => {
      const made = await withSession(cli, ({ db }) => names(db, "daybook.ensure_partitions($1)", [months ?? null]));
      await tell(cli, made, "made", "none is missing");
    });
  const seal = new Command("seal")
    .description("Seal the partitions of past months.")
    .addHelpText("after", sealHelp)
    .action(async () => {
      const sealed = await withSession(cli, ({ db }) => sealAll(db));
      await tell(cli, sealed, "sealed", "none was sealed");
    });
  return new Command("partitions")
    .description("List the monthly partitions of the log; make and seal them.")
    .addHelpText("after", help)
    .action(() => list(cli))
    .addCommand(ensure)
    .addCommand(seal);
}

async function list(cli: Cli): Promise<void> {
  const writer = rowWriter(cli, [
    { name: "partition" },
    { name: "state" },
    numberColumn("rows"),
    numberColumn("bytes"),
    numberColumn("first_position"),
    numberColumn("last_position"),
    { name: "passed" },
  ]);
  const rows = z.array(z.object({ line: z.string() })).parse(await withSession(cli, ({ db }) => db.query(text)));
  await writer.add(rows.map(({ line }) => line));
}

const text = `
  select row_to_json(r)::text as line
    from daybook.partitions p
   cross join lateral (
     select p.partition, ${utc("p.range_from")} as range_from, ${utc("p.range_to")} as range_to, p.state, p.rows, p.bytes,
            p.first_position, p.last_position, p.passed) r
   order by p.range_from`;

/** Each partition takes three steps, in transactions of their own. */
async function sealAll(db: Db): Promise<string[]> {
  const sealed: string[] = [];
  for (let step = 1; step <= 3; step += 1) sealed.push(...(await names(db, "daybook.seal_partitions()", [])));
  return sealed;
}

async function names(db: Db, call: string, values: readonly unknown[]): Promise<string[]> {
  const rows = await db.query(`select name from ${call} name`, values);
  return z
    .array(z.object({ name: z.string() }))
    .parse(rows)
    .map(({ name }) => name);
}

async function tell(cli: Cli, partitions: readonly string[], done: string, nothing: string): Promise<void> {
  if (cli.json) {
    await cli.out.write(partitions.map((partition) => `${toJsonLine({ partition, state: done })}\n`).join(""));
  } else if (partitions.length === 0) {
    await cli.out.line(nothing);
  } else {
    await cli.out.line(`${done} ${counted(partitions.length, "partition")}: ${partitions.join(", ")}`);
  }
}
