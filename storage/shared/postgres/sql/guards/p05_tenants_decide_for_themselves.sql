-- P5: a tenant's decisions and settings are written only by the portal's role.
--
-- And by the portal only for a present administrator of that very tenant, who was mailed a link for this very decision
-- on this very content: the link is used up by it. So is the way there guarded: a letter goes to the address on
-- record, links are made by whoever delivers. Standing consent is the tenant's decision made beforehand, for read_only
-- alone (REQ-106).

create or replace function countersign.guard_p05(the_case jsonb) returns void
language plpgsql stable as $$
declare actor jsonb; moment text; r jsonb; a jsonb; b jsonb; wanted text;
begin
  if not the_case @? '$.rows[*] ? (@.table == "settings" || @.table == "decision" || @.table == "consent_link" || @.table == "mail"
                                   || @.table == "request")' then
    return;
  end if;
  actor := the_case->'change'->'actor';
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('settings', 'decision', 'consent_link', 'mail', 'request');
    a := r->'after'; b := r->'before';
    case r->>'table'
      when 'settings' then perform countersign.check_settings(the_case, b, a);
      when 'mail' then perform countersign.check_letter(the_case, b, a);
      when 'consent_link' then perform countersign.check_link(the_case, b, a);
      when 'decision' then
        if a->>'kind' in ('approve', 'deny') then
          if actor->>'kind' <> 'tenant_admin' or not countersign.is_admin_of(actor->>'id', a->>'tenant_id') then
            perform countersign.refuse('P5', format('request %s is decided by an administrator of %s alone', a->>'request_id', a->>'tenant_id'));
          elsif not countersign.writes(the_case, jsonb_build_object('table', 'consent_link', 'before', jsonb_build_object(
              'kind', a->'kind', 'request_id', a->'request_id', 'contact_id', actor->'id', 'content_digest', a->'content_digest'))) then
            perform countersign.refuse('P5', format('%s was mailed no link to %s request %s', actor->>'id', a->>'kind', a->>'request_id'));
          end if;
        elsif a->>'kind' = 'veto' then
          perform countersign.check_veto(the_case, a);
        elsif a->>'kind' = 'standing_consent' then
          if coalesce((select s.image::jsonb->'standing_consent' from countersign.settings as s where s.id = a->>'tenant_id'), 'false') <> 'true' then
            perform countersign.refuse('P5', format('%s gave no standing consent', a->>'tenant_id'));
          elsif countersign.row_after(the_case, 'request', a->>'request_id')->>'mode' is distinct from 'read_only' then
            perform countersign.refuse('P5', 'standing consent is for read_only alone');
          end if;
        end if;
      else
        -- Whose decision a change of state rests on; that cooling is over, time alone decides (P3).
        wanted := case when (a->>'state') is not distinct from (b->>'state') then null
          when a->>'state' = 'denied' then 'deny' when a->>'state' = 'vetoed' then 'veto' when a->>'state' = 'cooling' then 'break_glass'
          when a->>'state' <> 'approved' then null when b = 'null' then 'standing_consent'
          when a->'emergency' <> b->'emergency' then 'emergency' when b->>'state' = 'pending' then 'approve' end;
        if wanted is not null and not countersign.writes(the_case, jsonb_build_object('table', 'decision', 'before', null,
             'after', jsonb_build_object('request_id', a->'id', 'kind', wanted))) then
          perform countersign.refuse('P5', format('request %s is %s without a decision of its tenant', a->>'id', a->>'state'));
        elsif wanted in ('approve', 'standing_consent') then
          if not (a->>'granted_minutes')::int between 1 and (a->>'minutes')::int then
            perform countersign.refuse('P5', format('request %s is granted for 1 to %s minutes', a->>'id', a->>'minutes'));
          elsif not countersign.is_now(a->>'decided_at', moment)
             or (a->>'usable_until')::timestamptz <> (a->>'decided_at')::timestamptz + interval '8 hours' then
            perform countersign.refuse('P5', format('request %s is approved now, for eight hours', a->>'id'));
          elsif not countersign.is_active(countersign.row_image('staff', a->>'engineer_id')::jsonb, moment) then
            perform countersign.refuse('P5', format('%s is no active staff member: nobody could use the approval', a->>'engineer_id'));
          end if;
        elsif a->'exchanges'->-1->>'kind' = 'question' and a->'exchanges' <> b->'exchanges' then
          if actor->>'kind' <> 'tenant_admin' or not countersign.is_admin_of(actor->>'id', a->>'tenant_id')
             or a->'exchanges'->-1->>'by' <> actor->>'id' or not countersign.is_now(a->'exchanges'->-1->>'at', moment)
             or not exists (select 1 from countersign.consent_link as l, lateral (select l.image::jsonb as i) as x
                             where l.request_id = a->>'id' and i->>'contact_id' = actor->>'id' and i->>'used_at' is null
                               and moment < i->>'expires_at') then
            perform countersign.refuse('P5', format('about request %s asks an administrator of %s who was mailed a link', a->>'id', a->>'tenant_id'));
          end if;
        end if;
    end case;
  end loop;
