import { Command } from "@commander-js/extra-typings";
import { z } from "zod";
import { toBigint } from "./arguments.ts";
import { type Cli, withSession } from "./cli.ts";
import { example, type Kind, printRows } from "./consumers.ts";
import { utc } from "./events.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { toJsonLine } from "./json.ts";
import { numberColumn, timeColumn } from "./table.ts";
import { counted } from "./text.ts";

/*
 * What has failed, of handlers, projections and routes alike: what waits, what needs a person, and what that person can do.
 */

/** Commands about parked streams and dead letters of handlers, of projections, or of routes. */
export function failureCommands(cli: Cli, of: Kind) {
  return [parkedCommand(cli, of), deadLettersCommand(cli, of), retryCommand(cli, of), discardCommand(cli, of)];
}

function parkedCommand(cli: Cli, { kind, command }: Kind) {
  return new Command("parked")
    .description(`List the streams that wait because one of their ${things(kind)} failed.`)
    .argument("[name]", `of this ${kind} alone`)
    .addHelpText("after", `\nExample:\n  $ daybook ${command} parked --json | jq .error.message`)
    .action(async (name) => {
      const columns = [
        { name: "name", least: 12 },
        ...tenantColumn(cli),
        { name: "stream_id", least: 12 },
        numberColumn("position"),
        numberColumn("attempts"),
        timeColumn("retry_at"),
        { name: "message", least: 20 },
      ];
      await printRows(cli, columns, parkedText, [kind, name ?? null, tenantOf(cli)]);
    });
}

const parkedText = `
  select row_to_json(r)::text as line
    from daybook.parked p
   cross join lateral (
     select p.kind, p.name, p.tenant_id, p.stream_id, p.position, p.attempts, ${utc("p.retry_at")} as retry_at,
            p.needs_person, ${utc("p.parked_at")} as parked_at, p.error ->> 'message' as message, p.error) r
   where p.kind = $1 and ($2::text is null or p.name = $2) and ($3::text is null or p.tenant_id = $3)
   order by p.name, p.parked_at, p.tenant_id, p.stream_id`;

function deadLettersCommand(cli: Cli, { kind, command }: Kind) {
  return new Command("dead-letters")
    .description(`List the ${things(kind)} that used up their tries; those that are open, unless all are asked for.`)
    .argument("[name]", `of this ${kind} alone`)
    .option("--all", "those that are done with, too")
    .addHelpText("after", `\nExample:\n  $ daybook ${command} dead-letters`)
    .action(async (name, { all }) => {
      const columns = [
        numberColumn("dead_letter"),
        { name: "name", least: 12 },
        ...tenantColumn(cli),
        { name: "stream_id", least: 12 },
        { name: "type", least: 12 },
        numberColumn("attempts"),
        { name: "state" },
        { name: "message", least: 20 },
      ];
      await printRows(cli, columns, deadLettersText, [kind, name ?? null, tenantOf(cli), all ?? false]);
    });
}

const deadLettersText = `
  select row_to_json(r)::text as line
    from daybook.dead_letters d
   cross join lateral (
     select d.dead_letter, d.kind, d.name, d.tenant_id, d.stream_id, d.position, d.event_id, d.type, d.attempts, d.state,
            d.state_reason, ${utc("d.created_at")} as created_at, ${utc("d.changed_at")} as changed_at,
            d.error ->> 'message' as message, d.error) r
   where d.kind = $1 and ($2::text is null or d.name = $2) and ($3::text is null or d.tenant_id = $3)
     and ($4 or d.state in ('waiting', 'retrying'))
   order by d.dead_letter`;

const filterHelp = (kind: Kind["kind"], command: string, verb: string, more = "") => `
Which: one by its number, or all that match the options${verb === "retry" ? moreOfRetry : ""}.

Examples:
  $ daybook ${command} ${verb} 42${more}
  $ daybook ${command} ${verb} --name ${example(kind)} --type Told${more}`;

const moreOfRetry = `; --all alone stands for all there are.
With --parked: the stream of --name and --stream that waits for its next try, which is not its last`;

