import { Socket } from "node:net";
import pg from "pg";
import { fromPg } from "../adapters/pg.ts";
import type { Db } from "../db.ts";
import { ConnectionLostError } from "../retriable.ts";

/** The one connection of a process that listens, and that holds its session locks. */
export interface Listener {
  /** One statement at a time over it. A statement without an answer in time ends the connection. */
  readonly db: Db;
  /** True until it is lost or closed. */
  readonly isOpen: boolean;
  close(): Promise<void>;
}

/** What a listener is made with. */
export interface ListenerOptions {
  /** Where it connects to: past a pooler in transaction mode. */
  readonly connection: pg.ClientConfig;
  /** A notification has come, which another session sent. */
  readonly onNotification: (payload: string) => void;
  /** The connection has gone, by itself; once. */
  readonly onLost: (error: Error) => void;
  /**
   * Milliseconds after which a statement without an answer, or a silence, means that the other end has gone: a
   * connection behind which there is nobody says nothing at all. 4000 unless said otherwise.
   */
  readonly patience?: number;
}

// The server, too, finds out within seconds that the other end has gone, and lets its locks go. Statements are read
// committed and short, whatever the role's or the database's defaults are.
const session = `
  select set_config('tcp_keepalives_idle', '3', false), set_config('tcp_keepalives_interval', '1', false),
         set_config('tcp_keepalives_count', '4', false), set_config('tcp_user_timeout', '7000', false),
         set_config('default_transaction_isolation', 'read committed', false),
         set_config('default_transaction_read_only', 'off', false),
         set_config('statement_timeout', '0', false), set_config('idle_session_timeout', '0', false),
         set_config('application_name', coalesce(nullif(current_setting('application_name'), ''), 'daybook'), false)`;

/**
 * Connects and listens on the channel `daybook`.
 *
 * @throws the driver's error if that fails
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const patience = options.patience ?? 4000;
  const socket = new Socket();
  const client = new pg.Client({
    ...options.connection,
    keepAlive: true,
    connectionTimeoutMillis: patience,
    query_timeout: patience,
    stream: () => socket,
  });
  let state: "opening" | "open" | "lost" | "closed" = "opening";
  let processId: number | undefined;

  const lose = (error: Error) => {
    const wasOpen = state === "open";
    if (state !== "closed") state = "lost";
    clearInterval(heart);
    socket.destroy();
    if (wasOpen) options.onLost(error);
  };
  const db = fromPg(client, { prepare: true });
  let busy: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** One statement after the other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    waiting += 1;
    const mine = busy.then(() => {
      if (state === "open") return work();
      throw new ConnectionLostError("the listening connection has gone");
    });
    busy = mine.catch((error: unknown) => {
      // an error of the server leaves the connection as it is; all else ends it
      if (!isOfServer(error)) lose(error instanceof Error ? error : new Error(String(error)));
    });
    return mine.finally(() => {
      waiting -= 1;
    });
  }
  const guarded: Db = {
    query: (text, values, how) => inTurn(() => db.query<never>(text, values, how)),
    transaction: (work) => inTurn(() => db.transaction(work)),
  };
  const heart = setInterval(() => {
    if (waiting === 0) guarded.query("select 1", [], { name: "daybook_heartbeat" }).catch(() => undefined);
  }, patience);
  heart.unref();

  client.on("error", lose);
  client.on("end", () => lose(new ConnectionLostError("the server has closed the listening connection")));
  client.on("notification", ({ processId: sender, payload }) => {
    if (sender !== processId) options.onNotification(payload ?? "");
  });
  try {
    await client.connect();
    await client.query(session);
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    processId = rows[0]?.pid;
    await client.query("listen daybook");
  } catch (error) {
    state = "closed";
    lose(new ConnectionLostError("could not listen"));
    throw error;
  }
  state = "open";
  return {
    db: guarded,
    get isOpen() {
      return state === "open";
    },
    async close() {
      if (state !== "open") return;
      await busy;
      state = "closed";
      clearInterval(heart);
      await client.end().catch(() => undefined);
      socket.destroy();
    },
  };
}

function isOfServer(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P0)/.test(code);
}
