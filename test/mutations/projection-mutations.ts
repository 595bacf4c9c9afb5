import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const SWITCH = "test/concurrency/projection-switch.test.ts";
const ODD = "test/sql/projections-odd.test.ts";
const RANDOM = "test/concurrency/projections.test.ts";

/** Law 13: projections, and the switch of one that appends keep up to date. */
export const PROJECTION_MUTATIONS: readonly Mutation[] = [
  {
    name: "switch-ungated",
    rule: "an inline projection is switched while no append is in flight",
    sql: () => changed("_gate_appends", [/\n\s+lock table only daybook\.event_log in share mode;/, ""]),
    test: SWITCH,
    caught: "an append that sits uncommitted before the switch holds it back",
  },
  {
    name: "switch-gated-weakly",
    rule: "the lock of the switch is one that appends conflict with",
    sql: () => changed("_gate_appends", ["in share mode", "in row exclusive mode"]),
    test: SWITCH,
    caught: "an append that comes while the switch is uncommitted waits",
  },
  {
    name: "switch-last-read-before",
    rule: "the end of the log is read once appends are held up",
    sql: () =>
      changed(
        "_switch_projection",
        [
          /(\n\s+if not daybook\._gate_appends\(\) then)/,
          "\n    _last := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);\n    if not daybook._gate_appends() then",
        ],
        [
          /end if;\n\s+_last := coalesce\(pg_sequence_last_value\('daybook\.positions'::regclass\), 0\);\n/,
          "end if;\n",
        ],
      ),
    test: SWITCH,
    caught: "what is appended while the switch waits",
  },
  {
    name: "old-snapshot-applies",
    rule: "a transaction of an older snapshot than the version must begin again",
    sql: () =>
      changed("_take_turn", [/elsif exists \([^)]*\) then/, "else"], [/ {2}raise exception using\n(.*\n){3}/, ""]),
    test: SWITCH,
    caught: "a transaction that has begun before the switch and appends after it",
  },
  {
    name: "turns-not-taken",
    rule: "where appends take turns, the next waits for the one before",
    sql: () => changed("_take_turn", [/update daybook\.inline_projections p set [^;]*;/, "perform;"]),
    test: "test/concurrency/projection-turns.test.ts",
    caught: "the next waits for the one before",
  },
  {
    name: "each-stream-by-itself",
    rule: "an append of several streams applies its events once, so that shared rows are touched in one order",
    sql: () =>
      changed("append_streams", [
        "_watched := _watched || _written.watched;",
        "perform daybook._on_append(_written.watched) where _written.watched is not null;",
      ]),
    test: RANDOM,
    caught: "nobody deadlocks",
  },
  {
    name: "parked-switched",
    rule: "a version with parked streams does not take the live one's place",
    sql: () =>
      changed("_switch_projection", [
        "if exists (select from daybook.parked_streams p where p.kind = 'projection' and p.name = version.consumer) then",
        "if false then",
      ]),
    test: "test/sql/projections-failures.test.ts",
    caught: "parked streams of what is built hold the switch back",
  },
  {
    name: "failure-takes-all",
    rule: "what lies before the event that failed is done",
    sql: () => changed("_apply_some", ["if _take = 1 or", "if true or"]),
    test: "test/sql/projections-failures.test.ts",
    caught: "halt: what lies before the event is done",
  },
  {
    name: "undeclared-unseen",
    rule: "a projection that writes to a table it did not declare is halted",
    sql: () => changed("_check_written", ["cardinality(_tables) > 0", "false"]),
    test: "test/sql/projections-failures.test.ts",
    caught: "writing to what it did not declare",
  },
  {
    name: "dependants-unseen",
    rule: "a shape that would break what rests on a view is refused before anything is built",
    sql: () => changed("replace_projection", ["if cardinality(_broken) > 0 then", "if false then"]),
    test: "test/sql/projections-rebuild.test.ts",
    caught: "columns that change",
  },
  {
    name: "version-number-again",
    rule: "the number of a version that was given up is not used again",
    sql: () => changed("replace_projection", ["greatest(v.version, v.dropped_version)", "v.version"]),
    test: "test/concurrency/projection-numbers.test.ts",
    caught: "given up while another rebuild is asked for: it has the next number",
  },
  {
    name: "code-uncounted",
    rule: "what a projection in TypeScript was given counts for its rate",
    sql: () => changed("finish_batch", ["finish_batch.handled > 0", "false"]),
    test: "test/projections/rate.test.ts",
    caught: "what is handled is counted and timed; what is rolled back is not",
  },
  {
    name: "tenants-of-text-alone",
    rule: "a view shows the tenants that whoever asks may see, whatever the type of tenant_id",
    sql: () =>
      changed("_make_view", [
        "filter (where a.attname = 'tenant_id')",
        "filter (where a.attname = 'tenant_id' and a.atttypid = 'text'::regtype)",
      ]),
    test: ODD,
    caught: "the tenants of a view, whatever the type of its column",
  },
  {
    name: "deferred-to-the-end",
    rule: "what a projection writes is refused where its event is known, not when the transaction ends",
    sql: () => changed("_table_problems", [" and c.condeferred", " and false"]),
    test: ODD,
    caught: "tables that a position would not keep up with",
  },
  {
    name: "unlogged-tables",
    rule: "a crash takes rows and position back to the same place",
    sql: () => changed("_table_problems", [" and c.relpersistence = 'u'", " and false"]),
    test: ODD,
    caught: "tables that a position would not keep up with",
  },
  {
    name: "assertion-escapes",
    rule: "a failed ASSERT of an apply function is a failure like others",
    sql: () => changed("_apply_some", [" or assert_failure", ""]),
    test: "test/sql/assertions.test.ts",
    caught: "a projection that follows the log fails on its event",
  },
  {
    name: "switch-failure-untold",
    rule: "what keeps a version from being switched to is said where people look",
    sql: () => changed("_try_switch", [" or insufficient_privilege or wrong_object_type", ""]),
    test: ODD,
    caught: "a view in somebody else's hands",
  },
  {
    name: "cut-batch-taken-for-the-end",
    rule: "a batch that was cut short for want of memory is not the end of the log",
    sql: () => changed("_advance_log", ["_count < _batch.asked", "_count < max_count"]),
    test: ODD,
    caught: "events that do not fit into memory together",
  },
];
