import type { Config } from "../config.ts";
import { type EmbeddedServer, startEmbedded } from "./embedded.ts";

/** The database that a program of this project uses. */
export interface DatabaseServer {
  readonly url: string;
  /** The same database past a pooler: for migrations and LISTEN. */
  readonly directUrl: string;
  /** The embedded server, unless `DATABASE_URL` names another one. */
  readonly embedded: EmbeddedServer | null;
  /** Ends the use of the embedded server; another server is left alone. */
  stop(): Promise<void>;
}

/**
 * The database that the configuration names: `DATABASE_URL`, or the embedded server, which is started if need be.
 *
 * @throws EmbeddedServerError if that does not start
 */
export async function databaseServer(
  config: Pick<Config, "databaseUrl" | "directUrl" | "embedded">,
): Promise<DatabaseServer> {
  const { databaseUrl, directUrl } = config;
  if (databaseUrl) {
    return { url: databaseUrl, directUrl: directUrl ?? databaseUrl, embedded: null, stop: async () => undefined };
  }
  const { dataDir, version, port } = config.embedded;
  const embedded = await startEmbedded({ dataDir, version, ...(port === undefined ? {} : { port }) });
  return {
    url: embedded.url,
    directUrl: embedded.url,
    embedded,
    stop: async () => {
      await embedded.stop();
    },
  };
}
