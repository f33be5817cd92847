-- apply: the one door. A Change, whole or not at all, in one call (storage/shared/writing.py does the same on SQLite;
-- tests/services/test_postgres_form.py holds the two to the same bytes).
--
-- Guards: every function countersign.guard_pNN(the_case jsonb) returns void is called with the one case
--   {"change": the Change as sent, "now": "…Z", "login": {"role", "kind", "id"},
--    "rows": [{"table", "key", "entry", "before": image or null, "after": image}, …]}     (mails are rows here)
-- and refuses by countersign.refuse('P7', 'words'). What else a guard needs it reads from the tables: the head is locked.
--
-- SQLSTATEs: CS001 stale, CS002 clock skew, CS003 not a valid Change, CS004 the log is damaged, CSP01…CSP12 a promise.

-- The operator log's head, locked; refuses to build on a log whose head disagrees with its newest entry.
create or replace function countersign.lock_head(out seq bigint, out hash text, out last_at text)
language plpgsql as $$
declare newest bigint; newest_hash text;
begin
  select h.seq, encode(h.hash, 'hex') into seq, hash from countersign.log_head as h where h.log = 'operator' for update;
  select o.seq, encode(o.hash, 'hex'), o.at into newest, newest_hash, last_at
    from countersign.operator_log as o order by o.seq desc limit 1;
  if (seq, hash) is distinct from (coalesce(newest, 0), coalesce(newest_hash, repeat('0', 64))) then
    raise exception using errcode = 'CS004', message = format(
      'the operator log ends at number %s, but its head says %s', coalesce(newest, 0), coalesce(seq, 0));
  end if;
end $$;

-- An entry's body. Keys stand sorted, absent ones are left out, as storage.log.entry.compose writes them.
create or replace function countersign.compose(
  draft jsonb, log text, seq bigint, prev text, at text, change jsonb, row_digests text, ref text, seen text
) returns text language sql stable as $$
  select concat(
    '{"action":', countersign.word(draft->'action'),
    ',"actor":{"email":', countersign.word(change->'actor'->'email'), ',"id":', countersign.word(change->'actor'->'id'),
    ',"kind":', countersign.word(change->'actor'->'kind'), ',"name":', countersign.word(change->'actor'->'name'), '}',
    ',"after":' || countersign.canonical(nullif(draft->'after', 'null')),
    ',"at":"', at, '"',
    ',"before":' || countersign.canonical(nullif(draft->'before', 'null')),
    ',"change":', countersign.word(change->'id'),
    ',"data":' || countersign.canonical(nullif(nullif(draft->'data', 'null'), '{}')),
    ',"ip":', countersign.word(change->'actor'->'ip'),
    ',"log":', to_json(log), ',"prev":"', prev, '"',
    ',"reason":' || countersign.word(draft->'reason'),
    ',"ref":' || ref,
    ',"request":' || countersign.word(draft->'request'),
    ',"rows":' || row_digests,
    ',"seen":' || seen,
    ',"seq":', seq,
    ',"session":' || countersign.word(draft->'session'),
    ',"target":' || countersign.word(draft->'target'),
    ',"tenant":' || countersign.word(draft->'tenant'),
    ',"ticket":' || countersign.word(draft->'ticket'),
    ',"v":1}')
$$;

create or replace function countersign.leaf_hash(body text) returns bytea
language sql immutable strict
as $$ select sha256('\x00'::bytea || convert_to(body, 'UTF8')) $$;

-- Entries with their twins, rows and heads. Internal: asks no guard; the head is locked and handed in.
create or replace function countersign.write_change(
  change jsonb, head_seq bigint, head_hash text, at text
) returns jsonb language plpgsql as $$
<<here>>
declare
  draft jsonb; number int := 0; how_many int := jsonb_array_length(change->'entries');
  seq bigint := head_seq; prev text := head_hash; last bigint := head_seq + jsonb_array_length(change->'entries');
  tables text[]; keys text[]; images text[]; places int[];
  digests text; body text; ref text; seen text; hash bytea;
  log text; twin_seq bigint; twin_prev text; twin text; twin_hash bytea;
