-- P5, at the portal: who signs in was mailed a link and is still an administrator; a program does what its key says and
-- no more; a key changes a tenant's settings only once an administrator of that tenant has accepted it; and the platform
-- moves a tenant along its life under the action that is named for that move (REQ-602, REQ-603).

-- storage.shared.guards.p05_the_tenants_door: TENANT_MOVES. A test holds this to that.
create or replace function countersign.tenant_move(was text, becomes text) returns text
language sql immutable parallel safe as $$
  select case concat(was, '>', becomes)
    when 'active>suspended' then 'tenant.suspended'
    when 'suspended>active' then 'tenant.resumed'
    when 'active>deprovisioned' then 'tenant.deprovisioned'
    when 'suspended>deprovisioned' then 'tenant.deprovisioned' end
$$;

-- The actions that what is written to a tenant stands for; an import or a creation says so itself.
create or replace function countersign.tenant_actions(code text, b jsonb, a jsonb) returns text[]
language plpgsql immutable as $$
begin
  if code = 'tenant.imported' or code = 'tenant.created' and b = 'null' then
    return array[code];
  elsif b = 'null' or b - '{status,plan,flags}'::text[] <> a - '{status,plan,flags}'::text[] then
    return '{}';
  end if;
  return array_remove(array[
    case when a->>'status' <> b->>'status' then coalesce(countersign.tenant_move(b->>'status', a->>'status'), 'no move') end,
    case when a->>'plan' <> b->>'plan' then 'tenant.plan_changed' end,
    case when a->'flags' <> coalesce(b->'flags', '[]') then 'tenant.flags_changed' end], null);
end $$;

create or replace function countersign.key_actions(b jsonb, a jsonb) returns text[]
language plpgsql immutable as $$
begin
  if b = 'null' then
    return '{api_key.created}';
  elsif b - '{accepted_at,accepted_by}'::text[] = a - '{accepted_at,accepted_by}'::text[] and a <> b then
    return '{api_key.accepted}';
  elsif b - '{revoked_at,revoked_by}'::text[] = a - '{revoked_at,revoked_by}'::text[] and a <> b then
    return '{api_key.revoked}';
  end if;
  return '{}';
end $$;

create or replace function countersign.guard_p05_the_tenants_door(the_case jsonb) returns void
language plpgsql stable as $$
declare actor jsonb; moment text; r jsonb; a jsonb; b jsonb;
begin
  if not the_case @? '$ ? (@.change.actor.kind == "system" || exists(@.rows[*] ? (@.table == "sign_in_link" || @.table == "portal_session"
                                   || @.table == "api_key")))' then
    return;
  end if;
  actor := the_case->'change'->'actor';
  moment := the_case->>'now';
  if actor->>'kind' = 'system' then  -- P12: nobody else records what the platform does
    perform countersign.check_program(the_case);
  end if;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('sign_in_link', 'portal_session', 'api_key');
    a := r->'after'; b := r->'before';
    case r->>'table'
      when 'sign_in_link' then perform countersign.check_sign_in_link(the_case, b, a);
      when 'api_key' then perform countersign.check_key(the_case, b, a);
      else
        if actor->>'kind' <> 'tenant_admin' or actor->>'id' <> a->>'contact_id'
           or not countersign.is_admin_of(a->>'contact_id', a->>'tenant_id') then
          perform countersign.refuse('P5', 'a portal session is its own person''s, an administrator''s');
        elsif b = 'null' then
          if a->>'ended_at' is not null or not countersign.is_now(a->>'created_at', moment)
             or (a->>'expires_at')::timestamptz > (a->>'created_at')::timestamptz + interval '8 hours'
             or not exists (select 1 from jsonb_array_elements(the_case->'rows') as l
                             where l->>'table' = 'sign_in_link' and l->'before'->>'contact_id' = a->>'contact_id'
                               and l->'before'->>'tenant_id' = a->>'tenant_id' and l->'after'->>'used_at' is not null) then
            perform countersign.refuse('P5', 'who signs in, for a working day, uses up a link that was mailed to them');
          end if;
        elsif b->>'ended_at' is not null or moment >= b->>'expires_at' or a - 'ended_at' <> b - 'ended_at'
           or not countersign.is_now(a->>'ended_at', moment) then
          perform countersign.refuse('P5', 'a portal session is only ended, once, while it lasts');
        end if;
    end case;
  end loop;
end $$;

