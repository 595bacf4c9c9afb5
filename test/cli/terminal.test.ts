import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import t from "tap";
import { toMoment } from "../../src/cli/arguments.ts";
import { columnWidths, cut, numberColumn, tableLine, timeColumn } from "../../src/cli/table.ts";
import { printable } from "../../src/cli/text.ts";
import { treeLines } from "../../src/cli/tree.ts";
import { testDatabase } from "../support/database.ts";
import { collect, environment, main } from "./support.ts";

t.test("columns hold what is in them, and give way where there is no room", async (t) => {
  const columns = [numberColumn("position"), { name: "stream_id" }, { name: "data", least: 10 }];
  t.same(columnWidths(columns, [["1", "a-1", "{}"]], 80), [8, 9, 10]);
  t.same(columnWidths(columns, [["1", "a-1", "x".repeat(100)]], 80), [8, 9, 59]);
  t.same(columnWidths(columns, [["1", "s".repeat(100), "x".repeat(100)]], 80), [8, 34, 34]);
  t.same(
    columnWidths(columns, [["1".repeat(19), "s".repeat(50), "x".repeat(50)]], 20),
    [19, 12, 12],
    "numbers are not cut",
  );
  t.same(columnWidths([timeColumn("at")], [], 80), [23]);
});

t.test("a line of a table", async (t) => {
  const columns = [numberColumn("n"), { name: "type" }, { name: "data" }];
  t.equal(tableLine(columns, [4, 6, 5], ["7", "Called", "{}"]), "   7  Called  {}");
  t.equal(tableLine(columns, [4, 4, 5], ["7", "Called", "12345678"]), "   7  Cal…  1234…");
  t.equal(tableLine(columns, [1, 6, 5], ["7", "候诊室", "{}"]), "7  候诊室  {}");
});

t.test("what is wide is cut between characters", async (t) => {
  t.equal(cut("候诊室", 6), "候诊室");
  t.equal(cut("候诊室", 5), "候诊…");
  t.equal(cut("候诊室", 4), "候…");
  t.equal(cut("👩‍⚕️👩‍⚕️👩‍⚕️", 4), "👩‍⚕️…");
});

t.test("nothing that a text holds reaches the terminal as a command", async (t) => {
  t.equal(printable("a\tb\nc\r\u001b]0;x\u0007\u009b31m\u202e"), "a\\tb\\nc\\r\\u001b]0;x\\u0007\\u009b31m\\u202e");
});

t.test("branches", async (t) => {
  t.same(treeLines([]), []);
  t.same(treeLines([0, 1, 2, 2, 1, 0, 1]), ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "", "└─ "]);
  t.same(treeLines([0, 1, 2, 3, 3, 1]), ["", "├─ ", "│  └─ ", "│     ├─ ", "│     └─ ", "└─ "]);
});

t.test("moments", async (t) => {
  t.equal(toMoment("2026-11-21"), "2026-11-21T00:00Z");
  t.equal(toMoment("2026-11-21 09:30"), "2026-11-21T09:30Z");
  t.equal(toMoment("2026-11-21T09:30:15.123456+0530"), "2026-11-21T09:30:15.123456+0530");
  t.ok(Math.abs(Date.parse(toMoment("2h")) - (Date.now() - 7_200_000)) < 5000);
  for (const bad of ["", "now", "2026-02-31T25:00Z", "2h30m", "21.11.2026"]) t.throws(() => toMoment(bad), bad);
});

const noTerminal =
  spawnSync("script", ["--version"]).status === 0 ? false : "script is missing: apt-get install bsdutils";

/** Runs in a terminal of so many columns. */
async function inTerminal(url: string, args: readonly string[], input = "", columns = 80) {
  const command = `stty cols ${columns} -echo; exec ${[process.execPath, main, ...args].map((word) => `'${word}'`).join(" ")}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: environment({ url, env: { SHELL: "/bin/sh", TERM: "xterm" } }),
  });
  const output = collect(child);
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, lines: output.stdout.replaceAll("\r", "").split("\n") };
}

t.test("on a terminal", { skip: noTerminal }, async (t) => {
  const { url, pool } = await testDatabase(t);
  await pool.query(
    "select daybook.append_event('account-1', 'MoneyDeposited', jsonb_build_object('text', repeat('x', 5000)))",
  );
  const { code, lines } = await inTerminal(url, ["read"], "", 90);
  t.equal(code, 0);
  const heading = stripVTControlCharacters(lines[0] ?? "");
  t.match(heading, /^position {2}recorded_at +stream_id +version {2}type +data$/);
  t.not(lines[0], heading, "in bold");
  t.match(lines[1], /^ {7}1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}account-1 .*…$/);
  t.equal(lines[1]?.length, 90);
  t.match((await inTerminal(url, ["partitions"])).lines[1], /^event_log_\d{4}_\d\d +current +\d/);
});

t.test("uninstall asks", { skip: noTerminal }, async (t) => {
  const { url, pool } = await testDatabase(t);
  const there = async () => (await pool.query("select from pg_namespace where nspname = 'daybook'")).rowCount;
  const no = await inTerminal(url, ["uninstall"], "no\n");
  t.equal(no.code, 1);
  t.match(no.lines.join("\n"), /Remove Daybook and all events from postgres.*Type yes: [\s\S]*nothing was removed/);
  t.equal(await there(), 1);
  t.equal((await inTerminal(url, ["uninstall"], "yes\n")).code, 0);
  t.equal(await there(), 0);
});
