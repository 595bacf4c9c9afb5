import { defineHandler } from "../../../src/index.ts";
import { dataOf } from "../events.ts";

/** Keeps the list of who may be called, which the compliance checks look at. */
export const consents = defineHandler({
  name: "consents",
  subscribesTo: { categories: ["consent"] },
  onFailure: "halt",
  async handle(event, { tx }) {
    const granted = event.type === "ConsentGranted";
    const { phone } = granted ? dataOf("ConsentGranted", event) : dataOf("ConsentRevoked", event);
    await tx.query(
      `insert into marketplace.consents (tenant_id, phone, granted) values ($1, $2, $3)
       on conflict (tenant_id, phone) do update set granted = excluded.granted`,
      [event.tenantId, phone, granted],
    );
  },
});
