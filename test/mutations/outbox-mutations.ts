import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const RUNNING = "test/sql/routes-running.test.ts";
const RECEIVE = "test/sql/receive.test.ts";
const FAILURES = "test/sql/receive-failures.test.ts";

/** Rules of the outbox. */
export const OUTBOX_MUTATIONS: readonly Mutation[] = [
  {
    name: "published-unregistered",
    rule: "a message put into the outbox directly is registered before its position is drawn",
    sql: () => changed("publish", [/\n\s+perform daybook\._register_append\(\);/, ""]),
    test: "test/sql/publish.test.ts",
    caught: "a reader never skips a message",
  },
  {
    name: "outbox-read-past-horizon",
    rule: "the outbox is read up to the horizon",
    sql: () => changed("read_outbox_for", [/\n\s+and l\.position <= read_outbox_for\.horizon/, ""]),
    test: "test/sql/publish.test.ts",
    caught: "a reader never skips a message",
  },
  {
    name: "batch-not-routed",
    rule: "a batch's events go into the outbox",
    sql: () =>
      changed("_append_set", [
        "case when r.events is null then false else daybook._on_append(r.events) < 0 end",
        "false",
      ]),
    test: RUNNING,
    caught: "append_batch",
  },
  {
    name: "route-starts-at-the-end",
    rule: "a new route starts at the horizon, before what is in flight",
    sql: () =>
      changed("_make_route", [
        "from daybook.horizon() h(position)",
        "from (select coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0)) h(position)",
      ]),
    test: RUNNING,
    caught: "between an append's drawing of its position",
  },
  {
    name: "mapping-of-anybody",
    rule: "a mapping function is the owner's or a superuser's, as it runs with the owner's rights",
    sql: () => changed("_mapping_name", [/o\.rolsuper or o\.rolname = current_user as trusted/, "true as trusted"]),
    test: "test/sql/routes.test.ts",
    caught: "bad definitions are refused",
  },
  {
    name: "parked-stream-leased",
    rule: "a parked stream gets no lease when new messages of it come",
    sql: () => changed("_pull_leases", [/\n\s+and not exists \(\n\s+select from daybook\.parked_streams p[^)]*\)/, ""]),
    test: FAILURES,
    caught: "the last try",
  },
  {
    name: "received-after-pause",
    rule: "a paused route hands out nothing",
    sql: () => changed("receive", ["if _consumer.state <> 'running' then", "if false then"]),
    test: RECEIVE,
    caught: "paused nothing comes",
  },
  {
    name: "parked-forgotten",
    rule: "retention stops at the oldest parked message",
    sql: () => changed("forget_delivered", [/\n\s+\(select min\(p\.position\) - 1 [^\n]+/, ""]),
    test: "test/sql/outbox-retention.test.ts",
    caught: "never at or beyond the oldest parked",
  },
];
