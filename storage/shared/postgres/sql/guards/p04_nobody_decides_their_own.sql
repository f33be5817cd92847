-- P4: nobody decides on their own request, or countersigns for themselves.
--
-- The same person counts, not the same account (REQ-107): addresses are compared case-folded and without a +tag. Whoever
-- is a contact of the tenant neither asks, nor enters, nor countersigns there; nobody of the operator decides for a
-- tenant, nor asks for it; but whoever is an administrator there may shut it, which vetoes what is under way (REQ-110).
-- Nobody acts in another's name.

-- Whether a contact is the engineer who asked, or anybody else who is at work for the operator.
create or replace function countersign.is_of_the_operator(contact text, engineer text, moment text) returns boolean
language plpgsql stable as $$
begin
  return (select exists (
    select 1 from countersign.staff as s, countersign.contact as c
     where c.id = contact and countersign.person(s.email) = countersign.person(c.email)
       and (s.id = engineer or countersign.is_active(s.image::jsonb, moment))));
end $$;

create or replace function countersign.guard_p04(the_case jsonb) returns void
language plpgsql stable as $$
declare actor text; moment text; r jsonb; a jsonb; b jsonb; request jsonb; signer text;
begin
  if not the_case @? '$.rows[*] ? (@.table == "request" || @.table == "decision"
                                   || @.table == "session" && (@.before == null || @.after.elevation != null))' then
    return;
  end if;
  actor := the_case->'change'->'actor'->>'id';
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('request', 'session', 'decision');
    a := r->'after'; b := r->'before'; signer := null;
    if r->>'table' = 'decision' then
      request := countersign.row_after(the_case, 'request', a->>'request_id');
      if request is null or (request->>'tenant_id', request->>'content_digest') is distinct from (a->>'tenant_id', a->>'content_digest') then
        perform countersign.refuse('P4', format('decision %s is on no such request', a->>'id'));
      end if;
      continue when a->>'kind' = 'standing_consent';
      if a->>'by' <> actor or a->>'by_name' <> the_case->'change'->'actor'->>'name' or not countersign.is_now(a->>'at', moment) then
        perform countersign.refuse('P4', format('decision %s names %s, but %s acts, now', a->>'id', a->>'by', actor));
      elsif a->>'kind' in ('approve', 'deny', 'veto') and countersign.is_of_the_operator(actor, request->>'engineer_id', moment)
         and not (a->>'kind' = 'veto' and countersign.writes(the_case, jsonb_build_object('table', 'settings', 'key', a->'tenant_id'))) then
        perform countersign.refuse('P4', format('%s is of the operator, and nobody there decides for a tenant', actor));
      end if;
      signer := case when a->>'kind' in ('countersign', 'decline', 'break_glass', 'emergency') then actor end;
      a := request;
    elsif r->>'table' = 'request' then
      if (b = 'null' or a->>'state' = 'used') and countersign.is_contact_of(a->>'engineer_id', a->>'tenant_id') then
        perform countersign.refuse('P4', format('%s is a contact of tenant %s', a->>'engineer_id', a->>'tenant_id'));
      end if;
      if a->'exchanges' <> b->'exchanges' and a->'exchanges'->-1->>'kind' = 'question'
         and countersign.is_of_the_operator(actor, a->>'engineer_id', moment) then
        perform countersign.refuse('P4', format('%s is of the operator, and nobody there asks for a tenant', actor));
      end if;
      if (a->>'decided_by') is distinct from (b->>'decided_by') then
        if a->>'decided_by' <> (case when b = 'null' then a->>'tenant_id' else actor end) then
          perform countersign.refuse('P4', format('request %s is decided by %s, but %s acts', a->>'id', a->>'decided_by', actor));
        elsif countersign.is_same_person(a->>'engineer_id', a->>'decided_by') then
          perform countersign.refuse('P4', format('%s decides on their own request %s', actor, a->>'id'));
        end if;
      end if;
      if (a->>'countersigned_by') is distinct from (b->>'countersigned_by') then signer := a->>'countersigned_by';
      elsif (a->>'declined_by') is distinct from (b->>'declined_by') then signer := a->>'declined_by'; end if;
    else
      if b = 'null' and countersign.is_contact_of(a->>'engineer_id', a->>'tenant_id') then
        perform countersign.refuse('P4', format('%s is a contact of tenant %s', a->>'engineer_id', a->>'tenant_id'));
      elsif b <> 'null' and a->'elevation' <> b->'elevation' and a->'elevation'->>'state' <> 'asked' then
        signer := coalesce(a->'elevation'->>'decided_by', '');
      end if;
    end if;
    continue when signer is null;
    if signer <> actor then
      perform countersign.refuse('P4', format('%s is named, but %s acts', signer, actor));
    elsif countersign.is_same_person(signer, a->>'engineer_id') then
      perform countersign.refuse('P4', format('%s decides for themselves', actor));
    elsif countersign.is_contact_of(signer, a->>'tenant_id') then
      perform countersign.refuse('P4', format('%s is a contact of tenant %s', signer, a->>'tenant_id'));
    end if;
  end loop;
end $$;