begin
  select array_agg(w->>0), array_agg(w->>1), array_agg(w->>2), array_agg((w->>3)::int)
    into tables, keys, images, places from jsonb_array_elements(change->'writes') as w;
  tables := tables || 'command'::text;
  keys := keys || (change->>'id');
  images := images || concat('{"answer":', countersign.canonical(change->'answer'), ',"at":"', at,
                             '","id":', countersign.word(change->'id'), ',"last":', last, '}');
  places := places || 0;
  if jsonb_typeof(change->'seen') = 'object' then
    seen := concat('{"hash":', countersign.word(change->'seen'->'hash'),
                   ',"seq":', countersign.canonical(change->'seen'->'seq'), '}');
  end if;
  for draft in select jsonb_array_elements(change->'entries') loop
    seq := head_seq + 1 + number;
    select '[' || coalesce(string_agg(concat('[', to_json(t), ',', to_json(k), ',"',
             encode(sha256(convert_to(i, 'UTF8')), 'hex'), '"]'), ',' order by t collate "C", k collate "C"), '') || ']'
      into digests from unnest(tables, keys, images, places) as u(t, k, i, p) where p = number;
    ref := null;
    if draft->>'tenant' is not null then
      log := 'tenant:' || (draft->>'tenant');
      select h.seq, encode(h.hash, 'hex') into twin_seq, twin_prev from countersign.log_head as h where h.log = here.log;
      twin_seq := coalesce(twin_seq, 0) + 1;
      twin := countersign.compose(draft, log, twin_seq, coalesce(twin_prev, repeat('0', 64)), at, change, null,
                                  concat('{"log":"operator","seq":', seq, '}'), null);
      twin_hash := countersign.leaf_hash(twin);
      insert into countersign.tenant_log (tenant_id, seq, hash, body)
        values (draft->>'tenant', twin_seq, twin_hash, twin);
      update countersign.log_head as h set seq = twin_seq, hash = twin_hash where h.log = here.log;
      if not found then
        insert into countersign.log_head (log, epoch, seq, hash)
          select here.log, h.epoch, twin_seq, twin_hash from countersign.log_head as h where h.log = 'operator';
      end if;
      ref := concat('{"hash":"', encode(twin_hash, 'hex'), '","log":', to_json(log), ',"seq":', twin_seq, '}');
    end if;
    body := countersign.compose(draft, 'operator', seq, prev, at, change, digests, ref, seen);
    hash := countersign.leaf_hash(body);
    prev := encode(hash, 'hex');
    insert into countersign.operator_log (seq, hash, body) values (here.seq, here.hash, here.body);
    number := number + 1;
  end loop;
  for number in 1 .. array_length(tables, 1) loop
    perform countersign.put(tables[number], keys[number], images[number], head_seq + 1 + places[number]);
  end loop;
  update countersign.log_head as h set seq = here.seq, hash = here.hash where h.log = 'operator';
  perform pg_notify('countersign', '');
  return jsonb_build_object('rev', last, 'at', at, 'answer', change->'answer', 'repeated', false);
end $$;

