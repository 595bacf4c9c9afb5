import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const MISSING = "test/concurrency/missing-partition.test.ts";
const SEALING = "test/concurrency/sealing.test.ts";
const NOTICE = /\n\s+perform pg_relation_is_updatable\([^;]+;/;

/** Law 6: partitions come and are sealed under way. */
export const PARTITION_MUTATIONS: readonly Mutation[] = [
  {
    name: "partition-not-made",
    rule: "the first append of a month without a partition makes it",
    sql: () => changed("_recordable_at", ["perform daybook._make_partition(_month);", ""]),
    test: MISSING,
    caught: "makes a missing partition",
  },
  {
    name: "partition-waited-for",
    rule: "while somebody makes a partition, others do not wait for it",
    sql: () =>
      changed("_recordable_at", [
        /pg_try_advisory_xact_lock\(1145196364, 0\)/,
        "pg_advisory_xact_lock(1145196364, 0) is not null",
      ]),
    test: MISSING,
    caught: "makes a missing partition",
  },
  {
    name: "partition-of",
    rule: "a partition is made apart and attached: CREATE … PARTITION OF stops all appends",
    sql: () =>
      changed(
        "_make_partition",
        [/\n\s+execute format\('create table daybook\.%I \(like [^;]+;/, ""],
        [
          /\n\s+execute format\('comment on table/,
          `\n  execute format('create table daybook.%I partition of daybook.event_log for values from (%L) to (%L)', _name, month, _next);
  execute format('comment on table`,
        ],
        [/\n\s+execute format\('alter table daybook\.event_log attach [^;]+;/, ""],
      ),
    test: MISSING,
    caught: "makes a missing partition",
  },
  {
    name: "new-partition-unnoticed-by-writer",
    rule: "a transaction that has appended before finds a partition that was made since",
    sql: () => changed("_recordable_at", [NOTICE, ""]),
    test: MISSING,
    caught: "in a transaction that has appended before",
  },
  {
    name: "new-partition-unnoticed-by-reader",
    rule: "a reader finds a partition that was attached while its transaction is open",
    sql: () => changed("horizon", [NOTICE, ""]),
    test: "test/concurrency/reader-transaction.test.ts",
    caught: "in one transaction sees what was recorded",
  },
  {
    name: "new-partition-unnoticed-by-stream",
    rule: "who reads streams finds a partition that was attached while the transaction is open",
    sql: () =>
      ["read_stream", "read_streams", "read_event", "trace"].map((name) => changed(name, [NOTICE, ""])).join("\n"),
    test: "test/concurrency/reader-transaction.test.ts",
    caught: "read_streams in one transaction",
  },
  {
    name: "sealed-without-waiting",
    rule: "a partition is sealed when the transactions that may write into it have ended",
    sql: () => changed("seal_partitions", [/and not coalesce\(_partition\.waiting_for && _running, false\)/, ""]),
    test: SEALING,
    caught: "a partition is not sealed while a transaction",
  },
  {
    name: "sealed-under-old-bound",
    rule: "who is waited for is noted after the bound has moved, in another transaction",
    sql: () =>
      changed("seal_partitions", [/set waiting_for = array\[_me\]/, "set waiting_for = coalesce(_running, '{}')"]),
    test: SEALING,
    caught: "nobody begins with the old bound",
  },
  {
    name: "sealed-and-written",
    rule: "nothing is recorded before the end of what is sealed",
    sql: () =>
      [
        changed("append_event", [/_recorded_at >= daybook\._writable_from\(\) and /, ""]),
        changed("_recordable_at", ["greatest(at, nullif(daybook._writable_from(), 'infinity'))", "at"]),
      ].join("\n"),
    test: SEALING,
    caught: "when the clock goes back",
  },
  {
    name: "sealed-and-full",
    rule: "with every partition sealed an append waits for the next one",
    sql: () =>
      changed("_recordable_at", [
        "daybook._writable_until() <= daybook._writable_from()",
        "daybook._writable_until() = '-infinity'",
      ]),
    test: SEALING,
    caught: "with every partition sealed",
  },
  {
    name: "sealed-and-opened",
    rule: "making a partition never moves the end of what is sealed back",
    sql: () => changed("_make_partition", ["nullif(daybook._writable_from(), 'infinity'))", "null)"]),
    test: SEALING,
    caught: "does not open a sealed one again",
  },
  {
    name: "sealed-over-prepared",
    rule: "prepared transactions are waited for, also after a crash",
    sql: () => changed("seal_partitions", [/and not exists \(select from pg_locks l(?:.|\n)+?is null\)/, ""]),
    test: "test/concurrency/sealing-restart.test.ts",
    caught: "a prepared transaction is waited for over a crash",
  },
];
