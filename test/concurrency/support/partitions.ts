import type { Session } from "./sessions.ts";

/*
 * Tests cannot wait for the end of a month: they lay out partitions of their own, for any stretches of time.
 */

/** Empties the log and replaces all partitions by ones that meet at these moments, in order; nothing can be recorded beyond the last. */
export async function layOut(session: Session, moments: readonly Date[]): Promise<void> {
  const dates = moments.map((moment) => moment.toISOString());
  await session.rows(
    `do $$
    declare
      _old record;
    begin
      for _old in select p.partition_name from daybook.event_partitions p loop
        execute format('drop table daybook.%I', _old.partition_name);
      end loop;
      delete from daybook.event_partitions;
      delete from daybook.stream_heads;
    end $$`,
  );
  for (const [i, until] of dates.entries()) {
    const from = dates[i - 1];
    if (from === undefined) continue;
    const name = `event_log_test_${i}`;
    await session.rows(
      `create table daybook.${name} (like daybook.event_log including all);
       alter table daybook.event_log attach partition daybook.${name} for values from ('${from}') to ('${until}');
       select daybook._protect_events('daybook.${name}');
       insert into daybook.event_partitions (partition_name, range_from, range_to) values ('${name}', '${from}', '${until}');`,
    );
  }
  await setConstant(session, "_writable_from", dates[0] ?? "infinity");
  await setConstant(session, "_writable_until", dates.at(-1) ?? "-infinity");
}

export async function setConstant(session: Session, name: string, value: string): Promise<void> {
  await session.rows("select daybook._set_constant($1, 'timestamptz', $2)", [name, value]);
}

/** The first moment of a month (UTC), so many months from this one, by the server's clock. */
export async function month(session: Session, offset: number): Promise<Date> {
  const text = "select (date_trunc('month', now() at time zone 'UTC') + $1 * interval '1 month') at time zone 'UTC'";
  return session.value<Date>(text, [offset]);
}

/**
 * Leaves the store with the partition of last month alone, so that the next append finds none for its own month. The
 * streams named get an event there.
 */
export async function forgetThisMonth(
  keeper: Session,
  appender: Session,
  streams: readonly string[] = [],
): Promise<void> {
  await layOut(keeper, [await month(keeper, -1), await month(keeper, 0)]);
  // While somebody else sees to the partitions, appends are recorded in the last moment of the last one.
  await keeper.rows("select pg_advisory_lock(1145196364, 0)");
  for (const stream of streams) await appender.rows("select daybook.append_event($1, 'Tested')", [stream]);
  await keeper.rows("select pg_advisory_unlock(1145196364, 0)");
}

/**
 * Lays out two partitions, the first of which ends in a moment, and comes back when it has ended.
 *
 * @param before what to do before the end
 * @param undo takes it back: on a busy machine the end may come too soon, and all is done again
 */
export async function letMonthEnd(
  keeper: Session,
  before: () => Promise<unknown>,
  undo: () => Promise<unknown>,
): Promise<void> {
  const now = async () => (await keeper.value<Date>("select clock_timestamp()")).getTime();
  for (let lead = 150; ; lead *= 4) {
    const end = (await now()) + lead;
    await layOut(keeper, [await month(keeper, -1), new Date(end), await month(keeper, 2)]);
    await before();
    if ((await now()) < end) {
      await keeper.rows("select pg_sleep(($1 - extract(epoch from clock_timestamp()) * 1000) / 1000 + 0.002)", [end]);
      return;
    }
    await undo();
  }
}

/** The steps that seal a partition, and one more: returns what was sealed. */
export async function seal(session: Session, steps = 4): Promise<string[]> {
  const sealed: string[] = [];
  for (let i = 0; i < steps; i += 1) sealed.push(...(await session.column<string>("select daybook.seal_partitions()")));
  return sealed;
}
