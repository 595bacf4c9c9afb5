import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { fromPg } from "../adapters/pg.ts";
import { type Config, config } from "../config.ts";
import type { Db } from "../db.ts";
import { databaseServer } from "../dev/database-server.ts";
import { isConnectionLoss } from "../retriable.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError, messageOf } from "./failure.ts";
import { say } from "./output.ts";

/** The database that a command works on. */
export interface Target {
  readonly url: string;
  /** The URL without the password. */
  readonly name: string;
  /** The data directory of the embedded server, if it is that. */
  readonly embeddedIn: string | null;
  /** Ends the use of the embedded server. */
  stop(): Promise<void>;
}

/** One connection to a database. */
export interface Session {
  readonly db: Db;
  readonly client: pg.Client;
  /** Where an error means that the connection is gone: why it is; null otherwise. */
  lossBehind(error: unknown): Promise<string | null>;
  close(): Promise<void>;
}

/**
 * The database named on the command line, else by `DATABASE_URL`, else that of the embedded server whose data lies
 * here; it is started if it does not run.
 *
 * @param direct true for what a pooler is in the way of: `DAYBOOK_DIRECT_URL` then goes before `DATABASE_URL`
 * @throws CommandError where there is none
 */
export async function findTarget(url: string | undefined, direct = false): Promise<Target> {
  const settings = config();
  if (url !== undefined || settings.databaseUrl !== undefined) {
    const given = url ?? (direct ? settings.directUrl : settings.databaseUrl) ?? "";
    return { url: given, name: withoutPassword(given), embeddedIn: null, stop: async () => undefined };
  }
  return embeddedTarget(settings);
}

async function embeddedTarget(settings: Config): Promise<Target> {
  const { dataDir } = settings.embedded;
  if (!existsSync(join(dataDir, "postgres"))) {
    throw new CommandError(
      exitCodes.unreachable,
      `no database is named, and there is no embedded server in ${dataDir}`,
      "Set DATABASE_URL or pass --url, or start the embedded server: daybook dev",
    );
  }
  const server = await databaseServer(settings);
  const name = withoutPassword(server.url);
  for (const notice of server.embedded?.notices ?? []) say(notice);
  say(`using the embedded PostgreSQL of ${dataDir}: ${name}`);
  return { url: server.url, name, embeddedIn: dataDir, stop: () => server.stop() };
}

/**
 * Opens a connection.
 *
 * @throws CommandError with exit code 3, whatever the reason
 */
export async function connect(target: Pick<Target, "url" | "name">): Promise<Session> {
  let loss: string | null = null;
  const client = newClient(target);
  client.on("error", (error) => {
    loss ??= messageOf(error);
  });
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new CommandError(
      exitCodes.unreachable,
      `could not connect to ${target.name}: ${messageOf(error)}`,
      connectHint(error),
      { cause: error },
    );
  }
  return {
    db: fromPg(client),
    client,
    async lossBehind(error) {
      // the connection's end is told a moment after the error of its statement
      await setImmediate();
      return loss ?? (isConnectionLoss(error) ? messageOf(error) : null);
    },
    close: () => client.end().catch(() => undefined),
  };
}

function newClient(target: Pick<Target, "url" | "name">): pg.Client {
  try {
    return new pg.Client({
      connectionString: target.url,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      fallback_application_name: "daybook",
    });
  } catch (error) {
    throw new CommandError(exitCodes.usage, `${target.name} is no URL of a database: ${messageOf(error)}`);
  }
}

function connectHint(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "28P01":
    case "28000":
      return "Check user and password of the URL, and pg_hba.conf of the server.";
    case "3D000":
      return "Make the database first: create database …";
    case "53300":
      return "The server has no connection to spare: end others, or raise max_connections.";
    case "57P03":
      return "The server is starting or shutting down: try again in a moment.";
    default:
      return "Is the server running, and does --url or DATABASE_URL name it? An embedded one: daybook dev";
  }
}

/** A URL that can be shown. */
export function withoutPassword(url: string): string {
  try {
    const shown = new URL(url);
    shown.password = "";
    shown.searchParams.delete("password");
    return shown.href;
  } catch {
    return "the database given";
  }
}
