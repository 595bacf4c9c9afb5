import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** False where psql is there; otherwise why a test is skipped: `t.test(name, { skip: psqlMissing }, …)`. */
export const psqlMissing: string | false =
  spawnSync("psql", ["--version"], { stdio: "ignore" }).status === 0
    ? false
    : "psql is missing: apt-get install postgresql-client";

/**
 * Runs a script in psql as a person would, stopping at the first error, and returns what it prints.
 *
 * @throws Error with psql's own messages in `stderr`
 */
export async function psql(url: string, script: string): Promise<string> {
  const promise = run("psql", [url, "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--quiet", "--file=-"]);
  promise.child.stdin?.end(script);
  return (await promise).stdout;
}