function retryCommand(cli: Cli, { kind, command }: Kind) {
  return new Command("retry")
    .description("Have dead letters tried again, at once and with all their tries.")
    .argument("[dead-letter]", "its number", toBigint)
    .option("--all", `all dead letters of ${kind}s`)
    .option("--name <name>", `those of this ${kind}`)
    .option("--type <type>", `those of ${things(kind)} of this type`)
    .option("--stream <stream>", "those of this stream")
    .option("--parked", "no dead letter: the parked stream that --name and --stream say, before its delay is over")
    .addHelpText("after", filterHelp(kind, command, "retry"))
    .action(async (deadLetter, { all, name, type, stream, parked }) => {
      if (parked === true) {
        const isOne = deadLetter === undefined && all !== true && type === undefined;
        if (!isOne || name === undefined || stream === undefined)
          throw new CommandError(exitCodes.usage, "With --parked go --name and --stream, and nothing else.");
        return retryParked(cli, kind, name, stream);
      }
      const isFiltered = [name, type, stream].some((value) => value !== undefined);
      check(deadLetter, isFiltered || all === true, "Name its number, or --all, or which: see --help.");
      const count =
        deadLetter === undefined
          ? await counting(cli, "daybook.retry_dead_letters($1, $2, $3, $4)", [kind, name, type, stream])
          : await once(cli, "daybook.retry_dead_letter($1)", [deadLetter]);
      await tell(cli, count, "retrying");
    });
}

async function retryParked(cli: Cli, kind: Kind["kind"], name: string, stream: string): Promise<void> {
  await once(cli, "daybook.retry_parked($1, $2, $3, $4)", [kind, name, stream, tenantOf(cli)]);
  await cli.out.line(
    cli.json ? toJsonLine({ kind, name, stream_id: stream, state: "retrying" }) : `retrying stream ${stream}`,
  );
}

function discardCommand(cli: Cli, { kind, command }: Kind) {
  return new Command("discard")
    .description("Give dead letters up: their streams go on behind them.")
    .argument("[dead-letter]", "its number", toBigint)
    .option("--name <name>", `those of this ${kind}`)
    .option("--type <type>", `those of ${things(kind)} of this type`)
    .option("--stream <stream>", "those of this stream")
    .requiredOption("--reason <text>", "why; it stays in the audit")
    .addHelpText("after", filterHelp(kind, command, "discard", ' --reason "nobody wants it"'))
    .action(async (deadLetter, { reason, name, type, stream }) => {
      check(deadLetter, name !== undefined, `Name its number, or --name: see --help.`);
      const count =
        deadLetter === undefined
          ? await counting(cli, "daybook.discard_dead_letters($1, $2, $3, $4, $5)", [kind, name, reason, type, stream])
          : await once(cli, "daybook.discard_dead_letter($1, $2)", [deadLetter, reason]);
      await tell(cli, count, "discarded");
    });
}

const things = (kind: string) => (kind === "route" ? "messages" : "events");
const tenantColumn = (cli: Cli) => (cli.tenant === "*" ? [{ name: "tenant_id" }] : []);
/** Consumers follow all tenants: one is asked for only where it is named. */
const tenantOf = (cli: Cli) => (cli.tenant === "*" ? null : cli.tenant);

function check(deadLetter: bigint | undefined, isFiltered: boolean, problem: string): void {
  if ((deadLetter === undefined) !== isFiltered) throw new CommandError(exitCodes.usage, problem);
}

async function counting(cli: Cli, call: string, values: readonly unknown[]): Promise<number> {
  const rows = await withSession(cli, ({ db }) => db.query(`select ${call} as count`, values));
  return z.tuple([z.object({ count: z.coerce.number() })]).parse(rows)[0].count;
}

async function once(cli: Cli, call: string, values: readonly unknown[]): Promise<number> {
  await withSession(cli, ({ db }) => db.query(`select ${call}`, values));
  return 1;
}

async function tell(cli: Cli, count: number, state: string): Promise<void> {
  if (count === 0) throw new CommandError(exitCodes.no, "no dead letter matches");
  await cli.out.line(cli.json ? toJsonLine({ count, state }) : `${state} ${counted(count, "dead letter")}`);
}
