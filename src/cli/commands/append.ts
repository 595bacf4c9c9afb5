import { Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import { appendLines } from "../append-lines.ts";
import { toCount, toExpectedVersion, toJsonText, toList, toMoment, toUuid } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import type { Session } from "../database.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError, messageOf } from "../failure.ts";
import { toJsonLine } from "../json.ts";
import { stdinLines, toObject } from "../stdin-lines.ts";
import { printable } from "../text.ts";

const help = `
With --stdin the events come from stdin, one JSON object a line:
  {"type": "…", "data"?: {…}, "metadata"?: {…}, "event_id"?, "correlation_id"?, "causation_id"?,
   "schema_version"?, "occurred_at"?, "tags"?: ["…"]}
With STREAM all lines are one append: all of them are written, or none. Without STREAM each line names its own
("stream_id", and "expected_version"? and "idempotency_key"?) and is an append of its own: what is refused is told with
its line, the others are written, and the exit code is 4. Lines of a stream keep their order.

Examples:
  $ daybook append account-42 AccountOpened '{"owner": "Ada"}' --expected none
  $ daybook append account-42 MoneyDeposited '{"amount": 100}' --key request-7 --tag atm
  $ daybook append account-42 --stdin --expected 2 < events.ndjson
  $ daybook append --stdin --json < events-of-many-streams.ndjson`;

export function appendCommand(cli: Cli) {
  return new Command("append")
    .description("Append one event, or those on stdin.")
    .argument("[stream]", "the stream, <category>-<id>")
    .argument("[type]", "what happened")
    .argument("[data]", "the event's data, a JSON object; {} if not given", toJsonText)
    .addOption(new Option("--metadata <json>", "what there is to say about it, a JSON object").argParser(toJsonText))
    .addOption(
      new Option("--expected <version>", "any, none (no such stream yet), exists, or the stream's version").argParser(
        toExpectedVersion,
      ),
    )
    .option("--key <key>", "idempotency key: the same append again writes nothing")
    .addOption(new Option("--event-id <uuid>", "its id; one is made if not given").argParser(toUuid))
    .addOption(new Option("--correlation-id <uuid>", "the operation it belongs to").argParser(toUuid))
    .addOption(new Option("--causation-id <uuid>", "what triggered it").argParser(toUuid))
    .addOption(new Option("--tag <tag>", "a tag; can be given several times").argParser(toList))
    .addOption(new Option("--schema-version <n>", "version of the shape of data; 1 if not given").argParser(toCount))
    .addOption(new Option("--occurred-at <moment>", "when it happened; now if not given").argParser(toMoment))
    .option("--stdin", "read events from stdin")
    .addHelpText("after", help)
    .action(async (stream, type, data, { stdin, expected: version, key = null, ...event }) => {
      const expected = version === "any" || version === undefined ? null : version;
      if (!stdin) {
        if (stream === undefined || type === undefined) throw usage("append needs a stream and a type, or --stdin");
        const all = { ...event, stream, type, data, expected, key };
        return withSession(cli, (session) => appendOne(cli, session, all));
      }
      if (type !== undefined || Object.keys(event).length > 0) {
        throw usage("with --stdin the events, types and all, come from stdin");
      }
      if (stream !== undefined)
        return withSession(cli, (session) => appendAll(cli, session, stream, { expected, key }));
      if (version !== undefined || key !== null) {
        throw usage("where each line names its stream, it has its own expected_version and idempotency_key");
      }
      return withSession(cli, (session) => appendLines(cli, session));
    });
}

function usage(message: string): CommandError {
  return new CommandError(exitCodes.usage, message, "See: daybook append --help");
}

/** What is asked of any append. */
interface Call {
  readonly expected: bigint | null;
  readonly key: string | null;
}

interface OneEvent extends Call {
  readonly stream: string;
  readonly type: string;
  readonly data?: string | undefined;
  readonly metadata?: string | undefined;
  readonly eventId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly schemaVersion?: number | undefined;
  readonly occurredAt?: string | undefined;
}

async function appendOne(cli: Cli, { db }: Session, event: OneEvent): Promise<void> {
  const rows = await db.query(
    `${result}
       from daybook.append_event(
         stream_id => $1, type => $2, data => $3, metadata => $4, expected_version => $5, event_id => $6,
         correlation_id => $7, causation_id => $8, tags => $9, schema_version => $10, occurred_at => $11,
         idempotency_key => $12, tenant_id => $13) a`,
    [
      event.stream,
      event.type,
      event.data ?? "{}",
      event.metadata ?? "{}",
      event.expected,
      event.eventId ?? null,
      event.correlationId ?? null,
      event.causationId ?? null,
      event.tag ?? null,
      event.schemaVersion ?? 1,
      event.occurredAt ?? null,
      event.key,
      cli.tenant,
    ],
  );
  await tell(cli, rows);
}

async function appendAll(cli: Cli, { db }: Session, stream: string, { expected, key }: Call): Promise<void> {
  const events: string[] = [];
  for await (const line of stdinLines()) {
    try {
      toObject(line);
    } catch (error) {
      throw new CommandError(exitCodes.refused, `line ${line.number}: ${messageOf(error)}`, "Nothing was written.");
    }
    events.push(line.text);
  }
  const rows = await db.query(`${result} from daybook.append($1, $2, $3, $4, $5) a`, [
    stream,
    `[${events.join(",")}]`,
    expected,
    key,
    cli.tenant,
  ]);
  await tell(cli, rows);
}

const result = `
  select $1::text as stream_id, a.stream_version, a.first_position, a.last_position, a.duplicate`;

const resultRow = z.tuple([
  z.object({
    stream_id: z.string(),
    stream_version: z.bigint(),
    first_position: z.bigint(),
    last_position: z.bigint(),
    duplicate: z.boolean(),
  }),
]);

async function tell(cli: Cli, rows: readonly unknown[]): Promise<void> {
  const [row] = resultRow.parse(rows);
  if (cli.json) return cli.out.line(toJsonLine(row));
  const again = row.duplicate ? " (it was there already)" : "";
  await cli.out.line(
    `${printable(row.stream_id)} is at version ${row.stream_version}, position ${row.last_position}${again}`,
  );
}
