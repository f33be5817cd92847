"""The triggers of P1 and P2 know `apply` by PostgreSQL's own account of who called whom; without it they would check
everything twice, under everyone's lock."""

from __future__ import annotations

import psycopg

from tests.guards.postgres.attacker import Attacker
from tests.guards.postgres.company import company
from tests.postgres import cluster

PROBE = """
create table countersign.probed (about text, by_apply boolean);
create function countersign.probe() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare stack text;
begin
  get diagnostics stack = pg_context;
  insert into countersign.probed values (tg_table_name, case tg_table_name
    when 'operator_log' then countersign.fired_by_apply(stack,
      'insert into countersign.operator_log (seq, hash, body) values (new_seq, new_hash, body)', 0)
    else countersign.fired_by_apply(stack,
      'insert into countersign."command" (id, image, rev) values (key, new_image, new_rev)', 1) end);
  return new;
end $$;
create trigger probe before insert on countersign.operator_log for each row execute function countersign.probe();
create trigger probe before insert on countersign.command for each row execute function countersign.probe();
alter function countersign.probe() owner to countersign_owner;
alter table countersign.probed owner to countersign_owner;
"""


def test_the_triggers_know_apply_and_step_up() -> None:
    name = cluster().fresh(company().database, "fires")
    with psycopg.connect(cluster().url(name), autocommit=True) as god:
        god.execute(PROBE)
        ann = Attacker(company(), name, "ann")
        try:
            ann.proof("request.create")
            ann.apply(ann.change(ann.me(), [{"action": "log.exported", "data": {"log": "operator"}}]))
        finally:
            ann.close()
        found = god.execute("select about, by_apply from countersign.probed").fetchall()
    cluster().drop(name)
    assert found == [("operator_log", True), ("command", True)] * 2
