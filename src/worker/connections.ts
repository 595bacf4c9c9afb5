import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { fromPg, type PgStatement } from "../adapters/pg.ts";
import { madeOf } from "../adapters/sources.ts";
import type { Db } from "../db.ts";
import type { Settings } from "./options.ts";
import { isSilence, withPatience } from "./patience.ts";

/** The connections of a worker, besides the one that listens. */
export interface Connections {
  /** For handlers and routes: their statements have the time that is set, Daybook's own among them less. */
  readonly db: Db;
  /** For Daybook's own statements. */
  readonly own: Db;
  /** For graphile-worker. */
  readonly jobs: pg.Pool;
  /** Ends what the worker has opened itself. */
  close(): Promise<void>;
}

/** Milliseconds that statements of Daybook and of graphile-worker have; they are short. */
const ownLimit = 30_000;
/** How often it is tried to end a session that was left behind, a second apart. */
const endTries = 100;

export function openConnections(source: string | pg.Pool, settings: Settings): Connections {
  const { concurrency, prepare, directUrl, statementTimeout } = settings;
  const hasPooler = directUrl !== undefined;
  const limits = { own: Math.min(ownLimit, statementTimeout), all: statementTimeout };
  const isOwn = typeof source === "string";
  const pool = isOwn ? openPool({ connectionString: source, max: concurrency + 2 }, hasPooler) : source;
  // whoever does not listen for the loss of an idle connection ends with it
  pool.on("error", ignore);
  const jobs = openJobPool(isOwn ? { connectionString: source } : optionsOf(source), hasPooler, limits.own);
  const isClosed = new AbortController();
  /** What a closed connection has left behind would hold its shard; a pooler has process ids of its own. */
  const onSilence = async (processId: number | undefined, limit: number) => {
    if (processId === undefined || hasPooler) return;
    for (let tries = 0; tries < endTries && !isClosed.signal.aborted; tries += 1) {
      try {
        await own.query(endText, [processId, limit]);
        return;
      } catch {
        // new connections are as silent
        await sleep(1000, undefined, { signal: isClosed.signal, ref: false }).catch(ignore);
      }
    }
  };
  const patient = (limitOf: (statement: PgStatement) => number, then?: typeof onSilence) =>
    madeOf(
      fromPg(withPatience(pool, { connect: limits.own, limitOf, ...(then ? { onSilence: then } : {}) }), { prepare }),
      pool,
    );
  const own = patient(() => limits.own);
  return {
    db: patient((statement) => (drainText.test(statement.text) ? limits.own : limits.all), onSilence),
    own,
    jobs,
    async close() {
      isClosed.abort();
      pool.off("error", ignore);
      await Promise.all([jobs.end(), isOwn ? pool.end() : undefined]);
    },
  };
}

/** Statements of a drain itself. A commit is none: it runs the deferred triggers of the tables that handlers write to. */
const drainText =
  /^(begin|rollback)$|^select set_config\('daybook\.tenant'|\bdaybook\.((claim|finish|fail|postpone)\w*|read_(events|outbox)_for|read_parked_\w+)\(/;

/** Ends a session of one's own that has done nothing for a while, unless it is idle and holds nothing. */
const endText = `
  select pg_terminate_backend(a.pid)
    from pg_stat_activity a
   where a.pid = $1::integer and a.datname = current_database() and a.usename = session_user and a.state <> 'idle'
     and a.state_change < clock_timestamp() - $2::integer * interval '0.5 milliseconds'`;

/** Connections that end within seconds where there is nobody at the other end: the server lets their locks go then. */
function openPool(config: pg.PoolConfig, hasPooler: boolean): pg.Pool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    fallback_application_name: "daybook worker",
    // a pooler's connections to the server are its own
    ...(hasPooler
      ? {}
      : {
          options: `-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=4 -c tcp_user_timeout=${ownLimit}`,
        }),
    ...config,
  });
  // graphile-worker wants to see both
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  return pool;
}

/**
 * A pool for graphile-worker, which asks for a connection to LISTEN on in a way of its own (with a callback), and never
 * gets one: jobs are made by this process, which says so itself, and one listening connection a process is enough.
 */
function openJobPool(config: pg.PoolConfig, hasPooler: boolean, limit: number): pg.Pool {
  const pool = openPool({ ...config, max: 4, query_timeout: limit }, hasPooler);
  pool.on("connect", endWhenSilent);
  const original = pool.connect.bind(pool);
  const connect = () =>
    new Promise<pg.PoolClient>((resolve, reject) => {
      original((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
  const query = async (statement: pg.QueryConfig, values?: unknown[]) => {
    const client = await connect();
    try {
      return await client.query(statement, values);
    } finally {
      client.release();
    }
  };
  Object.defineProperty(pool, "connect", {
    value: (listen?: unknown) => (listen === undefined ? connect() : undefined),
  });
  Object.defineProperty(pool, "query", { value: query });
  return pool;
}

/** graphile-worker gives a connection back after whatever error: one that is silent must not be used again. */
function endWhenSilent(client: pg.PoolClient): void {
  const original = client.query.bind(client);
  const query = (...args: Parameters<typeof original>) => {
    const result: unknown = original(...args);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (isSilence(error) && client instanceof pg.Client) client.end().catch(ignore);
      });
    }
    return result;
  };
  Object.defineProperty(client, "query", { value: query });
}

/** Its password does not show among its options, so it is asked for by name. */
function optionsOf({ options }: pg.Pool): pg.PoolConfig {
  return { ...options, password: options.password };
}

function ignore(): void {}
