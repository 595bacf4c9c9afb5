import type { PgClient, PgPool, PgStatement } from "../adapters/pg.ts";
import { inTime } from "../waking/in-time.ts";

/** How long is waited for answers of the database, in milliseconds. */
export interface Patience {
  /** For a connection of the pool. */
  readonly connect: number;
  /** For the answer to a statement. */
  limitOf(statement: PgStatement): number;
  /** A statement had no answer in time. Its connection has been closed; the session may be there still. */
  onSilence?(processId: number | undefined, limit: number): unknown;
}

/**
 * A pool whose connections are closed when a statement has no answer in time. Behind a connection that has gone silent an
 * answer would be waited for as long as the operating system sends again what nobody confirms: a quarter of an hour.
 */
export function withPatience(pool: PgPool, patience: Patience): PgPool {
  return {
    get totalCount() {
      return pool.totalCount;
    },
    async connect() {
      const coming = pool.connect();
      try {
        return limited(await inTime(coming, patience.connect), patience);
      } catch (error) {
        // one that comes late is given back
        coming.then((client) => client.release()).catch(() => undefined);
        throw error;
      }
    },
  };
}

type Checked = Awaited<ReturnType<PgPool["connect"]>>;

function limited(client: Checked, { limitOf, onSilence }: Patience): Checked {
  let isReleased = false;
  const release = (destroy?: boolean | Error) => {
    if (isReleased) return;
    isReleased = true;
    client.release(destroy);
  };
  return {
    async query(statement) {
      const limit = limitOf(statement);
      const withLimit = { ...statement, query_timeout: limit };
      try {
        return await client.query(withLimit);
      } catch (error) {
        if (isSilence(error)) {
          release(true);
          onSilence?.(processIdOf(client), limit);
        }
        throw error;
      }
    },
    getTransactionStatus: () => client.getTransactionStatus?.() ?? null,
    on: (event, listener) => client.on(event, listener),
    off: (event, listener) => client.off(event, listener),
    escapeIdentifier: (name) => client.escapeIdentifier(name),
    release,
  };
}

/** What pg says of a statement without an answer in time. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === "Query read timeout";
}

function processIdOf(client: PgClient): number | undefined {
  return "processID" in client && typeof client.processID === "number" ? client.processID : undefined;
}
