#!/usr/bin/env node
// The command `daybook`. In an installed package it runs what was built; in a checkout it runs the TypeScript sources,
// for which it needs Node 22.18 or later: the checkout's own, if the one at hand is older.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const built = path("../dist/cli/main.js");
const source = path("../src/cli/main.ts");
const ownNode = path("../node_modules/.bin/node");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const recent = major > 22 || (major === 22 && minor >= 18);
const program = existsSync(source) ? source : built;

if (recent) {
  // The program finds its own name where it expects it.
  process.argv[1] = program;
  await import(pathToFileURL(program).href);
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  // Ctrl-C reaches both; the child decides when it is done.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      if (name !== "SIGINT" || !process.stdin.isTTY) child.kill(name);
    });
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
} else {
  console.error(`daybook needs Node 22.18 or later; this is ${process.versions.node}.`);
  console.error("Install a newer Node, or, in a checkout, run npm ci: it brings one.");
  process.exitCode = 1;
}
