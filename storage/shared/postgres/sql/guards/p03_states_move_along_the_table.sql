-- P3: states move only along the transition table, under the action code that the table names for that move; a decision
-- is never changed or removed.
--
-- Every row that a Change writes says what happened to it: that is its action. The Change's entries must be exactly
-- those actions, each once, each about that very row, in that row's tenant: no move without its entry, no entry without
-- its move. What is over by time has moved already, whether or not anyone recorded it.

-- storage.shared.guards.p03…: REQUEST_MOVES, ELEVATION_MOVES, MAIL_MOVES, END_ACTIONS. A test holds these to those. Two
-- actions that lead the same way stand with a comma between; what was written tells which it is.
create or replace function countersign.request_move(was text, becomes text) returns text
language sql immutable parallel safe as $$
  select '{
    ">pending": "request.created",
    ">approved": "request.approved",
    "pending>approved": "emergency.countersigned,request.approved",
    "pending>denied": "request.denied",
    "pending>withdrawn": "request.withdrawn",
    "pending>expired": "request.expired",
    "approved>withdrawn": "request.withdrawn",
    "approved>lapsed": "request.lapsed",
    "approved>used": "session.started",
    "pending>declared": "break_glass.declared",
    "expired>declared": "break_glass.declared",
    "declared>cooling": "break_glass.countersigned",
    "declared>vetoed": "break_glass.vetoed",
    "declared>withdrawn": "request.withdrawn",
    "declared>lapsed": "request.lapsed",
    "cooling>vetoed": "break_glass.vetoed",
    "cooling>withdrawn": "request.withdrawn",
    "cooling>approved": "break_glass.usable,emergency.countersigned",
    "cooling>lapsed": "request.lapsed",
    "cooling>used": "session.started",
    "expired>approved": "emergency.countersigned",
    "declared>approved": "emergency.countersigned"
  }'::jsonb->>concat(was, '>', becomes)
$$;
create or replace function countersign.elevation_move(was text, becomes text) returns text
language sql immutable parallel safe as $$
  select '{
    ">asked": "elevation.asked",
    "declined>asked": "elevation.asked",
    "asked>granted": "elevation.granted",
    "asked>declined": "elevation.declined"
  }'::jsonb->>concat(was, '>', becomes)
$$;
create or replace function countersign.mail_move(was text, becomes text) returns text
language sql immutable parallel safe as $$
  select '{
    "queued>queued": "mail.deferred",
    "queued>delivered": "mail.delivered",
    "queued>failed": "mail.failed",
    "failed>queued": "mail.requeued"
  }'::jsonb->>concat(was, '>', becomes)
$$;
create or replace function countersign.end_action(kind text) returns text
language sql immutable parallel safe as $$
  select case kind when 'engineer' then 'session.ended' when 'tenant' then 'session.ended'
    when 'deactivated' then 'session.ended' when 'super' then 'session.force_ended' when 'clock' then 'session.expired' end
$$;

-- REQUEST_MOVABLE and SESSION_MOVABLE: which fields an action may change.
create or replace function countersign.movable(table_name text, code text) returns text[]
language sql immutable parallel safe as $$
  select (case when table_name = 'session' and starts_with(code, 'platform_admin.impersonate.action.')
               then '{records_seen,views,beyond_scope,last_viewed}' else '{
    "request request.approved": "{state,layer,granted_minutes,decided_at,decided_by,decision_note,usable_until}",
    "request request.denied": "{state,decided_at,decided_by,decision_note}",
    "request request.withdrawn": "{state}",
    "request request.expired": "{state}",
    "request request.lapsed": "{state}",
    "request request.countersigned": "{countersigned_by,countersigned_at}",
    "request request.declined": "{declined_by}",
    "request question.asked": "{exchanges}",
    "request question.answered": "{exchanges}",
    "request session.started": "{state,session_id}",
    "request break_glass.declared": "{state,break_glass}",
    "request break_glass.countersigned": "{state,layer,granted_minutes,break_glass}",
    "request break_glass.cooling": "{break_glass}",
    "request break_glass.vetoed": "{state,decided_at,decided_by,decision_note}",
    "request break_glass.usable": "{state,usable_until}",
    "request emergency.declared": "{emergency}",
    "request emergency.lapsed": "{emergency}",
    "request emergency.countersigned": "{state,layer,granted_minutes,usable_until,emergency}",
    "session session.ended": "{ended_at,end_kind,ended_by,end_reason,outcome}",
    "session session.force_ended": "{ended_at,end_kind,ended_by,end_reason,outcome}",
    "session session.expired": "{ended_at,end_kind,ended_by,end_reason,outcome}",
    "session outcome.given": "{outcome}",
    "session elevation.asked": "{elevation}",
    "session elevation.declined": "{elevation}",
    "session elevation.granted": "{elevation,mode}"
  }'::jsonb->>concat(table_name, ' ', code) end)::text[]
