import t from "tap";
import { testDatabase } from "../support/database.ts";
import { cells, daybook, objects, until, waitingForLock } from "./support.ts";

const { url, pool } = await testDatabase(t);
const run = (args: readonly string[], stdin?: string) => daybook(args, { url, ...(stdin !== undefined && { stdin }) });

t.test("an event with all there is to say about it", async (t) => {
  const correlation = "0198c7f2-0000-7000-8000-000000000001";
  const cause = "0198c7f2-0000-7000-8000-000000000002";
  const id = "0198c7f2-0000-7000-8000-00000000000a";
  const { code, stdout } = await run([
    "append",
    "account-1",
    "MoneyDeposited",
    '{"amount": 12345678901234567890.10}',
    ...["--metadata", '{"clerk": 7}', "--expected", "none", "--event-id", id, "--correlation-id", correlation],
    ...["--causation-id", cause, "--tag", "b", "--tag", "a", "--schema-version", "3"],
    ...["--occurred-at", "2026-02-03T04:05:06.123456+01:00"],
  ]);
  t.equal(code, 0);
  t.match(stdout, /^account-1 is at version 1, position \d+\n$/);
  const read = await run(["read", "account-1", "--json"]);
  t.match(read.stdout, '"data":{"amount": 12345678901234567890.10}', "to the digit");
  t.match(objects(read.stdout), [
    {
      version: 1,
      metadata: { clerk: 7 },
      event_id: id,
      correlation_id: correlation,
      causation_id: cause,
      tags: ["a", "b"],
      schema_version: 3,
      occurred_at: "2026-02-03T03:05:06.123456Z",
    },
  ]);
});

t.test("expected versions", async (t) => {
  t.equal((await run(["append", "expected-1", "A", "--expected", "exists"])).code, 4);
  t.equal((await run(["append", "expected-1", "A", "--expected", "none"])).code, 0);
  t.equal((await run(["append", "expected-1", "B", "--expected", "exists"])).code, 0);
  t.equal((await run(["append", "expected-1", "C", "--expected", "2"])).code, 0);
  t.equal((await run(["append", "expected-1", "D", "--expected", "any"])).code, 0);
  const conflict = await run(["append", "expected-1", "E", "--expected", "2"]);
  t.equal(conflict.code, 4);
  t.equal(conflict.stdout, "");
  t.match(conflict.stderr, /^error: stream expected-1 is at version 4, not 2 \(YD001\)\nhint: .*\ndetail: \{.*\}\n$/);
});

t.test("an idempotency key writes once; the result is JSON if it is wanted", async (t) => {
  const args = ["append", "key-1", "A", "--key", "k", "--json"];
  const [first] = objects((await run(args)).stdout);
  const [second] = objects((await run(args)).stdout);
  t.match(first, { stream_id: "key-1", stream_version: 1, duplicate: false });
  t.same(second, { ...first, duplicate: true });
});

t.test("a tenant", async (t) => {
  t.equal((await run(["append", "tenant-1", "A", "--tenant", "acme"])).code, 0);
  t.equal((await run(["--tenant", "acme", "read", "tenant-1"])).code, 0);
  t.equal((await run(["read", "tenant-1"])).code, 1);
  t.equal((await daybook(["read", "tenant-1"], { url, env: { DAYBOOK_TENANT: "acme" } })).code, 0);
});

t.test("stdin to one stream: all lines or none", async (t) => {
  const lines = '{"type": "A"}\n\n{"type": "B", "data": {"n": 123456789012345678901234}}\n';
  t.match((await run(["append", "stdin-1", "--stdin", "--expected", "none"], lines)).stdout, "stdin-1 is at version 2");
  t.match((await run(["read", "stdin-1"])).stdout, '{"n":123456789012345678901234}');
  const bad = await run(["append", "stdin-1", "--stdin"], '{"type": "C"}\n{"type": ""}\n');
  t.equal(bad.code, 4);
  t.match(bad.stderr, "YD101");
  const noJson = await run(["append", "stdin-1", "--stdin"], '{"type": "C"}\nnope\n');
  t.equal(noJson.code, 4);
  t.match(noJson.stderr, "line 2");
  t.equal((await run(["append", "stdin-1", "--stdin"], "")).code, 4, "nothing to append");
  t.equal(cells((await run(["read", "stdin-1"])).stdout).length, 2);
});

t.test("stdin to many streams: each line on its own", async (t) => {
  const lines = [
    { stream_id: "many-1", type: "A" },
    { stream_id: "many-1", type: "B", expected_version: 1 },
    { stream_id: "many-1", type: "C", expected_version: 7 },
    { stream_id: "many-2", type: "D", data: { text: "\u0000" } },
    { stream_id: "many-2", type: "E", unknown: 1 },
    { type: "F" },
    { stream_id: "many-2", type: "G", idempotency_key: "k" },
    { stream_id: "many-2", type: "G", idempotency_key: "k" },
    { stream_id: "many-3", type: "H", tenant_id: "acme" },
  ].map((line) => JSON.stringify(line));
  const { code, stdout, stderr } = await run(["append", "--stdin", "--json"], [...lines, "[]", "{"].join("\n"));
  t.equal(code, 4);
  t.same(
    objects(stdout).map(({ line, status }) => [line, status]),
    [
      ...[
        [1, "appended"],
        [2, "appended"],
        [3, "failed"],
        [4, "failed"],
        [5, "failed"],
        [6, "failed"],
      ],
      ...[
        [7, "appended"],
        [8, "duplicate"],
        [9, "appended"],
        [10, "failed"],
        [11, "failed"],
      ],
    ],
  );
  for (const line of [3, 4, 5, 6, 10, 11]) t.match(stderr, `line ${line}: `);
  t.match((await run(["append", "--stdin"], lines[0])).stdout, /^1 event appended\n$/);
  t.match((await run(["append", "--stdin"], "")).stdout, /^0 events appended\n$/);
});

t.test("a stream that somebody else holds is waited for, and keeps its order", async (t) => {
  const client = await pool.connect();
  await client.query("begin");
  await client.query("select daybook.append_event('held-1', 'Theirs')");
  const lines = [1, 2, 3].map((n) => JSON.stringify({ stream_id: "held-1", type: `Ours${n}` })).join("\n");
  const waiting = run(["append", "--stdin"], lines);
  await until(
    async () => (await pool.query(waitingForLock)).rowCount === 1,
    () => "daybook waits for the stream",
  );
  await client.query("commit");
  client.release();
  t.equal((await waiting).code, 0);
  t.same(
    cells((await run(["read", "held-1"])).stdout).map((row) => row[4]),
    ["Theirs", "Ours1", "Ours2", "Ours3"],
  );
});

t.test("thousands of lines", async (t) => {
  const lines = Array.from({ length: 2345 }, (_, i) =>
    JSON.stringify({ stream_id: `bulk-${i % 7}`, type: "T", data: { i } }),
  );
  t.match((await run(["append", "--stdin"], lines.join("\n"))).stdout, "2345 events appended");
  const read = await run(["read", "--categories", "bulk", "--json"]);
  t.same(
    objects(read.stdout).map(({ data }) => data),
    lines.map((_, i) => ({ i })),
  );
});
