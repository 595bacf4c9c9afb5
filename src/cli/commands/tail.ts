import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import type { Db } from "../../db.ts";
import { toBigint, toCount, toNames } from "../arguments.ts";
import { type Cli, withTarget } from "../cli.ts";
import { connect, type Session, type Target } from "../database.ts";
import { type LogFilter, readLogPage, tableColumns } from "../events.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { say } from "../output.ts";
import { type RowWriter, rowWriter } from "../rows.ts";

const help = `
Prints the events that are appended from now on, or from a position on, until Ctrl-C. No event is left out and none
comes twice, also when the database restarts meanwhile: tail connects again and goes on behind the last event.

Examples:
  $ daybook tail
  $ daybook tail --from 1                      everything there is, then what comes
  $ daybook tail --types PatientCheckedIn --json | jq -r .data.name
  $ daybook tail --count 1                     wait for the next event`;

export function tailCommand(cli: Cli) {
  return new Command("tail")
    .description("Follow the log.")
    .addOption(new Option("--from <position>", "begin at this position; now if not given").argParser(toBigint))
    .addOption(new Option("-n, --count <n>", "end after so many events").argParser(toCount))
    .addOption(new Option("--types <types>", "only events of these types, with commas between them").argParser(toNames))
    .addOption(new Option("--categories <names>", "only streams of these categories").argParser(toNames))
    .addHelpText("after", help)
    .action(async (options) => {
      const filter: LogFilter = { tenant: cli.tenant, types: options.types, categories: options.categories };
      await withTarget(cli, (target) =>
        cli.untilStopped((signal) =>
          follow(target, {
            filter,
            writer: rowWriter(cli, tableColumns(cli.tenant)),
            signal,
            left: options.count ?? Number.POSITIVE_INFINITY,
            cursor: options.from === undefined ? undefined : options.from > 0n ? options.from - 1n : 0n,
            isBegun: false,
          }),
        ),
      );
    });
}

/** What is followed, and how far it has come. */
interface Tail {
  readonly filter: LogFilter;
  readonly writer: RowWriter;
  readonly signal: AbortSignal;
  /** How many events are still to be printed. */
  left: number;
  /** Position of the last event; undefined: not known yet what is now. */
  cursor: bigint | undefined;
  /** Whether the log has been looked at. */
  isBegun: boolean;
}

const idle = { first: 20, most: 500 };
const reconnect = { first: 100, most: 5000 };
const pageSize = 1000;

async function follow(target: Target, tail: Tail): Promise<void> {
  let delay = reconnect.first;
  const onPage = () => {
    delay = reconnect.first;
  };
  let session: Session | null = await connect(target);
  while (!tail.signal.aborted) {
    try {
      if (session !== null) return await followOver(session, tail, onPage);
    } catch (error) {
      if (tail.signal.aborted) return;
      const loss = error instanceof CommandError ? null : await session?.lossBehind(error);
      if (!loss) throw error;
      say(`the connection was lost (${loss}): connecting again`);
    } finally {
      await session?.close();
    }
    await pause(delay, tail.signal);
    delay = Math.min(delay * 2, reconnect.most);
    session = tail.signal.aborted ? null : await connectAgain(target);
  }
}

/** Follows the log over one connection, until that is lost, or all is done. */
async function followOver({ db }: Session, tail: Tail, onPage: () => void): Promise<void> {
  if (tail.cursor !== undefined && tail.isBegun) await refuseLogSetBack(db, tail.cursor);
  let delay = idle.first;
  tail.cursor ??= await one(db, "select daybook.horizon() as value");
  tail.isBegun = true;
  while (tail.left > 0 && !tail.signal.aborted) {
    const page = await readLogPage(db, tail.filter, tail.cursor, Math.min(tail.left, pageSize));
    onPage();
    if (page.lastPosition !== undefined) {
      await tail.writer.add(page.lines);
      tail.cursor = page.lastPosition;
      tail.left -= page.lines.length;
      delay = idle.first;
    } else {
      await pause(delay, tail.signal);
      delay = Math.min(delay * 2, idle.most);
    }
  }
}

/** Null: not yet. */
async function connectAgain(target: Target): Promise<Session | null> {
  try {
    const session = await connect(target);
    say("connected again");
    return session;
  } catch (error) {
    if (isFinal(error)) throw error;
    return null;
  }
}

/** Wrong user, password or database stay so; all else may pass. */
function isFinal(error: unknown): boolean {
  const cause = error instanceof CommandError ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "28P01" || code === "28000" || code === "3D000";
}

/** A log that ends before what has been printed has lost its end, or is another log: to go on would leave events out. */
async function refuseLogSetBack(db: Db, cursor: bigint): Promise<void> {
  const last = await one(db, "select coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as value");
  if (last >= cursor) return;
  throw new CommandError(
    exitCodes.refused,
    `the log ends at position ${last}, and ${cursor} has been printed: it was set back`,
    "Was the server restored, or failed over to one that lagged behind? Begin again, from where both agree: --from.",
  );
}

const oneRow = z.tuple([z.object({ value: z.bigint() })]);

async function one(db: Db, text: string): Promise<bigint> {
  return oneRow.parse(await db.query(text))[0].value;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
