"""What `doctor` asks PostgreSQL's catalogs (storage/shared/postgres/checks.py): every log-in may read them."""

from __future__ import annotations

FUNCTIONS = """
select p.proname, p.prosrc, p.prosecdef, coalesce(array_to_string(p.proconfig, ' '), ''), p.proowner::regrole::text
  from pg_proc as p
 where p.pronamespace = 'countersign'::regnamespace
   and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
"""
TRIGGERS = """
select c.relname, t.tgname, t.tgenabled::text, t.tgfoid::regproc::text, pg_get_triggerdef(t.oid)
  from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
 where c.relnamespace = 'countersign'::regnamespace and not t.tgisinternal order by 1, 2
"""
TABLE_RIGHTS = """
select c.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type
  from pg_class as c, aclexplode(c.relacl) as a
 where c.relnamespace = 'countersign'::regnamespace and c.relkind in ('r', 'v', 'm', 'f', 'p')
   and a.grantee <> c.relowner
"""
FUNCTION_RIGHTS = """
select p.proname, coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
  from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
 where p.pronamespace = 'countersign'::regnamespace and a.grantee <> p.proowner
   and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
"""
COLUMNS = """
select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attgenerated::text
       || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  from pg_attribute as a join pg_class as c on c.oid = a.attrelid
  left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where c.relnamespace = 'countersign'::regnamespace and c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped
"""
CONSTRAINTS = """
select conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) from pg_constraint
 where connamespace = 'countersign'::regnamespace and contype <> 'n'
"""
HEIRS = """
select string_agg(i.inhrelid::regclass::text, ', ') from pg_inherits as i join pg_class as c on c.oid = i.inhparent
 where c.relnamespace = %s::regnamespace and c.relkind = 'r'
"""
FOREIGN = """
select string_agg(relname, ', ') from pg_class
 where relnamespace = %s::regnamespace and relkind in ('r', 'v') and relowner <> %s::regrole
"""
ROLES = "select rolname, rolcanlogin, rolsuper or rolbypassrls or rolreplication, rolcreaterole from pg_roles"
MEMBERS = """
select m.rolname, m.rolsuper or m.rolcreaterole or m.rolcreatedb or m.rolbypassrls or m.rolreplication
       or pg_has_role(m.oid, %s, 'member')
  from pg_auth_members as a join pg_roles as m on m.oid = a.member
 where a.roleid = %s::regrole and m.rolname <> %s and not m.rolsuper
"""
INSTALLERS = """
select string_agg(distinct m.rolname, ', ') from pg_auth_members as a join pg_roles as m on m.oid = a.member
 where a.roleid = %s::regrole and not m.rolsuper
"""
DURABLE = """
select string_agg(name, ', ') from pg_settings
 where setting = 'off' and name in ('fsync', 'full_page_writes', 'synchronous_commit')
"""
WAITING = """
select count(*), coalesce(floor(extract(epoch from clock_timestamp() - min((image::jsonb->>'created_at')::timestamptz))
       / 60)::int, 0)
  from countersign.mail where state = 'queued'
"""
FAILED = """
select count(*), (array_agg(image::jsonb->>'last_error' order by rev desc))[1]
  from countersign.mail
 where state = 'failed' and (image::jsonb->>'failed_at')::timestamptz > clock_timestamp() - interval '7 days'
"""
MAKERS = """
select string_agg(coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), ', ')
  from pg_namespace as n, aclexplode(n.nspacl) as a
 where n.nspname = %s and a.privilege_type = 'CREATE' and a.grantee <> n.nspowner
"""

SHAPE = (COLUMNS, CONSTRAINTS, FUNCTIONS, TRIGGERS, TABLE_RIGHTS, FUNCTION_RIGHTS)
"""What the fingerprint is made of."""
TEMPORARY = """
select bool_or(a.privilege_type = 'TEMPORARY' and a.grantee = 0)
  from pg_database as d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
 where d.datname = current_database()
"""
LARGE_OBJECTS = "select bool_or(has_function_privilege('public', f, 'execute')) from unnest(%s::text[]) as f"
