-- P12: deactivated staff can do nothing.
--
-- Nor can whoever is past the end date of a temporary account. An auditor reads everything and changes nothing but their
-- own second factor; that a rule refused them something may be recorded. Everyone else does what is theirs: supers look
-- after the people, engineers after their own requests and sessions, a tenant's administrators after the tenant, the
-- postman delivers, the clock records what is over.

-- Who may record an action at all: kinds of log-in and roles of staff.
create or replace function countersign.may_record(code text, actor jsonb, role text) returns boolean
language plpgsql immutable parallel safe as $$
begin
  return (case actor->>'kind'
    when 'staff' then case
      when code in ('credential.enrolled', 'log.exported', 'request.refused', 'rate_limit.met', 'alert.raised') then true
      when code = 'review.signed' then role in ('super', 'auditor')
      when role = 'auditor' then false
      when code in ('staff.added', 'staff.deactivated', 'session.force_ended', 'tenant.imported', 'mail.requeued', 'api_key.created', 'api_key.revoked', 'break_glass.countersigned', 'emergency.declared',
        'emergency.countersigned', 'incident.registered', 'review.opened', 'rota.hours_set', 'rota.shift_set', 'rota.shift_cancelled') then role = 'super'
      else code in ('request.created', 'request.approved', 'request.withdrawn', 'request.countersigned', 'request.declined',
        'request.expired', 'request.lapsed', 'question.answered', 'session.started', 'session.ended', 'session.expired',
        'outcome.given', 'break_glass.declared', 'break_glass.usable', 'emergency.lapsed', 'elevation.asked', 'elevation.granted', 'elevation.declined')
        or code like 'platform\_admin.impersonate.action.%' end
    when 'tenant_admin' then code in ('request.approved', 'request.denied', 'question.asked', 'settings.changed',
      'kill_switch.turned_on', 'kill_switch.turned_off', 'session.ended', 'log.exported', 'api_key.accepted',
      'api_key.revoked', 'portal.signed_in', 'portal.signed_out', 'break_glass.vetoed', 'review.opened')
    when 'system' then case actor->>'id'
      when 'clock' then code in ('request.expired', 'request.lapsed', 'session.expired', 'break_glass.usable', 'emergency.lapsed')
      when 'mail' then code in ('mail.delivered', 'mail.deferred', 'mail.failed', 'digest.sent', 'alert.raised', 'break_glass.cooling')
      when 'worker' then code in ('mail.delivered', 'mail.deferred', 'mail.failed', 'digest.sent', 'alert.raised',
        'request.expired', 'request.lapsed', 'session.expired', 'kill_switch.turned_on', 'session.ended',
        'break_glass.cooling', 'break_glass.usable', 'break_glass.vetoed', 'emergency.lapsed')
      when 'portal' then code = 'sign_in.asked'
      else code in ('tenant.created', 'tenant.suspended', 'tenant.resumed', 'tenant.deprovisioned', 'tenant.plan_changed',
        'tenant.flags_changed', 'database.created', 'credential.enrolled', 'tenant.imported', 'settings.changed', 'session.ended', 'log.exported', 'break_glass.vetoed',
        'kill_switch.turned_on', 'kill_switch.turned_off') end
    else false end);
end $$;

create or replace function countersign.guard_p12(the_case jsonb) returns void
language plpgsql stable as $$
declare
  actor constant jsonb := the_case->'change'->'actor'; moment constant text := the_case->>'now';
  person jsonb; e jsonb; r jsonb; a jsonb; b jsonb;
