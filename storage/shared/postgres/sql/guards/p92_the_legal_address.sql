-- P5, told in time: an emergency is told to the operator's own legal address as well, at once, and to no other in its place (REQ-109). Which address
-- that is the owner says (`init --upgrade` writes operator.legal_email of the configuration); until then a letter to it, wherever it goes, must do.
alter table countersign.limits add column if not exists legal_email text not null default '';

create or replace function countersign.guard_p92_legal(the_case jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare address text;
begin
  if not countersign.has_action(the_case, 'emergency.countersigned') then
    return;
  end if;
  select legal_email into address from countersign.limits;
  if not exists (select 1 from jsonb_array_elements(the_case->'rows') as m(r), jsonb_array_elements(the_case->'change'->'entries') as n(e)
                  where r->>'table' = 'mail' and r->'before' = 'null' and r->'after'->>'to_id' = 'operator/legal'
                    and e->>'action' = 'emergency.countersigned' and r->'after'->>'request_id' = e->>'request'
                    and (address = '' or countersign.folded(r->'after'->>'to_email') = countersign.folded(address))) then
    perform countersign.refuse('P5', 'the operator''s legal address must be told of an emergency');
  end if;
end $$;
