-- What guards share. A guard is countersign.guard_pNN(the_case jsonb): see 030_apply.sql for the case. It refuses by
-- countersign.refuse('P7', 'words'); everything else it needs it reads from the tables, whose head is locked.
-- Times in images have one fixed form, so they are compared as text.
--
-- Every Change is shown to every guard, so a guard looks first whether there is anything that its promise is about, by one
-- path over the case: a constant path costs a tenth of what the same costs as expressions, which PL/pgSQL begins anew in
-- each transaction. What many Changes pass is asked in few, large expressions, and what is looked up by a name in a JSON
-- constant; a CASE with fifty branches begins all fifty.
--
-- To add a promise or a move: its codes in P3's tables, its rows in P2's, who may in P12's; tests/guards/postgres holds
-- P3's and P10's tables to the Python ones.

-- The operator's amounts, as storage.shared.guards.case.Limits. One row; changed by the owner alone.
create table if not exists countersign.limits (
  only_row boolean primary key default true check (only_row),
  starts_per_hour int not null default 5,
  tenants_per_day int not null default 10,
  step_up_seconds int not null default 300,
  step_up_reuse_seconds int not null default 120
);
insert into countersign.limits default values on conflict do nothing;

-- Lower case beyond ASCII too, whatever the database's own locale: by the best collation that this server has.
do $do$
declare best text;
begin
  select quote_ident(collname) into best from pg_collation
   where collname in ('pg_c_utf8', 'und-x-icu', 'C.utf8', 'en_US.utf8') and collencoding in (-1, 6)
   order by array_position('{pg_c_utf8,und-x-icu,C.utf8,en_US.utf8}'::text[], collname::text) limit 1;
  execute format('create or replace function countersign.folded(words text) returns text language sql immutable strict
    set search_path = pg_catalog, pg_temp as $$ select replace(lower(words collate %s), %L, %L) collate "C" $$',
    coalesce('pg_catalog.' || best, '"default"'), 'ß', 'ss');
end $do$;

-- What is compared when two addresses are asked to be one person's (REQ-107): case-folded, without a +tag.
create or replace function countersign.person(email text) returns text
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
begin
  if octet_length(email) = length(email) and strpos(email, '+') = 0 and email = btrim(email, e' \t\n\x0b\f\r\x1c\x1d\x1e\x1f') then
    return lower(email collate "C");  -- nearly all
  end if;
  return (select regexp_replace(countersign.folded(regexp_replace(normalize(email, nfkc), '^\s+|\s+$', '', 'g')),
                        '^([^+]*)(\+.*)?@([^@]*)$', '\1@\3'));
end $$;

create or replace function countersign.has_action(the_case jsonb, code text) returns boolean
language sql stable as $$
  select jsonb_path_exists(the_case, '$.change.entries[*] ? (@.action == $code)', jsonb_build_object('code', code))
$$;

-- Whether the Change writes a row like this: {"table": …, "before": …, "after": …}, as much of it as matters.
create or replace function countersign.writes(the_case jsonb, like_this jsonb) returns boolean
language sql stable as $$ select the_case->'rows' @> jsonb_build_array(like_this) $$;

-- A row as it will stand: written by this Change, or as stored. Null when there is none.
create or replace function countersign.row_after(the_case jsonb, table_name text, key text) returns jsonb
language plpgsql stable as $$
declare place int := the_case #>> array['places', concat(table_name, ' ', key)];
begin
  if place is not null then  -- by a path: whoever shuts a tenant with hundreds of sessions writes a thousand rows
    return the_case #> array['rows', (place - 1)::text, 'after'];
  end if;
  return countersign.completed(table_name, countersign.row_image(table_name, key)::jsonb);
end $$;

-- A row as it stands before this Change.
create or replace function countersign.row_before(the_case jsonb, table_name text, key text) returns jsonb
language plpgsql stable as $$
declare place int := the_case #>> array['places', concat(table_name, ' ', key)];
begin
  if place is not null then
    return the_case #> array['rows', (place - 1)::text, 'before'];
  end if;
  return countersign.completed(table_name, countersign.row_image(table_name, key)::jsonb);
end $$;

create or replace function countersign.is_active(staff jsonb, moment text) returns boolean
language sql immutable as $$
  select staff is not null and jsonb_typeof(staff) <> 'null' and staff->>'deactivated_at' is null
         and (staff->>'until' is null or moment < (staff->>'until'))
$$;

-- Whether an image's time is the present, as far as a console can know (2 s).
create or replace function countersign.is_now(told text, moment text) returns boolean
language sql stable as $$
  select coalesce(abs(extract(epoch from told::timestamptz - moment::timestamptz)) <= 2, false)
$$;

-- Whether two accounts or contacts are one person, by id or by address.
create index if not exists staff_person on countersign.staff (countersign.person(email));
create index if not exists contact_person on countersign.contact (countersign.person(email));

create or replace function countersign.is_same_person(one text, other text) returns boolean
language plpgsql stable as $$
begin
  if one = other then
    return true;
  end if;
  return (select exists (
    select 1 from countersign.staff as a, countersign.staff as b
     where a.id = one and b.id = other and countersign.person(a.email) = countersign.person(b.email)));
end $$;

create or replace function countersign.is_contact_of(staff_id text, tenant text) returns boolean
language plpgsql stable as $$
declare who text;
begin
  select countersign.person(s.email) into who from countersign.staff as s where s.id = staff_id;
  return (select exists (
    select 1 from countersign.contact as c
     where countersign.person(c.email) = who and c.tenant_id = tenant and c.image::jsonb->'removed' = 'false'));
end $$;

create or replace function countersign.is_admin_of(contact text, tenant text) returns boolean
language plpgsql stable as $$
begin
  return (select exists (
    select 1 from countersign.contact as c
     where c.id = contact and c.tenant_id = tenant and c.image::jsonb->'removed' = 'false'
       and c.image::jsonb->'roles' ? 'tenant_admin'));
end $$;

-- Why nobody gets into a tenant (REQ-110), or null.
create or replace function countersign.shut_because(tenant text) returns text
language plpgsql stable as $$
begin
  return (select case when t.id is null or s.id is null then format('there is no tenant %s', tenant)
              when t.image::jsonb->>'status' <> 'active' then format('tenant %s is %s', tenant, t.image::jsonb->>'status')
              when s.image::jsonb->'kill_switch' = 'true' or countersign.is_shutting(tenant) then format('tenant %s has shut all support access off', tenant)
              when s.image::jsonb->>'mode' = 'forbidden' then format('the mode of tenant %s is forbidden', tenant) end
    from (values (1)) as one left join countersign.tenant as t on t.id = tenant
                             left join countersign.settings as s on s.id = tenant);
end $$;