begin
  if actor->>'kind' = 'staff' then
    person := the_case->'person';
    if not countersign.is_active(person, moment) then
      perform countersign.refuse('P12', format('%s is no active staff member', actor->>'name'));
    end if;
  elsif the_case->'login'->>'kind' = 'staff'  -- who writes down what the clock has decided
        and not countersign.is_active(countersign.row_image('staff', the_case->'login'->>'id')::jsonb, moment) then
    perform countersign.refuse('P12', format('%s is no active staff member', the_case->'login'->>'id'));
  end if;
  for n in 0 .. jsonb_array_length(the_case->'change'->'entries') - 1 loop
    e := the_case->'change'->'entries'->n;
    if e->>'action' = 'database.created' then
      if exists (select 1 from countersign.staff) then
        perform countersign.refuse('P12', 'a database is made once');
      end if;
    end if;
    if countersign.may_record(e->>'action', actor, person->>'role') is distinct from true
       and not (the_case->'login'->>'kind' = 'owner' and actor->>'id' not in ('clock', 'mail')) then
      perform countersign.refuse('P12', format('%s is not for %s (%s)', e->>'action', actor->>'id', coalesce(person->>'role', actor->>'kind')));
    end if;
  end loop;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    continue when r->>'table' not in ('request', 'session', 'session_view', 'staff', 'credential', 'standing');
    a := r->'after'; b := r->'before';
    case r->>'table'
      when 'request' then perform countersign.is_theirs_to_do(actor, b, a, moment);
      when 'session' then perform countersign.is_their_session(the_case, actor, b, a);
      when 'session_view' then
        if (countersign.row_before(the_case, 'session', a->>'session_id')->>'tenant_id') is distinct from (a->>'tenant_id')
           or not countersign.is_now(a->>'at', moment) then
          perform countersign.refuse('P12', 'what was viewed was viewed now, in that session');
        end if;
      when 'staff' then perform countersign.check_account(the_case, b, a);
      when 'credential' then
        if actor->>'kind' = 'staff' and a->>'id' <> actor->>'id' and person->>'role' <> 'super'
           or not countersign.is_active(countersign.row_after(the_case, 'staff', a->>'id'), moment) then
          perform countersign.refuse('P12', format('the second factor of %s is theirs, or a super''s to renew', a->>'id'));
        end if;
      else
        if a <> b and not (a->>'id' = actor->>'id' or countersign.writes(the_case, jsonb_build_object('table', 'staff', 'key', a->'id'))
             or countersign.writes(the_case, jsonb_build_object('table', 'session', 'after', jsonb_build_object('engineer_id', a->'id')))) then
          perform countersign.refuse('P12', format('the standing of %s is not for %s', a->>'id', actor->>'id'));
        end if;
    end case;
  end loop;
end $$;

create or replace function countersign.is_theirs_to_do(actor jsonb, b jsonb, a jsonb, moment text) returns void
language plpgsql stable as $$
declare answered jsonb := a->'exchanges'->-1; engineer jsonb;
begin
  if b = 'null' and a->'emergency' <> 'null' or b <> 'null' and not countersign.only_lapses(b, a) and (a->'emergency' <> b->'emergency'
       or (a->'break_glass'->>'countersigned_by') is distinct from (b->'break_glass'->>'countersigned_by')) then
    engineer := countersign.row_image('staff', a->>'engineer_id')::jsonb;  -- what is signed for them
    if not countersign.is_active(engineer, moment) or engineer->>'role' = 'auditor' then
      perform countersign.refuse('P12', format('%s enters nowhere: nobody could use request %s', a->>'engineer_id', a->>'id'));
    end if;
  end if;
  if b = 'null' then
    return;  -- P7: whoever asks, asks for themselves
  elsif a->>'state' = 'withdrawn' and b->>'state' <> 'withdrawn' or a->'exchanges' <> b->'exchanges' and answered->>'kind' = 'answer' then
    if actor->>'id' <> a->>'engineer_id' then
      perform countersign.refuse('P12', format('request %s is not %s''s', a->>'id', actor->>'id'));
    elsif a->'exchanges' <> b->'exchanges' and (answered->>'by' <> actor->>'id' or not countersign.is_now(answered->>'at', moment)
       or coalesce(b->'exchanges'->-1->>'kind', '') <> 'question') then
      perform countersign.refuse('P12', format('nobody waits for an answer of %s', actor->>'id'));
    end if;
  end if;
end $$;

