import type pg from "pg";
import { z } from "zod";
import type { Handler } from "../handlers/index.ts";
import type { Route } from "../outbox/index.ts";
import type { Projection } from "../projections/index.ts";
import type { Transport } from "../transports/transport.ts";
import type { OnEvent } from "../waking/facts.ts";

/** What a worker is started with. */
export interface WorkerOptions {
  /**
   * The database: a connection string, or a pool of pg with at least `concurrency` + 1 connections (it stays yours, and
   * open). It may lead through a pooler in transaction mode.
   */
  readonly db: string | pg.Pool;
  /** The same database past such a pooler, for the one connection that listens. That of `db` unless said otherwise. */
  readonly directUrl?: string | undefined;
  readonly handlers?: readonly Handler[] | undefined;
  /**
   * Made known to the database at the start. Projections in SQL that were made elsewhere are advanced, too; those in
   * TypeScript where the code given here is of their revision.
   */
  readonly projections?: readonly Projection[] | undefined;
  /** Made known to the database at the start. Routes made elsewhere are sent, too, where their transport is given here. */
  readonly routes?: readonly Route[] | undefined;
  /** They stay yours: close them behind the worker. */
  readonly transports?: readonly Transport[] | undefined;
  /** Shards of handlers and routes, and projections, that run at the same time in this process. 5 unless said otherwise. */
  readonly concurrency?: number | undefined;
  /** Milliseconds after which it looks though nobody has woken it. 30,000 unless said otherwise. */
  readonly safetyPoll?: number | undefined;
  /** Milliseconds that `stop` waits for what is being handled, before it is told to give up. 10,000 unless said otherwise. */
  readonly stopTimeout?: number | undefined;
  /**
   * Milliseconds after which a statement without an answer is given up, and its connection with it: 300,000 unless said
   * otherwise. Handlers may send none that takes longer. Daybook's own are given up after 30,000.
   */
  readonly statementTimeout?: number | undefined;
  /** When `daybook.upkeep()` is run, as cron has it, in UTC. Hourly unless said otherwise; false = by somebody else. */
  readonly upkeep?: string | false | undefined;
  /** Schema of graphile-worker, which the worker makes and brings up to date itself. `graphile_worker` unless said otherwise. */
  readonly jobSchema?: string | undefined;
  /** False for a pooler in transaction mode that does not follow prepared statements (PgBouncer before 1.21). */
  readonly prepare?: boolean | undefined;
  /** Told of technical facts. */
  readonly onEvent?: OnEvent | undefined;
  /** Aborting it stops the worker, and ends the wait for a database that is away at the start. */
  readonly signal?: AbortSignal | undefined;
}

const whole = (name: string, least: number, most: number) => {
  const error = `${name} is a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

const schema = z.object({
  directUrl: z.string({ error: "directUrl is a connection string" }).optional(),
  concurrency: whole("concurrency", 1, 100).default(5),
  safetyPoll: whole("safetyPoll", 100, 3_600_000).default(30_000),
  stopTimeout: whole("stopTimeout", 0, 3_600_000).default(10_000),
  statementTimeout: whole("statementTimeout", 1000, 86_400_000).default(300_000),
  upkeep: z
    .union([z.string(), z.literal(false)], { error: "upkeep is a cron pattern, or false" })
    .default("17 * * * *"),
  jobSchema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,39}$/, { error: "jobSchema is a plain name of a schema" })
    .default("graphile_worker"),
  prepare: z.boolean({ error: "prepare is true or false" }).default(true),
});

/** The settings of a worker, checked. */
export type Settings = z.output<typeof schema>;

/** @throws TypeError that says every problem */
export function toSettings(options: WorkerOptions): Settings {
  const parsed = schema.safeParse(options);
  const problems = parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
  problems.push(...repeated("handler", options.handlers), ...repeated("route", options.routes));
  problems.push(...repeated("transport", options.transports), ...repeated("projection", options.projections));
  const transports = new Set(options.transports?.map(({ name }) => name));
  for (const route of options.routes ?? []) {
    if (!transports.has(route.transport)) {
      problems.push(
        `route ${route.name} goes to transport ${route.transport}, which is not among the transports given`,
      );
    }
  }
  if (!parsed.success || problems.length > 0) throw new TypeError(`startWorker: ${problems.join("; ")}`);
  return parsed.data;
}

function repeated(what: string, given: readonly { readonly name: string }[] = []): string[] {
  const names = given.map(({ name }) => name);
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map((name) => `two ${what}s named ${name}`);
}
