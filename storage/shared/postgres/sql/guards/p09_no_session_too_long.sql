-- P9: no session longer than the tenant's maximum; no end time is ever moved later.
--
-- Nor longer than what was asked and granted, nor than its engineer's account (REQ-701). The clock starts at activation
-- (REQ-201). A session ends when it is said to end: now, or by the clock at its end time.

create or replace function countersign.guard_p09(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb; a jsonb; b jsonb; minutes int; request jsonb; until text; moment text;
begin
  if not the_case @? '$.rows[*] ? (@.table == "session" && (@.before == null || @.after.expires_at != @.before.expires_at
                                   || @.after.ended_at != @.before.ended_at))' then
    return;
  end if;
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' <> 'session';
    a := r->'after'; b := r->'before';
    if b = 'null' then
      request := countersign.row_image('request', a->>'request_id')::jsonb;
      minutes := least((select (s.image::jsonb->>'max_minutes')::int from countersign.settings as s where s.id = a->>'tenant_id'),
                       (request->>'minutes')::int, coalesce((request->>'granted_minutes')::int, (request->>'minutes')::int));
      until := (select s.image::jsonb->>'until' from countersign.staff as s where s.id = a->>'engineer_id');
      if (a->>'expires_at')::timestamptz - (a->>'started_at')::timestamptz > make_interval(mins => minutes)
         or a->>'expires_at' > until then
        perform countersign.refuse('P9', format('session %s is longer than %s minutes or than its engineer''s account', a->>'id', minutes));
      elsif not countersign.is_now(a->>'started_at', moment) then
        perform countersign.refuse('P9', format('session %s starts now, not at another time', a->>'id'));
      end if;
    elsif a->>'expires_at' > b->>'expires_at' then
      perform countersign.refuse('P9', format('the end of session %s is moved later', a->>'id'));
    elsif b->>'ended_at' is not null and (a->>'ended_at') is distinct from (b->>'ended_at') then
      perform countersign.refuse('P9', format('session %s has ended: that time stands', a->>'id'));
    elsif b->>'ended_at' is null and a->>'ended_at' is not null then
      if a->>'end_kind' = 'clock' then
        if a->>'ended_at' <> a->>'expires_at' or moment < b->>'expires_at' then
          perform countersign.refuse('P9', format('the time of session %s is over at %s', a->>'id', a->>'expires_at'));
        end if;
      elsif moment >= b->>'expires_at' or a->>'ended_at' > a->>'expires_at' or not countersign.is_now(a->>'ended_at', moment) then
        perform countersign.refuse('P9', format('session %s ends now, or has ended by the clock', a->>'id'));
      end if;
    end if;
  end loop;
end $$;
