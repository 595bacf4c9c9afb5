import { Command, Option } from "@commander-js/extra-typings";
import { toDatabaseUrl } from "./arguments.ts";
import { type Cli, createCli, type GlobalOptions } from "./cli.ts";
import { appendCommand } from "./commands/append.ts";
import { devCommand } from "./commands/dev.ts";
import { handlersCommand } from "./commands/handlers.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { outboxCommand } from "./commands/outbox.ts";
import { partitionsCommand } from "./commands/partitions.ts";
import { projectionsCommand } from "./commands/projections.ts";
import { readCommand } from "./commands/read.ts";
import { statusCommand } from "./commands/status.ts";
import { streamsCommand } from "./commands/streams.ts";
import { tailCommand } from "./commands/tail.ts";
import { traceCommand } from "./commands/trace.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { workerCommand } from "./commands/worker.ts";
import { exitCodes, exitCodesHelp } from "./exit-codes.ts";
import { describeFailure } from "./failure.ts";
import { say, sayError } from "./output.ts";

const help = `
The database is that of --url, else of DATABASE_URL, else the embedded server whose data lies in .daybook/
(it is started if it does not run). Results go to stdout: a table on a terminal, cut to its width; lines with
tabs between the cells otherwise; NDJSON with --json. All else goes to stderr. Times are in UTC.

${exitCodesHelp}

Examples:
  $ daybook dev                                      an embedded PostgreSQL, until Ctrl-C
  $ daybook append account-42 MoneyDeposited '{"amount": 100}'
  $ daybook read account-42
  $ daybook tail --json | jq .type`;

/**
 * Runs `daybook`.
 *
 * @param args what stands behind its name
 * @param version its version, for --version
 * @returns the exit code
 */
export async function run(args: readonly string[], version: string): Promise<number> {
  let options: GlobalOptions = {};
  const cli = createCli(version, () => options);
  const program = new Command("daybook")
    .description("The command line of Daybook, an event store that lives in PostgreSQL.")
    .version(version, "-V, --version", "print the version")
    .addOption(new Option("--url <url>", "the database; DATABASE_URL if not given").argParser(toDatabaseUrl))
    .option("--tenant <tenant>", "the tenant; DAYBOOK_TENANT if not given, and default if neither is")
    .option("--json", "print NDJSON")
    .helpOption("-h, --help", "print what there is to know")
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText("after", help)
    .showSuggestionAfterError()
    .exitOverride();
  program.hook("preAction", () => {
    options = program.opts();
  });
  for (const make of commands) program.addCommand(prepared(make(cli), program));
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.usage;
    }
    await program.parseAsync(args, { from: "user" });
    return cli.exitCode;
  } catch (error) {
    return tell(error);
  }
}

const commands: readonly ((cli: Cli) => AnyCommand)[] = [
  migrateCommand,
  statusCommand,
  appendCommand,
  readCommand,
  tailCommand,
  traceCommand,
  streamsCommand,
  partitionsCommand,
  handlersCommand,
  projectionsCommand,
  outboxCommand,
  workerCommand,
  devCommand,
  uninstallCommand,
];

type AnyCommand = Command<unknown[], Record<string, unknown>, Record<string, unknown>>;

/** A command with the settings of the program, and so its own. */
function prepared(command: AnyCommand, parent: AnyCommand): AnyCommand {
  command.copyInheritedSettings(parent).helpOption("-h, --help", "print what there is to know");
  for (const child of command.commands) prepared(child, command);
  return command;
}

function tell(error: unknown): number {
  const { exitCode, message, hint, detail } = describeFailure(error);
  if (message !== null) sayError(message);
  if (hint) say(`hint: ${hint}`);
  if (detail) say(`detail: ${detail}`);
  return exitCode;
}
