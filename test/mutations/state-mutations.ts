import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const FOLD = "test/sql/fold.test.ts";
const SNAPSHOTS = "test/sql/snapshots.test.ts";
const INTERLEAVINGS = "test/sql/snapshots-interleavings.test.ts";
const OTHERS = "not of another reducer, version, source, initial state, stream or tenant";

/** State of streams: where a fold ends, which snapshots it goes on from, and which are kept. */
export const STATE_MUTATIONS: readonly Mutation[] = [
  {
    name: "fold-beyond-the-moment",
    rule: "as of a moment nothing counts that was recorded later",
    sql: () => changed("_fold_target", ["least(at_time, _head.last_recorded_at)", "_head.last_recorded_at"]),
    test: FOLD,
    caught: "as of a moment: what was recorded up to then",
  },
  {
    name: "fold-within-a-month",
    rule: "as of a moment in a month without events of the stream, those of the months before count",
    sql: () =>
      changed("_fold_target", [
        "between _head.first_recorded_at and",
        "between date_trunc('month', least(at_time, _head.last_recorded_at)) and",
      ]),
    test: "test/sql/fold-months.test.ts",
    caught: "without snapshots",
  },
  {
    name: "fold-short-of-the-moment",
    rule: "what was recorded at that very moment counts",
    sql: () =>
      changed("_fold_target", [
        "and l.recorded_at between _head.first_recorded_at and least(at_time, _head.last_recorded_at)",
        "and l.recorded_at between _head.first_recorded_at and _head.last_recorded_at and l.recorded_at < at_time",
      ]),
    test: FOLD,
    caught: "as of a moment: what was recorded up to then",
  },
  {
    name: "fold-of-any-tenant",
    rule: "a session folds streams of the tenants it was granted, or is narrowed to",
    sql: () =>
      changed("load_state", ["daybook._tenant(load_state.tenant_id)", "coalesce(load_state.tenant_id, 'default')"]),
    test: FOLD,
    caught: "it runs with the rights of the caller",
  },
  {
    name: "snapshot-beyond-the-version",
    rule: "a fold goes on from no snapshot beyond the version it is asked for",
    sql: () => changed("load_state", [" and s.version <= _head.version", ""]),
    test: SNAPSHOTS,
    caught: "a fold goes on from the latest snapshot at or before what is asked for",
  },
  {
    name: "snapshot-of-another-version",
    rule: "a snapshot is used by the version of the reducer that it was folded with, and no other",
    sql: () => changed("load_state", [" and s.reducer_version = _reducer.version", ""]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
  {
    name: "snapshot-of-a-client",
    rule: "a reducer in SQL does not use what a client's code has folded",
    sql: () => changed("load_state", ["s.source = 'sql' and ", ""]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
  {
    name: "snapshot-of-another-tenant",
    rule: "a stream of the same name in another tenant has snapshots of its own",
    sql: () =>
      changed("load_state", [
        "s.tenant_id = _tenant and s.stream_key = _head.stream_key",
        "s.stream_key in (select h.stream_key from daybook.stream_heads h where h.stream_id = load_state.stream_id)",
      ]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
  {
    name: "snapshot-of-another-beginning",
    rule: "a fold from another initial state uses no snapshot",
    sql: () => changed("load_state", [" and coalesce(initial, _reducer.initial) = _reducer.initial", ""]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
  {
    name: "client-snapshot-of-another-version",
    rule: "a client is given snapshots of the version of its reducer, and no other",
    sql: () => changed("read_snapshot", [" and s.reducer_version = read_snapshot.reducer_version", ""]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
  {
    name: "snapshot-of-the-future",
    rule: "no state is saved of a version that the stream has not come to",
    sql: () => changed("save_snapshot", ["if version > coalesce(_head.version, 0) then", "if false then"]),
    test: INTERLEAVINGS,
    caught: "a snapshot of events that are not committed is seen by nobody else",
  },
  {
    name: "older-snapshot-for-newer",
    rule: "of a stream's snapshots those of the highest versions are kept, whichever was saved last",
    sql: () => changed("save_snapshot", ["order by o.version desc", "order by o.taken_at desc"]),
    test: SNAPSHOTS,
    caught: "the newest are kept",
  },
  {
    name: "snapshot-older-than-all",
    rule: "a snapshot older than all that are kept is not saved",
    sql: () => changed("save_snapshot", ["elsif _keep <= (", "elsif false and _keep <= ("]),
    test: SNAPSHOTS,
    caught: "the newest are kept",
  },
  {
    name: "snapshots-unpruned",
    rule: "no more than so many snapshots of a stream are kept",
    sql: () => changed("save_snapshot", ["offset _keep", "offset _keep + 1"]),
    test: SNAPSHOTS,
    caught: "the newest are kept",
  },
  {
    name: "outdated-snapshots-kept",
    rule: "snapshots of a version that its reducer is not in any more are forgotten",
    sql: () => changed("_forget_outdated_snapshots", [" and r.version = k.reducer_version", ""]),
    test: "test/sql/take_snapshots.test.ts",
    caught: "forgets outdated ones",
  },
  {
    name: "forgets-for-others",
    rule: "whoever forgets snapshots forgets those of the tenants it sees",
    sql: () => changed("forget_snapshots", ["     and (_tenants is null or s.tenant_id = any (_tenants))\n", ""]),
    test: SNAPSHOTS,
    caught: "who may: readers use them, writers save them, administrators forget them",
  },
  {
    name: "reducer-unlocked",
    rule: "a reducer that is dropped while a snapshot is saved leaves none for the next of its name",
    sql: () => changed("save_snapshot", [" for key share", ""]),
    test: INTERLEAVINGS,
    caught: "dropping a reducer waits for who saves",
  },
  {
    name: "snapshot-of-a-changed-reducer",
    rule: "what was folded before its reducer changed is not saved as of after",
    sql: () =>
      changed("take_snapshots", [
        /if not exists \(select from daybook\.reducer_definitions .*\) then/,
        "if false then",
      ]),
    test: INTERLEAVINGS,
    caught: "a reducer that changes while its snapshots are taken",
  },
  {
    name: "assertion-of-a-reducer",
    rule: "a failed ASSERT of a reducer says at which event",
    sql: () => changed("_fold_each", [" or assert_failure", ""]),
    test: "test/sql/assertions.test.ts",
    caught: "a reducer says at which event",
  },
  {
    name: "snapshot-of-a-version-to-come",
    rule: "no snapshot is saved of a version that its reducer has not come to",
    sql: () => changed("save_snapshot", ["elsif reducer_version > _latest then", "elsif false then"]),
    test: SNAPSHOTS,
    caught: OTHERS,
  },
];