$$;
create or replace function countersign.view_action(kind text) returns text
language sql immutable parallel safe as $$
  select 'platform_admin.impersonate.action.' || ('{"record": "record.viewed", "field": "field.viewed", "file": "file.viewed",
    "screen": "screen.viewed", "query": "query.ran", "search": "search.ran", "export": "export.made"}'::jsonb->>kind)
$$;

-- What happened to a request: its actions, one of which every entry about it must be.
create or replace function countersign.request_actions(b jsonb, a jsonb, moment text) returns text[]
language plpgsql stable as $$
declare acts text[]; was text := b->>'state'; becomes text := a->>'state'; asked int;
begin
  if b = 'null' or was <> becomes then
    acts := string_to_array(countersign.request_move(was, becomes), ',');
    if cardinality(acts) = 2 then
      acts := array[case when a->'emergency' <> b->'emergency' then 'emergency.countersigned'
                         when was = 'pending' then 'request.approved' else 'break_glass.usable' end];
    end if;
    if acts[1] is null then
      perform countersign.refuse('P3', format('request %s cannot move from %s to %s', a->>'id', coalesce(was, 'nothing'), becomes));
    end if;
    if b = 'null' then
      return case when a->'emergency' <> 'null' then '{request.created,emergency.declared}'
        when becomes = 'pending' then '{request.created}' else '{request.created,request.approved}' end;
    end if;
  else
    asked := jsonb_array_length(b->'exchanges');
    acts := array_remove(array[
      case when a->'exchanges' <> b->'exchanges' then
        case a->'exchanges'->-1->>'kind' when 'question' then 'question.asked' else 'question.answered' end end,
      case when a->'break_glass' <> b->'break_glass' then 'break_glass.cooling' end,
      case when a->'emergency' = b->'emergency' then null when countersign.only_lapses(b, a) then 'emergency.lapsed' else 'emergency.declared' end,
      case when (a->>'countersigned_by') is distinct from (b->>'countersigned_by') then 'request.countersigned' end,
      case when (a->>'declined_by') is distinct from (b->>'declined_by') then 'request.declined' end], null);
    if coalesce(cardinality(acts), 0) <> 1 then
      perform countersign.refuse('P3', format('request %s moves by one act at a time', a->>'id'));
    elsif acts[1] like 'question%' and (jsonb_array_length(a->'exchanges') <> asked + 1
        or (a->'exchanges') - asked <> b->'exchanges') then
      perform countersign.refuse('P3', format('what was asked and answered about request %s stays', a->>'id'));
    end if;
  end if;
  if b - countersign.movable('request', acts[1]) <> a - countersign.movable('request', acts[1]) then
    perform countersign.refuse('P3', format('request %s: more is changed than %s changes', a->>'id', acts[1]));
  end if;
  if acts[1] = 'request.expired' then
    if moment < b->>'expires_at' then
      perform countersign.refuse('P3', format('the time of request %s is not over', a->>'id'));
    end if;
  elsif a->'break_glass' <> b->'break_glass' or a->'emergency' <> b->'emergency' or was in ('declared', 'cooling') then
    perform countersign.in_its_time(b, a, acts[1], moment);  -- p03_waits.sql
  elsif acts[1] = 'request.lapsed' then
    if moment < b->>'usable_until' then
      perform countersign.refuse('P3', format('the approval of request %s has not lapsed', a->>'id'));
    end if;
  elsif was = 'pending' and moment >= b->>'expires_at' or was = 'approved' and moment >= b->>'usable_until' then
    perform countersign.refuse('P3', format('request %s is over by time', a->>'id'));
  elsif was not in ('pending', 'approved') or was <> 'pending' and acts[1] like 'question%' then
    perform countersign.refuse('P3', format('request %s is %s', a->>'id', was));
  end if;
  if acts[1] = 'emergency.declared' and b->'emergency' <> 'null' and b->'emergency'->>'countersigned_at' is null
     and b->'emergency'->>'lapsed_at' is null then
    return '{emergency.lapsed,emergency.declared}';  -- the one before was void, and nobody had said so yet
  end if;
  return acts;
