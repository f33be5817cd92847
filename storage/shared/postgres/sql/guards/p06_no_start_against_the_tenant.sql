-- P6: no session starts against the kill switch, `forbidden`, a layer the mode excludes, or a suspended tenant.
--
-- Nor is one asked for, approved, countersigned or elevated there (REQ-110). And whoever shuts a tenant ends every
-- session that runs in it: one that began meanwhile makes the decision stale (CS001), and it is made again.

create or replace function countersign.guard_p06(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb; a jsonb; b jsonb; why text; running text; moment text;
begin
  if not the_case @? '$.rows[*] ? (@.table == "request" || @.table == "settings" || @.table == "tenant"
                                   || @.table == "session" && (@.before == null || @.after.elevation != null))' then
    return;
  end if;
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('request', 'session', 'settings', 'tenant');
    a := r->'after'; b := r->'before';
    if r->>'table' in ('request', 'session') then
      if b = 'null' or r->>'table' = 'request' and (
           a->>'state' = 'approved' and b->>'state' = 'pending' or (a->>'countersigned_by') is distinct from (b->>'countersigned_by'))
         or r->>'table' = 'session' and a->'elevation' <> b->'elevation' and a->'elevation'->>'state' in ('asked', 'granted') then
        why := countersign.shut_because(a->>'tenant_id');
        if why is not null then
          perform countersign.refuse('P6', why);
        elsif b = 'null' and a->>'layer' <> 'consent' and (select s.image::jsonb->>'mode' from countersign.settings as s where s.id = a->>'tenant_id') <> 'default' then
          perform countersign.refuse('P6', format('the mode of tenant %s leaves no way in by %s', a->>'tenant_id', a->>'layer'));
        end if;
      end if;
    elsif r->>'table' = 'settings' and (a->'kill_switch' = 'true' or a->>'mode' = 'forbidden')
       or r->>'table' = 'tenant' and a->>'status' <> 'active' then
      select s.id into running from countersign.session as s
       where s.tenant_id = a->>'id' and s.ended_at is null and s.expires_at > moment
         and countersign.row_after(the_case, 'session', s.id)->>'ended_at' is null limit 1;
      if running is not null then
        raise exception using errcode = 'CS001', message = format('session %s started in %s meanwhile', running, a->>'id');
      end if;
    end if;
  end loop;
end $$;
