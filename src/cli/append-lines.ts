import pg from "pg";
import { z } from "zod";
import type { Db } from "../db.ts";
import { DaybookError } from "../errors.ts";
import type { Cli } from "./cli.ts";
import type { Session } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { messageOf } from "./failure.ts";
import { toJsonLine } from "./json.ts";
import { say } from "./output.ts";
import { type Line, stdinLines, toObject } from "./stdin-lines.ts";
import { counted } from "./text.ts";

/** What became of a line. */
interface Outcome {
  readonly line: number;
  readonly status: "appended" | "duplicate" | "failed";
  readonly stream_id: string | null;
  readonly stream_version?: bigint | null;
  readonly first_position?: bigint | null;
  readonly last_position?: bigint | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** An append of one line, as append_batch takes it. */
interface Entry {
  readonly line: Line;
  readonly json: string;
}

const batch = { lines: 500, characters: 4_000_000 };

/** Appends each line of stdin to the stream it names, many in one transaction, each on its own. */
export async function appendLines(cli: Cli, session: Session): Promise<void> {
  const count = { appended: 0, duplicate: 0, failed: 0 };
  for await (const lines of batches()) {
    const outcomes = await appendBatch(session.db, lines, cli.tenant).catch(async (error: unknown) => {
      if ((await session.lossBehind(error)) !== null) sayUnknown(lines);
      throw error;
    });
    for (const outcome of outcomes) {
      count[outcome.status] += 1;
      if (outcome.error) say(`line ${outcome.line}: ${outcome.error.message} (${outcome.error.code})`);
    }
    if (cli.json) await cli.out.write(outcomes.map((outcome) => `${toJsonLine(outcome)}\n`).join(""));
  }
  if (count.failed > 0) cli.exitCode = exitCodes.refused;
  if (cli.json) return;
  const again = count.duplicate > 0 ? `, ${count.duplicate} there already` : "";
  const refused = count.failed > 0 ? `, ${count.failed} refused` : "";
  await cli.out.line(`${counted(count.appended, "event")} appended${again}${refused}`);
}

async function* batches(): AsyncGenerator<Line[]> {
  let lines: Line[] = [];
  let characters = 0;
  for await (const line of stdinLines()) {
    lines.push(line);
    characters += line.text.length;
    if (lines.length < batch.lines && characters < batch.characters) continue;
    yield lines;
    lines = [];
    characters = 0;
  }
  if (lines.length > 0) yield lines;
}

async function appendBatch(db: Db, lines: readonly Line[], tenant: string | null): Promise<Outcome[]> {
  const entries: Entry[] = [];
  const outcomes: Outcome[] = [];
  for (const line of lines) {
    try {
      entries.push({ line, json: toEntry(line) });
    } catch (error) {
      outcomes.push(failed(line, { code: "22P02", message: messageOf(error) }));
    }
  }
  if (entries.length > 0) outcomes.push(...(await appendEntries(db, entries, tenant)));
  return outcomes.sort((a, b) => a.line - b.line);
}

/** A line as an entry of append_batch: what belongs to the append stands beside the event. */
function toEntry(line: Line): string {
  const { stream_id, expected_version, idempotency_key, tenant_id, ...event } = toObject(line);
  return toJsonLine({ stream_id, expected_version, idempotency_key, tenant_id, events: [event] });
}

const batchRows = z.array(
  z.object({
    entry: z.int(),
    status: z.enum(["appended", "duplicate", "failed", "busy"]),
    stream_id: z.string().nullable(),
    stream_version: z.bigint().nullable(),
    first_position: z.bigint().nullable(),
    last_position: z.bigint().nullable(),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  }),
);

async function appendEntries(db: Db, entries: readonly Entry[], tenant: string | null): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const values = [`[${entries.map(({ json }) => json).join(",")}]`, tenant];
  const text = "select * from daybook.append_batch($1, $2) order by entry";
  const rows = batchRows.parse(
    await db.query(text, values).catch((error: unknown) => {
      // a text that jsonb does not take spoils the whole array: one by one, it spoils only its own
      if (!isBadJson(error)) throw error;
      return entries.map((_, entry) => ({ ...alone, entry }));
    }),
  );
  for (const { entry: i, status, error, ...result } of rows) {
    const entry = entries[i];
    if (entry === undefined) continue;
    if (status === "busy") outcomes.push(await appendAlone(db, entry, tenant));
    else if (status === "failed")
      outcomes.push({ line: entry.line.number, status, ...result, ...(error && { error }) });
    else outcomes.push({ line: entry.line.number, status, ...result });
  }
  return outcomes;
}

const alone = {
  status: "busy",
  stream_id: null,
  stream_version: null,
  first_position: null,
  last_position: null,
  error: null,
};

const soleRow = z.tuple([
  z.object({
    stream_id: z.string(),
    stream_version: z.bigint(),
    first_position: z.bigint(),
    last_position: z.bigint(),
    duplicate: z.boolean(),
  }),
]);

/** Waits for the stream, where somebody else holds it. */
async function appendAlone(db: Db, { line, json }: Entry, tenant: string | null): Promise<Outcome> {
  try {
    const [{ duplicate, ...result }] = soleRow.parse(
      await db.query(
        `select e.value ->> 'stream_id' as stream_id, a.*
           from (select $1::jsonb as value) e
          cross join lateral daybook.append(
            e.value ->> 'stream_id', e.value -> 'events', (e.value ->> 'expected_version')::bigint,
            e.value ->> 'idempotency_key', coalesce(e.value ->> 'tenant_id', $2)) a`,
        [json, tenant],
      ),
    );
    return { line: line.number, status: duplicate ? "duplicate" : "appended", ...result };
  } catch (error) {
    if (error instanceof DaybookError || isBadJson(error)) return failed(line, error);
    throw error;
  }
}

function failed(line: Line, { code = "", message }: { readonly code?: string | undefined; message: string }): Outcome {
  return { line: line.number, status: "failed", stream_id: null, error: { code, message } };
}

/** Class 22, such as \u0000 in a text. */
function isBadJson(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code?.startsWith("22") === true;
}

function sayUnknown(lines: readonly Line[]): void {
  const [from, to] = [lines[0]?.number ?? 1, lines.at(-1)?.number ?? 1];
  say(`lines before ${from} are done; of lines ${from} to ${to} it is not known`);
  say("lines with an idempotency_key can be sent again: they are written once");
}