end $$;

create or replace function countersign.session_actions(b jsonb, a jsonb, moment text) returns text[]
language plpgsql stable as $$
declare acts text[]; movable text[]; act text; over boolean;
begin
  if b <> 'null' and b->>'ended_at' is null and moment < b->>'expires_at' and a->>'views' <> b->>'views'
     and a - '{records_seen,views,beyond_scope,last_viewed}'::text[] = b - '{records_seen,views,beyond_scope,last_viewed}'::text[] then
    act := countersign.view_action(split_part(a->>'last_viewed', ' ', 1));  -- what happens most: something more was viewed
    if act is not null then
      return array[act];
    end if;
  end if;
  over := moment >= b->>'expires_at' or b->>'ended_at' is not null;
  if b = 'null' then
    if a->>'ended_at' is not null or a->'elevation' <> 'null' or a->'outcome' <> 'null' then
      perform countersign.refuse('P3', format('session %s begins as a new one', a->>'id'));
    end if;
    return '{session.started}';
  end if;
  if (a->>'ended_at') is distinct from (b->>'ended_at') then
    if b->>'ended_at' is not null or a->>'ended_at' is null then
      perform countersign.refuse('P3', format('session %s has ended and stays so', a->>'id'));
    end if;
    acts := acts || countersign.end_action(a->>'end_kind');
  end if;
  if a->'outcome' <> b->'outcome' and (b->>'ended_at' is not null or a->>'end_kind' = 'clock') then
    acts := acts || 'outcome.given'::text;
  end if;
  if a->'elevation' <> b->'elevation' then
    act := countersign.elevation_move(b->'elevation'->>'state', a->'elevation'->>'state');
    if act is null then
      perform countersign.refuse('P3', format('the elevation of session %s cannot move from %s to %s', a->>'id',
        coalesce(b->'elevation'->>'state', 'nothing'), coalesce(a->'elevation'->>'state', 'nothing')));
    end if;
    acts := acts || act;
  end if;
  if (a->>'views')::bigint <> (b->>'views')::bigint then
    acts := acts || countersign.view_action(split_part(a->>'last_viewed', ' ', 1));
  end if;
  if acts is null or array_position(acts, null) is not null then
    perform countersign.refuse('P3', format('session %s: that is no move', a->>'id'));
  end if;
  foreach act in array acts loop
    movable := movable || countersign.movable('session', act);
  end loop;
  if b - movable <> a - movable then
    perform countersign.refuse('P3', format('session %s: more is changed than %s changes', a->>'id', array_to_string(acts, ' and ')));
  end if;
  if over and (acts && '{elevation.asked,elevation.granted,elevation.declined}' or (a->>'views') <> (b->>'views')) then
    perform countersign.refuse('P3', format('session %s is over', a->>'id'));
  end if;
  return acts;
end $$;

-- What an entry says it is about: the key of a row.
create or replace function countersign.subject_of(code text, e jsonb) returns text
language sql immutable as $$
  select coalesce(e #>> ('{
    "request": "{request}", "question": "{request}", "break_glass": "{request}", "emergency": "{request}", "incident": "{request}",
    "session": "{session}", "elevation": "{session}", "outcome": "{session}", "platform_admin": "{session}",
    "settings": "{tenant}", "kill_switch": "{tenant}", "tenant": "{tenant}",
    "staff": "{data,staff}", "credential": "{data,staff}", "database": "{data,staff}",
    "review": "{data,review}", "rota": "{data,shift}", "mail": "{data,mail}", "api_key": "{data,key}", "portal": "{data,session}"
  }'::jsonb->>split_part(code, '.', 1))::text[], '')
$$;

create or replace function countersign.guard_p03(the_case jsonb) returns void
language plpgsql stable as $$
declare
  entries constant jsonb := the_case->'change'->'entries'; moment constant text := the_case->>'now';
  r jsonb; a jsonb; b jsonb; t text; acts text[]; subject text; act text; want text[] := '{}'; have text[] := '{}';
  summary int := 0;
