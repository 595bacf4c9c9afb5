-- PostgreSQL 18 brings its own; before it, the same layout from a random UUID and the clock.
do $$
begin
  if current_setting('server_version_num')::integer >= 180000 then
    create or replace function daybook.uuid_v7() returns uuid
    language sql volatile parallel safe
    return pg_catalog.uuidv7();
  else
    create or replace function daybook.uuid_v7() returns uuid
    language sql volatile parallel safe
    return encode(
      set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
        52, 1), 53, 1), 'hex')::uuid;
  end if;
end $$;

comment on function daybook.uuid_v7() is 'A new UUIDv7: its first 48 bits are the clock in milliseconds, so later ids sort later.';
