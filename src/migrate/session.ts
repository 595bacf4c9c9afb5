import pg from "pg";
import { fromPg, isPgClient, isPgPool, type PgClient, type PgPool } from "../adapters/pg.ts";
import { fromPglite, isPglite, type Pglite } from "../adapters/pglite.ts";
import { sourceOf } from "../adapters/sources.ts";
import type { Db, DbLike } from "../db.ts";
import { MigrationError } from "../errors.ts";

/** One connection that is kept from the first statement to the last, in no transaction. */
export interface Session {
  readonly db: Db;
  /** Sends a script of any number of statements; gives the rows of the last. */
  script(text: string): Promise<unknown[]>;
}

/**
 * Runs work over one connection: one of its own for a connection string, one of the pool's, the client itself.
 *
 * @throws MigrationError where there is none to be had
 */
export async function withSession<T>(source: DbLike | string, work: (session: Session) => Promise<T>): Promise<T> {
  if (typeof source === "string") return withUrl(source, work);
  const made = sourceOf(source);
  if (isPgPool(made)) return withPool(made, work);
  if (isPgClient(made)) return withClient(made, work);
  if (isPglite(made)) return withPglite(made, work);
  throw new MigrationError("migrations need a connection of their own", {
    detail: {},
    hint: "Pass the connection string, or a Pool or Client of pg, or a PGlite; not a pool of slonik, and no transaction.",
  });
}

async function withUrl<T>(url: string, work: (session: Session) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, fallback_application_name: "daybook migrate" });
  client.on("error", ignore);
  await client.connect();
  try {
    return await work(pgSession(client));
  } finally {
    await client.end().catch(ignore);
  }
}

async function withPool<T>(pool: PgPool, work: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  client.on("error", ignore);
  let isClean = false;
  try {
    const result = await work(pgSession(client));
    isClean = true;
    return result;
  } finally {
    client.off("error", ignore);
    client.release(!isClean);
  }
}

async function withClient<T>(client: PgClient, work: (session: Session) => Promise<T>): Promise<T> {
  const status = client.getTransactionStatus?.() ?? "I";
  if (status !== "I") {
    throw new MigrationError("migrations commit by themselves, and this client is in a transaction", {
      detail: {},
      hint: "Commit it first, or pass the connection string.",
    });
  }
  return oneAtATime(client, () => work(pgSession(client)));
}

function pgSession(client: PgClient): Session {
  return {
    db: fromPg(client, { prepare: false }),
    async script(text) {
      // several statements give a list of results
      const result: unknown = await client.query({ text });
      const last: unknown = Array.isArray(result) ? result.at(-1) : result;
      return rowsOf(last);
    },
  };
}

async function withPglite<T>(pglite: Pglite, work: (session: Session) => Promise<T>): Promise<T> {
  return oneAtATime(pglite, () =>
    work({
      db: fromPglite(pglite),
      script: async (text) => rowsOf((await pglite.exec(text)).at(-1)),
    }),
  );
}

function rowsOf(result: unknown): unknown[] {
  return typeof result === "object" && result !== null && "rows" in result && Array.isArray(result.rows)
    ? result.rows
    : [];
}

const running = new WeakMap<object, Promise<unknown>>();

/** One after the other over one connection: an advisory lock is no obstacle to its own session. */
async function oneAtATime<T>(connection: object, work: () => Promise<T>): Promise<T> {
  const mine = (running.get(connection) ?? Promise.resolve()).then(work, work);
  running.set(
    connection,
    mine.catch(() => undefined),
  );
  return mine;
}

function ignore(): void {}