-- Everything about a Change's form that does not depend on what is stored.
create or replace function countersign.check_form(change jsonb) returns void
language plpgsql as $$
declare w jsonb; how_many int;
begin
  if jsonb_typeof(change) is distinct from 'object'
     or (change->>'id') !~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
     or jsonb_typeof(change->'id') is distinct from 'string'
     or jsonb_typeof(change->'actor') is distinct from 'object' or jsonb_typeof(change->'reads') is distinct from 'array'
     or jsonb_typeof(change->'writes') is distinct from 'array' or jsonb_typeof(change->'answer') is distinct from 'object'
     or jsonb_typeof(change->'entries') is distinct from 'array'
     or coalesce(change->>'at', '') !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$'
     or change->'actor' ?& '{kind,id,name,email,ip}' is distinct from true
     or exists (select 1 from jsonb_each(change->'actor') as part(name, value)
                 where jsonb_typeof(value) <> 'string' and not (name = 'step_up' and value = 'null'))
     or exists (select 1 from jsonb_each(change->'answer') as part(name, value) where jsonb_typeof(value) <> 'string')
     or exists (select 1 from jsonb_array_elements(change->'entries') as draft
                 where not countersign.is_action(coalesce(draft->>'action', ''))
                    or coalesce(jsonb_typeof(draft->'data'), 'null') not in ('object', 'null')
                    or coalesce(jsonb_typeof(draft->'before'), 'null') not in ('object', 'null')
                    or coalesce(jsonb_typeof(draft->'after'), 'null') not in ('object', 'null'))
  then
    raise exception using errcode = 'CS003', message = 'this is no Change';
  end if;
  how_many := jsonb_array_length(change->'entries');
  for w in select jsonb_array_elements(change->'writes') loop
    if (w->>3)::int not between 0 and how_many - 1 or (w->>3) is null or w->>0 = 'command' then
      raise exception using errcode = 'CS003', message = 'a row is vouched for by an entry of its Change';
    end if;
    if countersign.image_of(w->>0, (w->>2)::jsonb) is distinct from w->>2 or (w->>2)::jsonb->>'id' is distinct from w->>1 then
      raise exception using errcode = 'CS003', message = format('no image of a row of %s: %s', w->>0, left(w->>2, 60));
    end if;
  end loop;
  if (select count(*) <> count(distinct (w1->>0, w1->>1)) from jsonb_array_elements(change->'writes') as w1) then
    raise exception using errcode = 'CS003', message = 'the same row is written twice';
  end if;
end $$;

create or replace function countersign.apply(change jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  head record; answered jsonb; login jsonb; moment timestamptz; found_rev bigint; item jsonb; the_case jsonb; stamp text;
begin
  login := countersign.login_of_session();
  perform countersign.check_form(change);  -- before the lock: it needs nothing that is stored
  head := countersign.lock_head();
  select c.image::jsonb into answered from countersign.command as c where c.id = change->>'id';
  if found then
    return jsonb_build_object('rev', answered->'last', 'at', answered->'at', 'answer', answered->'answer', 'repeated', true);
  end if;
  if jsonb_array_length(change->'entries') = 0 then  -- only asking for an earlier answer needs no entry
    raise exception using errcode = 'CS003', message = 'this is no Change';
  end if;
  moment := countersign.clock();
  if abs(extract(epoch from (change->>'at')::timestamptz - moment)) > 2 then
    raise exception using errcode = 'CS002', message = format('the command is dated %s s off the shared clock',
      to_char(extract(epoch from (change->>'at')::timestamptz - moment), 'SG999999990.0'));
  end if;
  for item in select jsonb_array_elements(change->'reads') loop
    found_rev := countersign.row_rev(item->>0, item->>1);
    if found_rev is distinct from (item->>2)::bigint then
      raise exception using errcode = 'CS001', message = format('%s %s has changed since it was read (rev %s, now %s)',
        item->>0, item->>1, item->>2, found_rev);
    end if;
  end loop;
  perform countersign.check_actor(change, login);
  stamp := countersign.time_text(moment);
  select jsonb_build_object('change', change, 'now', stamp, 'login', login, 'rows', coalesce(jsonb_agg(
           jsonb_build_object('table', w->>0, 'key', w->>1, 'entry', w->3,
                              'before', countersign.completed(w->>0, countersign.row_image(w->>0, w->>1)::jsonb), 'after', (w->>2)::jsonb)), '[]'))
    into the_case from jsonb_array_elements(change->'writes') as w;
  perform countersign.check_all(the_case);
  return countersign.write_change(change, head.seq, head.hash, greatest(stamp collate "C", head.last_at collate "C"));
end $$;
