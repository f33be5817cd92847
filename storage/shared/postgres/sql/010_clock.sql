-- The shared clock, and how a time is written: RFC 3339, UTC, microseconds (storage.models.row.time_text).

create or replace function countersign.clock() returns timestamptz
language sql volatile parallel safe
as $$ select clock_timestamp() $$;

create or replace function countersign.time_text(moment timestamptz) returns text
language sql stable strict parallel safe
as $$ select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

create or replace function countersign.refuse(promise text, words text) returns void
language plpgsql as $$
begin
  -- promise 'P7' becomes SQLSTATE CSP07; the message is for the person
  raise exception using errcode = 'CSP' || lpad(substr(promise, 2), 2, '0'), message = words;
end $$;