create or replace function countersign.is_their_session(the_case jsonb, actor jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare own constant boolean := actor->>'id' = a->>'engineer_id'; viewed jsonb; view_row jsonb; ok boolean := true;
begin
  if b = 'null' then
    return;  -- P7: whoever starts, starts their own
  end if;
  if a->>'ended_at' is not null and b->>'ended_at' is null then
    ok := case a->>'end_kind'
      when 'engineer' then own and a->'outcome' <> 'null'
      when 'super' then actor->>'kind' = 'staff'
      when 'clock' then true
      when 'deactivated' then countersign.has_action(the_case, 'staff.deactivated')
        and countersign.row_after(the_case, 'staff', a->>'engineer_id')->>'deactivated_at' is not null
      when 'tenant' then countersign.shut_after(the_case, a->>'tenant_id')
        or actor->>'kind' = 'tenant_admin' and countersign.is_admin_of(actor->>'id', a->>'tenant_id') end
      and a->>'ended_by' = case a->>'end_kind' when 'clock' then 'clock' else actor->>'id' end;
  end if;
  if a->'outcome' <> b->'outcome' then
    ok := ok and own and countersign.is_now(a->'outcome'->>'at', the_case->>'now') and b->'outcome' = 'null';
  end if;
  if a->'elevation' <> b->'elevation' and a->'elevation'->>'state' = 'asked' then ok := ok and own; end if;
  if (a->>'views') <> (b->>'views') then
    viewed := jsonb_path_query_array(the_case, '$.rows[*] ? (@.table == "session_view").after ? (@.session_id == $id)', a);
    view_row := viewed->0;
    ok := ok and own and jsonb_array_length(viewed) = 1 and (a->>'views')::bigint = (b->>'views')::bigint + 1
      and (view_row->>'count')::bigint >= 0 and view_row->>'source' = 'engineer'
      and (a->>'records_seen')::bigint = (b->>'records_seen')::bigint
        + case when view_row->>'kind' in ('query', 'export', 'record') then (view_row->>'count')::bigint else 0 end
      and (a->>'beyond_scope')::bigint = (b->>'beyond_scope')::bigint + case when view_row->'within_scope' = 'true' then 0 else 1 end;
  end if;
  if ok is distinct from true then
    perform countersign.refuse('P12', format('session %s: that is not for %s', a->>'id', actor->>'id'));
  end if;
end $$;

-- Whether this Change shuts the tenant.
create or replace function countersign.shut_after(the_case jsonb, tenant text) returns boolean
language plpgsql stable as $$
begin
  return countersign.writes(the_case, jsonb_build_object('table', 'settings', 'key', tenant, 'after', '{"kill_switch": true}'::jsonb))
    or countersign.writes(the_case, jsonb_build_object('table', 'settings', 'key', tenant, 'after', '{"mode": "forbidden"}'::jsonb))
    or coalesce(countersign.row_after(the_case, 'tenant', tenant)->>'status', 'active') <> 'active'
       and countersign.writes(the_case, jsonb_build_object('table', 'tenant', 'key', tenant));
end $$;

create or replace function countersign.check_account(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable as $$
declare moment constant text := the_case->>'now'; running text;
begin
  if b = 'null' then
    if a->>'deactivated_at' is not null or not countersign.is_now(a->>'created_at', moment) or a->>'until' <= moment then
      perform countersign.refuse('P12', format('account %s is made now, to be used', a->>'id'));
    elsif exists (select 1 from countersign.staff as s where countersign.person(s.email) = countersign.person(a->>'email')
                     and countersign.is_active(s.image::jsonb, moment)) then
      perform countersign.refuse('P12', format('%s has an account already: one account for a person', a->>'email'));
    end if;
    return;
  end if;
  if b->>'role' = 'super' and b->>'until' is null and not exists (
      select 1 from countersign.staff as s where s.role = 'super' and s.id <> a->>'id' and s.image::jsonb->>'until' is null
         and countersign.is_active(s.image::jsonb, moment)) then
    perform countersign.refuse('P12', format('%s is the last super', a->>'id'));
  end if;
  select s.id into running from countersign.session as s where s.engineer_id = a->>'id' and s.ended_at is null
     and s.expires_at > moment and countersign.row_after(the_case, 'session', s.id)->>'ended_at' is null limit 1;
  if running is not null then
    perform countersign.refuse('P12', format('session %s of %s runs on', running, a->>'id'));
  end if;
end $$;
