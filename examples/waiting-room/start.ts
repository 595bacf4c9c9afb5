/*
 * The waiting room, live: `npm start`, or `npm start -- --exit`. See --help.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { connect, withoutPassword } from "../../src/cli/database.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { describeFailure } from "../../src/cli/failure.ts";
import { config } from "../../src/config.ts";
import { databaseServer } from "../../src/dev/database-server.ts";
import { createStore, migrate } from "../../src/index.ts";
import { rooms, runClinic } from "./clinic.ts";
import { startFollowing } from "./following.ts";
import { help, type Options, readOptions } from "./options.ts";
import { isSound, summary } from "./report.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    console.error("hint: npm start -- --help");
    return exitCodes.usage;
  }
  if (options === null) {
    console.log(help);
    return exitCodes.ok;
  }
  try {
    return await start(options, onCtrlC());
  } catch (error) {
    const { exitCode, message, hint } = describeFailure(error);
    console.error(`error: ${message}`);
    if (hint) console.error(`hint: ${hint}`);
    return exitCode;
  }
}

async function start(options: Options, signal: AbortSignal): Promise<number> {
  const settings = config();
  const server = await databaseServer(settings);
  const name = withoutPassword(server.url);
  try {
    for (const notice of server.embedded?.notices ?? []) console.log(notice);
    console.log(
      server.embedded ? `embedded PostgreSQL ${server.embedded.version}: ${server.url}` : `database: ${name}`,
    );
    await install(server.directUrl);
    const pool = new pg.Pool({ connectionString: server.url, max: settings.poolSize });
    // a connection that is lost while it is idle; the next one who needs it hears of it
    pool.on("error", () => undefined);
    try {
      if (options.seconds === null) console.log("the clinic is open; Ctrl-C closes it");
      const run = randomUUID();
      const { directUrl } = server;
      const following = await startFollowing(pool, { directUrl, brokerUrl: settings.rabbitmqUrl, run, rooms });
      try {
        const clinic = { store: createStore(pool), run, following };
        const { balance, followed, seconds } = await runClinic(clinic, options, process.stdout, signal);
        console.log(summary(balance, followed, seconds));
        return isSound(balance, followed) ? exitCodes.ok : exitCodes.no;
      } finally {
        await following.stop();
      }
    } finally {
      await pool.end();
    }
  } finally {
    await server.stop();
  }
}

async function install(url: string): Promise<void> {
  const session = await connect({ url, name: withoutPassword(url) });
  try {
    const report = await migrate(session.client);
    if (!report.upToDate) console.log("Daybook installed");
  } finally {
    await session.close();
  }
}

/** Aborted by the first Ctrl-C; the second one ends the process at once. */
function onCtrlC(): AbortSignal {
  const stop = new AbortController();
  for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort();
    });
  }
  return stop.signal;
}
