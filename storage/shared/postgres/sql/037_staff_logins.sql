-- Log-ins: one for each person, made with their account and taken away with it. Only these functions write
-- countersign.login; whoever may call them is settled by what stands in the log, not by what they say of themselves.
-- A password comes here as its SCRAM verifier: the server never sees the password itself.

create or replace function countersign.whoami() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return countersign.login_of_session();
end $$;

-- The log-in of a person whom the caller, a super, has added (or, for the installer: of anybody), made anew or taken over.
create or replace function countersign.staff_login_add(person_id text, verifier text, existing text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  login jsonb := countersign.login_of_session(); moment timestamptz := countersign.clock();
  person jsonb := countersign.active_staff(person_id, moment); entry jsonb; name text; found_role record;
begin
  if login->>'kind' <> 'owner' then
    select o.body::jsonb into entry from countersign.staff as s join countersign.operator_log as o on o.seq = s.rev
     where s.id = person_id;
    if login->>'kind' <> 'staff' or countersign.active_staff(login->>'id', moment)->>'role' <> 'super'
       or entry->>'action' is distinct from 'staff.added' or entry->'actor'->>'id' is distinct from login->>'id' then
      perform countersign.refuse('P1', 'a log-in is made by the super who added the person');
    end if;
  end if;
  lock table countersign.login in share row exclusive mode;  -- not an advisory lock, which anybody could take
  if exists (select 1 from countersign.login as l where l.kind = 'staff' and l.id = person_id) then
    perform countersign.refuse('P1', format('%s has a log-in already', person->>'name'));
  end if;
  if existing is null then
    name := 'cs_' || lower(replace(person_id, '-', '_'));
    if verifier is null or verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' then
      perform countersign.refuse('P1', 'a password is given as its SCRAM verifier');
    end if;
    execute format('create role %I login password %L connection limit 20 in role %I', name, verifier, '@staff@')
      || case when person->>'until' is null then '' else format(' valid until %L', person->>'until') end;
    execute format('alter role %I set statement_timeout = ''30s''', name);
    execute format('alter role %I set lock_timeout = ''10s''', name);
    execute format('alter role %I set idle_in_transaction_session_timeout = ''5s''', name);
    -- what a lost network left behind shall not count against a person's 20 connections for hours
    execute format('alter role %I set tcp_keepalives_idle = 15', name);
    execute format('alter role %I set tcp_keepalives_interval = 5', name);
    execute format('alter role %I set tcp_keepalives_count = 3', name);
    execute format('grant %I to @owner@', name);
  else
    name := existing;
    select rolcanlogin, rolsuper or rolcreaterole or rolbypassrls or rolreplication as mighty into found_role
      from pg_roles where rolname = existing;
    if not found or not found_role.rolcanlogin then
      perform countersign.refuse('P1', format('there is no log-in %s on this server', existing));
    elsif found_role.mighty or pg_has_role(existing, '@owner@', 'member')
          or exists (select 1 from countersign.login as l where l.role_name = existing) then
      perform countersign.refuse('P1', format('%s can do more than a member of staff, or is somebody else''s', existing));
    end if;
    execute format('grant %I to %I', '@staff@', name);
    begin
      execute format('grant %I to @owner@', name);  -- so that its connections can be ended
    exception when insufficient_privilege then null;  -- PostgreSQL 16 and newer, a role that somebody else made
    end;
  end if;
  insert into countersign.login (role_name, kind, id) values (name, 'staff', person_id);
  return name;
end $$;

-- End the connections of a role, as far as the owner may; how many were ended.
create or replace function countersign.end_connections(name text) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare ended int;
begin
  select count(*) filter (where pg_terminate_backend(a.pid)) into ended
    from pg_stat_activity as a where a.usename = name and a.pid <> pg_backend_pid();
  return ended;
exception when insufficient_privilege then
  return 0;
end $$;

-- P12: who is deactivated, or past their end date, loses the log-in at once, and every connection. Again does no harm.
create or replace function countersign.staff_login_remove(person_id text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  login jsonb := countersign.login_of_session(); moment timestamptz := countersign.clock();
  person jsonb; name text; ended int := 0;
begin
  if login->>'kind' = 'staff' and countersign.active_staff(login->>'id', moment)->>'role' <> 'super'
     or login->>'kind' not in ('staff', 'worker', 'owner') then
    perform countersign.refuse('P12', 'a log-in is taken away by a super, or by the worker');
  end if;
  select s.image::jsonb into person from countersign.staff as s where s.id = person_id;
  if person->>'deactivated_at' is null and coalesce((person->>'until')::timestamptz > moment, true) then
    perform countersign.refuse('P12', 'the log-in of active staff stays: deactivate the account');
  end if;
  lock table countersign.login in share row exclusive mode;  -- not an advisory lock, which anybody could take
  delete from countersign.login as l where l.kind = 'staff' and l.id = person_id returning l.role_name into name;
  if name is null then
    return jsonb_build_object('role', null, 'ended', 0);
  end if;
  ended := countersign.end_connections(name);  -- first: one that has begun to change its own password holds the role
  execute format('revoke %I from %I', '@staff@', name);
  if name = 'cs_' || lower(replace(person_id, '-', '_')) then
    execute format('alter role %I nologin', name);
    ended := greatest(ended, countersign.end_connections(name));
    begin
      execute format('drop role %I', name);
    exception when dependent_objects_still_exist then null;  -- a temporary table of a connection just ended: no log-in stays
    end;
  else
    ended := greatest(ended, countersign.end_connections(name));
  end if;
  return jsonb_build_object('role', name, 'ended', ended);
end $$;

-- The ids of those whose log-in is due to be taken away: for the worker, should a console die between the two steps.
create or replace function countersign.departed() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select l.id from countersign.login as l join countersign.staff as s on s.id = l.id
   where l.kind = 'staff' and (s.image::jsonb->>'deactivated_at' is not null
      or (s.image::jsonb->>'until')::timestamptz <= countersign.clock())
$$;

-- The watchdog: whoever holds the operator log's head while others have been waiting for five seconds is cut off.
create or replace function countersign.watchdog() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare sitter record; cut jsonb := '[]';
begin
  for sitter in
    select distinct a.pid, a.usename as name
      from pg_locks as waiting
      cross join lateral unnest(pg_blocking_pids(waiting.pid)) as blocker(pid)
      join pg_stat_activity as a on a.pid = blocker.pid and a.datname = current_database()
      join countersign.login as l on l.role_name = a.usename
      join pg_locks as held on held.pid = a.pid and held.relation = 'countersign.log_head'::regclass and held.granted
     where not waiting.granted and waiting.waitstart < clock_timestamp() - interval '5 seconds'
       and held.mode in ('RowShareLock', 'RowExclusiveLock') and a.pid <> pg_backend_pid()
       and not exists (select 1 from pg_locks as w where w.pid = a.pid and not w.granted)
  loop
    begin
      if pg_terminate_backend(sitter.pid) then
        cut := cut || to_jsonb(sitter.name::text);
      end if;
    exception when insufficient_privilege then null;  -- of a role that somebody else made: its time-outs end it
    end;
  end loop;
  return cut;
end $$;

grant execute on function countersign.whoami() to @staff@, @portal@, @gate@, @worker@;
grant execute on function countersign.staff_login_add(text, text, text) to @staff@;
grant execute on function countersign.staff_login_remove(text) to @staff@, @worker@;
grant execute on function countersign.departed(), countersign.watchdog() to @worker@;