-- A program's Change: by a key in force, within its right. What only the platform does, only its key does.
create or replace function countersign.check_program(the_case jsonb) returns void
language plpgsql stable as $$
declare actor constant jsonb := the_case->'change'->'actor'; key jsonb; e jsonb; rights text; r jsonb;
begin
  key := countersign.row_image('api_key', actor->>'id')::jsonb;
  rights := case when key is not null and key->>'revoked_at' is null
                  and (key->>'right' <> 'settings' or key->>'accepted_at' is not null) then key->>'right' else '' end;
  if key is not null and rights = '' then
    perform countersign.refuse('P5', format('API key %s is not in force', actor->>'id'));
  end if;
  for n in 0 .. jsonb_array_length(the_case->'change'->'entries') - 1 loop
    e := the_case->'change'->'entries'->n;
    if e->>'action' in ('tenant.created', 'tenant.suspended', 'tenant.resumed', 'tenant.deprovisioned', 'tenant.plan_changed',
                        'tenant.flags_changed') then
      if rights is distinct from 'platform' then
        perform countersign.refuse('P5', 'a tenant''s life cycle is the platform''s, by its key');
      end if;
    elsif rights in ('read', 'settings') and e->>'tenant' is distinct from key->>'tenant_id' then
      perform countersign.refuse('P5', format('API key %s is not %s''s', actor->>'id', coalesce(e->>'tenant', 'everybody')));
    end if;
  end loop;
  if key is null then
    return;
  end if;
  for r in select value from jsonb_array_elements(the_case->'rows') where value->>'table' in ('tenant', 'settings', 'contact') loop
    if r->>'table' = 'settings' and r->'before' <> 'null' and (rights <> 'settings' or key->>'tenant_id' <> r->>'key')
       or r->>'table' <> 'settings' and rights <> 'platform' then
      perform countersign.refuse('P5', format('API key %s does not change %s %s', actor->>'id', r->>'table', r->>'key'));
    end if;
  end loop;
end $$;

-- Made at delivery, for whom the letter went to, for a quarter of an hour; used once, by them.
create or replace function countersign.check_sign_in_link(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare actor constant jsonb := the_case->'change'->'actor'; moment constant text := the_case->>'now'; letter jsonb; ok boolean;
begin
  if b = 'null' then
    select r->'before' into letter from jsonb_array_elements(the_case->'rows') as r where r->>'table' = 'mail' and r->'before' <> 'null';
    ok := letter->>'to_id' = a->>'contact_id' and letter->>'tenant_id' = a->>'tenant_id' and letter->'links' ? 'sign_in'
      and a->>'used_at' is null and a->>'id' ~ '^[0-9a-f]{64}$'
      and (a->>'expires_at')::timestamptz <= moment::timestamptz + interval '15 minutes 2 seconds';
    if ok is distinct from true then
      perform countersign.refuse('P5', 'a link to sign in is made with the letter it stands in');
    end if;
  elsif actor->>'kind' <> 'tenant_admin' or b->>'contact_id' <> actor->>'id' or b->>'used_at' is not null
     or moment >= b->>'expires_at' or a - 'used_at' <> b - 'used_at' or not countersign.is_now(a->>'used_at', moment) then
    perform countersign.refuse('P5', 'a link to sign in is used once, in its time, by whom it was mailed to');
  end if;
end $$;

create or replace function countersign.check_key(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare
  actor constant jsonb := the_case->'change'->'actor'; moment constant text := the_case->>'now'; act text; ok boolean;
  admin constant boolean := actor->>'kind' = 'tenant_admin' and a->>'tenant_id' is not null
    and countersign.is_admin_of(actor->>'id', a->>'tenant_id');
begin
  act := (countersign.key_actions(b, a))[1];
  ok := case act
    when 'api_key.created' then actor->>'kind' = 'staff' and a->>'created_by' = actor->>'id'
      and countersign.is_now(a->>'created_at', moment) and a->>'accepted_at' is null and a->>'revoked_at' is null
      and (a->>'right' = 'platform') = (a->>'tenant_id' is null) and a->>'secret_hash' ~ '^[0-9a-f]{64}$' and a->>'id' like 'K-%'
    when 'api_key.accepted' then admin and b->>'accepted_at' is null and b->>'revoked_at' is null
      and a->>'accepted_by' = actor->>'id' and countersign.is_now(a->>'accepted_at', moment)
    when 'api_key.revoked' then (admin or actor->>'kind' = 'staff') and b->>'revoked_at' is null
      and a->>'revoked_by' = actor->>'id' and countersign.is_now(a->>'revoked_at', moment) end;
  if ok is distinct from true then
    perform countersign.refuse('P5', format('API key %s is made by a super, accepted by its tenant, revoked by either', a->>'id'));
  end if;
end $$;
