-- Who a connection is. session_user is what PostgreSQL authenticated; SET ROLE does not change it. Each log-in stands for
-- one member of staff, or for the portal, the gate, the worker; members of the owner (who cannot log in) are installers.

create table if not exists countersign.login (
  role_name text collate "C" primary key,
  kind text not null check (kind in ('staff', 'portal', 'gate', 'worker')),
  id text not null
);

create or replace function countersign.login_of_session() returns jsonb
language plpgsql stable as $$
declare login jsonb;
begin
  select jsonb_build_object('role', l.role_name, 'kind', l.kind, 'id', l.id) into login
    from countersign.login as l where l.role_name = session_user::text;
  if found then
    return login;
  end if;
  if pg_has_role(session_user, '@owner@', 'member') then
    return jsonb_build_object('role', session_user, 'kind', 'owner', 'id', session_user);
  end if;
  perform countersign.refuse('P1', format('the log-in %s stands for nobody', session_user));
end $$;

-- P1: the actor of a Change is the log-in of its connection. The clock's records (what is over by time) may be written
-- by whoever notices; that they are due is a guard's business. Answers the image of the person who acts, null for a program.
create or replace function countersign.check_actor(change jsonb, login jsonb) returns jsonb
language plpgsql stable as $$
declare
  actor constant jsonb := change->'actor'; kind constant text := change->'actor'->>'kind'; who constant text := change->'actor'->>'id';
  person jsonb; ok boolean;
begin
  if kind = 'staff' then
    ok := login->>'kind' = 'staff' and who = login->>'id';
    select s.image::jsonb into person from countersign.staff as s where s.id = who;
  elsif kind = 'tenant_admin' then
    ok := login->>'kind' = 'portal';
    select c.image::jsonb into person from countersign.contact as c where c.id = who;
  elsif kind = 'gate' then
    ok := login->>'kind' = 'gate';
  elsif kind = 'system' then
    ok := case login->>'kind' when 'staff' then who = 'clock' when 'worker' then who in ('clock', 'mail', 'worker')
                              when 'portal' then who = 'portal' when 'owner' then true end;
    if login->>'kind' = 'portal' and who <> 'portal' then
      ok := exists (select 1 from countersign.api_key as k where k.id = who
                       and actor->>'name' = 'API key ' || (k.image::jsonb->>'name'));
    end if;
  end if;
  if ok is distinct from true then
    perform countersign.refuse('P1', format('%s %s is not who the log-in %s stands for', kind, who, login->>'role'));
  elsif kind in ('staff', 'tenant_admin') and (person->>'name', person->>'email') is distinct from (actor->>'name', actor->>'email') then
    perform countersign.refuse('P1', format('%s %s goes by another name or address', kind, who));
  end if;
  return person;
end $$;
