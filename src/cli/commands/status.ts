import { Command } from "@commander-js/extra-typings";
import { type Cli, withSession } from "../cli.ts";
import { exitCodes } from "../exit-codes.ts";
import { toJsonLine } from "../json.ts";
import { readStatus, type Status } from "../read-status.ts";
import { counted } from "../text.ts";

const help = `
Exits with 1 if Daybook is not installed or not up to date. What the role may not see is left out.

Examples:
  $ daybook status
  $ daybook status --json | jq .up_to_date`;

export function statusCommand(cli: Cli) {
  return new Command("status")
    .description("Say what there is: the server, the installation, the log, its partitions.")
    .addHelpText("after", help)
    .action(async () => {
      const status = await withSession(cli, (session, target) => readStatus(session, target, cli.version));
      if (!status.up_to_date && !status.newer) cli.exitCode = exitCodes.no;
      if (cli.json) return cli.out.line(toJsonLine(status));
      const lines = describe(status).filter(([, value]) => value !== null);
      const width = Math.max(...lines.map(([name]) => name.length));
      const separate = cli.out.isTerminal
        ? (name: string) => cli.out.bold(name.padEnd(width + 2))
        : (name: string) => `${name}\t`;
      for (const [name, value] of lines) await cli.out.line(`${separate(name)}${value}`);
    });
}

function describe(status: Status): [name: string, value: string | null][] {
  const { log, streams, partitions, missing_partitions: missing } = status;
  return [
    ["database", status.database],
    ["embedded in", status.embedded_in],
    ["server", `PostgreSQL ${status.server_version}`],
    ["role", status.role],
    ["Daybook", installation(status)],
    ["events", log && `about ${log.events}`],
    ["last position", log && String(log.last_position)],
    ["horizon", log && horizon(log)],
    ["streams", streams === null ? null : `about ${streams}`],
    ["partitions", partitions && `${partitions.count}, until ${partitions.until}`],
    [
      "missing",
      missing === null ? null : missing.length === 0 ? "none" : `${missing.join(", ")}: daybook partitions ensure`,
    ],
  ];
}

function installation({ installed_version: installed, version, up_to_date, newer }: Status): string {
  if (installed === null) return "not installed: daybook migrate";
  if (up_to_date) return `${installed}, up to date`;
  return newer
    ? `${installed}, newer than this program (${version})`
    : `${installed}, behind ${version}: daybook migrate`;
}

function horizon({ horizon, last_position: last }: NonNullable<Status["log"]>): string {
  const behind = last - horizon;
  return behind <= 0n ? `${horizon}, nothing in flight` : `${horizon}, ${counted(behind, "position")} in flight`;
}
