create or replace function daybook._check_reads(reads jsonb) returns void
language plpgsql immutable
as $$
begin
  if jsonb_typeof(reads) is distinct from 'array' or jsonb_array_length(reads) not between 1 and 1000
     or reads @? 'strict $[*] ? (@.type() != "string" && @.type() != "object")'
     or reads @? '$[*] ? (@.type() == "object" && (!exists(@.stream_id) || @.stream_id.type() != "string" || @.from_version.type() != "number"
         || @.from_version < 0 || @.from_version > 9223372036854775807 || @.from_version.floor() != @.from_version))'
     or exists (
       select from jsonb_array_elements(reads) r
        where case jsonb_typeof(r.value) when 'object' then r.value - '{stream_id,from_version}'::text[] <> '{}' end) then
    raise exception using
      errcode = 'YD108',
      message = 'reads is an array of 1 to 1000 stream names, or of objects {"stream_id", "from_version"?}',
      detail = jsonb_build_object('argument', 'reads'),
      hint = 'For example: ["account-1", {"stream_id": "account-2", "from_version": 5}].';
  end if;
end
$$;

comment on function daybook._check_reads(jsonb) is 'Refuses what read_streams cannot read: YD108.';
