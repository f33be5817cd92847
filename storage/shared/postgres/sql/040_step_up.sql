-- P10: step-up, in two committed steps. `step_up_begin` keeps the code that was given; `step_up`, in a LATER transaction,
-- says what it is worth. A rolled-back `step_up` therefore can only be repeated with the very same code: every guess
-- costs an attempt that is committed before anything is learned, and five that are wrong or abandoned lock.

create table if not exists countersign.attempt (
  id uuid primary key default gen_random_uuid(),
  staff_id text collate "C" not null,
  code text not null,
  act text not null,
  ip text not null,
  at timestamptz not null,
  xid xid8 not null default pg_current_xact_id()
);

-- One row for each person who gives codes, locked while they give one. Not an advisory lock, which anybody could take who
-- guesses its name; nor the row of their log-in, which they would then hold against its removal.
create table if not exists countersign.giving (staff_id text collate "C" primary key);

create or replace function countersign.wrong_codes() returns int language sql immutable as $$ select 5 $$;
create or replace function countersign.locked_for() returns interval language sql immutable as $$ select interval '15 minutes' $$;

create or replace function countersign.fresh_change_id(moment timestamptz) returns text
language sql volatile as $$
  select concat(substr(t, 1, 8), '-', substr(t, 9, 4), '-7', substr(r, 1, 3), '-', substr(r, 17, 4), '-', substr(r, 21, 12))
    from (select lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') as t,
                 replace(gen_random_uuid()::text, '-', '') as r) as parts
$$;

-- storage.view.derived_id
create or replace function countersign.derived_id(change_id text, prefix text, number int) returns text
language sql immutable strict as $$
  select prefix || '-' || string_agg(
           substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> shift) & 31)::int + 1, 1), '' order by shift desc)
    from (select (('x' || substr(encode(sha256(convert_to(concat(change_id, '/', prefix, '/', number), 'UTF8')), 'hex'),
                 1, 8))::bit(32)::bigint & 4294967295) >> 2 as value) as hashed,
         generate_series(0, 25, 5) as shift
$$;

create or replace function countersign.active_staff(staff_id text, moment timestamptz) returns jsonb
language plpgsql stable as $$
declare person jsonb := (select image::jsonb from countersign.staff where id = staff_id);
begin
  if person is null or person->>'deactivated_at' is not null
     or (person->>'until' is not null and moment >= (person->>'until')::timestamptz) then
    perform countersign.refuse('P12', format('%s is no active staff member', coalesce(person->>'name', staff_id)));
  end if;
  return person;
end $$;

create or replace function countersign.step_up_begin(code text, act text, ip text) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  login jsonb := countersign.login_of_session(); moment timestamptz := countersign.clock();
  credential jsonb; failures int; attempt_id uuid; who text := login->>'id';
begin
  if login->>'kind' <> 'staff' then
    perform countersign.refuse('P10', 'a code is given by the person it belongs to');
  end if;
  perform countersign.active_staff(who, moment);
  insert into countersign.giving (staff_id) values (who) on conflict do nothing;
  perform 1 from countersign.giving as g where g.staff_id = who for update;
  delete from countersign.attempt as a where a.staff_id = who and a.at < moment - countersign.locked_for();
  select c.image::jsonb into credential from countersign.credential as c where c.id = who;
  failures := case when (credential->>'locked_until')::timestamptz <= moment then 0
                   else coalesce((credential->>'failures')::int, 0) end;
  if credential->>'locked_until' is null or failures = 0 then
    if failures + (select count(*) from countersign.attempt as a where a.staff_id = who) >= countersign.wrong_codes() then
      perform countersign.refuse('P10', 'too many codes were given and abandoned: wait a quarter of an hour');
    end if;
  end if;
  insert into countersign.attempt (staff_id, code, act, ip, at)
    values (who, left(code, 64), left(act, 64), left(ip, 64), moment) returning id into attempt_id;
  return attempt_id;
end $$;

-- What a code is worth (storage.shared.proving.judged): the credential as it will be, the method or null, why, locks.
create or replace function countersign.judged(
  credential jsonb, code text, moment timestamptz, abandoned int,
  out after jsonb, out method text, out why text, out locks boolean
) language plpgsql stable as $$
declare
  plain constant text := translate(upper(regexp_replace(code, '[\s-]', '', 'g')), 'OIL', '011');
  digits constant text := replace(code, ' ', '');
  current constant bigint := floor(extract(epoch from moment))::bigint / 30;
  secret bytea; hit bigint; used text; left_over int; failures int;
begin
  after := credential; why := ''; locks := false;
  if credential->>'locked_until' is not null then
    if moment < (credential->>'locked_until')::timestamptz then
      why := format('locked until %s UTC after %s wrong codes',
        to_char((credential->>'locked_until')::timestamptz at time zone 'UTC', 'HH24:MI'), countersign.wrong_codes());
      return;
    end if;
    after := after || '{"failures": 0, "locked_until": null}';
  end if;
  if plain ~ '^[0-9A-HJKMNP-TV-Z]{16}$' then
    used := encode(sha256(convert_to('countersign recovery ' || plain, 'UTF8')), 'hex');
    if after->'recovery_hashes' ? used then
      after := after || jsonb_build_object('failures', 0, 'recovery_hashes', (after->'recovery_hashes') - used);
      method := 'recovery';
      return;
    end if;
  elsif digits ~ '^[0-9]{6}$' then
    secret := countersign.base32(after->>'sealed_secret');
    for step in reverse current + 1 .. current - 1 loop
      if countersign.totp(secret, step) = digits then hit := step; exit; end if;
    end loop;
    if hit > (after->>'last_step')::bigint then
      after := after || jsonb_build_object('failures', 0, 'last_step', hit);
      method := 'totp';
      return;
    elsif hit is not null then
      why := 'this code was used already: wait for the next one';
      return;
    end if;
  end if;
  failures := (after->>'failures')::int + abandoned + 1;
  after := after || jsonb_build_object('failures', failures);
  if failures >= countersign.wrong_codes() then
    after := after || jsonb_build_object('locked_until', countersign.time_text(moment + countersign.locked_for()));
    why := format('%s wrong codes: locked for %s minutes', countersign.wrong_codes(),
                  extract(epoch from countersign.locked_for())::int / 60);
    locks := true;
    return;
  end if;
  left_over := countersign.wrong_codes() - failures;
  why := format('wrong code; %s more %s before it is locked', left_over, case left_over when 1 then 'try' else 'tries' end);
