import type { Queryable } from "./support.ts";

/**
 * Reducers to fold with, in schema app. The state of `chain` depends on every event and on their order: each link is a
 * hash of the one before and of the event; `chain_2` is the same with other hashes.
 */
export async function makeReducers(db: Queryable): Promise<void> {
  await db.query(`
    create schema app;
    grant usage on schema app to public;
    create function app.account(state jsonb, event daybook.event) returns jsonb language plpgsql immutable as $$
    begin
      return case event.type
        when 'Deposited' then jsonb_set(state, '{balance}', to_jsonb((state ->> 'balance')::numeric + (event.data ->> 'amount')::numeric))
        when 'Withdrawn' then jsonb_set(state, '{balance}', to_jsonb((state ->> 'balance')::numeric - (event.data ->> 'amount')::numeric))
        when 'Divided' then jsonb_set(state, '{balance}', to_jsonb((state ->> 'balance')::numeric / (event.data ->> 'by')::numeric))
        when 'Forgotten' then null
        else state
      end;
    end $$;
    create function app.chain(state jsonb, event daybook.event) returns jsonb language sql immutable as $$
      select jsonb_build_object('events', coalesce((state ->> 'events')::integer, 0) + 1, 'link', md5(concat(state ->> 'link', event.event_id)))
    $$;
    create function app.chain_2(state jsonb, event daybook.event) returns jsonb language sql immutable as $$
      select jsonb_build_object('events', coalesce((state ->> 'events')::integer, 0) + 1, 'link', md5(concat('2', state ->> 'link', event.event_id)))
    $$`);
}

/** Appends events of a type, one with each amount, in one call. */
export async function deposit(
  db: Queryable,
  stream: string,
  amounts: readonly number[],
  tenant?: string,
): Promise<void> {
  await db.query("select from daybook.append($1, $2, tenant_id => $3)", [
    stream,
    JSON.stringify(amounts.map((amount) => ({ type: "Deposited", data: { amount } }))),
    tenant ?? null,
  ]);
}
