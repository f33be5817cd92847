-- Who a connection is. session_user is what PostgreSQL authenticated; SET ROLE does not change it. Each log-in stands for
-- one member of staff, or for the portal, the gate, the worker; members of the owner (who cannot log in) are installers.

create table if not exists countersign.login (
  role_name text collate "C" primary key,
  kind text not null check (kind in ('staff', 'portal', 'gate', 'worker')),
  id text not null
);

create or replace function countersign.login_of_session() returns jsonb
language plpgsql stable as $$
declare found_login countersign.login;
begin
  select * into found_login from countersign.login as l where l.role_name = session_user::text;
  if found then
    return jsonb_build_object('role', session_user, 'kind', found_login.kind, 'id', found_login.id);
  end if;
  if pg_has_role(session_user, '@owner@', 'member') then
    return jsonb_build_object('role', session_user, 'kind', 'owner', 'id', session_user);
  end if;
  perform countersign.refuse('P1', format('the log-in %s stands for nobody', session_user));
end $$;

-- P1: the actor of a Change is the log-in of its connection. The clock's records (what is over by time) may be written
-- by whoever notices; that they are due is a guard's business.
create or replace function countersign.check_actor(change jsonb, login jsonb) returns void
language plpgsql stable as $$
declare
  actor jsonb := change->'actor'; kind text := change->'actor'->>'kind'; id text := change->'actor'->>'id';
  person jsonb; clock boolean := kind = 'system' and id = 'clock'; ok boolean;
begin
  ok := case login->>'kind'
    when 'staff' then clock or kind = 'staff' and id = login->>'id'
    when 'portal' then kind = 'tenant_admin' or kind = 'system' and (id = 'portal' or exists (
      select 1 from countersign.api_key as k where k.id = actor->>'id'
         and actor->>'name' = 'API key ' || (k.image::jsonb->>'name')))
    when 'gate' then kind = 'gate'
    when 'worker' then kind = 'system' and id in ('clock', 'mail', 'worker')
    when 'owner' then kind = 'system'
    else false end;
  if ok is distinct from true then
    perform countersign.refuse('P1', format('%s %s is not who the log-in %s stands for', kind, id, login->>'role'));
  end if;
  if kind = 'staff' then
    select s.image::jsonb into person from countersign.staff as s where s.id = actor->>'id';
  elsif kind = 'tenant_admin' then
    select c.image::jsonb into person from countersign.contact as c where c.id = actor->>'id';
  else
    return;
  end if;
  if (person->>'name', person->>'email') is distinct from (actor->>'name', actor->>'email') then
    perform countersign.refuse('P1', format('%s %s goes by another name or address', kind, id));
  end if;
end $$;
