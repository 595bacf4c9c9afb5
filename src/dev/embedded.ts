import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { findServerBinaries, type ServerVersion } from "./binaries.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { EmbeddedServerError, explainSystemError } from "./embedded-server-error.ts";
import { findRunning, launch, type RunningServer } from "./launch.ts";
import { announce, anyoneElse, exclusively, type Presence, withdraw } from "./presence.ts";
import { belongsTo, signal } from "./processes.ts";
import { ensureDatabase, urlOf } from "./server-database.ts";
import type { ServerSettings } from "./server-settings.ts";
import { killServer, stopServer } from "./shutdown.ts";

/** Where the embedded server lives and how it runs. */
export interface EmbeddedOptions {
  /** The directory of its data, password and log; made if need be. `.daybook` if not given. */
  readonly dataDir?: string;
  /** The major version; 18 if not given. */
  readonly version?: ServerVersion;
  /** The preferred port; the last one used, or 54320, if not given. If it is in use, another free one is taken. */
  readonly port?: number;
  /** The database of `url`, made if it is not there; `daybook` if not given. */
  readonly database?: string;
  /** More settings of the server, by their PostgreSQL names. A server that runs already keeps its own. */
  readonly settings?: ServerSettings;
  /** False turns off fsync, full_page_writes and synchronous_commit: for data that nobody needs again. */
  readonly durable?: boolean;
}

/** A running embedded server, as one user of it sees it. */
export interface EmbeddedServer {
  /** The URL of the database, with the superuser's name and password. */
  readonly url: string;
  readonly port: number;
  /** The data directory, absolute. */
  readonly dataDir: string;
  /** The server's process. */
  readonly pid: number;
  readonly version: ServerVersion;
  /** Whether it ran already: started by another process, or left behind by one that was killed. */
  readonly shared: boolean;
  /** The file that the server logs to. */
  readonly logFile: string;
  /** What a person should know: another port than usual, data that was put aside. */
  readonly notices: readonly string[];
  /** Ends this use. The last one out stops the server (fast, at most half a minute); true if that was us. */
  stop(): Promise<boolean>;
  /** Ends the server and its children with SIGKILL, whoever else uses it: for tests of crashes. */
  kill(): Promise<void>;
}

const DEFAULT_PORT = 54320;

/**
 * Starts a real PostgreSQL for this machine alone: TCP on 127.0.0.1, a password made once and kept in the data
 * directory. A server that runs there already is shared. It ends with its last user, also when that process just exits;
 * signals are the caller's business.
 *
 * @throws EmbeddedServerError with a message and a hint
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir ?? ".daybook");
  try {
    refuseWindows();
    await mkdir(dataDir, { recursive: true });
    const presence = announce(dataDir, "use");
    try {
      return await exclusively(dataDir, () => open(dataDir, options, presence));
    } catch (error) {
      withdraw(presence);
      throw error;
    }
  } catch (error) {
    throw explainSystemError(error, dataDir);
  }
}

async function open(dataDir: string, options: EmbeddedOptions, presence: Presence): Promise<EmbeddedServer> {
  const { version = 18, durable = true, settings = {}, database = "daybook" } = options;
  const notices: string[] = [];
  const binaries = await findServerBinaries(version);
  const cluster = await openCluster(dataDir, binaries, durable, (notice) => notices.push(notice));
  const logFile = join(dataDir, "server.log");
  const found = await findRunning(cluster);
  const wanted = options.port ?? (await lastPort(dataDir));
  const port = wanted ?? DEFAULT_PORT;
  const server = found ?? (await launch(cluster, binaries, logFile, { port, durable, settings }));
  if (wanted !== null && server.port !== wanted) {
    notices.push(
      found
        ? `The server that runs already listens on port ${server.port}.`
        : `Port ${wanted} is in use: the server listens on ${server.port} instead.`,
    );
  }
  await writeFile(join(dataDir, "port"), `${server.port}\n`);
  try {
    await ensureDatabase(cluster, server, database);
  } catch (error) {
    if (!found) await stopServer(cluster, server.pid);
    throw error;
  }
  return handle({ dataDir, cluster, server, presence, database, logFile, version, shared: found !== null, notices });
}

interface Use {
  readonly dataDir: string;
  readonly cluster: Cluster;
  readonly server: RunningServer;
  readonly presence: Presence;
}

function handle(
  use: Use & Pick<EmbeddedServer, "version" | "shared" | "logFile" | "notices"> & { database: string },
): EmbeddedServer {
  const { dataDir, cluster, server, presence, version, shared, logFile, notices } = use;
  let ended: Promise<boolean> | undefined;
  uses.add(use);
  if (!hooked) process.once("exit", endAll);
  hooked = true;
  const end = (work: () => Promise<boolean>) => {
    ended ??= exclusively(dataDir, work).finally(() => uses.delete(use));
    return ended;
  };
  return {
    url: urlOf(cluster, server, use.database),
    ...server,
    dataDir,
    version,
    shared,
    logFile,
    notices,
    stop: () =>
      end(async () => {
        withdraw(presence);
        if (anyoneElse(dataDir, "use", presence)) return false;
        await stopServer(cluster, server.pid);
        return true;
      }),
    kill: async () => {
      await end(async () => {
        withdraw(presence);
        await killServer(cluster, server.pid);
        return true;
      });
    },
  };
}

/** The uses that this process has not ended yet. */
const uses = new Set<Use>();
let hooked = false;

/** While a process exits nothing can be waited for: the server is told to stop, and does so on its own. */
function endAll(): void {
  for (const { dataDir, server, presence, cluster } of uses) {
    try {
      announce(dataDir, "busy");
      withdraw(presence);
      if (!anyoneElse(dataDir, "use", presence) && belongsTo(server.pid, cluster)) signal(server.pid, "SIGINT");
    } catch {
      // The directory has become somebody else's; there is nobody left to tell.
    }
  }
}

function refuseWindows(): void {
  if (process.platform !== "win32") return;
  throw new EmbeddedServerError(
    "The embedded PostgreSQL runs on Linux and macOS.",
    "Use the Windows Subsystem for Linux, or set DATABASE_URL to another server.",
  );
}

async function lastPort(dataDir: string): Promise<number | null> {
  const port = Number(await readFile(join(dataDir, "port"), "utf8").catch(() => ""));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}
