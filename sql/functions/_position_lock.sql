create or replace function daybook._position_lock("position" bigint) returns integer
language sql immutable parallel safe
return ((("position" & 4294967295) - 2147483648)::integer);

comment on function daybook._position_lock(bigint) is
  'The second half of the advisory lock that registers an append at a position (the first half is 1145196363): the low 32 bits. A packed bigint would collide with locks of others once positions pass 2^48.';
