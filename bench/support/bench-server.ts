import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../../src/dev/embedded.ts";
import { migrate } from "../../src/migrate/index.ts";
import { installMessageDb } from "./message-db.ts";

/** A durable PostgreSQL for one bench, with a migrated database and others beside it. */
export interface BenchServer {
  /** Database with Daybook in it. */
  readonly url: string;
  /** What it is, in words. */
  readonly words: string;
  /** Makes a further database and returns its URL. */
  database(name: string, content: "empty" | "daybook" | "message-db"): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it; its data goes with it. */
export async function benchServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "daybook-bench-"));
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({
    dataDir,
    durable: true,
    settings: { shared_buffers: "2GB", max_wal_size: "8GB", checkpoint_timeout: "30min", max_connections: "120" },
  });
  await migrate(server.url);
  const admin = new pg.Client(server.url);
  await admin.connect();
  const version = await admin.query<{ server_version: string }>("show server_version");
  const urlOf = (name: string) => {
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    url: server.url,
    words: `PostgreSQL ${version.rows[0]?.server_version}`,
    async database(name, content) {
      await admin.query(`create database ${pg.escapeIdentifier(name)}`);
      if (content === "daybook") await migrate(urlOf(name));
      if (content === "message-db") await installMessageDb(urlOf(name));
      return urlOf(name);
    },
    async stop() {
      await admin.end();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
