-- P4, of break-glass and emergencies: break-glass is declared by its engineer and countersigned by another; an emergency
-- is signed by two, of whom neither is the engineer. Each signs in person, and is no contact of the tenant.

create or replace function countersign.guard_p04_other_ways(the_case jsonb) returns void
language plpgsql stable as $$
declare actor text; moment text; r jsonb; a jsonb; b jsonb; g jsonb; e jsonb; signer text; first text;
begin
  if not the_case @? '$.rows[*] ? (@.table == "request" && (@.after.break_glass != null || @.after.emergency != null
                                   || @.before.break_glass != null || @.before.emergency != null))' then
    return;
  end if;
  actor := the_case->'change'->'actor'->>'id';
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' <> 'request';
    a := r->'after'; b := r->'before'; g := a->'break_glass'; e := a->'emergency'; signer := null; first := null;
    continue when g = coalesce(b->'break_glass', 'null') and e = coalesce(b->'emergency', 'null');
    continue when g = coalesce(b->'break_glass', 'null') and countersign.only_lapses(b, a);  -- nobody signs for the time that has passed
    if e <> coalesce(b->'emergency', 'null') then
      if e->>'countersigned_by' is not null then signer := e->>'countersigned_by'; first := e->>'declared_by';
      else signer := coalesce(e->>'declared_by', ''); end if;
      if b = 'null' and (not countersign.is_now(e->>'declared_at', moment) or e->>'countersigned_at' is not null or e->>'incident_id' is not null or e->>'lapsed_at' is not null) then
        perform countersign.refuse('P4', format('an emergency on request %s begins as declared', a->>'id'));
      end if;
    elsif coalesce(b->'break_glass', 'null') = 'null' then
      if actor <> a->>'engineer_id' then
        perform countersign.refuse('P4', format('break-glass of request %s is declared by its engineer', a->>'id'));
      end if;
    elsif (g->>'countersigned_by') is distinct from (b->'break_glass'->>'countersigned_by') then
      signer := coalesce(g->>'countersigned_by', '');
    end if;
    if countersign.is_contact_of(a->>'engineer_id', a->>'tenant_id') then
      perform countersign.refuse('P4', format('%s is a contact of tenant %s', a->>'engineer_id', a->>'tenant_id'));
    end if;
    continue when signer is null;
    if signer <> actor then
      perform countersign.refuse('P4', format('%s is named on request %s, but %s acts', signer, a->>'id', actor));
    elsif countersign.is_same_person(signer, a->>'engineer_id') or first is not null and countersign.is_same_person(signer, first) then
      perform countersign.refuse('P4', format('%s signs for themselves on request %s', actor, a->>'id'));
    elsif countersign.is_contact_of(signer, a->>'tenant_id') then
      perform countersign.refuse('P4', format('%s is a contact of tenant %s', signer, a->>'tenant_id'));
    end if;
  end loop;
end $$;
