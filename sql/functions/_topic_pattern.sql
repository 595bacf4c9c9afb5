create or replace function daybook._topic_pattern(topic text) returns text
language sql immutable parallel safe
return replace(replace(replace(replace(replace(topic, '%', '%%'), '{category}', '%1$s'), '{type}', '%2$s'), '{tenant}', '%3$s'), '{stream}', '%4$s');

comment on function daybook._topic_pattern(text) is 'A topic as a pattern for format(pattern, category, type, tenant, stream): what is filled in is never filled in again.';
