import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "@commander-js/extra-typings";
import { config } from "../../config.ts";
import type { TechnicalFact } from "../../waking/facts.ts";
import { parseConfig, type WorkerConfig } from "../../worker/define-config.ts";
import { type Cli, withTarget } from "../cli.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError, messageOf } from "../failure.ts";
import { toJsonLine } from "../json.ts";
import { say } from "../output.ts";

const help = `
Runs handlers, keeps projections up to date and builds their next versions, sends what routes have put into the outbox, and
does the upkeep, until it is told to stop. Any number of workers, on any number of machines, share the work. It waits for a database that is away.

The configuration is a module with a default export:

  import { defineConfig } from "daybook";
  import { auditTrail } from "./src/handlers.ts";

  export default defineConfig({ handlers: [auditTrail], concurrency: 5 });

SIGTERM and SIGINT (Ctrl-C) let it finish the batches in hand; what takes longer than stopTimeout is told to give up.
A second signal ends it at once. What happens is said on stderr, with --json as NDJSON on stdout.

Behind a pooler in transaction mode, DAYBOOK_DIRECT_URL names the database itself: one connection listens there.

Examples:
  $ daybook worker
  $ daybook worker --config deploy/worker.config.ts --json`;

export function workerCommand(cli: Cli) {
  return new Command("worker")
    .description("Run handlers, projections and routes.")
    .option("-c, --config <file>", "the configuration", "daybook.config.ts")
    .addHelpText("after", help)
    .action(async ({ config: file }) => {
      const settings = await load(file);
      await withTarget(cli, (target) => cli.untilStopped((signal) => runWorker(cli, target.url, settings, signal)));
    });
}

async function runWorker(cli: Cli, url: string, settings: WorkerConfig, signal: AbortSignal): Promise<void> {
  // what the other commands have no use for
  const { startWorker } = await import("../../worker/start-worker.ts");
  const direct = cli.url === undefined ? config().directUrl : undefined;
  try {
    const worker = await startWorker({
      ...settings,
      db: url,
      directUrl: direct === url ? undefined : direct,
      signal,
      onEvent(fact) {
        settings.onEvent?.(fact);
        tell(cli, fact);
      },
    });
    await worker.stopped;
  } catch (error) {
    if (!signal.aborted) throw error instanceof TypeError ? wrong(error.message) : error;
  } finally {
    await Promise.all((settings.transports ?? []).map((transport) => transport.close().catch(() => undefined)));
  }
}

async function load(file: string): Promise<WorkerConfig> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new CommandError(
      exitCodes.usage,
      `there is no ${file}`,
      "Write one (daybook worker --help), or name it with --config.",
    );
  }
  let exported: unknown;
  try {
    const module: object = await import(pathToFileURL(path).href);
    exported = "default" in module ? module.default : undefined;
  } catch (error) {
    throw new CommandError(exitCodes.usage, `${file} cannot be loaded: ${messageOf(error)}`, undefined, {
      cause: error,
    });
  }
  if (exported === undefined) throw wrong(`${file} has no default export`);
  try {
    return await parseConfig(exported);
  } catch (error) {
    throw wrong(`${file}: ${messageOf(error)}`);
  }
}

function wrong(message: string): CommandError {
  return new CommandError(exitCodes.usage, message, "What it may say: daybook worker --help, docs/worker.md.");
}

function tell(cli: Cli, { type, level, error, detail = {} }: TechnicalFact): void {
  const problem = error === undefined ? {} : { error: messageOf(error) };
  if (cli.json) {
    cli.out
      .line(toJsonLine({ at: new Date().toISOString(), type, level, ...problem, ...detail }))
      .catch(() => undefined);
    return;
  }
  const facts = Object.entries({ ...detail, ...problem }).map(([name, value]) => `${name}=${text(value)}`);
  say([level === "info" ? type : `${level}: ${type}`, ...facts].join(" "));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
