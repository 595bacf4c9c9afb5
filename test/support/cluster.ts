import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { type EmbeddedServer, startEmbedded } from "../../src/dev/embedded.ts";
import type { ServerSettings } from "../../src/dev/server-settings.ts";
import { announcedServer, testVersion } from "./server.ts";

/** A server for one test, which may crash it. */
export interface TestCluster {
  /** The URL of its (empty) database `daybook`, as the superuser; it stays the same over a restart. */
  readonly url: string;
  readonly port: number;
  /** The server's process; another one after a restart. */
  readonly pid: number;
  readonly dataDir: string;
  /** Ends the server and its children with SIGKILL. */
  kill9(): Promise<void>;
  /** Starts it again (crash recovery included), after stopping it if it runs. */
  restart(): Promise<void>;
}

/**
 * A server of the test's own: durable, with default settings but for the ones given. It ends with the test, and its
 * data with it.
 */
export async function testCluster(t: Test, settings: ServerSettings = {}): Promise<TestCluster> {
  const dataDir = await mkdtemp(join(announcedServer()?.directory ?? tmpdir(), "daybook-cluster-"));
  // The server's OS user may be another one.
  await chmod(dataDir, 0o711);
  const start = (port?: number) =>
    startEmbedded({ dataDir, version: testVersion(), settings, ...(port === undefined ? {} : { port }) });
  let server: EmbeddedServer = await start();
  t.teardown(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    dataDir,
    get url() {
      return server.url;
    },
    get port() {
      return server.port;
    },
    get pid() {
      return server.pid;
    },
    kill9: () => server.kill(),
    restart: async () => {
      await server.stop();
      server = await start(server.port);
    },
  };
}
