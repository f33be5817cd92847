-- P1: entries are only ever appended, in order, linked, with the actor that the connection logged in as, at the
-- database's time.
--
-- `apply` makes entries so; the triggers hold everyone else to it, the owner and session_replication_role included.

create or replace function countersign.guard_p01(the_case jsonb) returns void
language plpgsql stable as $$
begin
  if not the_case @? '$.change.actor ? (@.id != "" && @.name != "")' then
    perform countersign.refuse('P1', 'an entry must name who acts');
  end if;
end $$;

create or replace function countersign.never() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform countersign.refuse(tg_argv[0], format('%s of %s: %s', lower(tg_op), tg_table_name, tg_argv[1]));
  return null;
end $$;

-- Whether a trigger was fired by `apply` or `step_up` themselves, which have checked all of it: the only proof taken is
-- PostgreSQL's own account of which function called which, innermost first, so nothing that a caller says or sets counts.
-- `statement` is the one that must have fired it, to the letter: a text of one's own can stand further out only, and
-- could not go on after that closing quote and still be SQL. Whatever looks different is checked in full: writing by
-- hand, these functions called by hand, another language of messages.
create or replace function countersign.fired_by_apply(stack text, statement text, depth int) returns boolean
language plpgsql immutable as $$
declare frames constant text[] := string_to_array(stack, E'\n');
begin
  return frames[2] = concat('SQL statement "', statement, '"')
    and (depth = 0 or frames[3] like 'PL/pgSQL function countersign.put(text,text,text,bigint,boolean) line %')
    and frames[3 + depth] like 'PL/pgSQL function countersign.write\_change(jsonb,text[],text[],boolean[],bigint,text,text) line %'
    and (frames[4 + depth] like 'PL/pgSQL function countersign.apply(jsonb) line % at RETURN'
         or frames[4 + depth] like 'PL/pgSQL function countersign.step\_up(uuid) line % at assignment');
end $$;

-- Next number, right link, right hash, the log-in's actor, the present. `at` never runs backwards. An entry of a
-- tenant's log is the twin of an entry that this very transaction appended to the operator log: same actor, same words.
-- `apply` makes them so, from the newest entries themselves.
create or replace function countersign.entry_follows() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  entry jsonb; at text; log text := 'operator'; twin text; stack text; newest bigint; newest_hash bytea; newest_at text; moment text;
begin
  get diagnostics stack = pg_context;
  if countersign.fired_by_apply(stack, case tg_table_name
       when 'operator_log' then 'insert into countersign.operator_log (seq, hash, body) values (new_seq, new_hash, body)'
       else 'insert into countersign.tenant_log (tenant_id, seq, hash, body) values (tenant, new_twin, twin_hash, twin)' end, 0) then
    return new;
  end if;
  entry := new.body;
  moment := countersign.time_text(countersign.clock());
  at := entry->>'at';
  if tg_table_name = 'operator_log' then
    select o.seq, o.hash, o.at into newest, newest_hash, newest_at
      from countersign.operator_log as o order by o.seq desc limit 1;
  else
    log := 'tenant:' || new.tenant_id;
    select t.seq, t.hash, t.at into newest, newest_hash, newest_at
      from countersign.tenant_log as t where t.tenant_id = new.tenant_id order by t.seq desc limit 1;
  end if;
  if new.seq is distinct from coalesce(newest, 0) + 1 or (entry->>'seq')::bigint is distinct from new.seq
     or entry->>'log' is distinct from log then
    perform countersign.refuse('P1', format('an entry of %s must follow number %s', log, coalesce(newest, 0)));
  elsif entry->>'prev' is distinct from coalesce(encode(newest_hash, 'hex'), repeat('0', 64))
     or new.hash is distinct from sha256('\x00'::bytea || convert_to(new.body, 'UTF8')) then
    perform countersign.refuse('P1', format('entry %s of %s is not linked to the one before', new.seq, log));
  end if;
  if log <> 'operator' then
    select o.body into twin from countersign.operator_log as o
     where o.seq = (entry->'ref'->>'seq')::bigint and o.xmin = pg_current_xact_id()::xid;
    if twin is null or strpos(twin, concat(',"ref":{"hash":"', encode(new.hash, 'hex'), '","log":', to_json(log), ',"seq":', new.seq, '}')) = 0
       or not starts_with(twin, left(new.body, strpos(new.body, ',"log":"tenant:'))) then
      perform countersign.refuse('P1', format('entry %s of %s has no twin in the operator log', new.seq, log));
    end if;
    return new;
  end if;
  moment := greatest(moment collate "C", newest_at collate "C");
  if at is null or at < newest_at or at > moment or at <> moment and extract(epoch from moment::timestamptz - at::timestamptz) > 60 then
    perform countersign.refuse('P1', format('entry %s of %s is dated %s, and it is %s', new.seq, log, at, moment));
  end if;
  perform countersign.check_actor(entry, countersign.login_of_session());
  return new;
end $$;

-- A head moves forward only, to the newest entry, and there is one for a log.
create or replace function countersign.head_follows() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare newest bigint; newest_hash bytea; stack text;
begin
  get diagnostics stack = pg_context;
  if countersign.fired_by_apply(stack, case new.log when 'operator' then
       'update countersign.log_head as h set seq = new_seq, hash = new_hash where h.log = ''operator'''
       else 'update countersign.log_head as h set seq = new_twin, hash = twin_hash where h.log = tenant_log' end, 0) then
    return new;
  end if;
  if new.log = 'operator' then
    select o.seq, o.hash into newest, newest_hash from countersign.operator_log as o order by o.seq desc limit 1;
  else
    select t.seq, t.hash into newest, newest_hash
      from countersign.tenant_log as t where t.tenant_id = substr(new.log, 8) order by t.seq desc limit 1;
  end if;
  if new.seq is distinct from coalesce(newest, 0)
     or new.hash is distinct from coalesce(newest_hash, decode(repeat('00', 32), 'hex')) then
    perform countersign.refuse('P1', format('the head of %s is its newest entry, number %s', new.log, coalesce(newest, 0)));
  elsif tg_op = 'UPDATE' and (new.log, new.epoch) is distinct from (old.log, old.epoch) then
    perform countersign.refuse('P1', format('the head of %s only moves forward', old.log));
  elsif tg_op = 'UPDATE' and new.seq <= old.seq then
    perform countersign.refuse('P1', format('the head of %s only moves forward', old.log));
  end if;
  return new;
end $$;

do $do$
declare log text;
begin
  foreach log in array '{operator_log,tenant_log}'::text[] loop
    execute format($$
      create or replace trigger p01_follows before insert on countersign.%1$I
        for each row execute function countersign.entry_follows();
      create or replace trigger p01_never before update or delete or truncate on countersign.%1$I
        for each statement execute function countersign.never('P1', 'an entry is never changed or removed');
      alter table countersign.%1$I enable always trigger p01_follows;
      alter table countersign.%1$I enable always trigger p01_never$$, log);
  end loop;
end $do$;
create or replace trigger p01_follows before insert or update on countersign.log_head
  for each row execute function countersign.head_follows();
create or replace trigger p01_never before delete or truncate on countersign.log_head
  for each statement execute function countersign.never('P1', 'a log''s head is never removed');
alter table countersign.log_head enable always trigger p01_follows;
alter table countersign.log_head enable always trigger p01_never;
