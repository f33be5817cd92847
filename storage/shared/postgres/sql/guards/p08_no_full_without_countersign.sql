-- P8: no `full` without a countersign by another active staff member.
--
-- Who may countersign at all is P4's and P12's; here: once, for a request that asks for it, with a decision on record,
-- and a session is full only by one of the two ways.

create or replace function countersign.guard_p08(the_case jsonb) returns void
language plpgsql stable as $$
declare r jsonb; a jsonb; b jsonb; request jsonb; signing boolean;
begin
  if not the_case @? '$.rows[*] ? (@.table == "request" && (@.after.countersigned_by != @.before.countersigned_by || @.before == null
                                   || @.after.declined_by != @.before.declined_by)
                                   || @.table == "session" && (@.after.mode == "full" || @.before.mode == "full" || @.before == null
                                   || @.after.elevation != null || @.before.elevation != null))' then
    return;
  end if;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('request', 'session');
    a := r->'after'; b := r->'before';
    if r->>'table' = 'request' then
      signing := (a->>'countersigned_by') is distinct from (b->>'countersigned_by');
      if signing or (a->>'declined_by') is distinct from (b->>'declined_by') then
        if a->>'mode' <> 'full' then
          perform countersign.refuse('P8', format('request %s asks for read-only: there is nothing to countersign', a->>'id'));
        elsif b->>'countersigned_by' is not null or b->>'declined_by' is not null then
          perform countersign.refuse('P8', format('request %s was decided by a second person already', a->>'id'));
        elsif signing and not countersign.is_now(a->>'countersigned_at', the_case->>'now')
              or not countersign.writes(the_case, jsonb_build_object('table', 'decision', 'before', null, 'after',
                jsonb_build_object('request_id', a->'id', 'kind', case when signing then 'countersign' else 'decline' end))) then
          perform countersign.refuse('P8', format('a countersign of request %s is a decision, made now', a->>'id'));
        end if;
      end if;
    elsif a->>'mode' = 'full' and (b = 'null' or b->>'mode' <> 'full') then
      if b = 'null' then
        request := countersign.row_image('request', a->>'request_id')::jsonb;
        if request->>'mode' is distinct from 'full' or request->>'countersigned_by' is null then
          perform countersign.refuse('P8', format('session %s is full without a countersign', a->>'id'));
        end if;
      elsif a->'elevation'->>'state' is distinct from 'granted' or b->'elevation'->>'state' is distinct from 'asked' then
        perform countersign.refuse('P8', format('session %s is full without a countersign', a->>'id'));
      end if;
    elsif b <> 'null' and b->>'mode' = 'full' and a->'elevation' <> b->'elevation' then
      perform countersign.refuse('P8', format('session %s is full already', a->>'id'));
    end if;
    if r->>'table' = 'session' and b <> 'null' and a->'elevation' <> b->'elevation' then
      if a->'elevation'->>'state' = 'granted' and a->>'mode' <> 'full'
         or a->'elevation'->>'state' <> 'asked' and (
           (a->'elevation'->>'reason', a->'elevation'->>'asked_at') is distinct from (b->'elevation'->>'reason', b->'elevation'->>'asked_at')
           or not countersign.is_now(a->'elevation'->>'decided_at', the_case->>'now'))
         or a->'elevation'->>'state' = 'asked' and (
           a->'elevation'->>'decided_by' is not null or not countersign.is_now(a->'elevation'->>'asked_at', the_case->>'now')) then
        perform countersign.refuse('P8', format('the elevation of session %s says what was asked and decided', a->>'id'));
      end if;
    end if;
  end loop;
end $$;
