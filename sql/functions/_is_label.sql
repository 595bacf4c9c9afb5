create or replace function daybook._is_label(label text) returns boolean
language sql immutable parallel safe
return length(label) between 1 and 255 and label !~ '[[:cntrl:]]';

comment on function daybook._is_label(text) is 'Whether a text can name something of ours: 1 to 255 characters, none of them a control character. Null for null.';
