import pg from "pg";
import { fromPg, iterateAll, readAll, readStream } from "../src/index.ts";
import { benchServer } from "./support/bench-server.ts";
import { writeHistory } from "./support/history.ts";
import { type Measured, measure, median, quantile, ratio, type Variant } from "./support/measure.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- replay

Reading on an embedded PostgreSQL: the whole log as typed events, against a bare SELECT of the same columns (from
the view and from a flat copy, in pages of the same size, parsed by pg itself); a stream of 100 events among 24 monthly partitions against
the same events in one; the last 100 events of the log with 120 partitions against one.
`);

const streams = options.quick ? 2_000 : 20_000;
const page = 1000;
const server = await benchServer();
const rows: Row[] = [];

const manyUrl = await server.database("many_partitions", "daybook");
const oneUrl = await server.database("one_partition", "daybook");
await writeHistory(manyUrl, { months: 24, streams, eventsPerStream: 100, spread: true });
await writeHistory(oneUrl, { months: 1, streams, eventsPerStream: 100, spread: false });
const many = new pg.Pool({ connectionString: manyUrl, max: 2 });
const one = new pg.Pool({ connectionString: oneUrl, max: 2 });

await replayAll();
await streamAmongPartitions();
await writeMorePartitions();
await tailAmongPartitions();

await Promise.all([many.end(), one.end()]);
await server.stop();
await report("replay", server.words, rows, options);

async function replayAll(): Promise<void> {
  await many.query("create schema bare");
  await many.query("create table bare.log as select * from daybook.events order by position");
  await many.query("create index on bare.log (position)");
  await many.query("vacuum analyze bare.log");
  const total = streams * 100;
  const store = fromPg(many);
  const typed: Variant = {
    name: "typed replay",
    clients: 1,
    async run() {
      let count = 0;
      for await (const event of iterateAll(store, { pageSize: page })) if (event.version > 0n) count++;
      if (count !== total) throw new Error(`replayed ${count} of ${total}`);
      return count;
    },
  };
  const bare = (name: string, relation: string): Variant => ({
    name,
    clients: 1,
    async run() {
      let after = "0";
      const text = `select * from ${relation} where position > $1 order by position limit ${page}`;
      for (let count = 0; ; ) {
        const { rows: got } = await many.query({ name, text, values: [after] });
        if (got.length === 0) return count;
        count += got.length;
        after = got.at(-1).position;
      }
    },
  });
  const variants = [typed, bare("bare SELECT", "daybook.events"), bare("flat table", "bare.log")];
  const [ours, view, flat] = (await measure(variants, Math.min(options.rounds, 5), 0)) as [
    Measured,
    Measured,
    Measured,
  ];
  const perSecond = median(ours.perSecond);
  const speed = (one: Measured) => `${one.name} ${Math.round(median(one.perSecond)).toLocaleString("en")}/s`;
  rows.push(
    {
      measure: "typed replay of the whole log against a bare SELECT of the view `events`, in pages",
      ratio: ratio(ours, view),
      bar: { atLeast: 0.8 },
      details: speed(view),
    },
    {
      measure: "the same against a bare SELECT of a flat copy of it (no join for the stream's name)",
      ratio: ratio(ours, flat),
      details: speed(flat),
    },
    {
      measure: "typed replay, events per second",
      ratio: perSecond,
      unit: "/s",
      bar: { atLeast: 100_000 },
      details: `${total.toLocaleString("en")} events, pages of ${page}`,
    },
  );
}

function reading(name: string, pool: pg.Pool, streamId: () => string): Variant {
  const db = fromPg(pool);
  return {
    name,
    clients: 1,
    async run() {
      const events = await readStream(db, { streamId: streamId() });
      if (events.length !== 100) throw new Error(`${events.length} events`);
      return 1;
    },
  };
}

async function streamAmongPartitions(): Promise<void> {
  const odd = () => `account-${1 + 2 * Math.floor((Math.random() * streams) / 2)}`;
  const even = () => `account-${2 + 2 * Math.floor((Math.random() * streams) / 2)}`;
  const all = await measure(
    [
      reading("one partition", one, odd),
      reading("24, within a month", many, odd),
      reading("24, spread over all", many, even),
    ],
    options.rounds,
    options.seconds,
  );
  const [single, month, spread] = all as [Measured, Measured, Measured];
  const ms = (measured: Measured) => `${quantile(measured.latencies, 0.5).toFixed(2)} ms`;
  const events = (streams * 100).toLocaleString("en");
  rows.push(
    {
      measure: `reading a stream of 100 events, 24 partitions and ${events} events, against one partition: a stream that lived a month`,
      ratio: ratio(single, month),
      unit: " ×",
      bar: { atMost: 1.5 },
      details: `${ms(month)} against ${ms(single)}`,
    },
    {
      measure: "the same, a stream whose 100 events are spread over all 24 months",
      ratio: ratio(single, spread),
      unit: " ×",
      bar: { atMost: 1.5 },
      details: `${ms(spread)}: 24 partitions hold it`,
    },
  );
}

async function writeMorePartitions(): Promise<void> {
  await many.query(
    `select count(daybook._make_partition((date_trunc('month', now() at time zone 'UTC') - m * interval '1 month') at time zone 'UTC')) from generate_series(24, 116) m`,
  );
  for (let step = 0; step < 3; step++) await many.query("select daybook.seal_partitions()");
}

async function tailAmongPartitions(): Promise<void> {
  const tail = async (name: string, pool: pg.Pool): Promise<Variant> => {
    const {
      rows: [last],
    } = await pool.query(
      "select max(position) as last, (select count(*) from daybook.event_partitions) as partitions from daybook.event_log",
    );
    const db = fromPg(pool);
    return {
      name: `${name} (${last.partitions} partitions)`,
      clients: 1,
      async run() {
        const events = await readAll(db, { afterPosition: BigInt(last.last) - 100n, maxCount: 100 });
        if (events.length !== 100) throw new Error(`${events.length} events`);
        return 1;
      },
    };
  };
  const [single, several] = (await measure(
    [await tail("one", one), await tail("many", many)],
    options.rounds,
    options.seconds,
  )) as [Measured, Measured];
  rows.push({
    measure: "the last 100 events of the log, 120 partitions against one",
    ratio: ratio(single, several),
    unit: " ×",
    bar: { atMost: 1.3 },
    details: `${several.name} ${quantile(several.latencies, 0.5).toFixed(2)} ms, ${single.name} ${quantile(single.latencies, 0.5).toFixed(2)} ms`,
  });
}
