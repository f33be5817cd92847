-- The kill switch before its entry (storage/shared/shutting.py; REQ-110): a mark that waits for nobody, in force for
-- everything that asks, also while some transaction sits on the log's head. The Change that records it takes it away.
-- Marks are only added and removed, never unique: two administrators at the same moment do not wait for each other.

create table if not exists countersign.shutting (
  tenant_id text collate "C" not null,
  by text not null,
  name text not null,
  ip text not null,
  at timestamptz not null
);

-- A tenant's own program: by its settings key, in force and accepted by the tenant's people.
create or replace function countersign.may_program_shut(actor jsonb, tenant text) returns boolean
language sql stable as $$
  select exists (select 1 from countersign.api_key as k where actor->>'kind' = 'system' and k.id = actor->>'id'
    and k.image::jsonb->>'tenant_id' = tenant and k.image::jsonb->>'right' = 'settings'
    and k.image::jsonb->>'accepted_at' is not null and k.image::jsonb->>'revoked_at' is null)
$$;

create or replace function countersign.shut(tenant text, actor jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare login jsonb := countersign.login_of_session();
begin
  perform countersign.check_actor(jsonb_build_object('actor', actor), login);
  if not (login->>'kind' = 'portal' and (countersign.is_admin_of(actor->>'id', tenant) or countersign.may_program_shut(actor, tenant))
          or login->>'kind' = 'owner') then
    perform countersign.refuse('P5', format('the switch of %s is its administrators'' own', tenant));
  end if;
  insert into countersign.shutting (tenant_id, by, name, ip, at)
    values (tenant, actor->>'id', actor->>'name', left(actor->>'ip', 64), countersign.clock());
end $$;

create or replace function countersign.is_shutting(tenant text) returns boolean
language sql stable as $$ select exists (select 1 from countersign.shutting as s where s.tenant_id = tenant) $$;

-- Recorded: by the entry that says on, or by the one that says off again.
create or replace function countersign.shutting_recorded() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if new.image::jsonb->'kill_switch' = 'true' or tg_op = 'UPDATE' and old.image::jsonb->'kill_switch' = 'true' then
    delete from countersign.shutting as s where s.tenant_id = new.id;
  end if;
  return null;
end $$;

create or replace trigger p06_shutting_recorded after insert or update on countersign.settings
  for each row execute function countersign.shutting_recorded();
alter table countersign.settings enable always trigger p06_shutting_recorded;

-- What a gate asks for every step of a session; storage.shared.shutting.admission says the same on SQLite.
create or replace function countersign.admission(session_id text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare s jsonb; tenant text; why text; person jsonb; moment constant text := countersign.time_text(countersign.clock());
begin
  s := (select x.image::jsonb from countersign.session as x where x.id = session_id);
  tenant := s->>'tenant_id';
  if s is null then
    why := format('there is no session %s', session_id);
  elsif s->>'ended_at' is not null then
    why := format('session %s was ended by %s', session_id, coalesce(s->>'end_kind', 'somebody'));
  elsif moment >= s->>'expires_at' then
    why := format('the time of session %s is over', session_id);
  else
    why := countersign.shut_because(tenant);
    person := (select x.image::jsonb from countersign.staff as x where x.id = s->>'engineer_id');
    if why is null and not countersign.is_active(person, moment) then
      why := format('%s is no active staff member', s->>'engineer_id');
    end if;
  end if;
  return jsonb_build_object('allowed', why is null, 'why', coalesce(why, ''),
    'mode', case when why is null then s->>'mode' end, 'expires_at', case when why is null then s->>'expires_at' end);
end $$;
