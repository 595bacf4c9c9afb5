import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "@commander-js/extra-typings";
import { config } from "../../config.ts";
import { databaseServer } from "../../dev/database-server.ts";
import type { EmbeddedServer } from "../../dev/embedded.ts";
import { processIdentity } from "../../dev/processes.ts";
import { migrate } from "../../migrate/index.ts";
import type { Cli } from "../cli.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { toJsonLine } from "../json.ts";
import { say } from "../output.ts";

const help = `
A real PostgreSQL for this machine alone, at 127.0.0.1 and with a password. Its data lies in .daybook/ and outlives it.
DATABASE_URL and --url make no difference here. Other commands of this directory use the same server.

  DAYBOOK_DATA_DIR    another directory
  DAYBOOK_PG_PORT     the port; if it is in use, another one is taken
  DAYBOOK_PG_VERSION  15, 16, 17 or 18

Examples:
  $ daybook dev
  $ DAYBOOK_PG_PORT=5433 daybook dev --json`;

export function devCommand(cli: Cli) {
  return new Command("dev")
    .description("Run the embedded PostgreSQL, with Daybook installed, and print its URL; until Ctrl-C.")
    .addHelpText("after", help)
    .action(() =>
      cli.untilStopped(async (signal) => {
        const server = await databaseServer({ ...config(), databaseUrl: undefined });
        try {
          for (const notice of server.embedded?.notices ?? []) say(notice);
          await migrate(server.url, { log: say });
          await cli.out.line(cli.json ? toJsonLine({ url: server.url }) : server.url);
          say(server.embedded?.shared ? "It ran already. Ctrl-C ends this use of it." : "Ctrl-C stops it.");
          if (server.embedded) await untilOver(server.embedded, signal);
        } finally {
          await server.stop();
        }
      }),
    );
}

/** Waits for Ctrl-C, or for somebody else to end the server. */
async function untilOver({ pid, logFile }: EmbeddedServer, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (processIdentity(pid) === null) {
      throw new CommandError(exitCodes.unreachable, "the server has ended", `Its log may say why: ${logFile}`);
    }
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}
