-- P7: no session starts without an approved, unexpired, unused request whose content digest is the one approved.
--
-- So the digest is the content's own (REQ-115), and a request begins as one: nothing decided, nothing signed, four hours
-- at most, for a user of that tenant (REQ-101, REQ-104).

create or replace function countersign.content_digest(request jsonb) returns text
language plpgsql immutable as $$
begin
  return (select encode(sha256(convert_to(countersign.canonical(jsonb_build_object(
    'tenant', request->'tenant_id', 'target', request->'target_id', 'scope', request->'scope', 'records', request->'records',
    'mode', request->'mode', 'minutes', request->'minutes', 'ticket', request->'ticket', 'reason', request->'reason')), 'UTF8')), 'hex'));
end $$;

create or replace function countersign.is_target(target text, tenant text) returns boolean
language plpgsql stable as $$
begin
  return (select exists (select 1 from countersign.contact as c where c.id = target and c.tenant_id = tenant
                    and c.image::jsonb->'removed' = 'false' and c.image::jsonb->'roles' ?| '{user,tenant_admin}'));
end $$;

create or replace function countersign.guard_p07(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb;
begin
  if not the_case @? '$.rows[*] ? (@.before == null && (@.table == "request" || @.table == "session"))' then
    return;
  end if;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when (r->'before' = 'null' and r->>'table' in ('request', 'session')) is distinct from true;
    if r->>'table' = 'request' then perform countersign.begins(the_case, r->'after');
    else perform countersign.is_approved(the_case, r->'after'); end if;
  end loop;
end $$;

create or replace function countersign.begins(the_case jsonb, a jsonb) returns void
language plpgsql stable as $$
declare earlier jsonb;
begin
  if a->>'content_digest' <> countersign.content_digest(a) then
    perform countersign.refuse('P7', format('the digest of request %s is not its content''s', a->>'id'));
  elsif not countersign.is_now(a->>'created_at', the_case->>'now')
     or (a->>'expires_at')::timestamptz <> (a->>'created_at')::timestamptz + interval '24 hours' then
    perform countersign.refuse('P7', format('request %s is made now and waits 24 hours', a->>'id'));
  elsif a->>'engineer_id' <> the_case->'change'->'actor'->>'id' and a->'emergency' = 'null'
     or not countersign.is_active(countersign.row_image('staff', a->>'engineer_id')::jsonb, the_case->>'now') then
    perform countersign.refuse('P7', format('request %s is for whoever asks', a->>'id'));
  elsif a->>'countersigned_by' is not null or a->>'declined_by' is not null or a->>'session_id' is not null
     or a->'exchanges' <> '[]' or a->>'layer' <> 'consent' or a->'break_glass' <> 'null'
     or a->>'state' = 'pending' and (a->>'decided_by' is not null or a->>'usable_until' is not null or a->>'granted_minutes' is not null) then
    perform countersign.refuse('P7', format('request %s begins as a new one', a->>'id'));
  elsif not (a->>'minutes')::int between 1 and 240 or not (a->>'records')::bigint between 1 and 1000000 or a->'tried' = '[]' then
    perform countersign.refuse('P7', format('request %s is for 1 to 240 minutes and 1 to 1,000,000 records, after less invasive ways', a->>'id'));
  elsif not countersign.is_target(a->>'target_id', a->>'tenant_id') then
    perform countersign.refuse('P7', format('%s is no user of %s', a->>'target_id', a->>'tenant_id'));
  elsif not exists (select 1 from countersign.contact as c where c.tenant_id = a->>'tenant_id' and countersign.is_admin_of(c.id, c.tenant_id)) then
    perform countersign.refuse('P7', format('tenant %s has nobody who could be asked', a->>'tenant_id'));
  end if;
  if a->>'again_of' is not null then
    earlier := countersign.row_image('request', a->>'again_of')::jsonb;
    if (earlier->>'tenant_id') is distinct from (a->>'tenant_id')
       or (the_case->>'now')::timestamptz < (case earlier->>'state'
            when 'pending' then (earlier->>'expires_at')::timestamptz
            when 'approved' then (earlier->>'usable_until')::timestamptz
            when 'declared' then (earlier->>'expires_at')::timestamptz + interval '24 hours'
            when 'cooling' then coalesce((earlier->'break_glass'->>'cooling_until')::timestamptz + interval '8 hours',
                                         (earlier->'break_glass'->>'countersigned_at')::timestamptz + interval '24 hours') end) then
      perform countersign.refuse('P7', format('%s is no request of this tenant that is over', a->>'again_of'));
    end if;
  end if;
end $$;

create or replace function countersign.is_approved(the_case jsonb, s jsonb) returns void
language plpgsql stable as $$
declare request jsonb; used jsonb;
begin
  request := countersign.row_image('request', s->>'request_id')::jsonb;
  used := countersign.row_after(the_case, 'request', s->>'request_id');
  if request is null then
    perform countersign.refuse('P7', format('session %s starts without a request', s->>'id'));
  elsif request->>'state' not in ('approved', 'cooling') or request->>'session_id' is not null then
    perform countersign.refuse('P7', format('request %s is %s', request->>'id', request->>'state'));
  elsif request->>'state' = 'approved' and (request->>'usable_until' is null or the_case->>'now' >= request->>'usable_until') then
    perform countersign.refuse('P7', format('the approval of request %s has lapsed', request->>'id'));  -- of what cools, P3 looks at the time
  elsif used->>'state' <> 'used' or (used->>'session_id') is distinct from (s->>'id') then
    perform countersign.refuse('P7', format('request %s must be used up by session %s', request->>'id', s->>'id'));
  elsif request->>'content_digest' <> countersign.content_digest(request) or not exists (
      select 1 from countersign.decision as d, lateral (select d.image::jsonb as i) as x where d.request_id = request->>'id'
         and i->>'content_digest' = request->>'content_digest' and case request->>'layer' when 'break_glass' then i->>'kind' = 'break_glass'
           when 'emergency' then i->>'kind' = 'emergency' else i->>'kind' in ('approve', 'standing_consent') end) then
    perform countersign.refuse('P7', format('what was approved is not what request %s says now', request->>'id'));
  elsif (request->>'tenant_id', request->>'target_id', request->>'engineer_id', request->>'ticket', request->>'layer')
     is distinct from (s->>'tenant_id', s->>'target_id', s->>'engineer_id', s->>'ticket', s->>'layer')
     or s->>'engineer_id' <> the_case->'change'->'actor'->>'id' then
    perform countersign.refuse('P7', format('session %s is not what request %s asked for', s->>'id', request->>'id'));
  elsif request->>'layer' = 'break_glass' and exists (select 1 from countersign.decision as d where d.request_id = request->>'id'
      and d.image::jsonb->>'kind' = 'veto') then
    perform countersign.refuse('P7', format('request %s was vetoed', request->>'id'));
  elsif not countersign.is_target(s->>'target_id', s->>'tenant_id') then
    perform countersign.refuse('P7', format('%s is no user of %s any more', s->>'target_id', s->>'tenant_id'));
  end if;
end $$;
