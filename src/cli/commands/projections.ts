import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { ProjectionTimeoutError, UnknownProjectionError } from "../../errors.ts";
import { dropProjection, dropRebuild, resetProjection, waitFor } from "../../projections/index.ts";
import { parseJson } from "../../store/json.ts";
import { toBigint } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import { act, printRows, stateCommands } from "../consumers.ts";
import { failureCommands } from "../dead-letters.ts";
import { utc } from "../events.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { toJsonLine } from "../json.ts";
import { rebuild } from "../rebuild.ts";
import { rowWriter } from "../rows.ts";
import { numberColumn } from "../table.ts";

const help = `
behind: events it follows, of the next 10,000 of the log. health: good = less than 5 s behind, warning = up to 30 s,
critical = more, or halted. building: the version that is being built beside it, and how far it is.

Examples:
  $ daybook projections
  $ daybook projections show queue
  $ daybook projections rebuild queue`;

const rebuildHelp = `
Readers go on reading the version they have; when the new one has caught up it takes its place. Its apply function is taken
as it is now. One that is being built already is gone on with. Workers build, too: this command does it with them, or
alone where none runs; code in TypeScript runs in a worker with that code.

Ctrl-C ends the watching, not the rebuild: what was built stays, and a worker, or this command again, goes on with it.

Examples:
  $ daybook projections rebuild queue
  $ daybook projections rebuild queue --no-wait`;

const kind = { kind: "projection", command: "projections" } as const;

export function projectionsCommand(cli: Cli) {
  const command = new Command("projections")
    .description("List the projections; rebuild, pause, resume, reset them; see to what failed.")
    .addHelpText("after", help)
    .action(() => list(cli));
  const children = [
    showCommand(cli),
    new Command("rebuild")
      .description("Build a projection anew beside the live version, and switch to it.")
      .argument("<name>", "the projection")
      .option("--no-wait", "only begin: workers do the rest")
      .addHelpText("after", rebuildHelp)
      .action((name, { wait }) => rebuild(cli, name, wait)),
    ...stateCommands(cli, kind),
    resetCommand(cli),
    dropCommand(cli),
    dropRebuildCommand(cli),
    waitCommand(cli),
    ...failureCommands(cli, kind),
  ];
  for (const child of children) command.addCommand(child);
  return command;
}

function showCommand(cli: Cli) {
  return new Command("show")
    .description("Say all there is to know of a projection.")
    .argument("<name>", "the projection")
    .addHelpText("after", "\nExample:\n  $ daybook projections show queue --json | jq .last_error")
    .action(async (name) => {
      const [row] = await withSession(cli, ({ db }) => db.query<{ line: string }>(statusText, [name]));
      if (row === undefined) throw unknown(name);
      if (cli.json) return cli.out.line(row.line);
      const status = parseJson(row.line);
      const lines = Object.entries(status ?? {}).map(([what, value]) => toJsonLine({ what, value }));
      const writer = rowWriter(cli, [{ name: "what" }, { name: "value" }]);
      await writer.add(lines);
      await writer.end();
    });
}

function resetCommand(cli: Cli) {
  return new Command("reset")
    .description("Empty the tables of a projection and have it begin again: readers see it fill.")
    .argument("<name>", "the projection")
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", '\nExample:\n  $ daybook projections reset queue --reason "the clinic has moved"')
    .action((name, { reason }) =>
      act(cli, { kind: "projection", name, reason: reason ?? null }, `reset projection ${name}`, (db) =>
        resetProjection(db, { name, reason }),
      ),
    );
}

function dropCommand(cli: Cli) {
  return new Command("drop")
    .description("Remove a projection: its tables, its views, its position.")
    .argument("<name>", "the projection")
    .option("--cascade", "remove what rests on its views, too")
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", "\nExample:\n  $ daybook projections drop queue")
    .action((name, { cascade, reason }) =>
      act(cli, { kind: "projection", name, state: "dropped" }, `dropped projection ${name}`, (db) =>
        dropProjection(db, { name, cascade, reason }),
      ),
    );
}

function dropRebuildCommand(cli: Cli) {
  return new Command("drop-rebuild")
    .description("Give up the version that is being built; the live one stays as it is.")
    .argument("<name>", "the projection")
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", "\nExample:\n  $ daybook projections drop-rebuild queue")
    .action(async (name, { reason }) => {
      const wasThere = await withSession(cli, ({ db }) => dropRebuild(db, { name, reason }));
      if (!wasThere) throw new CommandError(exitCodes.no, `nothing is being built of projection ${name}`);
      const facts = { kind: "projection", name, rebuild: "dropped" };
      await cli.out.line(cli.json ? toJsonLine(facts) : `gave up the rebuild of projection ${name}`);
    });
}

function waitCommand(cli: Cli) {
  return new Command("wait")
    .description("Wait until a projection has come to a position.")
    .argument("<name>", "the projection")
    .argument("[position]", "the end of the log if not given", toBigint)
    .option("--timeout <seconds>", "exit with 1 after so long", toSeconds, 30)
    .addHelpText("after", "\nExample:\n  $ daybook projections wait queue 4711 --timeout 5")
    .action(async (name, position, { timeout }) => {
      const reached = await withSession(cli, async ({ db }) => {
        const [end] = await db.query<{ last: bigint }>(
          "select coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last",
        );
        const until = position ?? end?.last ?? 0n;
        try {
          return await waitFor(db, { projection: name, position: until, timeout: timeout * 1000 });
        } catch (error) {
          if (!(error instanceof ProjectionTimeoutError)) throw error;
          throw new CommandError(exitCodes.no, error.message, error.hint, { cause: error });
        }
      });
      await cli.out.line(cli.json ? toJsonLine({ name, position: reached }) : `${name} is at position ${reached}`);
    });
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds >= 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError("It is a number of seconds, a day at most.");
  }
  return Math.round(seconds * 1000) / 1000;
}

/** There is no projection of this name. */
function unknown(name: string): UnknownProjectionError {
  return new UnknownProjectionError(`there is no projection '${name}'`, {
    detail: { projection: name },
    hint: "daybook projections lists them.",
  });
}

async function list(cli: Cli): Promise<void> {
  const columns = [
    { name: "name", least: 12 },
    numberColumn("version"),
    { name: "mode" },
    { name: "state" },
    numberColumn("position"),
    numberColumn("behind"),
    numberColumn("lag_seconds"),
    { name: "health" },
    { name: "building" },
    { name: "needs_person" },
  ];
  await printRows(cli, columns, statusText, [null]);
}

const statusText = `
  select row_to_json(r)::text as line
    from daybook.projections p
   cross join lateral (
     select p.name, p.version, p.mode, p.takes, p.revision, p.tenant_id, p.state, p.state_reason, p.position, p.behind,
            p.positions_behind, p.lag_seconds, p.health, round(p.rate::numeric, 1) as rate, p.handled, p.attempts, ${utc("p.retry_at")} as retry_at,
            p.last_error, p.parked_streams, p.dead_letters, p.needs_person,
            case when p.building_version is not null then
              format('version %s, %s %%', p.building_version, floor(p.building_progress * 100)) end as building,
            p.building_version, p.building_state, p.building_reason, p.building_position, p.building_error,
            p.building_progress, p.building_seconds_left, p.schema, p.tables, p.apply, p.types, p.categories, p.on_failure,
            p.max_attempts, ${utc("p.moved_at")} as moved_at, ${utc("p.live_at")} as live_at) r
   where $1::text is null or p.name = $1
   order by p.name`;
