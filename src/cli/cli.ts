import { config } from "../config.ts";
import { connect, findTarget, type Session, type Target } from "./database.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { type Output, outputTo } from "./output.ts";

/** The options of every command. */
export interface GlobalOptions {
  readonly url?: string | undefined;
  readonly tenant?: string | undefined;
  readonly json?: true | undefined;
}

/** What a command works with. */
export interface Cli {
  readonly out: Output;
  /** Of this program. */
  readonly version: string;
  /** NDJSON rather than tables. */
  readonly json: boolean;
  /** Null: the session's own, or `default`. */
  readonly tenant: string | null;
  /** The database on the command line, if any. */
  readonly url: string | undefined;
  /** The exit code, unless the command fails. */
  exitCode: number;
  /**
   * Runs work that ends when somebody presses Ctrl-C: the signal is aborted then. Pressed again, the process ends at
   * once, as it does for all other commands the first time.
   */
  untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/**
 * @param version of this program
 * @param options asked for when a command runs, and not before: they are read from the command line only then
 */
export function createCli(version: string, options: () => GlobalOptions): Cli {
  let stop: AbortController | undefined;
  for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.on(name, () => {
      if (stop === undefined || stop.signal.aborted) process.exit(128 + number);
      stop.abort();
    });
  }
  return {
    version,
    out: outputTo(process.stdout),
    get json() {
      return options().json ?? false;
    },
    get tenant() {
      return options().tenant ?? config().tenant ?? null;
    },
    get url() {
      return options().url;
    },
    exitCode: exitCodes.ok,
    async untilStopped(work) {
      stop = new AbortController();
      return work(stop.signal);
    },
  };
}

/** Runs work on the database of the command, with one connection. */
export async function withSession<T>(
  cli: Cli,
  work: (session: Session, target: Target) => Promise<T>,
  direct = false,
): Promise<T> {
  return withTarget(
    cli,
    async (target) => {
      const session = await connect(target);
      try {
        return await work(session, target);
      } catch (error) {
        const loss = error instanceof CommandError ? null : await session.lossBehind(error);
        throw loss === null ? error : lost(loss, error);
      } finally {
        await session.close();
      }
    },
    direct,
  );
}

/** Runs work on the database of the command; it connects by itself. */
export async function withTarget<T>(cli: Cli, work: (target: Target) => Promise<T>, direct = false): Promise<T> {
  const target = await findTarget(cli.url, direct);
  try {
    return await work(target);
  } finally {
    await target.stop();
  }
}

function lost(why: string, cause: unknown): CommandError {
  return new CommandError(exitCodes.unreachable, `the connection was lost: ${why}`, undefined, { cause });
}
