import { Command } from "@commander-js/extra-typings";
import { checkMigrations, type MigrationStatus, migrate } from "../../migrate/index.ts";
import { type Cli, withSession } from "../cli.ts";
import type { Session } from "../database.ts";
import { exitCodes } from "../exit-codes.ts";
import { toJsonLine } from "../json.ts";
import { counted } from "../text.ts";

const help = `
Any number of processes may do it at once: one does the work, the others wait. Nothing is done to a database that a
newer version has been at. DAYBOOK_DIRECT_URL, where it is set, goes before DATABASE_URL: for a database behind a pooler.

Examples:
  $ daybook migrate
  $ daybook migrate --check || echo 'run daybook migrate'`;

export function migrateCommand(cli: Cli) {
  return new Command("migrate")
    .description("Install Daybook in the database, or bring it up to date.")
    .option("--check", "change nothing; exit with 1 if there is something to do")
    .addHelpText("after", help)
    .action(async ({ check }) => {
      await withSession(cli, (session) => (check ? compare(cli, session) : bringUpToDate(cli, session)), true);
    });
}

async function bringUpToDate(cli: Cli, { client }: Session): Promise<void> {
  const log = (line: string) => void cli.out.line(line);
  const { upToDate, ...report } = await migrate(client, cli.json ? {} : { log });
  if (cli.json) await cli.out.line(toJsonLine({ up_to_date: upToDate, ...report }));
}

async function compare(cli: Cli, { client }: Session): Promise<void> {
  const status = await checkMigrations(client);
  const { upToDate, newer, pendingMigrations, changedObjects, installedVersion } = status;
  if (!upToDate && !newer) cli.exitCode = exitCodes.no;
  if (cli.json) return cli.out.line(toJsonLine(snakeCase(status)));
  if (upToDate) return cli.out.line(`up to date: version ${installedVersion}`);
  if (newer) return cli.out.line(`newer than this program: version ${installedVersion}`);
  const what = [counted(pendingMigrations.length, "migration"), counted(changedObjects.length, "changed object")];
  await cli.out.line(
    installedVersion === null
      ? "not installed"
      : `behind: version ${installedVersion}, ${what.join(" and ")} to install`,
  );
}

function snakeCase({ upToDate, newer, pendingMigrations, changedObjects, installedVersion }: MigrationStatus): object {
  return {
    up_to_date: upToDate,
    newer,
    installed_version: installedVersion,
    pending_migrations: pendingMigrations,
    changed_objects: changedObjects,
  };
}
