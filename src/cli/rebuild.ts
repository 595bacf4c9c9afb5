import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "../db.ts";
import { RebuildUnderWayError } from "../errors.ts";
import { drainProjection, type ProjectionStatus, projectionStatus, rebuildProjection } from "../projections/index.ts";
import { isRetriable } from "../retriable.ts";
import { type Cli, withSession } from "./cli.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { toJsonLine } from "./json.ts";
import { say } from "./output.ts";
import { createProgress, type Progress } from "./progress.ts";

/** Milliseconds: between two looks, and before what cannot go on at once is tried again. */
const look = { each: 250, pause: 100 };

/** Builds a projection anew, and shows how far it is until it has taken the live one's place. */
export async function rebuild(cli: Cli, name: string, isAwaited: boolean): Promise<void> {
  await cli.untilStopped((signal) =>
    withSession(cli, async ({ db }) => {
      const version = await begin(db, name);
      if (!isAwaited) {
        const facts = { projection: name, version, state: "building" };
        return cli.out.line(cli.json ? toJsonLine(facts) : `version ${version} of projection ${name} is being built`);
      }
      const progress = createProgress(cli, name, version);
      try {
        const isDone = await build(db, name, version, progress, signal);
        if (!isDone) return interrupted(cli, name, version, progress);
      } finally {
        progress.end();
      }
      const facts = { projection: name, version, state: "live" };
      await cli.out.line(cli.json ? toJsonLine(facts) : `version ${version} of projection ${name} is live`);
    }),
  );
}

async function begin(db: Db, name: string): Promise<number> {
  try {
    return await rebuildProjection(db, { name });
  } catch (error) {
    if (!(error instanceof RebuildUnderWayError)) throw error;
    const { version } = error.detail;
    say(`version ${version} is being built already: going on with it`);
    return version;
  }
}

/** Builds until it is live: true; or until it is told to stop: false. */
async function build(db: Db, name: string, version: number, progress: Progress, signal: AbortSignal): Promise<boolean> {
  let nextLook = 0;
  while (!signal.aborted) {
    if (performance.now() >= nextLook) {
      const [status] = await projectionStatus(db, { name });
      if (isLive(status, name, version)) return true;
      progress.show(status?.building?.progress ?? 0, waitsFor(status));
      nextLook = performance.now() + look.each;
    }
    if (!(await step(db, `${name}@${version}`))) await sleep(look.pause, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** Some batches, if there are any to be had. */
async function step(db: Db, name: string): Promise<boolean> {
  try {
    return (await drainProjection(db, name, { budget: look.each })).more;
  } catch (error) {
    // somebody was in the way
    if (isRetriable(error)) return false;
    throw error;
  }
}

function isLive(status: ProjectionStatus | undefined, name: string, version: number): boolean {
  if (status?.version === version) return true;
  if (status?.building?.version !== version) {
    throw new CommandError(exitCodes.no, `version ${version} of projection ${name} was given up`);
  }
  const { state, reason, error } = status.building;
  if (state === "running") return false;
  throw new CommandError(
    exitCodes.no,
    `version ${version} of projection ${name} is ${state}: ${reason ?? "nobody has said why"}${error === null ? "" : ` (${error.message})`}`,
    `The live version is untouched. Go on: daybook projections resume ${name}@${version}; give up: daybook projections drop-rebuild ${name}`,
  );
}

function waitsFor(status: ProjectionStatus | undefined): string | null {
  const { reason, error } = status?.building ?? {};
  if (error !== undefined && error !== null) return `an event failed, and is tried again: ${error.message}`;
  return reason ?? (status?.takes === "typescript" ? "a worker with its code builds it" : null);
}

async function interrupted(cli: Cli, name: string, version: number, progress: Progress): Promise<void> {
  progress.end();
  cli.exitCode = exitCodes.no;
  say(
    [
      `version ${version} of projection ${name} is not finished; what was built is kept, and readers have the version before.`,
      `hint: Go on: daybook projections rebuild ${name} (a worker goes on by itself); give up: daybook projections drop-rebuild ${name}`,
    ].join("\n"),
  );
}
