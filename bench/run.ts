import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/*
 * npm run bench -- NAME [options]: runs one bench in a process of its own.
 */

const benches: Readonly<Record<string, string>> = {
  append: "single and many events, group commit, against bare INSERTs and message-db",
  replay: "reading: the whole log typed, one stream among partitions, the tail among partitions",
  wake: "appends with a worker attached that has nothing to do",
  drain: "handlers, per event and by batch",
  outbox: "routes: against jobs of graphile-worker, with a long backlog, beside an open transaction",
  latency: "from commit to handler; appends at a fixed rate beside a worker",
  project: "projections: rebuilds, inline and idle ones beside appends, latency, the switch, memory; fold",
  storage: "bytes per event on disk, against message-db",
};

const [name, ...rest] = process.argv.slice(2);

if (name === undefined || name === "--help" || name === "-h" || !(name in benches)) {
  const list = Object.entries(benches).map(([key, what]) => `  ${key.padEnd(10)}${what}`);
  process.stdout.write(`npm run bench -- NAME [--quick] [--help]\n\n${list.join("\n")}\n`);
  process.exit(name === undefined || name.startsWith("-") ? 0 : 2);
}

const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const child = spawn(process.execPath, ["--expose-gc", script, ...rest], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
