import { changed } from "./change.ts";
import type { Mutation } from "./mutations.ts";

const BATCH = "test/concurrency/batch.test.ts";

/** Law 4: append_batch. */
export const BATCH_MUTATIONS: readonly Mutation[] = [
  {
    name: "batch-waits",
    rule: "a batch does not wait for a stream that somebody else holds",
    sql: () =>
      [
        changed("_append_set", ["for no key update skip locked", "for no key update"]),
        changed("_is_held", ["for no key update skip locked", "for no key update"]),
        changed("append_batch", ["set lock_timeout = '5ms'\n", ""]),
      ].join("\n"),
    test: BATCH,
    caught: "it does not wait for a stream that somebody else holds",
  },
  {
    name: "batch-waits-for-new",
    rule: "a batch gives up on a stream that somebody else has made and not committed",
    sql: () => changed("append_batch", ["set lock_timeout = '5ms'\n", ""]),
    test: BATCH,
    caught: "it gives up on a stream that somebody else has just made",
  },
  {
    name: "batch-overwrites",
    rule: "a batch appends behind what was committed between its snapshot and its locks",
    sql: () => changed("_append_set", [" join moved m on m.stream_key = s.stream_key", " where s.is_expected"]),
    test: "test/concurrency/batch-snapshot.test.ts",
    caught: "a stream that moved on between",
  },
  {
    name: "batch-one-by-one",
    rule: "streams that are held do not make a batch append the others singly",
    sql: () => changed("_append_set", ["for no key update skip locked", "for no key update"]),
    test: BATCH,
    caught: "streams that are held cost the others nothing",
  },
  {
    name: "batch-fails-as-one",
    rule: "an entry of a batch fails alone",
    sql: () => changed("_append_entry", [/\nexception\n(?:.|\n)+?\nend\n\$\$;/, "\nend\n$$;"]),
    test: BATCH,
    caught: "one entry fails in a trigger",
  },
  {
    name: "batch-set-fails-as-one",
    rule: "when entries cannot go together, they go singly",
    sql: () => changed("append_batch", [/when others then\n\s+_done := '\{\}';/, "when others then\n      raise;"]),
    test: BATCH,
    caught: "one entry fails in a trigger",
  },
  {
    name: "batch-overtakes",
    rule: "entries of one stream are appended in the order given",
    sql: () => changed("_batch_events", [/bool_and\(g\.is_fit\) over stream and .*/, "g.is_fit"]),
    test: BATCH,
    caught: "several entries of a stream are appended in the order given",
  },
  {
    name: "batch-overtakes-busy",
    rule: "behind a busy entry the later ones of its stream are busy",
    sql: () => changed("append_batch", [/_one\.stream = any \(_busy\)/, "false"]),
    test: BATCH,
    caught: "when one entry of a stream is busy",
  },
];
