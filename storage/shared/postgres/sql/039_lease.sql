-- Which worker is the postman (storage.shared.interface, `lease`; storage/shared/lease.py does the same on SQLite): one at
-- a time, by the database's clock; who died or hangs loses it when its time runs out. Nothing is decided by it: it is no
-- row of the story and needs no entry. The worker's log-ins alone may ask.

create table if not exists countersign.lease (
  name text collate "C" primary key,
  holder text not null,
  until timestamptz not null
);

create or replace function countersign.take_lease(what text, who text, seconds int) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare login jsonb := countersign.login_of_session(); moment timestamptz := countersign.clock();
begin
  if login->>'kind' not in ('worker', 'owner') then
    perform countersign.refuse('P12', 'letters are handed on by the worker alone');
  elsif what <> 'mail' or seconds not between 0 and 600 or length(who) not between 1 and 100 then
    perform countersign.refuse('P12', format('there is no lease %s for %s s', what, seconds));
  end if;
  insert into countersign.lease as l values (what, who, moment + make_interval(secs => seconds))
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
    where l.holder = excluded.holder or l.until <= moment;
  return found;
end $$;
