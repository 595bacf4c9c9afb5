import { Command } from "@commander-js/extra-typings";
import { z } from "zod";
import { toUuid } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import { eventColumns } from "../events.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { toJsonLine } from "../json.ts";
import { rowWriter } from "../rows.ts";
import { numberColumn, timeColumn } from "../table.ts";
import { treeLines } from "../tree.ts";

const help = `
With --json each event comes with its depth, each right behind what caused it.

Examples:
  $ daybook trace 0198c7f2-0000-7000-8000-000000000001
  $ daybook trace 0198c7f2-0000-7000-8000-000000000001 --json`;

const rowSchema = z.object({
  depth: z.int(),
  type: z.string(),
  stream_id: z.string(),
  version: z.string(),
  position: z.string(),
  recorded_at: z.string(),
  line: z.string(),
});

export function traceCommand(cli: Cli) {
  return new Command("trace")
    .description("Show what one operation has led to: the events of a correlation id, each under its cause.")
    .argument("<correlation-id>", "the UUID that the events carry", toUuid)
    .addHelpText("after", help)
    .action(async (correlationId) => {
      const found = await withSession(cli, ({ db }) => db.query(text, [correlationId, cli.tenant]));
      const rows = z.array(rowSchema).parse(found);
      if (rows.length === 0) {
        throw new CommandError(exitCodes.no, `no event has the correlation id ${correlationId}`);
      }
      const branches = treeLines(rows.map(({ depth }) => depth));
      const writer = rowWriter(cli, [
        { name: "event" },
        { name: "stream_id" },
        numberColumn("version"),
        numberColumn("position"),
        timeColumn("recorded_at"),
      ]);
      await writer.add(
        rows.map(({ line, ...row }, i) =>
          cli.json ? line : toJsonLine({ ...row, event: `${branches[i]}${row.type}` }),
        ),
      );
    });
}

const text = `
  select r.depth, r.type, r.stream_id, r.version::text, r.position::text, r.recorded_at, row_to_json(r)::text as line
    from daybook.trace($1, $2) with ordinality t (depth, path, event, n)
   cross join lateral (select (t.event).*) e
   cross join lateral (select t.depth, ${eventColumns}) r
   order by t.n`;
