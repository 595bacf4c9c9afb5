import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const WAKE = "test/concurrency/wake.test.ts";
const ORDERS = "test/concurrency/wake-interleavings.test.ts";
const CLOCKS = "test/faults/clock-jumps.test.ts";

const TRY = "pg_catalog.pg_try_advisory_xact_lock_shared(1145196366, 0)";

/** Law 2: sleepers, appends that wake them, and what is due without an append. */
export const WAKE_MUTATIONS: readonly Mutation[] = [
  {
    name: "wake-nobody",
    rule: "an append notifies while somebody sleeps",
    sql: () => changed("_wake", ["or daybook._notify_sleepers()", "or true"]),
    test: WAKE,
    caught: "an append notifies while somebody sleeps",
  },
  {
    name: "wake-always",
    rule: "an append notifies nobody while nobody sleeps",
    sql: () => changed("_wake", [TRY, "false"]),
    test: WAKE,
    caught: "an append notifies while somebody sleeps",
  },
  {
    name: "wake-looks-only",
    rule: "an append that has seen nobody asleep keeps everybody awake until it has ended",
    sql: () =>
      changed("_wake", [
        TRY,
        "(pg_catalog.pg_try_advisory_lock_shared(1145196366, 0) and pg_catalog.pg_advisory_unlock_shared(1145196366, 0))",
      ]),
    test: ORDERS,
    caught: "under read committed wakes whoever falls asleep meanwhile",
  },
  {
    name: "wake-prepared",
    rule: "a transaction that is to be prepared can be kept from notifying",
    sql: () => changed("_wake", [/\n\s+or coalesce\([^\n]+'off'/, ""]),
    test: WAKE,
    caught: "a transaction that is to be prepared",
  },
  {
    name: "asleep-twice",
    rule: "who falls asleep twice is awake when it wakes up once",
    sql: () => changed("fall_asleep", ["'0 ExclusiveLock' = any (_held)", "false"]),
    test: WAKE,
    caught: "an append notifies while somebody sleeps",
  },
  {
    name: "asleep-beside-an-append",
    rule: "nobody falls asleep while an append is in flight that does not notify",
    sql: () => changed("fall_asleep", [/if exists \([\s\S]+?\) then/, "if true then"]),
    test: WAKE,
    caught: "nobody falls asleep while an append is in flight",
  },
  {
    name: "appending-keeps-its-lock",
    rule: "who does not fall asleep keeps no lock",
    sql: () =>
      changed("fall_asleep", [
        / {2}perform pg_advisory_unlock_shared\(1145196366, 1\);\n {2}return 'app/,
        "  return 'app",
      ]),
    test: WAKE,
    caught: "nobody falls asleep while an append is in flight",
  },
  {
    name: "rider-unseen",
    rule: "a rider is seen by the sleeper that it relies on",
    sql: () => changed("fall_asleep", ["pg_try_advisory_lock_shared(1145196366, 1)", "true"]),
    test: WAKE,
    caught: "riders are covered by a sleeper",
  },
  {
    name: "rider-looks-first",
    rule: "a rider takes its lock before it looks for the sleeper",
    sql: () =>
      changed(
        "fall_asleep",
        ["pg_try_advisory_lock_shared(1145196366, 1)", "true"],
        ["return 'covered'", "perform pg_try_advisory_lock_shared(1145196366, 1);\n    return 'covered'"],
      ),
    test: WAKE,
    caught: "a rider takes its lock before it looks",
  },
  {
    name: "riders-not-told",
    rule: "a sleeper that wakes up tells those it has slept for",
    sql: () => changed("wake_up", ["perform daybook._notify_sleepers();", "null;"]),
    test: WAKE,
    caught: "riders are covered by a sleeper",
  },
  {
    name: "riders-always-told",
    rule: "a sleeper that wakes up tells nobody where nobody rides along",
    sql: () =>
      changed("wake_up", [
        "perform pg_advisory_unlock(1145196366, 1);",
        "perform pg_advisory_unlock(1145196366, 1), daybook._notify_sleepers();",
      ]),
    test: WAKE,
    caught: "riders are covered by a sleeper",
  },
  {
    name: "awake-and-still-announced",
    rule: "who has woken up is no sleeper any more",
    sql: () => changed("wake_up", ["perform pg_advisory_unlock(1145196366, 0);", ""]),
    test: WAKE,
    caught: "an append notifies while somebody sleeps",
  },
  {
    name: "settled-while-appending",
    rule: "the log is not settled while an append is in flight: its rollback says nothing",
    sql: () => changed("pulse", [/settled := [^;]+;/, "settled := true;"]),
    test: WAKE,
    caught: "the log is not settled",
  },
  {
    name: "due-too-early",
    rule: "what has failed waits until its moment has come",
    sql: () => changed("_is_due", [/return [^;]+;/, "return true;"]),
    test: CLOCKS,
    caught: "a failed event is due when the clock",
  },
  {
    name: "due-by-the-old-clock",
    rule: "what waits is due, too, where the clock has gone back behind the moment since when it does",
    sql: () => changed("_is_due", [/ or coalesce\(since[^;]+;/, ";"]),
    test: CLOCKS,
    caught: "a failed event is due when the clock",
  },
  {
    name: "never-due",
    rule: "what waits is due when its moment has come",
    sql: () => changed("_is_due", ["coalesce(due_at, '-infinity') <= clock_timestamp()", "false"]),
    test: CLOCKS,
    caught: "a failed event is due when the clock",
  },
];
