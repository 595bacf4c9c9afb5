import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const TENANCY = "test/mutations/tenancy.test.ts";
const TENANTS = "test/sql/tenants.test.ts";

/** Laws 4, 5 and 7: keys, tenants, append-only. */
export const GUARD_MUTATIONS: readonly Mutation[] = [
  {
    name: "idempotency-payload-not-compared",
    rule: "an idempotency key is refused with another payload",
    sql: () =>
      changed("_earlier_result", [
        /_known\.payload_hash is not null and _known\.payload_hash <> daybook\._payload_hash\([^)]*\)/,
        "false",
      ]),
    test: "test/sql/idempotency.test.ts",
    caught: "the payload may not",
  },
  {
    name: "partitions-unprotected",
    rule: "each partition has its own append_only trigger",
    sql: () => changed("_make_partition", [/\n\s+perform daybook\._protect_events[^;]+;/, ""]),
    test: "test/sql/append-only.test.ts",
    caught: "the owner, a superuser",
  },
  {
    name: "tenant-unchecked",
    rule: "a role writes the tenants it was granted, through the general way",
    sql: () => changed("_tenant", [/if not coalesce\(_tenant = any [^\n]+ then/, "if false then"]),
    test: TENANTS,
    caught: "writes these tenants and no other",
  },
  {
    name: "tenant-unchecked-fast",
    rule: "a role writes the tenants it was granted, through append_event",
    sql: () => changed("append_event", [/has_table_privilege\(session_user, [^)]+\)/, "true"]),
    test: TENANTS,
    caught: "writes these tenants and no other",
  },
  {
    name: "narrowing-ignored",
    rule: "a transaction that is narrowed to a tenant writes that tenant alone, through append_event",
    sql: () => changed("append_event", ["and coalesce(append_event.tenant_id, _tenant) = _tenant", ""]),
    test: TENANCY,
    caught: "a transaction that is narrowed",
  },
  {
    name: "row-security-not-forced",
    rule: "row security holds for the owner too",
    sql: () =>
      "alter table daybook.event_log no force row level security; alter table daybook.stream_heads no force row level security;",
    test: TENANCY,
    caught: "row security holds for an owner",
  },
  {
    name: "plans-of-a-small-log",
    rule: "a plan made while the log was small is good for one that has grown",
    sql: () => changed("_lock_stream", ["discard plans;", "null;"]),
    test: "test/sql/young-statistics.test.ts",
    caught: "plans made while the log was small and analyzed",
  },
];
