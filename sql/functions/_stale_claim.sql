create or replace function daybook._stale_claim(kind text, name text, shard integer, expected bigint, "position" bigint) returns void
language plpgsql immutable
as $$
begin
  raise exception using
    errcode = 'YD503',
    message = format('shard %s of %s %s is not this drain''s: it is %s', _stale_claim.shard, _stale_claim.kind, quote_literal(_stale_claim.name),
                     coalesce(format('at position %s, not %s, or not running', _stale_claim."position", _stale_claim.expected), 'not there')),
    detail = jsonb_build_object('kind', _stale_claim.kind, 'name', _stale_claim.name, 'shard', _stale_claim.shard,
                                'position', _stale_claim."position", 'expected', _stale_claim.expected),
    hint = 'Roll back, and claim it again: somebody else has moved it, or it was paused, reset or given another number of shards.';
end
$$;

comment on function daybook._stale_claim(text, text, integer, bigint, bigint) is 'Raises YD503: a drain no longer owns what it wants to move.';