begin
  if the_case->'login'->>'kind' = 'owner' then
    return;  -- whoever installs could take the guards away as well; they act as `system`, on record
  end if;
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    t := r->>'table'; b := r->'before'; a := r->'after'; acts := null; subject := a->>'id';
    case t
      when 'request' then
        acts := countersign.request_actions(b, a, moment);
        if acts = '{session.started}' then subject := a->>'session_id'; end if;
        if acts = '{break_glass.cooling}' and not countersign.writes(the_case, jsonb_build_object('table', 'mail',
             'before', jsonb_build_object('event', 'break_glass.countersigned', 'request_id', a->'id', 'state', 'queued'), 'after', '{"state": "delivered"}'::jsonb)) then
          perform countersign.refuse('P3', format('the cooling of request %s begins with an urgent letter that a mail server accepted', a->>'id'));
        end if;
      when 'session' then acts := countersign.session_actions(b, a, moment);
      when 'mail' then
        continue when b = 'null';  -- a letter is written beside what it is about
        acts := array[countersign.mail_move(b->>'state', a->>'state')];
        if acts[1] is null then
          perform countersign.refuse('P3', format('letter %s cannot move from %s to %s', a->>'id', b->>'state', a->>'state'));
        end if;
      when 'session_view' then
        if b <> 'null' then perform countersign.refuse('P3', 'what was viewed is never changed'); end if;
        acts := array[countersign.view_action(a->>'kind')]; subject := a->>'session_id';
      when 'decision' then
        if b <> 'null' then perform countersign.refuse('P3', format('decision %s is never changed', a->>'id')); end if;
        acts := array[case a->>'kind' when 'approve' then 'request.approved' when 'standing_consent' then 'request.approved'
          when 'deny' then 'request.denied' when 'countersign' then 'request.countersigned'
          when 'break_glass' then 'break_glass.countersigned' when 'veto' then 'break_glass.vetoed'
          when 'emergency' then 'emergency.countersigned' else 'request.declined' end];
        subject := a->>'request_id';
      when 'settings' then
        if b = 'null' then
          acts := array[case when entries->((r->>'entry')::int)->>'action' = 'tenant.created' then 'tenant.created' else 'tenant.imported' end];
        else
          acts := array_remove(array[
            case when a->'kill_switch' <> b->'kill_switch' then
              case a->>'kill_switch' when 'true' then 'kill_switch.turned_on' else 'kill_switch.turned_off' end end,
            case when a - '{kill_switch,changed_at,changed_by}'::text[] <> b - '{kill_switch,changed_at,changed_by}'::text[]
              then 'settings.changed' end], null);
        end if;
      when 'tenant' then acts := countersign.tenant_actions(entries->((r->>'entry')::int)->>'action', b, a);
      when 'contact' then
        acts := array[case when entries->((r->>'entry')::int)->>'action' = 'tenant.created' then 'tenant.created' else 'tenant.imported' end];
        subject := a->>'tenant_id';
      when 'api_key' then acts := countersign.key_actions(b, a);
      when 'portal_session' then
        acts := array[case when b = 'null' then 'portal.signed_in' else 'portal.signed_out' end]; subject := left(a->>'id', 12);
      when 'staff' then
        if b = 'null' then acts := array[case the_case->'change'->'actor'->>'kind' when 'staff' then 'staff.added' else 'database.created' end];
        elsif b->>'deactivated_at' is null and a->>'deactivated_at' is not null and a - 'deactivated_at' = b - 'deactivated_at'
          and countersign.is_now(a->>'deactivated_at', moment) then acts := '{staff.deactivated}';
        else perform countersign.refuse('P3', format('an account (%s) is made and deactivated, nothing else', a->>'id'));
        end if;
      when 'credential' then acts := '{credential.enrolled}';
      when 'incident' then acts := '{incident.registered}'; subject := a->>'request_id';
      when 'review' then acts := array[case when b = 'null' then 'review.opened' else 'review.signed' end];
      when 'office_hours' then acts := '{rota.hours_set}'; subject := '';
      when 'on_call_shift' then
        acts := array[case when b = 'null' then 'rota.shift_set' else 'rota.shift_cancelled' end];
      else null;
    end case;
    foreach act in array coalesce(acts, '{}') loop
      want := case when act || ' ' || subject = any (want) then want else want || (act || ' ' || subject) end;
    end loop;
    if t in ('request', 'session', 'settings', 'tenant', 'staff', 'api_key') and coalesce(cardinality(acts), 0) = 0 then
      perform countersign.refuse('P3', format('%s %s is written and does not change', t, a->>'id'));
    elsif acts is not null and t not in ('decision', 'session_view', 'contact') and not entries->((r->>'entry')::int)->>'action' = any (acts) then
      perform countersign.refuse('P3', format('%s %s stands under an entry %s, and what happened is %s', t, a->>'id',
        entries->((r->>'entry')::int)->>'action', array_to_string(acts, ' and ')));
    end if;
  end loop;
  if entries @> '[{"action":"tenant.imported"}]' and entries->0->>'tenant' is null then summary := 1; end if;
  for n in summary .. jsonb_array_length(entries) - 1 loop
    act := entries->n->>'action';
    continue when act in ('request.refused', 'rate_limit.met', 'log.exported', 'digest.sent', 'alert.raised', 'sign_in.asked');
    have := have || (act || ' ' || countersign.subject_of(act, entries->n));
  end loop;
  if not (have <@ want and want <@ have and cardinality(have) = cardinality(want)) then
    perform countersign.refuse('P3', format('what happens is %s, what the entries say is %s',
      coalesce(nullif(array_to_string(want, ', '), ''), 'nothing'), coalesce(nullif(array_to_string(have, ', '), ''), 'nothing')));
  end if;
  if have = '{}' and jsonb_array_length(entries) <> 1 then
    perform countersign.refuse('P3', 'a refusal or an export is an entry of its own');
  end if;
  perform countersign.entries_name_their_rows(the_case);
