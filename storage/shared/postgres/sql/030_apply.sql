-- apply: the one door. A Change, whole or not at all, in one call (storage/shared/writing.py does the same on SQLite;
-- tests/services/test_postgres_form.py holds the two to the same bytes).
--
-- Guards: every function countersign.guard_pNN(the_case jsonb) returns void is called with the one case
--   {"change": the Change as sent, without its writes; "now": "…Z", "login": {"role", "kind", "id"}, "person": the image
--    of the person who acts, null for a program,
--    "rows": [{"table", "key", "entry", "before": image or null, "after": image}, …],     (mails are rows here)
--    "places": {"table key": its place in rows, from 1}}
-- and refuses by countersign.refuse('P7', 'words'). What else a guard needs it reads from the tables: the head is locked.
--
-- Everyone waits for the head, so whatever needs nothing that is stored is done before it is taken (`prepared`), and
-- under it nothing is done twice: the triggers of P1 and P2 check what is written, and nothing here repeats them.
-- A statement costs 5 to 20 µs however small, an expression 1 to 4 the first time in a transaction, in which PL/pgSQL
-- begins it anew, and 0.3 after that: loops over arrays, not over queries; few large expressions, not many small ones.
--
-- SQLSTATEs: CS001 stale, CS002 clock skew, CS003 not a valid Change, CS004 the log is damaged, CSP01…CSP12 a promise.

-- The operator log's head, locked; refuses to build on a log whose head disagrees with its newest entry.
create or replace function countersign.lock_head(out seq bigint, out hash text, out last_at text)
language plpgsql as $$
declare newest bigint; newest_hash bytea; head_hash bytea;
begin
  select h.seq, h.hash into seq, head_hash from countersign.log_head as h where h.log = 'operator' for update;
  select o.seq, o.hash, o.at into newest, newest_hash, last_at
    from countersign.operator_log as o order by o.seq desc limit 1;
  hash := encode(head_hash, 'hex');
  if seq is distinct from coalesce(newest, 0) or hash is distinct from coalesce(encode(newest_hash, 'hex'), repeat('0', 64)) then
    raise exception using errcode = 'CS004', message = format(
      'the operator log ends at number %s, but its head says %s', coalesce(newest, 0), coalesce(seq, 0));
  end if;
end $$;

-- Everything about a Change's form that does not depend on what is stored, but for its rows (`prepared`).
create or replace function countersign.check_form(change jsonb) returns void
language plpgsql as $$
declare ok boolean;
begin
  ok := change @@ '$.id.type() == "string" && $.at.type() == "string" && $.reads.type() == "array" && $.writes.type() == "array"
      && $.entries.type() == "array" && !exists($.entries[*].type() ? (@ != "object"))
      && !exists($.entries[*].data.type() ? (@ != "object" && @ != "null"))
      && !exists($.entries[*].before.type() ? (@ != "object" && @ != "null"))
      && !exists($.entries[*].after.type() ? (@ != "object" && @ != "null"))
      && $.answer.type() == "object" && !exists($.answer.*.type() ? (@ != "string")) && $.actor.type() == "object"
      && $.actor.kind.type() == "string" && $.actor.id.type() == "string" && $.actor.name.type() == "string"
      && $.actor.email.type() == "string" && $.actor.ip.type() == "string"
      && !exists($.actor.step_up.type() ? (@ != "string" && @ != "null"))'
    and not ((change->'actor') - 'step_up') @? '$.*.type() ? (@ != "string")'
    and translate(change->>'id', '123456789abcdef', '000000000000000') = '00000000-0000-0000-0000-000000000000'
    and substr(change->>'id', 15, 1) = '7' and strpos('89ab', substr(change->>'id', 20, 1)) > 0
    and translate(change->>'at', '123456789', '000000000') = '0000-00-00T00:00:00.000000Z';
  for number in 0 .. jsonb_array_length(case when ok then change->'entries' else '[]' end) - 1 loop
    ok := ok and countersign.is_action(coalesce(change->'entries'->number->>'action', ''));
  end loop;
  if ok is distinct from true then
    raise exception using errcode = 'CS003', message = 'this is no Change';
  end if;
end $$;

