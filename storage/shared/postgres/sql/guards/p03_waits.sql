-- P3, of break-glass and emergencies: which moves time alone allows, and which it forbids (REQ-108, REQ-109). As
-- storage/shared/guards/waits.py: 24 hours undecided and 24 more to declare and countersign, 2 hours of cooling from the
-- first accepted letter (24 without one, and it is over), 8 hours to use it; 2 hours for the second super.

-- Whether nothing happens to an emergency but that time has made it void.
create or replace function countersign.only_lapses(b jsonb, a jsonb) returns boolean
language sql immutable parallel safe as $$
  select b->'emergency' <> 'null' and a->'emergency' <> b->'emergency'
    and (a->'emergency') - 'lapsed_at' = (b->'emergency') - 'lapsed_at'
$$;

create or replace function countersign.in_its_time(b jsonb, a jsonb, act text, moment text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  g constant jsonb := a->'break_glass'; og constant jsonb := b->'break_glass'; e constant jsonb := a->'emergency'; oe constant jsonb := b->'emergency';
  was constant text := b->>'state'; now constant timestamptz := moment::timestamptz; expires constant timestamptz := (b->>'expires_at')::timestamptz;
  undecided constant boolean := now >= expires and now < expires + interval '24 hours';
  until constant timestamptz := (og->>'cooling_until')::timestamptz;
  given_up constant timestamptz := (og->>'countersigned_at')::timestamptz + interval '24 hours';
  stoppable boolean; ok boolean;
begin
  stoppable := case was when 'declared' then now < expires + interval '24 hours' when 'cooling' then now < coalesce(until, given_up)
    else was in ('pending', 'expired') end;
  ok := case act
    when 'break_glass.declared' then undecided and b->'urgent' = 'true' and og = 'null' and countersign.is_now(g->>'declared_at', moment)
      and jsonb_strip_nulls(g) - '{reason,declared_at}'::text[] = '{}'
    when 'break_glass.countersigned' then undecided and og->>'countersigned_at' is null and countersign.is_now(g->>'countersigned_at', moment)
      and g - '{countersigned_by,countersigned_at}'::text[] = og - '{countersigned_by,countersigned_at}'::text[]
      and a->>'layer' = 'break_glass' and a->'granted_minutes' = a->'minutes'
    when 'break_glass.cooling' then was = 'cooling' and og->>'cooling_since' is null and now < given_up and countersign.is_now(g->>'cooling_since', moment)
      and (g->>'cooling_until')::timestamptz = (g->>'cooling_since')::timestamptz + interval '2 hours'
      and g - '{cooling_since,cooling_until}'::text[] = og - '{cooling_since,cooling_until}'::text[]
    when 'break_glass.vetoed' then stoppable
    when 'break_glass.usable' then now >= until and now < until + interval '8 hours' and (a->>'usable_until')::timestamptz = until + interval '8 hours'
    when 'session.started' then now >= until and now < until + interval '8 hours'
    when 'request.lapsed' then now >= case was when 'declared' then expires + interval '24 hours' else coalesce(until + interval '8 hours', given_up) end
    when 'emergency.declared' then stoppable and not (oe <> 'null' and oe->>'countersigned_at' is null
        and now < (oe->>'declared_at')::timestamptz + interval '2 hours')
      and countersign.is_now(e->>'declared_at', moment) and jsonb_strip_nulls(e) - '{category,reason,declared_by,declared_at}'::text[] = '{}'
    when 'emergency.lapsed' then oe->>'countersigned_at' is null and oe->>'lapsed_at' is null
      and now >= (oe->>'declared_at')::timestamptz + interval '2 hours'
      and (e->>'lapsed_at')::timestamptz = (oe->>'declared_at')::timestamptz + interval '2 hours'
    when 'emergency.countersigned' then stoppable and oe <> 'null' and oe->>'countersigned_at' is null
      and now < (oe->>'declared_at')::timestamptz + interval '2 hours' and countersign.is_now(e->>'countersigned_at', moment)
      and e - '{countersigned_by,countersigned_at,incident_id}'::text[] = oe - '{countersigned_by,countersigned_at,incident_id}'::text[]
      and e->>'incident_id' is not null and a->>'layer' = 'emergency' and a->'granted_minutes' = a->'minutes'
      and (a->>'usable_until')::timestamptz = (e->>'countersigned_at')::timestamptz + interval '8 hours'
    when 'request.withdrawn' then true
    when 'request.countersigned' then now < coalesce(until + interval '8 hours', given_up, expires + interval '24 hours')
    when 'request.declined' then now < coalesce(until + interval '8 hours', given_up, expires + interval '24 hours')
    else false end;
  if ok is distinct from true then
    perform countersign.refuse('P3', format('%s is not what happens to request %s (%s) now', act, a->>'id', was));
  end if;
end $$;
