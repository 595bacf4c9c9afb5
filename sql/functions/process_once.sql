create or replace function daybook.process_once(
  consumer text,
  message_id text,
  tenant_id text default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(process_once.tenant_id);
begin
  if daybook._is_label(consumer) is not true or (length(message_id) between 1 and 255) is not true then
    raise exception using
      errcode = 'YD108',
      message = 'consumer and message_id have 1 to 255 characters',
      detail = jsonb_build_object('argument', case when daybook._is_label(consumer) then 'message_id' else 'consumer' end),
      hint = 'Pass the name of the consumer and the identity that its messages keep over all deliveries.';
  end if;
  insert into daybook.processed_messages as m (tenant_id, consumer, message_id, processed_at)
  values (_tenant, process_once.consumer, process_once.message_id, clock_timestamp())
      on conflict on constraint processed_messages_pkey do nothing;
  return found;
end
$$;

comment on function daybook.process_once(text, text, text) is
  'True the first time a consumer asks for a message, false ever after (settings.processed_retention): asked in the transaction of its effects, they happen once however often it is delivered. A second asker waits for the first to end; if that one rolls back, it is the first.';
