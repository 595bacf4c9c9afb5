/*
 * What can happen on a marketplace for calls: sellers offer calls, buyers bid for them, the call goes to the best bid,
 * is paid for, and all of it has to be lawful. Plain data; nothing here knows of a database.
 */
import { z } from "zod";

const id = z.uuid();
/** An amount in cents; money is counted, not measured. */
const cents = z.int().min(0);
const currency = z.string().regex(/^[A-Z]{3}$/);
const phone = z.string().regex(/^\+[1-9]\d{6,14}$/);

/** Every type of event, with the shape of its data. */
export const catalogue = {
  // account-<id>
  AccountCreated: z.object({ accountId: id, role: z.enum(["buyer", "seller"]), company: z.string().min(1) }),
  AccountActivated: z.object({ accountId: id }),
  AccountSuspended: z.object({ accountId: id, reason: z.string().min(1) }),
  BalanceUpdated: z.object({ accountId: id, balance: z.int(), change: z.int(), currency }),
  CreditLimitChanged: z.object({ accountId: id, limit: cents, currency }),

  // call-<id>
  CallCreated: z.object({ callId: id, sellerId: id, caller: phone, state: z.string().length(2) }),
  CallRouted: z.object({ callId: id, buyerId: id, destination: phone }),
  CallAnswered: z.object({ callId: id }),
  CallCompleted: z.object({ callId: id, buyerId: id, sellerId: id, seconds: z.int().min(0) }),
  CallFailed: z.object({ callId: id, reason: z.string().min(1) }),

  // bid-<id>
  BidPlaced: z.object({ bidId: id, callId: id, buyerId: id, amount: cents, currency }),
  BidUpdated: z.object({ bidId: id, callId: id, amount: cents, currency }),
  BidWon: z.object({ bidId: id, callId: id, buyerId: id, amount: cents, currency }),
  BidLost: z.object({ bidId: id, callId: id, buyerId: id }),
  BidExpired: z.object({ bidId: id, callId: id }),

  // compliance-<call id>, consent-<phone without the plus>
  ComplianceCheckPassed: z.object({ callId: id, check: z.string().min(1) }),
  ComplianceViolationDetected: z.object({ callId: id, check: z.string().min(1), details: z.string().min(1) }),
  ConsentGranted: z.object({ phone, source: z.string().min(1) }),
  ConsentRevoked: z.object({ phone, reason: z.string().min(1) }),

  // finance-<account id>
  TransactionCreated: z.object({ transactionId: id, accountId: id, callId: id.optional(), amount: z.int(), currency }),
  PaymentProcessed: z.object({ paymentId: id, accountId: id, amount: cents, currency }),
  InvoiceGenerated: z.object({ invoiceId: id, accountId: id, amount: cents, currency }),
  RefundIssued: z.object({ refundId: id, accountId: id, amount: cents, currency, reason: z.string().min(1) }),
};

export type EventType = keyof typeof catalogue;
export type DataOf<T extends EventType> = z.output<(typeof catalogue)[T]>;

/** An event of the marketplace, ready to be appended. */
export interface MarketplaceEvent<T extends EventType = EventType> {
  readonly type: T;
  readonly data: DataOf<T>;
}

/**
 * Makes an event.
 *
 * @throws z.ZodError if the data are not of the type's shape
 */
export function event<T extends EventType>(type: T, data: z.input<(typeof catalogue)[T]>): MarketplaceEvent<T> {
  return { type, data: catalogue[type].parse(data) as DataOf<T> };
}

/**
 * The data of a stored event of a known type.
 *
 * @throws z.ZodError if they are not of the type's shape
 */
export function dataOf<T extends EventType>(type: T, stored: { readonly data: unknown }): DataOf<T> {
  return catalogue[type].parse(stored.data) as DataOf<T>;
}

/** Names of the streams. */
export const streams = {
  account: (accountId: string) => `account-${accountId}`,
  call: (callId: string) => `call-${callId}`,
  bid: (bidId: string) => `bid-${bidId}`,
  compliance: (callId: string) => `compliance-${callId}`,
  consent: (number: string) => `consent-${number.replace("+", "")}`,
  finance: (accountId: string) => `finance-${accountId}`,
};