end $$;

-- REQ-108: by the link of the urgent letter, by the deny link of the letter before, or by shutting the tenant or that
-- way: by an administrator of it, who was mailed that link, or whose settings these are.
create or replace function countersign.check_veto(the_case jsonb, decision jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare actor constant jsonb := the_case->'change'->'actor'; link jsonb; linked boolean; shuts boolean; own boolean;
begin
  link := jsonb_build_object('request_id', decision->'request_id', 'contact_id', actor->'id', 'content_digest', decision->'content_digest');
  own := actor->>'kind' = 'tenant_admin' and countersign.is_admin_of(actor->>'id', decision->>'tenant_id');
  linked := countersign.writes(the_case, jsonb_build_object('table', 'consent_link', 'before', link || '{"kind":"veto"}'))
    or countersign.writes(the_case, jsonb_build_object('table', 'consent_link', 'before', link || '{"kind":"deny"}'));
  shuts := countersign.writes(the_case, jsonb_build_object('table', 'settings', 'key', decision->'tenant_id', 'after', '{"kill_switch":true}'::jsonb))
    or countersign.writes(the_case, jsonb_build_object('table', 'settings', 'key', decision->'tenant_id'))
       and countersign.row_after(the_case, 'settings', decision->>'tenant_id')->>'mode' <> 'default';
  if not (own and linked or shuts and (own or actor->>'kind' = 'system')) then
    perform countersign.refuse('P5', format('request %s is vetoed by an administrator of %s alone', decision->>'request_id', decision->>'tenant_id'));
  end if;
end $$;

create or replace function countersign.check_settings(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare
  actor constant jsonb := the_case->'change'->'actor'; e jsonb;
  recorded constant boolean := countersign.records_a_shutting(the_case->'login', b, a);
begin
  if b <> 'null' and not (recorded or actor->>'kind' = 'tenant_admin' and countersign.is_admin_of(actor->>'id', a->>'id')
                          or actor->>'kind' = 'system' and (the_case->'login'->>'kind' = 'owner'
                            or countersign.row_image('api_key', actor->>'id')::jsonb->>'accepted_at' is not null)) then  -- p05_the_tenants_door
    perform countersign.refuse('P5', format('the settings of %s are the tenant''s own', a->>'id'));
  elsif not (a->>'max_minutes')::int between 15 and 240 then
    perform countersign.refuse('P5', 'a tenant''s maximum is 15 to 240 minutes');
  elsif b <> 'null' and (not recorded and (a->>'changed_by') is distinct from (actor->>'id') or not countersign.is_now(a->>'changed_at', the_case->>'now')) then
    perform countersign.refuse('P5', 'settings say who changed them, and when');
  end if;
  for n in 0 .. jsonb_array_length(the_case->'change'->'entries') - 1 loop
    e := the_case->'change'->'entries'->n;
    continue when (e->>'tenant' = a->>'id' and b <> 'null') is distinct from true;
    if not a @> coalesce(nullif(e->'after', 'null'), '{}') and e->>'action' ~ '^(settings|kill_switch)\.'
       or not b @> coalesce(nullif(e->'before', 'null'), '{}') and e->>'action' ~ '^(settings|kill_switch)\.' then
      perform countersign.refuse('P5', 'an entry says what the settings were and are');
    end if;
  end loop;
end $$;

-- The worker may write down a switch that a tenant's administrator has turned on already (038_shutting.sql).
create or replace function countersign.records_a_shutting(login jsonb, b jsonb, a jsonb) returns boolean
language sql stable as $$
  select login->>'kind' in ('worker', 'owner') and b->'kill_switch' = 'false' and a->'kill_switch' = 'true'
     and a - '{kill_switch,changed_at,changed_by}'::text[] = b - '{kill_switch,changed_at,changed_by}'::text[]
     and exists (select 1 from countersign.shutting as s where s.tenant_id = a->>'id' and s.by = a->>'changed_by')
$$;

-- A letter goes to the address on record; one that asks for links goes to an administrator of the request's tenant.
create or replace function countersign.check_letter(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare
  address text; moment constant text := the_case->>'now'; ok boolean;
  becomes constant text[] := '{state,attempts,tried_at,last_error,delivered_at,failed_at,answer}';
begin
  if b <> 'null' then
    if b - becomes <> a - becomes or b->>'state' not in ('queued', 'failed') then
      perform countersign.refuse('P5', format('letter %s is delivered once, as it was written', a->>'id'));
    end if;
    ok := case a->>'state'
      when 'delivered' then countersign.is_now(a->>'delivered_at', moment) and a->>'failed_at' is null
      when 'failed' then countersign.is_now(a->>'failed_at', moment) and a->>'delivered_at' is null and a->>'last_error' <> ''
      when 'queued' then a->>'delivered_at' is null and a->>'failed_at' is null and case b->>'state'
        when 'queued' then countersign.is_now(a->>'tried_at', moment) and (a->>'attempts')::int > (b->>'attempts')::int
          and a->>'last_error' <> ''
        else (a->>'attempts')::int = 0 end end;
    if ok is distinct from true then
      perform countersign.refuse('P5', format('letter %s: what became of it is said as it is, and now', a->>'id'));
    end if;
    return;
  end if;
  if a->>'to_id' = 'operator/legal' and a->>'event' = 'emergency.countersigned' and a->'links' = '[]' and a->>'state' = 'queued'
     and countersign.has_action(the_case, 'emergency.countersigned') then
    return;  -- the operator's own legal address is a setting, no row (REQ-109)
  end if;
  address := coalesce(countersign.row_after(the_case, 'contact', a->>'to_id')->>'email',
                      countersign.row_after(the_case, 'staff', a->>'to_id')->>'email');
  if address is distinct from a->>'to_email' and not (address is null and the_case->'login'->>'kind' = 'owner')
     or a->>'state' <> 'queued' or (a->>'attempts')::int <> 0 then
    perform countersign.refuse('P5', format('letter %s goes to %s, but the address of %s is %s', a->>'id', a->>'to_email',
      a->>'to_id', coalesce(address, 'not known')));
  elsif a->'links' <> '[]' then
    if not countersign.is_admin_of(a->>'to_id', a->>'tenant_id')
       or a->'links' <> '["sign_in"]' and (countersign.row_after(the_case, 'request', a->>'request_id')->>'tenant_id') is distinct from (a->>'tenant_id') then
      perform countersign.refuse('P5', format('links to decide go to administrators of the request''s tenant, not to %s', a->>'to_id'));
    end if;
  end if;
end $$;

-- Links are made at delivery, for whom the letter went to; used once, by them, for what they are for.
create or replace function countersign.check_link(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare actor constant jsonb := the_case->'change'->'actor'; letter jsonb; r jsonb; request jsonb; ok boolean;
begin
  if b = 'null' then
    for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
      r := the_case->'rows'->n;
      letter := case when r->>'table' = 'mail' and r->'before' <> 'null' then r->'before' else letter end;
    end loop;
    request := countersign.row_after(the_case, 'request', a->>'request_id');
    ok := letter->>'to_id' = a->>'contact_id' and letter->>'request_id' = a->>'request_id' and letter->'links' ? (a->>'kind')
      and request->>'content_digest' = a->>'content_digest' and a->>'expires_at' = case when a->>'kind' = 'veto' then coalesce(request->'break_glass'->>'cooling_until', request->>'expires_at') else request->>'expires_at' end and a->>'used_at' is null
      and a->>'id' ~ '^[0-9a-f]{64}$';
    if ok is distinct from true then
      perform countersign.refuse('P5', 'a link is made with the letter it stands in');
    end if;
  elsif actor->>'kind' <> 'tenant_admin' or b->>'contact_id' <> actor->>'id' or b->>'used_at' is not null
     or the_case->>'now' >= b->>'expires_at' and not (b->>'kind' in ('veto', 'deny') and countersign.writes(the_case, jsonb_build_object(
          'table', 'decision', 'before', null, 'after', jsonb_build_object('kind', 'veto', 'request_id', b->'request_id')))) or a - 'used_at' <> b - 'used_at' or not countersign.is_now(a->>'used_at', the_case->>'now') then
    perform countersign.refuse('P5', 'a link is used once, in its time, by whom it was mailed to');
  end if;
end $$;
