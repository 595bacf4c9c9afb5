import { Command, Option } from "@commander-js/extra-typings";
import { toBigint, toCount, toMoment, toNames } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import type { Session } from "../database.ts";
import { tableColumns } from "../events.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { logPages, logPagesBackwards, type Selection, streamPages } from "../read-pages.ts";
import { rowWriter } from "../rows.ts";

const help = `
Without a stream the whole log is read, in order of position, up to what is settled.

Examples:
  $ daybook read account-42                     a stream, from its first event
  $ daybook read account-42 --from 100          from version 100 on
  $ daybook read account-42 --backwards -n 1    its last event
  $ daybook read --from 5000 --count 100        the log from position 5000 on
  $ daybook read --types MoneyDeposited,MoneyWithdrawn --since 2h --json
  $ daybook read --categories account --backwards -n 20`;

export function readCommand(cli: Cli) {
  return new Command("read")
    .description("Read a stream, or the whole log.")
    .argument("[stream]", "the stream; all of them if not given")
    .addOption(
      new Option("--from <n>", "version of the stream, or position in the log, to begin at").argParser(toBigint),
    )
    .addOption(new Option("-n, --count <n>", "how many events at most").argParser(toCount))
    .option("--backwards", "the last ones first")
    .addOption(new Option("--types <types>", "only events of these types, with commas between them").argParser(toNames))
    .addOption(new Option("--categories <names>", "only streams of these categories; of the log").argParser(toNames))
    .addOption(
      new Option("--since <moment>", "recorded since then: 2026-11-21T09:30:00Z, or 90s, 15m, 2h, 7d ago").argParser(
        toMoment,
      ),
    )
    .addHelpText("after", help)
    .action(async (stream, options) => {
      if (stream !== undefined && options.categories !== undefined) {
        throw new CommandError(exitCodes.usage, "--categories is for the log: a stream has one category");
      }
      const selection: Selection = {
        tenant: cli.tenant,
        types: options.types,
        categories: options.categories,
        from: options.from,
        since: options.since,
        backwards: options.backwards ?? false,
      };
      await withSession(cli, (session) => read(cli, session, stream, selection, options.count));
    });
}

async function read(
  cli: Cli,
  { db }: Session,
  stream: string | undefined,
  selection: Selection,
  count: number | undefined,
): Promise<void> {
  const writer = rowWriter(cli, tableColumns(cli.tenant));
  let wanted = count ?? Number.POSITIVE_INFINITY;
  let looked = 0;
  const left = () => wanted;
  const pages =
    stream !== undefined
      ? streamPages(db, stream, selection, left)
      : selection.backwards
        ? logPagesBackwards(db, selection, left)
        : logPages(db, selection, left);
  for await (const page of pages) {
    const lines = page.lines.slice(0, wanted);
    wanted -= lines.length;
    looked += page.length;
    if (lines.length > 0) await writer.add(lines);
  }
  if (stream !== undefined && looked === 0 && !(await exists(db, stream, selection.tenant))) {
    throw new CommandError(exitCodes.no, `there is no stream ${stream}`, "See what there is: daybook streams");
  }
  await writer.end();
}

async function exists(db: Session["db"], stream: string, tenant: string | null): Promise<boolean> {
  const [row] = await db.query<{ there: boolean }>("select daybook.stream_version($1, $2) > 0 as there", [
    stream,
    tenant,
  ]);
  return row?.there === true;
}
