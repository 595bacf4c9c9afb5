import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { codeBlocks } from "../docs/code-blocks.ts";
import { testDatabase } from "../support/database.ts";
import { environment, main } from "./support.ts";

/** A command as a page shows it, and what it prints there. */
interface Example {
  readonly command: string;
  readonly output: string;
}

/** `$` begins a command, `>` goes on with it, the rest is what it prints. */
function examples(block: string): Example[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = "", ...lines] = part.trimEnd().split("\n");
      const more = lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
      const output = lines.filter((line) => !line.startsWith("> ")).join("\n");
      return { command: [command, ...more].join("\n"), output };
    });
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** `…` stands for anything, alone in a line for any lines; spaces and tabs are as wide as they are. */
function pattern(output: string): RegExp {
  const lines = output.split("\n").map((line) => {
    if (line === "…") return "(?:.*\\n)*";
    const parts = line
      .trim()
      .split(/\s+/)
      .map((word) => word.split("…").map(escaped).join(".*"));
    return `\\s*${parts.join("[ \\t]+")}\\s*\\n`;
  });
  return new RegExp(`^${output === "" ? "" : lines.join("")}$`);
}

t.test("docs/cli.md: its examples do what it says", async (t) => {
  t.setTimeout(120_000);
  const { url, pool } = await testDatabase(t, { template: false });
  const directory = mkdtempSync(join(tmpdir(), "daybook-docs-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const program = join(directory, "daybook");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(program, 0o755);
  const { PATH, ...env } = environment({ url });
  for (const block of await codeBlocks("docs/cli.md", "console")) {
    if (block.includes("projections rebuild")) {
      await pool.query(`
        create schema clinic;
        grant usage on schema clinic to daybook_projector;
        create function clinic.queue(events daybook.event[]) returns void language plpgsql as 'begin end'`);
      await pool.query(`select daybook.create_projection('queue', 'clinic.queue', '{"queue": "id text"}')`);
    }
    // what a worker would have made
    if (block.includes("room-view")) {
      await pool.query("select daybook.create_handler('room-view')");
      await pool.query("select daybook.create_route('announcements', 'broker', categories => '{order}')");
    }
    for (const { command, output } of examples(block)) {
      const run = spawnSync("sh", ["-c", `{ ${command}\n} 2>&1`], {
        cwd: directory,
        env: { ...env, PATH: `${directory}:${PATH}` },
        encoding: "utf8",
        timeout: 60_000,
      });
      t.match(run.stdout, pattern(output), command.split("\n")[0] ?? "");
    }
    await pool.query("drop schema if exists clinic cascade");
  }
});
