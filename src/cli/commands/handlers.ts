import { Command, Option } from "@commander-js/extra-typings";
import { dropHandler } from "../../handlers/operate-handler.ts";
import type { Cli } from "../cli.ts";
import { act, fromOption, printRows, stateCommands } from "../consumers.ts";
import { failureCommands } from "../dead-letters.ts";
import { utc } from "../events.ts";
import { numberColumn } from "../table.ts";

const help = `
behind: positions up to the end of the log. needs_person: it, or a stream of it, goes on only when somebody has looked.

Examples:
  $ daybook handlers
  $ daybook handlers --json | jq 'select(.needs_person)'
  $ daybook handlers replay room-view --from 2026-11-01 --as room-view-2`;

const resetHelp = `
All that it has done since is done again. Its parked streams are no longer parked, its open dead letters are discarded.

Example:
  $ daybook handlers reset room-view --from start --reason "the table was dropped"`;

const replayHelp = `
With --as the same code runs under a name of its own, beside the handler, which goes on as before; a worker that has the
handler runs it. Without, it is the handler itself that goes back, as with reset.

Examples:
  $ daybook handlers replay room-view --from 0 --as room-view-2
  $ daybook handlers replay room-view --from 2h --reason "they were handled wrongly"`;

const kind = { kind: "handler", command: "handlers" } as const;

export function handlersCommand(cli: Cli) {
  const reset = new Command("reset")
    .description("Set a handler back, or on: it begins again from there.")
    .argument("<name>", "the handler")
    .addOption(fromOption().default("start"))
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", resetHelp)
    .action((name, { from, reason }) => resetTo(cli, name, from, reason));
  const replay = new Command("replay")
    .description("Handle events again, from a position or a moment on.")
    .argument("<name>", "the handler")
    .addOption(fromOption().makeOptionMandatory())
    .addOption(new Option("--as <name>", "run it under this name, beside the handler"))
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", replayHelp)
    .action((name, { from, as, reason }) =>
      as === undefined
        ? resetTo(cli, name, from, reason)
        : act(
            cli,
            { kind: "handler", name: as, implementation: name, from },
            `replaying ${name} as ${as} from ${from}`,
            (db) => db.query("select daybook.replay_handler($1, $2, $3)", [name, from, as]),
          ),
    );
  const drop = new Command("drop")
    .description("Remove a handler and its position: a replay that has served its turn.")
    .argument("<name>", "the handler")
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", "\nExample:\n  $ daybook handlers drop room-view-2")
    .action((name, { reason }) =>
      act(cli, { kind: "handler", name, state: "dropped" }, `dropped handler ${name}`, (db) =>
        dropHandler(db, { name, reason }),
      ),
    );
  const command = new Command("handlers")
    .description("List the handlers; pause, resume, reset and replay them; see to what failed.")
    .addHelpText("after", help)
    .action(() => list(cli));
  for (const child of [...stateCommands(cli, kind), reset, replay, drop, ...failureCommands(cli, kind)]) {
    command.addCommand(child);
  }
  return command;
}

function resetTo(cli: Cli, name: string, from: string, reason: string | undefined): Promise<void> {
  return act(cli, { kind: "handler", name, from, reason: reason ?? null }, `reset handler ${name} to ${from}`, (db) =>
    db.query("select daybook.reset_handler($1, $2, $3)", [name, from, reason]),
  );
}

async function list(cli: Cli): Promise<void> {
  const columns = [
    { name: "name", least: 12 },
    { name: "state" },
    numberColumn("shards"),
    numberColumn("position"),
    numberColumn("behind"),
    numberColumn("lag_seconds"),
    numberColumn("parked_streams"),
    numberColumn("dead_letters"),
    { name: "needs_person" },
  ];
  await printRows(cli, columns, text);
}

const text = `
  select row_to_json(r)::text as line
    from daybook.handlers h
   cross join lateral (
     select h.name, h.implementation, h.tenant_id, h.state, h.state_reason, h.types, h.categories, h.shards, h.shards_wanted,
            h.position, h.behind, h.lag_seconds, h.attempts, ${utc("h.retry_at")} as retry_at, h.last_error,
            h.parked_streams, h.dead_letters, h.needs_person, h.on_failure, h.max_attempts, ${utc("h.moved_at")} as moved_at) r
   order by h.name`;