-- The images of a Change as JSON, each proven to be the canonical image of a row of its table.
create or replace function countersign.proven_images(writes jsonb) returns jsonb[]
language plpgsql as $$
declare w jsonb; image jsonb; images jsonb[] := '{}';
begin
  for number in 1 .. jsonb_array_length(writes) loop
    w := writes->(number - 1);
    image := w->>2;
    if countersign.written_out(w->>0, image) is distinct from w->>2 or image->>'id' is distinct from w->>1 then
      raise exception using errcode = 'CS003', message = format('no image of a row of %s: %s', w->>0, left(w->>2, 60));
    end if;
    images[number] := image;
  end loop;
  return images;
end $$;

-- A Change's text as far as it can be told before its number is known. `pieces`: five of each entry's body, between
-- which stand what the head decides; `listed`: of each entry the digests of its rows, those before its `command` and
-- those after; `places`: where each row stands among the writes, as {"table key": 1, …}. Keys of a body stand sorted,
-- absent ones are left out, as storage.log.entry.compose writes them.
create or replace function countersign.prepared(change jsonb, out pieces text[], out listed text[], out places jsonb)
language plpgsql as $$
declare
  writes constant jsonb := change->'writes'; entries constant jsonb := change->'entries'; actor constant jsonb := change->'actor';
  who constant text := concat('{"email":', actor->'email', ',"id":', actor->'id', ',"kind":', actor->'kind', ',"name":', actor->'name', '}');
  draft jsonb; w jsonb; lines text[] := '{}'; names text[] := '{}'; numbers int[] := '{}'; sooner text := ''; later text := '';
  name text; last text := ''; sorted boolean := jsonb_array_length(change->'entries') = 1; how_many constant int := jsonb_array_length(change->'entries');
begin
  for number in 1 .. jsonb_array_length(writes) loop
    w := writes->(number - 1);
    if ((w->>3)::int between 0 and how_many - 1 and w->>0 <> 'command') is not true then
      raise exception using errcode = 'CS003', message = 'a row is vouched for by an entry of its Change';
    end if;
    name := concat(w->>0, ' ', w->>1);
    names[number] := name;
    numbers[number] := number;
    lines[number] := concat('["', w->>0, '",', w->1, ',"', encode(sha256(convert_to(w->>2, 'UTF8')), 'hex'), '"]');
    sorted := sorted and name collate "C" > last;  -- as consoles send them: then nothing is to be sorted here
    last := name;
    continue when not sorted;
    if name < 'command' collate "C" then sooner := concat(sooner, lines[number], ',');
    else later := concat(later, ',', lines[number]); end if;
  end loop;
  places := jsonb_object(names, numbers::text[]);  -- of two with one name the later stays
  if not sorted then
    for number in 1 .. cardinality(names) loop
      if (places->>names[number])::int <> number then
        raise exception using errcode = 'CS003', message = 'the same row is written twice';
      end if;
    end loop;
  end if;
  for number in 0 .. how_many - 1 loop
    draft := entries->number;
    pieces[number * 5 + 1] := concat('{"action":', draft->'action', ',"actor":', who,
      ',"after":' || countersign.canonical(nullif(draft->'after', 'null')), ',"at":"');
    pieces[number * 5 + 2] := concat('"', ',"before":' || countersign.canonical(nullif(draft->'before', 'null')),
      ',"change":', change->'id', ',"data":' || countersign.canonical(nullif(nullif(draft->'data', 'null'), '{}')),
      ',"ip":', actor->'ip', ',"log":');
    pieces[number * 5 + 3] := concat(',"reason":' || countersign.word(draft->'reason'));
    pieces[number * 5 + 4] := concat(',"request":' || countersign.word(draft->'request'));
    pieces[number * 5 + 5] := concat(',"session":' || countersign.word(draft->'session'), ',"target":' || countersign.word(draft->'target'),
      ',"tenant":' || countersign.word(draft->'tenant'), ',"ticket":' || countersign.word(draft->'ticket'), ',"v":1}');
    if not sorted then
      select coalesce(string_agg(line || ',', '' order by n collate "C") filter (where n < 'command' collate "C"), ''),
             coalesce(string_agg(',' || line, '' order by n collate "C") filter (where n > 'command' collate "C"), '')
        into sooner, later from unnest(names, lines) with ordinality as u(n, line, place)
       where (writes->(place::int - 1)->>3)::int = number;
    end if;
    listed[number * 2 + 1] := sooner;
    listed[number * 2 + 2] := later;
  end loop;
end $$;

create or replace function countersign.leaf_hash(body text) returns bytea
language sql immutable strict
as $$ select sha256('\x00'::bytea || convert_to(body, 'UTF8')) $$;

