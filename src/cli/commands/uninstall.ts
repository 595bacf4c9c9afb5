import { createInterface } from "node:readline/promises";
import { Command } from "@commander-js/extra-typings";
import { uninstall } from "../../migrate/index.ts";
import { type Cli, withSession } from "../cli.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { toJsonLine } from "../json.ts";

const help = `
Every event goes, and every trace of Daybook in this database; there is no way back but a backup.

Examples:
  $ daybook uninstall
  $ daybook uninstall --yes --url postgres://localhost/trial`;

export function uninstallCommand(cli: Cli) {
  return new Command("uninstall")
    .description("Remove Daybook from the database, with all events. Asks first.")
    .option("-y, --yes", "do not ask")
    .option("--cascade", "remove what else in the database rests on it, too: views, foreign keys")
    .addHelpText("after", help)
    .action(async ({ yes, cascade = false }) => {
      await withSession(
        cli,
        async ({ client }, target) => {
          if (!yes && !(await isConfirmed(target.name))) {
            throw new CommandError(exitCodes.no, "nothing was removed");
          }
          const log = (line: string) => void cli.out.line(line);
          const report = await uninstall(client, { cascade, ...(cli.json ? {} : { log }) });
          if (report.removed.length === 0) cli.exitCode = exitCodes.no;
          if (cli.json) await cli.out.line(toJsonLine(report));
        },
        true,
      );
    });
}

async function isConfirmed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.usage,
      "there is nobody to ask: the input is no terminal",
      "To remove Daybook and all events without being asked, pass --yes.",
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Remove Daybook and all events from ${name}? Type yes: `);
    return answer.trim().toLowerCase() === "yes";
  } finally {
    prompt.close();
  }
}
