"""Whether the guards stand, as a pull sees it: a mark of the catalogs that any change of them leaves, and in words what
keeps no promise any more.

Whoever would write behind the log's back must first take a guard away: disable or drop a trigger, replace its function,
put a rule, a child or another table in its place. Each of these writes rows of the catalogs anew, and a row's `xmin`
says by which transaction: put back as it was, the catalog still bears the mark. The client reads the catalogs itself; a
function of the database could be replaced as well. Only who falsifies catalogs or files below SQL leaves no mark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.shared.reading import row_tables

if TYPE_CHECKING:
    from storage.shared.postgres.line import Connection

_LOGS = ("operator_log", "tenant_log", "log_head")
_OURS = """
with ours as materialized (
  select oid, relname, relkind from pg_class
   where relnamespace = 'countersign'::regnamespace and relkind not in ('i', 't')
)
"""
MARK = """
select concat_ws(' ', count(*), md5(string_agg(concat(kind, oid, ':', xmin), ',' order by kind, oid)), sum(file)) from (
  select 1 as kind, oid, xmin, relfilenode::bigint as file from pg_class
   where oid >= 16384 and relnamespace = 'countersign'::regnamespace and relkind not in ('i', 't')
  union all select 2, oid, xmin, 0 from pg_trigger where tgrelid >= 16384
  union all select 3, oid, xmin, 0 from pg_proc where oid >= 16384 and pronamespace = 'countersign'::regnamespace
  union all select 4, oid, xmin, 0 from pg_rewrite where ev_class >= 16384
  union all select 5, inhrelid, xmin, inhparent::bigint from pg_inherits where inhparent >= 16384
) as guarding
"""
"""One text; another one than before means that something was done to tables, triggers, functions, rules or children.
Not a sum: two rows written anew by the next transaction can leave that as it was. What people make is numbered from
16384 on, so the server's own thousands need not be gone through; hundreds of consoles ask this all day. Triggers, rules
and children elsewhere in this database count as well: nothing else should be in it."""

_LOOSENED = f"""{_OURS}
select format('the guard %%s of table %%s is off', t.tgname, o.relname)
  from pg_trigger as t join ours as o on o.oid = t.tgrelid where not t.tgisinternal and t.tgenabled <> 'A'
union all
select format('table %%s has lost guards', wanted) from unnest(%(tables)s::text[]) as wanted
 where (select count(*) from pg_trigger as t join ours as o on o.oid = t.tgrelid
         where o.relname = wanted and o.relkind = 'r' and t.tgname ~ '^p0[12]_') < 2
union all
select format('table %%s has a child, %%s, which slips rows in', o.relname, i.inhrelid::regclass)
  from pg_inherits as i join ours as o on o.oid = i.inhparent where o.relkind = 'r'
union all
select format('rule %%s of table %%s replaces what is written', r.rulename, o.relname)
  from pg_rewrite as r join ours as o on o.oid = r.ev_class where o.relkind = 'r'
order by 1
"""


async def loosened(connection: Connection) -> list[str]:
    """What keeps no promise any more, in words; empty when every guard stands."""
    values = {"tables": [*row_tables(), *_LOGS]}
    found: list[Any] = list(await (await connection.execute(_LOOSENED, values)).fetchall())
    return [words for (words,) in found]
