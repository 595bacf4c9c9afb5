import { defineHandler } from "../../../src/index.ts";

/** Keeps every event, whatever it is, in a table that an auditor can read. Whole batches at once. */
export const auditTrail = defineHandler({
  name: "audit-trail",
  subscribesTo: ["*"],
  // a hole in an audit trail is worse than a late one
  onFailure: "halt",
  async handleBatch(events, { tx }) {
    await tx.query(
      `insert into marketplace.audit_trail (tenant_id, event_id, position, stream_id, type, actor, occurred_at, data)
       select e.tenant_id, e.event_id, e.position, e.stream_id, e.type, e.metadata ->> 'actor', e.occurred_at, e.data
         from daybook.events e
        where e.position = any ($1::bigint[])`,
      [events.map((event) => event.position)],
    );
  },
});