-- Entries with their twins, rows and heads. Internal: asks no guard; the head is locked and handed in. `fresh`: which of
-- the rows are not stored yet.
create or replace function countersign.write_change(
  change jsonb, pieces text[], listed text[], fresh boolean[], head_seq bigint, head_hash text, at text
) returns jsonb language plpgsql as $$
declare
  entries constant jsonb := change->'entries'; writes constant jsonb := change->'writes';
  how_many constant int := jsonb_array_length(change->'entries'); last constant bigint := head_seq + jsonb_array_length(change->'entries');
  n int; w jsonb; ok boolean; prev text := head_hash; new_hash bytea; new_seq bigint; body text; ref text; digests text; seen text;
  tenant text; tenant_log text; twin_seq bigint; twin_head bytea; twin text; twin_hash bytea; newest bigint; newest_hash bytea; new_twin bigint;
  command constant text := concat('{"answer":', countersign.canonical(change->'answer'), ',"at":"', at,
                                  '","id":', change->'id', ',"last":', last, '}');
begin
  if jsonb_typeof(change->'seen') = 'object' then
    seen := concat(',"seen":{"hash":', countersign.word(change->'seen'->'hash'),
                   ',"seq":', countersign.canonical(change->'seen'->'seq'), '}');
  end if;
  for number in 0 .. how_many - 1 loop
    new_seq := head_seq + 1 + number;
    n := number * 5;
    tenant := entries->number->>'tenant';
    ref := null;
    if tenant is not null then
      tenant_log := 'tenant:' || tenant;
      select h.seq, h.hash, t.seq, t.hash into twin_seq, twin_head, newest, newest_hash from (values (1)) as one
        left join countersign.log_head as h on h.log = tenant_log
        left join lateral (select l.seq, l.hash from countersign.tenant_log as l where l.tenant_id = tenant
                            order by l.seq desc limit 1) as t on true;
      if twin_seq is distinct from newest or twin_head is distinct from newest_hash then
        raise exception using errcode = 'CS004', message = format(
          'the log of %s ends at number %s, but its head says %s', tenant, coalesce(newest, 0), coalesce(twin_seq, 0));
      end if;
      new_twin := coalesce(twin_seq, 0) + 1;
      twin := concat(pieces[n + 1], at, pieces[n + 2], to_json(tenant_log), ',"prev":"',
        coalesce(encode(twin_head, 'hex'), repeat('0', 64)), '"', pieces[n + 3], ',"ref":{"log":"operator","seq":', new_seq, '}',
        pieces[n + 4], ',"seq":', new_twin, pieces[n + 5]);
      twin_hash := countersign.leaf_hash(twin);
      ref := concat(',"ref":{"hash":"', encode(twin_hash, 'hex'), '","log":', to_json(tenant_log), ',"seq":', new_twin, '}');
    end if;
    digests := case number when 0 then concat('[', listed[1], '["command",', change->'id', ',"',
        encode(sha256(convert_to(command, 'UTF8')), 'hex'), '"]', listed[2], ']')
      else concat('[', rtrim(concat(listed[n / 5 * 2 + 1], ltrim(listed[n / 5 * 2 + 2], ',')), ','), ']') end;
    body := concat(pieces[n + 1], at, pieces[n + 2], '"operator","prev":"', prev, '"', pieces[n + 3], ref, pieces[n + 4],
      ',"rows":', digests, seen, ',"seq":', new_seq, pieces[n + 5]);
    new_hash := countersign.leaf_hash(body);
    prev := encode(new_hash, 'hex');
    insert into countersign.operator_log (seq, hash, body) values (new_seq, new_hash, body);
    if tenant is not null then
      insert into countersign.tenant_log (tenant_id, seq, hash, body) values (tenant, new_twin, twin_hash, twin);
      if twin_seq is not null then
        update countersign.log_head as h set seq = new_twin, hash = twin_hash where h.log = tenant_log;
      else
        insert into countersign.log_head (log, epoch, seq, hash)
          select tenant_log, h.epoch, 1, twin_hash from countersign.log_head as h where h.log = 'operator';
      end if;
    end if;
  end loop;
  for number in 1 .. jsonb_array_length(writes) loop
    w := writes->(number - 1);
    ok := countersign.put(w->>0, w->>1, w->>2, head_seq + 1 + (w->>3)::int, fresh[number]);
  end loop;
  ok := countersign.put('command', change->>'id', command, head_seq + 1, true);
  update countersign.log_head as h set seq = new_seq, hash = new_hash where h.log = 'operator';
  perform pg_notify('countersign', '');
  return jsonb_build_object('rev', last, 'at', at, 'answer', change->'answer', 'repeated', false);
