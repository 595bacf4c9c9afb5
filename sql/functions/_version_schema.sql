create or replace function daybook._version_schema(name text, version integer) returns text
language sql immutable parallel safe
return format('daybook_%s_%s', name, version);

comment on function daybook._version_schema(text, integer) is 'Name of the schema that the tables of a version of a projection live in.';
