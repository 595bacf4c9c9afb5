import { Command } from "@commander-js/extra-typings";
import type { Cli } from "../cli.ts";
import { act, fromOption, printRows, stateCommands } from "../consumers.ts";
import { failureCommands } from "../dead-letters.ts";
import { utc } from "../events.ts";
import { numberColumn, timeColumn } from "../table.ts";

const help = `
undelivered: messages not delivered yet, parked ones among them; since when the oldest waits stands beside it.

Examples:
  $ daybook outbox
  $ daybook outbox dead-letters
  $ daybook outbox retry --all
  $ daybook outbox pause announcements --reason "the broker moves"`;

const resetHelp = `
What lies behind that, and is still in the outbox, is sent again, with the same message ids.

Example:
  $ daybook outbox reset announcements --from 2h --reason "the receiver lost them"`;

const kind = { kind: "route", command: "outbox" } as const;

export function outboxCommand(cli: Cli) {
  const reset = new Command("reset")
    .description("Set a route back, or on: it sends again from there.")
    .argument("<name>", "the route")
    .addOption(fromOption().makeOptionMandatory())
    .option("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", resetHelp)
    .action((name, { from, reason }) =>
      act(cli, { kind: "route", name, from, reason: reason ?? null }, `reset route ${name} to ${from}`, (db) =>
        db.query("select daybook.reset_route($1, $2, $3)", [name, from, reason]),
      ),
    );
  const command = new Command("outbox")
    .description("List the routes and their backlog; pause, resume and reset them; see to what failed.")
    .addHelpText("after", help)
    .action(() => list(cli));
  for (const child of [...stateCommands(cli, kind), reset, ...failureCommands(cli, kind)]) command.addCommand(child);
  return command;
}

async function list(cli: Cli): Promise<void> {
  const columns = [
    { name: "name", least: 12 },
    { name: "transport" },
    { name: "state" },
    { name: "mode" },
    numberColumn("undelivered"),
    timeColumn("oldest_written_at"),
    numberColumn("attempts"),
    numberColumn("parked_streams"),
    numberColumn("dead_letters"),
    { name: "needs_person" },
  ];
  await printRows(cli, columns, text);
}

const text = `
  select row_to_json(r)::text as line
    from daybook.routes o
   cross join lateral (
     select o.name, o.transport, o.topic, o.tenant_id, o.types, o.categories, o.direct, o.public_name, o.public_version,
            o.mapping, o.mode, o.state, o.state_reason, o.shards, o.wanted_shards, o.position, o.undelivered,
            ${utc("o.oldest_written_at")} as oldest_written_at, o.attempts, ${utc("o.retry_at")} as retry_at, o.last_error,
            o.parked_streams, o.leased_streams, o.dead_letters, o.needs_person, o.needs_person_reason, o.postponed, o.on_failure, o.max_attempts,
            ${utc("o.moved_at")} as moved_at) r
   order by o.name`;
