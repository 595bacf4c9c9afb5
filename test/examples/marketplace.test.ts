import { readFile } from "node:fs/promises";
import t from "tap";
import { catalogue, event, streams } from "../../examples/marketplace/events.ts";
import { handlers } from "../../examples/marketplace/handlers/index.ts";
import { allCaughtUp, figures } from "../../examples/marketplace/report.ts";
import { openAccount, sellCall } from "../../examples/marketplace/trade.ts";
import { append, startWorker } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

t.setTimeout(120_000);

t.test(
  "the catalogue has the events that the marketplace was asked for, and refuses what is not of their shape",
  async (t) => {
    t.equal(Object.keys(catalogue).length, 23);
    t.throws(() => event("BidPlaced", { bidId: "1", callId: "2", buyerId: "3", amount: -1, currency: "euro" }));
  },
);

t.test("a marketplace, and what its handlers make of it", async (t) => {
  const { url, pool } = await testDatabase(t);
  await pool.query(await readFile(new URL("../../examples/marketplace/schema.sql", import.meta.url), "utf8"));
  const worker = await startWorker({ db: pool, directUrl: url, handlers });
  t.teardown(() => worker.stop());

  const seller = await openAccount(pool, "seller", "+12025550100");
  const buyers = [
    await openAccount(pool, "buyer", "+12025550101"),
    await openAccount(pool, "buyer", "+12025550102"),
  ] as const;
  await Promise.all(Array.from({ length: 20 }, () => sellCall(pool, seller, buyers)));
  const names = handlers.map(({ name }) => name);
  await allCaughtUp(pool, names);

  const { rows } = await pool.query("select count(*) from daybook.events");
  const sold = await figures(pool);
  t.match(sold, {
    "events in the audit trail": BigInt(rows[0].count),
    letters: 60n,
    calls: 20n,
    bids: 40n,
    "cents turned over": 12_000n,
    "checks passed": 40n,
    violations: 0n,
    consents: 3n,
  });

  await append(pool, {
    streamId: streams.consent("+12025550102"),
    events: event("ConsentRevoked", { phone: "+12025550102", reason: "asked to" }),
  });
  await allCaughtUp(pool, names);
  const callId = await sellCall(pool, seller, buyers);
  await allCaughtUp(pool, names);
  const violation = await pool.query(
    "select e.data ->> 'check' as \"check\", e.causation_id is not null as caused, n.recipient from daybook.events e join marketplace.notifications n using (event_id) where e.stream_id = $1",
    [streams.compliance(callId)],
  );
  t.same(violation.rows, [{ check: "consent", caused: true, recipient: "compliance-officer" }]);
});
