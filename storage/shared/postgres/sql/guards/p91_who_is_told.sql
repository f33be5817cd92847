-- Asked after all the others. P5, told in time: whoever must hear of an act is written to in the very Change that does it, once (REQ-104, 106, 108,
-- 109, 112, 115, 204, 206, 207, 211, 504). A tenant can decide only on what it hears of; a receipt that is left out would be silence, which a
-- tenant must be able to take as evidence.

-- To whom an act's letter goes: 'admins' of the tenant, 'others' of them than who acts, those who 'opted_in', its 'security' and 'legal' contacts,
-- the request's 'engineer', the 'supers' who have no part in it.
create or replace function countersign.told(code text) returns text[]
language sql immutable parallel safe as $$
  select case code
    when 'request.created' then '{admins}' when 'question.answered' then '{admins}' when 'question.asked' then '{engineer}'
    when 'request.approved' then '{others,engineer}' when 'request.denied' then '{others,engineer}' when 'request.expired' then '{admins,engineer}'
    when 'break_glass.declared' then '{supers}' when 'break_glass.countersigned' then '{admins,security}'
    when 'break_glass.vetoed' then '{others,engineer,supers}' when 'break_glass.usable' then '{admins}'
    when 'emergency.declared' then '{supers}' when 'emergency.countersigned' then '{admins,legal}'
    when 'review.opened' then '{supers}' when 'review.signed' then '{admins}'
    when 'session.started' then '{opted_in}' when 'elevation.granted' then '{admins}' when 'outcome.given' then '{admins}'
    when 'session.ended' then '{admins}' when 'session.force_ended' then '{admins}' when 'session.expired' then '{admins}' end::text[]
$$;

-- The people of an entry, by their ids.
create or replace function countersign.hearers(the_case jsonb, e jsonb) returns setof text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  whom constant text[] := countersign.told(e->>'action'); actor constant text := the_case->'change'->'actor'->>'id';
  unasked boolean := false; at_once boolean; engineer text; barred jsonb;
begin
  if whom is null then
    return;
  end if;
  at_once := e->>'action' = 'request.approved' and countersign.has_action(the_case, 'request.created');  -- standing consent
  if 'opted_in' = any (whom) then  -- where nobody there consented, the admins hear of it in any case
    unasked := coalesce(countersign.row_after(the_case, 'session', e->>'session')->>'layer' <> 'consent', false);
  end if;
  return query select c.id::text from countersign.contact as c, countersign.settings as s
   where c.tenant_id = e->>'tenant' and s.id = c.tenant_id and coalesce(c.image::jsonb->'removed', 'false') = 'false'
     and (c.image::jsonb->'roles' ? 'tenant_admin' and ('admins' = any (whom) or at_once or 'others' = any (whom) and c.id <> actor
            or 'opted_in' = any (whom) and (unasked or s.image::jsonb->'notify_start_admins' = 'true'))
          or c.image::jsonb->'roles' ? 'security_contact' and 'security' = any (whom)
          or c.image::jsonb->'roles' ? 'legal_contact' and 'legal' = any (whom)
          or c.id = e->>'target' and 'opted_in' = any (whom) and s.image::jsonb->'notify_start_target' = 'true');
  if not whom && '{engineer,supers}' then
    return;
  end if;
  engineer := countersign.row_after(the_case, 'request', e->>'request')->>'engineer_id';
  select r->'after'->'barred' into barred from jsonb_array_elements(the_case->'rows') as r where r->>'table' = 'review' limit 1;
  return query select s.id::text from countersign.staff as s
   where countersign.is_active(s.image::jsonb, the_case->>'now') and ('engineer' = any (whom) and not at_once and s.id = engineer
     or 'supers' = any (whom) and s.role = 'super' and s.id <> actor and s.id is distinct from engineer and not coalesce(barred ? s.id::text, false));
end $$;

create or replace function countersign.guard_p91_told(the_case jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  e jsonb; r jsonb; sent jsonb; missed text;
begin
  if the_case->'login'->>'kind' = 'owner' then
    return;
  end if;
  if exists (select 1 from jsonb_array_elements(the_case->'rows') as m(row)
              where row->>'table' = 'mail' and row->'before' = 'null' group by row->'after'->>'to_id', row->'after'->>'event',
                row->'after'->>'tenant_id', row->'after'->>'request_id', row->'after'->>'session_id' having count(*) > 1) then
    perform countersign.refuse('P5', 'nobody is told the same twice');
  end if;
  select coalesce(jsonb_object_agg(concat_ws(' ', row->'after'->>'to_id', coalesce(row->'after'->>'request_id', '-'),
                  coalesce(row->'after'->>'session_id', '-')), true), '{}') into sent
    from jsonb_array_elements(the_case->'rows') as m(row) where row->>'table' = 'mail' and row->'before' = 'null';
  for n in 0 .. jsonb_array_length(the_case->'change'->'entries') - 1 loop
    e := the_case->'change'->'entries'->n;
    continue when countersign.told(e->>'action') is null;
    select h into missed from countersign.hearers(the_case, e) as h
     where not sent ? concat_ws(' ', h, coalesce(e->>'request', '-'), coalesce(e->>'session', '-')) limit 1;
    if missed is not null then
      perform countersign.refuse('P5', format('%s must be told of %s', missed, e->>'action'));
    end if;
  end loop;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop  -- supers hear of whoever meets the rate limit
    r := the_case->'rows'->n;
    continue when r->>'table' <> 'standing' or (r->'after'->>'limit_alerted_at') is not distinct from (r->'before'->>'limit_alerted_at');
    select s.id into missed from countersign.staff as s
     where s.role = 'super' and s.id <> r->>'key' and countersign.is_active(s.image::jsonb, the_case->>'now')
       and not countersign.writes(the_case, jsonb_build_object('table', 'mail', 'before', null, 'after', jsonb_build_object('to_id', s.id)))
     limit 1;
    if missed is not null then
      perform countersign.refuse('P5', format('%s must be told of the rate limit', missed));
    end if;
  end loop;
end $$;