end $$;

-- Asked before the head is locked: whoever sends more than any command of theirs holds would make everyone else wait. An
-- engineer's commands are small, but for the record of a shutdown (an entry and a few rows and letters for each session
-- that it ended); a super imports whole files of tenants, all or none.
create or replace function countersign.check_size(change jsonb, login jsonb) returns void
language plpgsql stable as $$
declare
  small constant boolean := login->>'kind' = 'gate' or login->>'kind' = 'staff' and 'super' is distinct from
    (select s.image::jsonb->>'role' from countersign.staff as s where s.id = login->>'id');
  bytes constant int := case when small then 8000000 else 64000000 end;
begin
  if login->>'kind' = 'owner' then
    return;
  elsif pg_column_size(change) > bytes then
    raise exception using errcode = 'CS003', message = format(
      'this Change is too large: %s bytes, %s at most', pg_column_size(change), bytes);
  elsif small and (jsonb_array_length(change->'writes') > 5000 or jsonb_array_length(change->'entries') > 1000
                   or jsonb_array_length(change->'reads') > 20000) then
    raise exception using errcode = 'CS003', message = format(
      'this Change is too large: %s rows, %s entries, %s reads; 5000, 1000, 20000 at most', jsonb_array_length(
      change->'writes'), jsonb_array_length(change->'entries'), jsonb_array_length(change->'reads'));
  end if;
end $$;

-- Its plans are made once for a connection, often while tables are small or new: so that they serve when these have grown,
-- and are not made anew for each value, they are generic ones over indexes.
create or replace function countersign.apply(change jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  login constant jsonb := countersign.login_of_session();
  reads constant jsonb := change->'reads'; writes constant jsonb := change->'writes';
  images jsonb[]; rows jsonb[] := '{}'; fresh boolean[] := '{}'; before text; person jsonb; refused text;
  head record; ready record; answered jsonb; moment timestamptz; stamp text; item jsonb; rev bigint;
begin
  refused := countersign.check_form(change);
  if pg_column_size(change) > 30000 then  -- smaller than that, it holds no 1000 entries, nor any more than those
    perform countersign.check_size(change, login);
  end if;
  images := countersign.proven_images(writes);
  ready := countersign.prepared(change);

  head := countersign.lock_head();  -- everyone else waits from here on
  select c.image::jsonb into answered from countersign.command as c where c.id = change->>'id';
  if answered is not null then
    return jsonb_build_object('rev', answered->'last', 'at', answered->'at', 'answer', answered->'answer', 'repeated', true);
  elsif jsonb_array_length(change->'entries') = 0 then  -- only asking for an earlier answer needs no entry
    raise exception using errcode = 'CS003', message = 'this is no Change';
  end if;
  moment := countersign.clock();
  if abs(extract(epoch from (change->>'at')::timestamptz - moment)) > 2 then
    raise exception using errcode = 'CS002', message = format('the command is dated %s s off the shared clock',
      to_char(extract(epoch from (change->>'at')::timestamptz - moment), 'SG999999990.0'));
  end if;
  for number in 0 .. jsonb_array_length(reads) - 1 loop
    item := reads->number;
    rev := countersign.rev_of(item->>0, item->>1);
    if rev is distinct from (item->>2)::bigint then
      raise exception using errcode = 'CS001', message = format('%s %s has changed since it was read (rev %s, now %s)',
        item->>0, item->>1, item->>2, rev);
    end if;
  end loop;
  person := countersign.check_actor(change, login);
  stamp := countersign.time_text(moment);
  for number in 1 .. jsonb_array_length(writes) loop
    item := writes->(number - 1);
    before := countersign.row_image(item->>0, item->>1);  -- P2 refuses what was not read and is there
    fresh[number] := before is null;
    rows[number] := jsonb_build_object('table', item->0, 'key', item->1, 'entry', item->3,
      'before', countersign.completed(item->>0, before::jsonb), 'after', images[number]);
  end loop;
  refused := countersign.check_all(jsonb_build_object('change', change - 'writes', 'now', stamp, 'login', login, 'person', person,
    'rows', to_jsonb(rows), 'places', ready.places));
  return countersign.write_change(change, ready.pieces, ready.listed, fresh, head.seq, head.hash,
                                  greatest(stamp collate "C", head.last_at collate "C"));
end $$;
