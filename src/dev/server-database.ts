import { Client, DatabaseError, escapeIdentifier } from "pg";
import type { Cluster } from "./cluster.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import type { RunningServer } from "./launch.ts";

/** The URL of a database of the embedded server, with the superuser's name and password. */
export function urlOf(cluster: Cluster, server: RunningServer, database: string): string {
  return `postgres://postgres:${cluster.password}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`;
}

/**
 * Makes a database if it is not there; by the way, it shows that the server is the right one: it knows the password.
 *
 * @throws EmbeddedServerError if the server does not take the connection
 */
export async function ensureDatabase(cluster: Cluster, server: RunningServer, database: string): Promise<void> {
  // Nothing is left to the PG… variables of the environment.
  const client = new Client({
    host: "127.0.0.1",
    port: server.port,
    user: "postgres",
    password: cluster.password,
    database: "postgres",
    ssl: false,
    connectionTimeoutMillis: 30_000,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query("select from pg_database where datname = $1", [database]);
    if (rowCount === 0) await client.query(`create database ${escapeIdentifier(database)}`);
  } catch (error) {
    throw explain(error, cluster, server);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function explain(error: unknown, cluster: Cluster, server: RunningServer): unknown {
  const code = error instanceof DatabaseError ? error.code : undefined;
  const hints: Record<string, string> = {
    "28P01": `The password in ${cluster.home}/password is not the server's: put the right one there.`,
    "53300": "All its connections are in use: end some programs that use it.",
    "57P03": "It is shutting down: try again in a moment.",
  };
  return new EmbeddedServerError(
    `The embedded PostgreSQL on port ${server.port} refused a connection: ${error instanceof Error ? error.message : error}`,
    (code && hints[code]) ?? "The server's log says more: server.log in the data directory.",
    { cause: error },
  );
}
