import { Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import { toCount } from "../arguments.ts";
import { type Cli, withSession } from "../cli.ts";
import { utc } from "../events.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { rowWriter } from "../rows.ts";
import { numberColumn, timeColumn } from "../table.ts";

const help = `
Examples:
  $ daybook streams                    all streams, by name
  $ daybook streams account            those of a category
  $ daybook streams --count 20 --json
  $ daybook streams --tenant '*'       of all tenants you may see`;

export function streamsCommand(cli: Cli) {
  return new Command("streams")
    .description("List the streams and their versions.")
    .argument("[category]", "the category; all of them if not given")
    .addOption(new Option("-n, --count <n>", "how many streams at most").argParser(toCount))
    .addHelpText("after", help)
    .action(async (category, { count = Number.POSITIVE_INFINITY }) => {
      const found = await list(cli, category ?? null, count);
      if (found === 0 && category !== undefined) {
        throw new CommandError(exitCodes.no, `there is no stream of category ${category}`);
      }
    });
}

const text = `
  select s.tenant_id, s.stream_id, row_to_json(r)::text as line
    from daybook.streams s
   cross join (select case when $1 = '*' then daybook.visible_tenants() else array[daybook._tenant($1)] end as tenants) t
   cross join lateral (
     select s.tenant_id, s.stream_id, s.category, s.version,
            ${utc("s.first_recorded_at")} as first_recorded_at, ${utc("s.last_recorded_at")} as last_recorded_at) r
   where (t.tenants is null or s.tenant_id = any (t.tenants))
     and ($2::text is null or s.stream_id = $2 or (s.stream_id >= $2 || '-' and s.stream_id < $2 || '.'))
     and (s.tenant_id, s.stream_id) > ($3, $4)
   order by s.tenant_id, s.stream_id
   limit $5`;

const rowSchema = z.array(z.object({ tenant_id: z.string(), stream_id: z.string(), line: z.string() }));
const pageSize = 1000;

async function list(cli: Cli, category: string | null, count: number): Promise<number> {
  const isEveryTenant = cli.tenant === "*";
  const writer = rowWriter(cli, [
    ...(isEveryTenant ? [{ name: "tenant_id" }] : []),
    { name: "stream_id", least: 16 },
    numberColumn("version"),
    timeColumn("first_recorded_at"),
    timeColumn("last_recorded_at"),
  ]);
  return withSession(cli, async ({ db }) => {
    let found = 0;
    let last = { tenant_id: "", stream_id: "" };
    for (;;) {
      const size = Math.min(pageSize, count - found);
      const values = [cli.tenant, category, last.tenant_id, last.stream_id, size];
      const rows = size > 0 ? rowSchema.parse(await db.query(text, values)) : [];
      if (rows.length > 0) await writer.add(rows.map(({ line }) => line));
      found += rows.length;
      last = rows.at(-1) ?? last;
      if (rows.length < pageSize) break;
    }
    if (found > 0 || category === null) await writer.end();
    return found;
  });
}
