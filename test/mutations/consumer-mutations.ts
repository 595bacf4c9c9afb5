import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const DRAINS = "test/sql/drains.test.ts";
const DUE = "test/sql/due-consumers.test.ts";
const SHARDS = "test/sql/shards.test.ts";
const PARKING = "test/sql/parking.test.ts";
const DEAD_LETTERS = "test/sql/dead-letters.test.ts";
const MEETINGS = "test/concurrency/drain-interleavings.test.ts";

/** Laws 3, 8 and 9: positions, parked streams, who excludes whom. */
export const CONSUMER_MUTATIONS: readonly Mutation[] = [
  {
    name: "finish-unfenced",
    rule: "a drain moves a position from where it claimed it, or not at all",
    sql: () => changed("finish_batch", ["_position is distinct from from_position or not exists", "not exists"]),
    test: MEETINGS,
    caught: "two drains that both believe they own a shard",
  },
  {
    name: "finish-while-paused",
    rule: "nothing is moved that is paused",
    sql: () => changed("finish_batch", [" and k.state = 'running'", ""]),
    test: DRAINS,
    caught: "a drain that no longer owns the shard",
  },
  {
    name: "claim-looks-first",
    rule: "a claim looks at the state after it has the lock",
    sql: () =>
      changed(
        "claim_consumer",
        ["language plpgsql volatile", "language plpgsql stable"],
        [/\n\s+for update skip locked/, ""],
      ),
    test: MEETINGS,
    caught: "a claim that began before a pause",
  },
  {
    name: "pause-waits-for-nobody",
    rule: "when a pause returns, nothing more is handled",
    sql: () =>
      changed("_pause_consumer", ["perform daybook._lock_consumer(_pause_consumer.kind, _pause_consumer.name);", ""]),
    test: MEETINGS,
    caught: "pause_handler waits",
  },
  {
    name: "unparked-beside-a-drain",
    rule: "draining and un-parking exclude each other",
    sql: () => changed("_lock_parked", [/perform from daybook\.cursors c where [^;]+ for update;/, ""]),
    test: MEETINGS,
    caught: "a pause forced between",
  },
  {
    name: "unparked-too-early",
    rule: "a parked stream is tried only once its shard has passed it",
    sql: () => changed("claim_parked", [" and p.position <= _cursor.position", ""]),
    test: PARKING,
    caught: "park: the stream waits",
  },
  {
    name: "parked-not-left-out",
    rule: "a drain leaves parked streams out",
    sql: () => changed("read_events_for", [/\n\s+and \(not _has_parked or not exists[\s\S]+?l\.tenant_id\)\)/, ""]),
    test: PARKING,
    caught: "park: the stream waits",
  },
  {
    name: "parked-tenants-confused",
    rule: "streams of one name in two tenants are two",
    sql: () =>
      changed("finish_parked", [
        "_lock_parked(finish_parked.kind, finish_parked.name, finish_parked.stream_id, _tenant)",
        "_lock_parked(finish_parked.kind, finish_parked.name, finish_parked.stream_id, 'default')",
      ]),
    test: PARKING,
    caught: "the same stream name of two tenants",
  },
  {
    name: "unparked-at-once",
    rule: "a parked stream flows again once it has come up to its shard, not before",
    sql: () => changed("_go_on_behind", [/_next bigint := [\s\S]+? end;/, "_next bigint;"]),
    test: PARKING,
    caught: "a parked stream that has come up in part",
  },
  {
    name: "discarded-and-given-again",
    rule: "what was discarded before the shard came to it is not given again",
    sql: () => changed("_go_on_behind", [' and _through >= _go_on_behind."position" then', " then"]),
    test: DEAD_LETTERS,
    caught: "discarded before the handler has come to it",
  },
  {
    name: "shards-change-apart",
    rule: "shards change only when all have come to one position",
    sql: () => changed("_change_shards", [" or _least.position is distinct from _most", ""]),
    test: SHARDS,
    caught: "1 to 4 to 2",
  },
  {
    name: "shards-change-while-held",
    rule: "shards change only while nobody holds one",
    sql: () => changed("_change_shards", ["_locked is distinct from _consumer.shard_count or ", ""]),
    test: MEETINGS,
    caught: "a change of shards never waits",
  },
  {
    name: "shards-never-meet",
    rule: "while shards are to be changed, none goes past the farthest",
    sql: () => changed("claim_consumer", ["_horizon := least(_horizon, _most);", ""]),
    test: SHARDS,
    caught: "1 to 4 to 2",
  },
  {
    name: "position-ahead-unnoticed",
    rule: "a position beyond the end of the log stops its consumer",
    sql: () => changed("claim_consumer", [/\n\s+perform daybook\._consumer_ahead[^;]+;/, ""]),
    test: DRAINS,
    caught: "a position beyond the end of the log",
  },
  {
    name: "drained-while-narrowed",
    rule: "the log is not followed in a session that sees one tenant alone",
    sql: () => changed("claim_consumer", [/\n\s+perform daybook\._check_not_narrowed[^;]+;/, ""]),
    test: DRAINS,
    caught: "in no session narrowed to one tenant",
  },
  {
    name: "idle-moved-past-what-it-follows",
    rule: "only shards that follow nothing of a stretch are moved over it",
    sql: () =>
      changed("move_idle_consumers", [/and \(k\.categories is null or [^\n]+\n/, "and k.categories is null\n"]),
    test: DUE,
    caught: "which shards are due",
  },
];
