import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const WRITER = "test/concurrency/writer-interleavings.test.ts";
const HORIZON = "test/concurrency/horizon.test.ts";
const FORGED = "test/concurrency/forged-mark.test.ts";

const LAST_VALUE = /coalesce\((?:pg_catalog\.)?pg_sequence_last_value\('daybook\.positions'::regclass\), 0\)/;
const RAW = "(select p.last_value from daybook.positions p)";

/** Law 3, the writer's half: being seen before it draws a position. */
export const REGISTRATION_MUTATIONS: readonly Mutation[] = [
  {
    name: "registered-after-drawing",
    rule: "append_event registers before it draws its position",
    sql: () =>
      changed(
        "append_event",
        [/\n\s+and daybook\._register_append\(\)/, ""],
        [/(?=\n +return case\b)/, "\n      perform daybook._register_append();"],
      ),
    test: WRITER,
    caught: "append_event is seen by a reader",
  },
  {
    name: "registered-after-drawing-many",
    rule: "the general way of appending registers before it draws positions",
    sql: () =>
      [
        changed("_append", [/\n\s+perform daybook\._register_append\(\);/, ""]),
        changed(
          "_write_events",
          [/\n\s+perform daybook\._register_append\(\);\n/, ""],
          [/(?=\nend\n)/, "\n  perform daybook._register_append();"],
        ),
      ].join("\n"),
    test: WRITER,
    caught: "append of two events is seen by a reader",
  },
  {
    name: "registered-after-drawing-batch",
    rule: "a batch registers before it draws positions",
    sql: () => changed("append_batch", [/\n\s+perform daybook\._register_append\(\);/, ""]),
    test: WRITER,
    caught: "append_batch is seen by a reader",
  },
  {
    name: "raw-last-value",
    rule: "the last value of a fresh sequence is 0, not the 1 that it shows",
    sql: () =>
      ["_register_append", "_register_append_again", "horizon"]
        .map((name) => changed(name, [LAST_VALUE, RAW]))
        .join("\n"),
    test: HORIZON,
    caught: "before the first event the horizon is 0",
  },
  {
    name: "lock-tried",
    rule: "an append waits until it is registered; it does not just try",
    sql: () =>
      [
        changed(
          "_register_append",
          ["pg_advisory_xact_lock_shared(", "pg_try_advisory_xact_lock_shared("],
          ["daybook._register_append_again()", "daybook._register_append_again() is not null"],
        ),
        changed("_register_append_again", ["pg_advisory_xact_lock_shared(", "pg_try_advisory_xact_lock_shared("]),
      ].join("\n"),
    test: HORIZON,
    caught: "who cannot register waits",
  },
  {
    name: "one-lock-an-append",
    rule: "a transaction is registered at most twice, or it exhausts the lock table",
    sql: () => changed("_register_append_again", [/\n\s+_key := _hint::bigint;/, ""]),
    test: HORIZON,
    caught: "a transaction is registered at most twice",
  },
  {
    name: "mark-trusted",
    rule: "the mark is a hint: the lock is taken whatever it says",
    sql: () =>
      changed("_register_append_again", ["begin\n", "begin\n  if _hint ~ '^[0-9]+$' then\n    return;\n  end if;\n"]),
    test: FORGED,
    caught: "a mark forged to",
  },
  {
    name: "mark-believed-higher",
    rule: "a mark above the last value is not used",
    sql: () => changed("_register_append_again", [/and _hint::bigint between _last - \d+ and _last/, ""]),
    test: FORGED,
    caught: "a mark forged to",
  },
  {
    name: "registered-by-its-first-write",
    rule: "a transaction that has written is not taken for registered",
    sql: () => changed("_register_append_again", ["begin\n", "begin\n  return;\n"]),
    test: WRITER,
    caught: "an append after other writing is seen by a reader",
  },
];