end $$;

-- Letters to every active super when a second factor locks.
create or replace function countersign.lock_alerts(change jsonb, person jsonb, act text, moment timestamptz) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_array('mail', letter->>'id', countersign.image_of('mail', letter), 0)), '[]')
  from (
    select jsonb_build_object(
      'id', countersign.derived_id(change->>'id', 'M', (row_number() over (order by s.id) - 1)::int),
      'event', 'step_up.locked', 'to_id', s.id, 'to_name', i->>'name', 'to_email', i->>'email', 'tenant_id', null,
      'request_id', null, 'session_id', null, 'subject', 'Second factor locked: ' || (person->>'name'),
      'facts', countersign.canonical(jsonb_build_object(
        'person', jsonb_build_object('name', person->>'name', 'email', person->>'email'),
        'codes', countersign.wrong_codes(), 'minutes', extract(epoch from countersign.locked_for())::int / 60,
        'act', act, 'ip', change->'actor'->>'ip', 'at', countersign.time_text(moment))),
      'text', '', 'links', '[]'::jsonb, 'created_at', countersign.time_text(moment), 'urgent', false, 'state', 'queued',
      'attempts', 0, 'tried_at', null, 'last_error', null, 'delivered_at', null, 'failed_at', null, 'answer', null) as letter
    from countersign.staff as s, lateral (select s.image::jsonb as i) as images
    where s.role = 'super' and i->>'deactivated_at' is null
      and (i->>'until' is null or moment < (i->>'until')::timestamptz)) as letters
$$;

create or replace function countersign.step_up(attempt uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  login jsonb := countersign.login_of_session(); head record; moment timestamptz; given countersign.attempt;
  person jsonb; credential jsonb; verdict record; change jsonb; writes jsonb; draft jsonb; answer jsonb := '{}';
  stamp text; step_up_id text; abandoned int; change_id text; done jsonb; ready record; fresh boolean[];
begin
  head := countersign.lock_head();
  moment := countersign.clock();
  stamp := countersign.time_text(moment);
  select * into given from countersign.attempt as a where a.id = attempt and a.staff_id = login->>'id' for update;
  if not found or login->>'kind' <> 'staff' then
    perform countersign.refuse('P10', 'a code is given by the person it belongs to, and used once');
  elsif given.xid = pg_current_xact_id() then
    perform countersign.refuse('P10', 'commit the attempt before asking what it is worth');
  end if;
  person := countersign.active_staff(given.staff_id, moment);
  delete from countersign.attempt as a where a.id = attempt;
  credential := (select c.image::jsonb from countersign.credential as c where c.id = given.staff_id);
  if credential is null then
    return jsonb_build_object('step_up', null, 'rev', 0,
      'why', format('%s has no second factor yet: enrol one first', person->>'name'));
  end if;
  with gone as (delete from countersign.attempt as a
    where a.staff_id = given.staff_id and a.at < moment - interval '1 minute' returning 1)
  select count(*) into abandoned from gone;
  verdict := countersign.judged(credential, given.code, moment, abandoned);
  change_id := countersign.fresh_change_id(moment);
  writes := jsonb_build_array(jsonb_build_array(
    'credential', given.staff_id, countersign.image_of('credential', verdict.after), 0));
  if verdict.method is not null then
    step_up_id := countersign.derived_id(change_id, 'P', 0);
    answer := jsonb_build_object('step_up', step_up_id);
    writes := writes || jsonb_build_array(jsonb_build_array('step_up', step_up_id, countersign.image_of('step_up',
      jsonb_build_object('id', step_up_id, 'staff_id', given.staff_id, 'act', given.act, 'at', stamp,
                         'method', verdict.method, 'used_by', '[]'::jsonb)), 0));
    draft := jsonb_build_object('action', 'step_up.accepted', 'data',
      jsonb_build_object('act', given.act, 'method', verdict.method, 'step_up', step_up_id));
  else
    draft := jsonb_build_object('action', case when verdict.locks then 'step_up.locked' else 'step_up.refused' end,
      'reason', verdict.why, 'data', jsonb_build_object('act', given.act));
  end if;
  change := jsonb_build_object('id', change_id, 'answer', answer, 'entries', jsonb_build_array(draft),
    'actor', jsonb_build_object('kind', 'staff', 'id', given.staff_id, 'name', person->>'name',
                                'email', person->>'email', 'ip', given.ip));
  if verdict.locks then
    writes := writes || countersign.lock_alerts(change, person, given.act, moment);
  end if;
  change := change || jsonb_build_object('writes', writes);
  ready := countersign.prepared(change);
  fresh := array[false] || array_fill(true, array[jsonb_array_length(writes) - 1]);  -- all but the credential
  done := countersign.write_change(change, ready.pieces, ready.listed, fresh, head.seq, head.hash,
                                   greatest(stamp collate "C", head.last_at collate "C"));
  return jsonb_build_object('step_up', step_up_id, 'why', verdict.why, 'rev', done->'rev');
end $$;
