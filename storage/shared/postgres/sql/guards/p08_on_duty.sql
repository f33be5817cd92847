-- P8, by the clock: outside office hours only whoever is on call countersigns (REQ-111).

create or replace function countersign.guard_p08_on_duty(the_case jsonb) returns void
language plpgsql stable as $$
declare actor jsonb; hours jsonb; span jsonb; there timestamp; clock text;
begin
  if not the_case @? '$.change ? (@.actor.kind == "staff").entries[*] ? (@.action == "request.countersigned"
                                   || @.action == "elevation.granted" || @.action == "break_glass.countersigned")' then
    return;
  end if;
  actor := the_case->'change'->'actor';
  hours := countersign.row_image('office_hours', 'office')::jsonb;
  if hours is null then
    return;
  end if;
  there := (the_case->>'now')::timestamptz at time zone (hours->>'zone');
  clock := to_char(there, 'HH24:MI');
  for n in 0 .. jsonb_array_length(hours->'spans') - 1 loop
    span := hours->'spans'->n;
    if (span->>'weekday')::int = extract(isodow from there) and clock >= (span->>'opens') collate "C" and clock < (span->>'closes') collate "C" then
      return;
    end if;
  end loop;
  if not exists (select 1 from countersign.on_call_shift as s, lateral (select s.image::jsonb as i) as x
      where s.ends_at > the_case->>'now' and i->>'staff_id' = actor->>'id' and i->'cancelled' = 'false' and i->>'starts_at' <= the_case->>'now') then
    perform countersign.refuse('P8', format('outside office hours only the on-call approver countersigns, and %s is not', actor->>'name'));
  end if;
end $$;
