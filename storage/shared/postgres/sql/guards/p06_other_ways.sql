-- P6, of break-glass and emergencies: they go forward only in an open tenant in mode `default` (REQ-110); whoever closes
-- that way stops what is on it and not usable yet. What got on it meanwhile makes the decision stale (CS001).

-- The few requests on that way, by tenant; nothing else is kept up for it.
create index if not exists request_stoppable on countersign.request ((image::jsonb->>'tenant_id'))
  where (image::jsonb->>'state') in ('declared', 'cooling');

create or replace function countersign.guard_p06_other_ways(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb; a jsonb; b jsonb; why text; going text; now timestamptz;
begin
  if not the_case @? '$.rows[*] ? (@.table == "request" && (@.after.break_glass != null || @.after.emergency != null
                                   || @.before.break_glass != null || @.before.emergency != null)
                                   || @.table == "settings" && (@.after.kill_switch == true || @.after.mode != "default"))' then
    return;
  end if;
  now := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n; a := r->'after'; b := r->'before';
    if r->>'table' = 'request' then
      continue when a->'break_glass' = coalesce(b->'break_glass', 'null') and a->'emergency' = coalesce(b->'emergency', 'null');
      continue when b->>'state' = 'cooling' and a->>'state' = 'cooling' and a->'emergency' = b->'emergency';  -- a letter was accepted
      continue when a->'break_glass' = b->'break_glass' and countersign.only_lapses(b, a);  -- is said of a tenant that is shut as well
      why := countersign.shut_because(a->>'tenant_id');
      if why is not null then
        perform countersign.refuse('P6', why);
      elsif (select s.image::jsonb->>'mode' from countersign.settings as s where s.id = a->>'tenant_id') <> 'default' then
        perform countersign.refuse('P6', format('the mode of tenant %s leaves consent as the only way in', a->>'tenant_id'));
      end if;
    elsif r->>'table' = 'settings' and (a->'kill_switch' = 'true' or a->>'mode' <> 'default') then
      select q.id into going from countersign.request as q, lateral (select countersign.row_after(the_case, 'request', q.id) as i) as x
       where q.image::jsonb->>'tenant_id' = a->>'id' and (q.image::jsonb->>'state') in ('declared', 'cooling') and case i->>'state'
         when 'declared' then now < (i->>'expires_at')::timestamptz + interval '24 hours'
         when 'cooling' then now < coalesce((i->'break_glass'->>'cooling_until')::timestamptz,
                                            (i->'break_glass'->>'countersigned_at')::timestamptz + interval '24 hours')
         else false end limit 1;
      if going is not null then
        raise exception using errcode = 'CS001', message = format('break-glass of request %s went on in %s meanwhile', going, a->>'id');
      end if;
    end if;
  end loop;
end $$;
