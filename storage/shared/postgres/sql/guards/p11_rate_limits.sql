-- P11: rate limits hold under concurrency.
--
-- Every start reads and writes the engineer's standing, under the locked head: two at once cannot both find room. One
-- active session per engineer, none while an outcome is owed (REQ-112, REQ-201, REQ-206). So the standing itself cannot
-- be talked down: a session leaves it by ending, an outcome by being given, a start by growing a day old.

create or replace function countersign.guard_p11(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb; starting jsonb; sessions int := 0;
begin
  if not the_case @? '$.rows[*] ? (@.table == "standing" || @.table == "session" && @.before == null)' then
    return;
  end if;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    if r->>'table' = 'standing' then
      perform countersign.keeps_its_word(the_case, r->'before', r->'after');
    elsif r->>'table' = 'session' and r->'before' = 'null' then
      sessions := sessions + 1;
      starting := r->'after';
    end if;
  end loop;
  if sessions > 1 then
    perform countersign.refuse('P11', 'two sessions in one Change');
  elsif sessions = 1 then
    perform countersign.has_room(the_case, starting);
  end if;
end $$;

create or replace function countersign.has_room(the_case jsonb, s jsonb) returns void
language plpgsql stable as $$
declare
  b jsonb; a jsonb; current jsonb; amounts countersign.limits; moment constant timestamptz := (the_case->>'now')::timestamptz;
  who constant text := s->>'engineer_id'; in_hour int; tenants int;
begin
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    if the_case->'rows'->n->>'table' = 'standing' and the_case->'rows'->n->>'key' = who then
      b := the_case->'rows'->n->'before';
      a := the_case->'rows'->n->'after';
    end if;
  end loop;
  if a is null or (a->>'active_session') is distinct from (s->>'id')
     or not a->'starts' @> jsonb_build_array(jsonb_build_object('tenant_id', s->'tenant_id', 'at', s->'started_at')) then
    perform countersign.refuse('P11', format('the start of %s must be written into the standing of %s', s->>'id', who));
  end if;
  current := countersign.row_image('session', coalesce(b->>'active_session', b->>'owes_outcome'))::jsonb;
  if b->>'active_session' is not null and current->>'ended_at' is null and the_case->>'now' < current->>'expires_at' then
    perform countersign.refuse('P11', format('%s has an active session: %s', who, current->>'id'));
  elsif b->>'owes_outcome' is not null or current->'outcome' = 'null' then
    perform countersign.refuse('P11', format('%s owes the outcome of %s', who, current->>'id'));
  end if;
  select * into amounts from countersign.limits;
  select count(*) filter (where moment - (x->>'at')::timestamptz < interval '1 hour'), count(distinct x->>'tenant_id')
    into in_hour, tenants from jsonb_array_elements(a->'starts') as x where moment - (x->>'at')::timestamptz < interval '1 day';
  if in_hour > amounts.starts_per_hour then
    perform countersign.refuse('P11', format('%s: more than %s sessions started within an hour', who, amounts.starts_per_hour));
  elsif tenants > amounts.tenants_per_day then
    perform countersign.refuse('P11', format('%s: more than %s tenants entered within a day', who, amounts.tenants_per_day));
  end if;
end $$;

create or replace function countersign.keeps_its_word(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare s jsonb; who constant text := a->>'id'; moment constant text := the_case->>'now'; added jsonb;
begin
  if b = 'null' then
    b := jsonb_build_object('active_session', null, 'owes_outcome', null, 'starts', '[]'::jsonb, 'limit_alerted_at', null);
  end if;
  if b->>'active_session' is not null and (a->>'active_session') is distinct from (b->>'active_session') then
    s := countersign.row_after(the_case, 'session', b->>'active_session');
    if s is null or s->>'ended_at' is null and moment < s->>'expires_at' then
      perform countersign.refuse('P11', format('session %s of %s has not ended', b->>'active_session', who));
    elsif s->'outcome' = 'null' and (a->>'owes_outcome') is distinct from (b->>'active_session') then
      perform countersign.refuse('P11', format('%s owes the outcome of %s', who, b->>'active_session'));
    end if;
  end if;
  if b->>'owes_outcome' is not null and (a->>'owes_outcome') is distinct from (b->>'owes_outcome')
     and countersign.row_after(the_case, 'session', b->>'owes_outcome')->'outcome' is not distinct from 'null' then
    perform countersign.refuse('P11', format('%s still owes the outcome of %s', who, b->>'owes_outcome'));
  end if;
  if exists (select 1 from jsonb_array_elements(b->'starts') as x
              where moment::timestamptz - (x->>'at')::timestamptz < interval '1 day' and not a->'starts' @> jsonb_build_array(x)) then
    perform countersign.refuse('P11', format('%s: a start within the last day is missing from the standing', who));
  end if;
  -- nor is anything put into it that this Change does not do
  select jsonb_agg(x) into added from jsonb_array_elements(a->'starts') as x where not b->'starts' @> jsonb_build_array(x);
  if added is not null and not (jsonb_array_length(added) = 1 and countersign.writes(the_case, jsonb_build_object('table', 'session', 'before', null,
      'after', jsonb_build_object('engineer_id', who, 'tenant_id', added->0->'tenant_id', 'started_at', added->0->'at')))) then
    perform countersign.refuse('P11', format('%s: a start that is none stands in the standing', who));
  elsif a->>'active_session' is not null and (a->>'active_session') is distinct from (b->>'active_session')
     and (countersign.row_after(the_case, 'session', a->>'active_session')->>'engineer_id') is distinct from who then
    perform countersign.refuse('P11', format('%s is another''s session', a->>'active_session'));
  elsif a->>'owes_outcome' is not null and (a->>'owes_outcome') is distinct from (b->>'owes_outcome')
     and a->>'owes_outcome' is distinct from b->>'active_session' then
    perform countersign.refuse('P11', format('%s owes no outcome of %s', who, a->>'owes_outcome'));
  elsif (a->>'limit_alerted_at') is distinct from (b->>'limit_alerted_at')
     and not (countersign.has_action(the_case, 'rate_limit.met') and who = the_case->'change'->'actor'->>'id'
              and countersign.is_now(a->>'limit_alerted_at', moment)) then
    perform countersign.refuse('P11', format('the supers were alerted about %s at another time', who));
  end if;
end $$;
