import { randomUUID } from "node:crypto";
import { appendStreams, type DbLike } from "../../src/index.ts";
import { event, streams } from "./events.ts";

/** A buyer or a seller. */
export interface Party {
  readonly accountId: string;
  readonly phone: string;
}

/** Opens an account with some money in it. */
export async function openAccount(db: DbLike, role: "buyer" | "seller", phone: string): Promise<Party> {
  const accountId = randomUUID();
  const account = streams.account(accountId);
  await appendStreams(db, {
    appends: [
      {
        streamId: account,
        expectedVersion: "none",
        events: [
          event("AccountCreated", { accountId, role, company: `${role} ${phone}` }),
          event("AccountActivated", { accountId }),
          event("CreditLimitChanged", { accountId, limit: 100_000, currency: "EUR" }),
          event("BalanceUpdated", { accountId, balance: 50_000, change: 50_000, currency: "EUR" }),
        ],
      },
      { streamId: streams.consent(phone), events: [event("ConsentGranted", { phone, source: "sign-up" })] },
    ],
  });
  return { accountId, phone };
}

/**
 * One call from its offer to its payment: every buyer bids, the highest bid wins, the call is routed to its buyer and
 * paid for. What belongs together is appended together.
 *
 * @returns the id of the call
 */
export async function sellCall(db: DbLike, seller: Party, buyers: readonly [Party, ...Party[]]): Promise<string> {
  const callId = randomUUID();
  const correlationId = randomUUID();
  const bids = buyers.map((buyer, i) => ({ bidId: randomUUID(), buyer, amount: 500 + 100 * i }));
  const winner = bids.reduce((best, bid) => (bid.amount > best.amount ? bid : best));
  const currency = "EUR";
  const metadata = { actor: "exchange" };
  const tell = (streamId: string, events: readonly ReturnType<typeof event>[]) => ({
    streamId,
    events: events.map((one) => ({ ...one, correlationId, metadata })),
  });

  await appendStreams(db, {
    appends: [
      tell(streams.call(callId), [
        event("CallCreated", { callId, sellerId: seller.accountId, caller: seller.phone, state: "NY" }),
      ]),
      ...bids.map(({ bidId, buyer, amount }) =>
        tell(streams.bid(bidId), [event("BidPlaced", { bidId, callId, buyerId: buyer.accountId, amount, currency })]),
      ),
    ],
  });
  await appendStreams(db, {
    appends: [
      tell(streams.call(callId), [
        event("CallRouted", { callId, buyerId: winner.buyer.accountId, destination: winner.buyer.phone }),
        event("CallAnswered", { callId }),
      ]),
      ...bids.map((bid) => {
        const { bidId, amount } = bid;
        const buyerId = bid.buyer.accountId;
        return tell(streams.bid(bidId), [
          bid === winner
            ? event("BidWon", { bidId, callId, buyerId, amount, currency })
            : event("BidLost", { bidId, callId, buyerId }),
        ]);
      }),
    ],
  });
  const paid = { accountId: winner.buyer.accountId, amount: winner.amount, currency };
  await appendStreams(db, {
    appends: [
      tell(streams.call(callId), [
        event("CallCompleted", {
          callId,
          buyerId: winner.buyer.accountId,
          sellerId: seller.accountId,
          seconds: 60 + (winner.amount % 300),
        }),
      ]),
      tell(streams.finance(winner.buyer.accountId), [
        event("TransactionCreated", { ...paid, transactionId: randomUUID(), callId, amount: -winner.amount }),
        event("PaymentProcessed", { ...paid, paymentId: randomUUID() }),
        event("InvoiceGenerated", { ...paid, invoiceId: randomUUID() }),
      ]),
    ],
  });
  return callId;
}
