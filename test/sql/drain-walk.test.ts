import type pg from "pg";
import t from "tap";
import { newSeed, random } from "../concurrency/support/random.ts";
import { append, batch, claim, consumerStore, failParked, finish, finishParked, makeDue } from "./drains.ts";
import { column, type Row, row, rows, value } from "./support.ts";

/** A drain: it has a batch open, or has not. */
interface Drain {
  readonly client: pg.Client;
  open:
    | { name: string; shard: number; shards: number; parked: boolean; position: unknown; to: unknown; events: Row[] }
    | undefined;
}

for (const seed of [Number(process.env.DAYBOOK_SEED ?? newSeed()), 1, 2]) {
  t.test(
    `drains, failures, pauses, people and changing numbers of shards at random: each event once, in order (seed ${seed})`,
    async (t) => {
      const store = await consumerStore(t);
      const { owner, worker, writer, admin } = store;
      const choose = random(seed);
      await owner.query(
        "create table effects (n serial, stream_id text, position bigint); grant all on effects to daybook_worker; grant all on sequence effects_n_seq to daybook_worker",
      );
      await worker.query("select daybook.create_handler('h', types => '{T}', max_attempts => 2)");
      const drains: Drain[] = [];
      const layouts = new Set<string>();
      for (let n = 0; n < 4; n++) drains.push({ client: await store.login("daybook_worker"), open: undefined });
      // whoever would wait for a batch of this walk gives up instead
      for (const client of [admin, ...drains.map((d) => d.client)]) await client.query("set lock_timeout = '20ms'");
      const impatient = async (call: () => Promise<unknown>) => {
        try {
          await call();
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "55P03")) throw error;
        }
      };
      const layout = async () => {
        const [known] = await rows(owner, "select shard_count from daybook.consumers");
        const shards = choose.chance(0.9) ? Number(known?.shard_count) : choose.pick([1, 2, 3, 4]);
        return { name: "h", shard: choose.below(shards), shards };
      };

      const begin = async (drain: Drain) => {
        const of = await layout();
        const { client } = drain;
        await client.query("begin");
        const parked = choose.chance(0.4);
        const [claimed] = parked
          ? await rows(client, "select * from daybook.claim_parked('handler', 'h', $1, $2)", [of.shard, of.shards])
          : await claim(client, of);
        if (claimed === undefined) {
          await client.query("commit");
          return;
        }
        layouts.add(`${of.shard} of ${of.shards}`);
        const max = choose.between(1, 6);
        const events = parked
          ? await rows(client, "select * from daybook.read_parked_events('h', $1, $2, $3, $4)", [
              claimed.stream_id,
              claimed.position,
              claimed.through,
              max,
            ])
          : await rows(client, "select * from daybook.read_events_for('h', $1, $2, $3, $4, $5)", [
              claimed.position,
              claimed.horizon,
              max,
              of.shard,
              of.shards,
            ]);
        for (const e of events)
          await client.query("insert into effects (stream_id, position) values ($1, $2)", [e.stream_id, e.position]);
        const end = parked ? claimed.through : claimed.horizon;
        drain.open = {
          ...of,
          parked,
          position: parked ? [claimed.stream_id, claimed.position] : claimed.position,
          to: events.length < max ? end : events.at(-1)?.position,
          events,
        };
      };

      const end = async (drain: Drain) => {
        const { client, open } = drain;
        if (open === undefined) return;
        drain.open = undefined;
        const [first] = open.events;
        if (choose.chance(0.25)) {
          await client.query("rollback");
          if (first !== undefined && choose.chance(0.7)) {
            await impatient(() =>
              open.parked
                ? failParked(client, "h", first)
                : value(client, "select daybook.fail_message('handler', 'h', $1, $2, $3, $4, $5, $6, '{}')", [
                    open.shard,
                    open.position,
                    first.position,
                    first.stream_id,
                    first.event_id,
                    first.type,
                  ]),
            );
          }
          return;
        }
        if (open.parked) {
          const [stream, from] = open.position as [string, number];
          await finishParked(client, "h", stream, from, open.to);
        } else await finish(client, open, open.position, open.to);
        await client.query("commit");
      };

      const somebody = [
        () =>
          append(
            writer,
            Array.from({ length: 8 }, () => `a-${choose.below(12)}`),
            choose.chance(0.8) ? "T" : "U",
          ),
        () => append(writer, [`a-${choose.below(12)}`, `b-${choose.below(3)}`]),
        () => append(writer, [`a-${choose.below(12)}`, `b-${choose.below(3)}`]),
        () => makeDue(owner).then(() => undefined),
        () =>
          worker.query("select daybook.create_handler('h', types => '{T}', max_attempts => 2, shards => $1)", [
            choose.between(1, 4),
          ]),
        () => impatient(() => admin.query("select daybook.pause_handler('h')")),
        () => impatient(() => admin.query("select daybook.resume_handler('h')")),
        () => impatient(() => admin.query("select daybook.resume_handler('h')")),
        () => impatient(() => admin.query("select daybook.retry_dead_letters()")),
        () =>
          choose.chance(0.3)
            ? impatient(() => admin.query("select daybook.discard_dead_letters('handler', 'h', 'no')"))
            : undefined,
        () => impatient(() => worker.query("select daybook.move_idle_consumers(0, daybook.horizon(), 1)")),
      ];
      for (let step = 0; step < 700; step++) {
        const drain = choose.pick(drains);
        if (choose.chance(0.3)) await choose.pick(somebody)();
        else if (drain.open === undefined) await begin(drain);
        else await end(drain);
        // makeDue waits for what is locked, with the rights of the owner: batches are open for a few steps only
        if (choose.chance(0.1)) for (const d of drains) await end(d);
      }
      for (const d of drains) await end(d);

      await admin.query("select daybook.resume_handler('h')");
      for (let round = 0; round < 60; round++) {
        await admin.query("select daybook.retry_dead_letters()");
        await makeDue(owner);
        const shards = Number(await value(owner, "select shard_count from daybook.consumers"));
        for (let shard = 0; shard < shards; shard++) {
          await batch(worker, { name: "h", shard, shards }, (e) =>
            worker.query("insert into effects (stream_id, position) values ($1, $2)", [e.stream_id, e.position]),
          );
          await worker.query("begin");
          for (const p of await rows(worker, "select * from daybook.claim_parked('handler', 'h', $1, $2, 100)", [
            shard,
            shards,
          ])) {
            const events = await rows(worker, "select * from daybook.read_parked_events('h', $1, $2, $3)", [
              p.stream_id,
              p.position,
              p.through,
            ]);
            for (const e of events)
              await worker.query("insert into effects (stream_id, position) values ($1, $2)", [
                e.stream_id,
                e.position,
              ]);
            await finishParked(worker, "h", String(p.stream_id), p.position, p.through);
          }
          await worker.query("commit");
        }
      }
      const discarded = await column(owner, "select position from daybook.dead_letters where state = 'discarded'");
      t.same(await rows(owner, "select * from daybook.parked"), [], "nothing is left");
      t.same(await column(owner, "select position from effects group by 1 having count(*) > 1"), [], "none twice");
      t.same(
        await column(
          owner,
          "select position from daybook.events where type = 'T' and position <> all ($1::bigint[]) and position not in (select position from effects) order by 1",
          [discarded],
        ),
        [],
        "none skipped",
      );
      t.same(
        await rows(
          owner,
          "select * from (select stream_id, position, lag(position) over (partition by stream_id order by n) as before from effects) e where before > position",
        ),
        [],
        "each stream in order",
      );
      const { count } = await row(owner, "select count(*) from effects");
      t.ok(
        Number(count) > 100,
        `${count} events, ${discarded.length} discarded, shards handled: ${[...layouts].join(", ")}`,
      );
    },
  );
}