end $$;

-- Tenant, target, ticket, request of an entry are those of the row it is about: so it stands in the right tenant's log.
create or replace function countersign.entries_name_their_rows(the_case jsonb) returns void
language plpgsql stable as $$
declare e jsonb; subject jsonb; noun text;
begin
  for n in 0 .. jsonb_array_length(the_case->'change'->'entries') - 1 loop
    e := the_case->'change'->'entries'->n;
    noun := split_part(e->>'action', '.', 1);
    if noun in ('session', 'elevation', 'outcome', 'platform_admin') then  -- what happens most
      subject := countersign.row_after(the_case, 'session', e->>'session');
      continue when (subject->'tenant_id', subject->'target_id', subject->'ticket', subject->'request_id')
                  = (e->'tenant', e->'target', e->'ticket', e->'request');
    end if;
    continue when e->>'action' = 'request.refused' or noun in ('rate_limit', 'log', 'digest', 'alert', 'tenant', 'settings', 'kill_switch', 'database', 'staff', 'credential', 'sign_in', 'rota');
    if noun in ('api_key', 'portal') then
      select r->'after' into subject from jsonb_array_elements(the_case->'rows') as r
       where r->>'table' = case noun when 'portal' then 'portal_session' else noun end;
      if (subject->>'tenant_id') is distinct from (e->>'tenant') then
        perform countersign.refuse('P3', format('an entry %s stands in another tenant''s log', e->>'action'));
      end if;
      continue;
    end if;
    if noun = 'review' then
      subject := countersign.row_after(the_case, 'review', e->'data'->>'review');
      if (subject->>'tenant_id', subject->>'request_id', subject->>'session_id')
         is distinct from (e->>'tenant', e->>'request', e->>'session') then
        perform countersign.refuse('P3', 'an entry about a review names what the review is about');
      end if;
      continue;
    end if;
    if noun = 'mail' then
      subject := countersign.row_after(the_case, 'mail', e->'data'->>'mail');
      if (subject->>'tenant_id', subject->>'request_id', subject->>'session_id')
         is distinct from (e->>'tenant', e->>'request', e->>'session') then
        perform countersign.refuse('P3', 'an entry about a letter names what the letter is about');
      end if;
      continue;
    end if;
    subject := case when noun in ('request', 'question', 'break_glass', 'emergency', 'incident') then countersign.row_after(the_case, 'request', e->>'request')
                    else countersign.row_after(the_case, 'session', e->>'session') end;
    if (subject->>'tenant_id', subject->>'target_id', subject->>'ticket') is distinct from (e->>'tenant', e->>'target', e->>'ticket')
       or subject ? 'request_id' and (subject->>'request_id') is distinct from (e->>'request')
       or not subject ? 'request_id' and (subject->>'session_id') is distinct from (e->>'session') then
      perform countersign.refuse('P3', format('an entry %s names another tenant, target, ticket or request than its own', e->>'action'));
    end if;
  end loop;
end $$;
