-- P10: step-up: creating, activating, ending others' sessions, countersigning, elevating and enrolling need a code of
-- that very person, each code once; one code covers the person's own create and activate for 2 minutes (a setting,
-- 0 = never).
--
-- A code leaves a step_up row when it is accepted, and only then (040_step_up.sql); the Change that rests on it names
-- the row and writes itself into it.

-- storage.shared.guards.p10…: ACTS, and a second factor replaced. A test holds this to that.
create or replace function countersign.act_of(code text) returns text
language sql immutable parallel safe as $$
  select '{
    "request.created": "request.create", "session.started": "session.start", "request.countersigned":
    "request.countersign", "elevation.asked": "session.elevate", "elevation.granted": "session.countersign",
    "session.force_ended": "session.force_end", "break_glass.declared": "break_glass.declare",
    "break_glass.countersigned": "break_glass.countersign", "emergency.declared": "emergency.declare",
    "emergency.countersigned": "emergency.countersign", "credential.enrolled": "staff.enrol"
  }'::jsonb->>code
$$;

create or replace function countersign.guard_p10(the_case jsonb) returns void
language plpgsql stable as $$
declare
  change constant jsonb := the_case->'change'; actor jsonb; needed text[] := '{}'; code text; r jsonb; given jsonb; seconds int; shared boolean; amounts countersign.limits;
begin
  for n in 0 .. jsonb_array_length(change->'entries') - 1 loop
    code := change->'entries'->n->>'action';
    if starts_with(code, 'step_up.') then
      perform countersign.refuse('P10', 'what a code is worth is said by step_up alone');
    end if;
    continue when countersign.act_of(code) is null;
    code := case when code = 'credential.enrolled' and countersign.has_action(the_case, 'staff.added') then null else countersign.act_of(code) end;
    needed := case when code is null or code = any (needed) then needed else needed || code end;
  end loop;
  if needed = '{}' and not the_case @? '$.rows[*] ? (@.table == "step_up" || @.table == "credential")' then
    return;
  end if;
  actor := change->'actor';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('step_up', 'credential');
    if r->>'table' = 'credential' then
      if (r->'after'->>'failures', r->'after'->>'last_step', r->'after'->>'locked_until') is distinct from ('0', '0', null) then
        perform countersign.refuse('P10', 'a new second factor begins unused');
      end if;
    elsif r->'before' = 'null' or (r->'after') - 'used_by' <> (r->'before') - 'used_by'
       or r->'after'->'used_by' <> (r->'before'->'used_by') || (change->'id') or r->>'key' is distinct from (actor->>'step_up') then
      perform countersign.refuse('P10', format('step-up %s can only be used, once, by the Change that rests on it', r->>'key'));
    else
      given := r->'before';  -- the one that the actor names: of all others the line above made an end
    end if;
  end loop;
  if actor->>'kind' <> 'staff' then
    return;
  end if;
  if 'emergency.declare' = any (needed) then
    needed := array_remove(needed, 'request.create');  -- asked anew in the same act, by the super who declares
  end if;
  if needed = '{}' then
    return;
  elsif cardinality(needed) > 1 then
    perform countersign.refuse('P10', 'one code for two acts');
  end if;
  if given is null then
    perform countersign.refuse('P10', format('%s needs a fresh code, written back as used', needed[1]));
  elsif given->>'staff_id' <> actor->>'id' then
    perform countersign.refuse('P10', 'the code was given by another person');
  end if;
  select * into amounts from countersign.limits;
  shared := given->>'act' = 'request.create' and needed[1] = 'session.start';
  seconds := case when shared then amounts.step_up_reuse_seconds else amounts.step_up_seconds end;
  if given->>'act' <> needed[1] and not (shared and seconds > 0) then
    perform countersign.refuse('P10', format('the code was given for %s, not for %s', given->>'act', needed[1]));
  elsif jsonb_array_length(given->'used_by') > (case when shared then 1 else 0 end) then
    perform countersign.refuse('P10', 'each code works once');
  elsif (the_case->>'now')::timestamptz - (given->>'at')::timestamptz > make_interval(secs => seconds) then
    perform countersign.refuse('P10', format('the code was given more than %s s ago', seconds));
  end if;
end $$;
