import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const MEET = "test/concurrency/stream-interleavings.test.ts";
const VERSIONS = "test/concurrency/expected-versions.test.ts";
const CLOCK = "test/concurrency/recorded-at.test.ts";

/** Law 4: order within a stream, and locks in one order. */
export const ORDER_MUTATIONS: readonly Mutation[] = [
  {
    name: "version-unchecked",
    rule: "append_event compares the version with the one expected",
    sql: () =>
      changed("append_event", [/\n\s+and h\.version = coalesce\(append_event\.expected_version, h\.version\)/, ""]),
    test: VERSIONS,
    caught: "append_event and append_event expect the same version",
  },
  {
    name: "version-unchecked-general",
    rule: "every other append compares the version with the one expected",
    sql: () => changed("_version_matches", [/return case [^;]+;/, "return true;"]),
    test: VERSIONS,
    caught: "expect the same version",
  },
  {
    name: "version-unchecked-batch",
    rule: "a batch compares the version with the one expected",
    sql: () =>
      changed(
        "_append_set",
        ["coalesce(e.expected, k.version) = k.version as is_expected", "k.version is not null as is_expected"],
        ["coalesce(s.expected, 0) = 0", "true"],
      ),
    test: VERSIONS,
    caught: "a batch is told at once",
  },
  {
    name: "stream-not-locked",
    rule: "the stream's row is locked before its version is looked at",
    sql: () => changed("_lock_stream", [/\n\s+for no key update;/, ";"]),
    test: MEET,
    caught: "append and another append meet on a stream",
  },
  {
    name: "position-before-lock",
    rule: "the stream's row is locked before the position is drawn",
    sql: () =>
      changed(
        "append_event",
        [
          /and daybook\._register_append\(\)/,
          "and daybook._register_append()\n     and set_config('test.drawn', nextval('daybook.positions')::text, true) <> ''",
        ],
        [/nextval\('daybook\.positions'\), _key/, "current_setting('test.drawn')::bigint, _key"],
      ),
    test: MEET,
    caught: "append_event and another append meet on a stream",
  },
  {
    name: "locks-unsorted",
    rule: "append_streams locks streams in the order of their names",
    sql: () => changed("append_streams", [/order by a\.value ->> 'stream_id' collate "C"/, "order by a.ordinality"]),
    test: "test/concurrency/lock-order.test.ts",
    caught: "it holds the streams before it and none behind it",
  },
  {
    name: "locks-in-a-languages-order",
    rule: "all sessions sort names the same way: by their bytes, as the batch does",
    sql: () =>
      changed("append_streams", [
        /order by a\.value ->> 'stream_id' collate "C"/,
        `order by lower(a.value ->> 'stream_id') collate "C"`,
      ]),
    test: "test/concurrency/lock-order.test.ts",
    caught: "it holds the streams before it and none behind it",
  },
  {
    name: "clock-believed",
    rule: "recorded_at of append_event never runs backwards in a stream",
    sql: () => changed("append_event", ["greatest(h.last_recorded_at, clock_timestamp())", "clock_timestamp()"]),
    test: CLOCK,
    caught: "append_event records nothing before",
  },
  {
    name: "clock-believed-general",
    rule: "recorded_at of every other append never runs backwards in a stream",
    sql: () => changed("_write_events", ["greatest(clock_timestamp(), head.last_recorded_at)", "clock_timestamp()"]),
    test: CLOCK,
    caught: "append records nothing before",
  },
  {
    name: "clock-believed-batch",
    rule: "recorded_at of a batch never runs backwards in a stream",
    sql: () => changed("_append_set", ["greatest(k.last_recorded_at, _now)", "_now"]),
    test: CLOCK,
    caught: "append_batch records nothing before",
  },
];
