import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const READER = "test/concurrency/reader-interleavings.test.ts";
const POSITIONS = "test/concurrency/horizon-positions.test.ts";

const LAST = /\n {2}_last := coalesce\(pg_sequence_last_value[^;]+;\n/;
const LOWEST = /select min\((?:.|\n)+?\)\n\s+into _lowest/;

/** Law 3, the reader's half: how far it may go. */
export const HORIZON_MUTATIONS: readonly Mutation[] = [
  {
    name: "locks-before-last-value",
    rule: "a reader looks at the last value before it looks at the locks",
    sql: () =>
      changed(
        "horizon",
        [LAST, ""],
        [LOWEST, "select array_agg(l.objid::bigint) into _keys"],
        ["_lowest bigint;", "_lowest bigint;\n  _keys bigint[];"],
        [
          /\n {2}return greatest\(/,
          `
  _last := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  select min(_last + ((k + 2147483648 - _last + 2147483648) & 4294967295) - 2147483648) into _lowest from unnest(_keys) k;
  return greatest(`,
        ],
      ),
    test: READER,
    caught: "read_all skips nothing",
  },
  {
    name: "bound-and-rows-in-one-statement",
    rule: "rows are read in a later statement than the horizon",
    sql: () =>
      changed(
        "read_all",
        ["_horizon bigint := daybook.horizon();", "_horizon bigint;"],
        ["l.position <= _horizon", "l.position <= (select daybook.horizon())"],
      ),
    test: READER,
    caught: "read_all skips nothing",
  },
  {
    name: "stable-read_all",
    rule: "rows are read with a snapshot of their own: read_all is volatile",
    sql: () => changed("read_all", ["language plpgsql volatile", "language plpgsql stable"]),
    test: READER,
    caught: "read_all skips nothing",
  },
  {
    name: "stable-read_type",
    rule: "rows are read with a snapshot of their own: read_type is volatile",
    sql: () => changed("read_type", ["language plpgsql volatile", "language plpgsql stable"]),
    test: READER,
    caught: "read_type skips nothing",
  },
  {
    name: "repeatable-read-allowed",
    rule: "a reader whose snapshot stands still is refused",
    sql: () => changed("horizon", [/if current_setting\('transaction_isolation'\) not in [^)]+\)/, "if false"]),
    test: "test/concurrency/horizon.test.ts",
    caught: "a reader whose snapshot stands still is refused",
  },
  {
    name: "sequence-cache",
    rule: "positions are drawn one by one",
    sql: () => "alter sequence daybook.positions cache 10",
    test: POSITIONS,
    caught: "positions are drawn one by one",
  },
  {
    name: "live-sessions-only",
    rule: "prepared transactions, which have no session, count as in flight",
    sql: () =>
      changed("horizon", [/from pg_locks l\n/, "from pg_locks l\n    join pg_stat_activity a on a.pid = l.pid\n"]),
    test: "test/concurrency/horizon-prepared.test.ts",
    caught: "an append that is prepared holds the horizon",
  },
  {
    name: "high-bits-not-rebuilt",
    rule: "the high bits of a position are rebuilt from the last value",
    sql: () =>
      changed("horizon", [LOWEST, "select min((l.objid::bigint + 2147483648) & 4294967295)\n    into _lowest"]),
    test: POSITIONS,
    caught: "where positions pass 4294967296",
  },
  {
    name: "short-key",
    rule: "the key holds 32 bits of the position",
    sql: () =>
      [
        changed("_position_lock", [/return [^;]+;/, 'return ("position" & 65535)::integer;']),
        changed("horizon", [
          LOWEST,
          "select min(_last + ((l.objid::bigint - _last + 32768) & 65535) - 32768)\n    into _lowest",
        ]),
      ].join("\n"),
    test: POSITIONS,
    caught: "a billion positions later",
  },
  {
    name: "packed-key",
    rule: "the namespace has an integer of its own: in one bigint positions run into it from 2^48 on",
    sql: () =>
      [
        changed("_register_append", [
          /pg_advisory_xact_lock_shared\(\s+1145196363,\s+daybook\._position_lock\(([^;]+?)\)\)\n/,
          "pg_advisory_xact_lock_shared((17474::bigint << 48) | coalesce(pg_catalog.pg_sequence_last_value('daybook.positions'::regclass), 0))\n",
        ]),
        changed(
          "horizon",
          [LOWEST, "select min(((l.classid::bigint << 32) | l.objid::bigint) & 281474976710655)\n    into _lowest"],
          ["l.classid = 1145196363::oid", "(l.classid::bigint >> 16) = 17474"],
          ["l.objsubid = 2", "l.objsubid = 1"],
        ),
      ].join("\n"),
    test: POSITIONS,
    caught: "where positions pass 281474976710656",
  },
  {
    name: "other-databases",
    rule: "appends in flight in other databases hold nobody back",
    sql: () => changed("horizon", [/\n\s+and l\.database = [^;]+;/, ";"]),
    test: "test/concurrency/horizon-strangers.test.ts",
    caught: "an append in flight in another database",
  },
];
