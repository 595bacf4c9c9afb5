import { defineHandler, type StoredEvent } from "../../../src/index.ts";
import { dataOf } from "../events.ts";

/** What one event adds to the figures of its day. */
export function figuresOf(event: StoredEvent) {
  const none = { calls: 0, seconds: 0, bids: 0, bidCents: 0, transactions: 0, transactionCents: 0 };
  switch (event.type) {
    case "CallCompleted":
      return { ...none, calls: 1, seconds: dataOf("CallCompleted", event).seconds };
    case "BidPlaced":
      return { ...none, bids: 1, bidCents: dataOf("BidPlaced", event).amount };
    case "TransactionCreated":
      return { ...none, transactions: 1, transactionCents: dataOf("TransactionCreated", event).amount };
    default:
      return none;
  }
}

/** Adds calls, bids and transactions up by day, a batch at a time. */
export const analytics = defineHandler({
  name: "analytics",
  subscribesTo: ["CallCompleted", "BidPlaced", "TransactionCreated"],
  async handleBatch(events, { tx }) {
    const rows = events.map((event) => ({
      tenant_id: event.tenantId,
      day: event.occurredAt.toISOString().slice(0, 10),
      ...figuresOf(event),
    }));
    await tx.query(
      `insert into marketplace.daily_figures as f
         (tenant_id, day, calls_completed, call_seconds, bids_placed, bid_cents, transactions, transaction_cents)
       select r.tenant_id, r.day, sum(r.calls), sum(r.seconds), sum(r.bids), sum(r."bidCents"), sum(r.transactions), sum(r."transactionCents")
         from jsonb_to_recordset($1::jsonb) as r
              (tenant_id text, day date, calls int, seconds int, bids int, "bidCents" bigint, transactions int, "transactionCents" bigint)
        group by r.tenant_id, r.day
        order by r.tenant_id, r.day
           on conflict (tenant_id, day) do update set
              calls_completed = f.calls_completed + excluded.calls_completed,
              call_seconds = f.call_seconds + excluded.call_seconds,
              bids_placed = f.bids_placed + excluded.bids_placed,
              bid_cents = f.bid_cents + excluded.bid_cents,
              transactions = f.transactions + excluded.transactions,
              transaction_cents = f.transaction_cents + excluded.transaction_cents`,
      [JSON.stringify(rows)],
    );
  },
});
