/** Daybook's roles, each with the rights of those before it. */
export const roles = ["daybook_reader", "daybook_writer", "daybook_worker", "daybook_admin"] as const;
export type Role = (typeof roles)[number];

/**
 * Who may execute which function: the least of the roles, or nobody but the owner. A new function needs its line here,
 * and one in `calls` where a reader or writer may execute it.
 */
export const functions: Record<Role | "nobody", readonly string[]> = {
  daybook_reader: [
    "read_stream",
    "read_streams",
    "read_all",
    "read_type",
    "read_category",
    "read_event",
    "category_streams",
    "trace",
    "stream_version",
    "horizon",
    "visible_tenants",
    // what those run, with the rights of the caller
    "_tenant",
    "_check_count",
    "_check_reads",
    "_read_from",
    "_read_filtered",
    "_kinds",
  ],
  daybook_writer: ["append", "append_event", "append_streams", "append_batch", "uuid_v7"],
  daybook_worker: [
    "ensure_partitions",
    "seal_partitions",
    "forget_idempotency_keys",
    "upkeep",
    "checkpoint_position",
    "advance_checkpoint",
    "_partition_facts",
  ],
  daybook_admin: ["configure", "grant_tenant", "revoke_tenant"],
  nobody: [
    "_append",
    "_append_entry",
    "_append_set",
    "_check_appends",
    "_check_entry",
    "_check_event_ids",
    "_check_events",
    "_check_expected_version",
    "_check_grant",
    "_check_idempotency_key",
    "_check_stream_id",
    "_check_streams",
    "_conflict",
    "_earlier_result",
    "_event_problem",
    "_is_held",
    "_is_ordinary_entry",
    "_is_tenant",
    "_is_timestamp",
    "_lock_stream",
    "_make_partition",
    "_max_event_bytes",
    "_max_events",
    "_batch_events",
    "_payload_hash",
    "_position_lock",
    "_protect_events",
    "_raise_conflicts",
    "_recordable_at",
    "_register_append",
    "_register_append_again",
    "_repeats_event_id",
    "_set_constant",
    "_tags",
    "_version_matches",
    "_writable_from",
    "_writable_until",
    "_write_events",
    "refuse_change",
  ],
};

/** Who may SELECT from which table, view or sequence; nobody but the owner has any other right to one. */
export const relations: Record<Role | "nobody", readonly string[]> = {
  daybook_reader: [
    "events",
    "streams",
    "event_log",
    "stream_heads",
    "positions",
    "migrations",
    "installed_objects",
    "installation",
  ],
  daybook_writer: [],
  daybook_worker: ["partitions", "event_partitions", "checkpoints", "settings", "every_tenant"],
  daybook_admin: ["tenant_grants", "idempotency_keys"],
  nobody: ["stream_keys"],
};

const at = "$1"; // the other tenant
const json = `'[{"type": "T"}]'`;

/**
 * How each function that takes a tenant, or that a reader or writer may execute, is called for another tenant: it must
 * be refused (YD201, or YD202 where the transaction is narrowed), or show nothing of it.
 */
export const calls: Record<string, { call: string; outcome: "refused" | "nothing" } | "administers tenants"> = {
  read_stream: { call: `read_stream('secret-1', tenant_id => ${at})`, outcome: "refused" },
  read_streams: { call: `read_streams('["secret-1"]', tenant_id => ${at})`, outcome: "refused" },
  read_all: { call: `read_all(tenant_id => ${at})`, outcome: "refused" },
  read_type: { call: `read_type('secret', tenant_id => ${at})`, outcome: "refused" },
  read_category: { call: `read_category('secret', tenant_id => ${at})`, outcome: "refused" },
  read_event: { call: `read_event('0198f0a0-0000-7000-8000-00000000000e', ${at})`, outcome: "refused" },
  category_streams: { call: `category_streams('secret', tenant_id => ${at})`, outcome: "refused" },
  trace: { call: `trace('0198f0a0-0000-7000-8000-00000000000c', ${at})`, outcome: "refused" },
  stream_version: { call: `stream_version('secret-1', ${at})`, outcome: "refused" },
  _tenant: { call: `_tenant(${at})`, outcome: "refused" },
  append: { call: `append('secret-1', ${json}, tenant_id => ${at})`, outcome: "refused" },
  append_event: { call: `append_event('secret-1', 'T', tenant_id => ${at})`, outcome: "refused" },
  append_streams: {
    call: `append_streams('[{"stream_id": "secret-1", "expected_version": 1}]', ${at})`,
    outcome: "refused",
  },
  append_batch: {
    call: `append_batch('[{"stream_id": "secret-1", "events": ${json.slice(1, -1)}}]', ${at})`,
    outcome: "refused",
  },
  _read_filtered: {
    call: `_read_filtered(0, 1000, null, null, array[${at}], 1000000, '-infinity')`,
    outcome: "nothing",
  },
  _kinds: { call: `_kinds(array[${at}], null, null)`, outcome: "nothing" },
  horizon: { call: "horizon()", outcome: "nothing" },
  visible_tenants: { call: "visible_tenants()", outcome: "nothing" },
  _check_count: { call: "_check_count(1)", outcome: "nothing" },
  _check_reads: { call: `_check_reads('["a-1"]')`, outcome: "nothing" },
  _read_from: { call: "_read_from(0)", outcome: "nothing" },
  uuid_v7: { call: "uuid_v7()", outcome: "nothing" },
  grant_tenant: "administers tenants",
  revoke_tenant: "administers tenants",
};
