-- Asked after all the others. P3, in words: an entry says of a row what the row says, no less and no more. A tenant's log
-- is complete by itself: whoever reads it there sees no rows, so what an entry tells of mode, minutes, end, outcome or of
-- a new administrator must be true. Notes that no row keeps are the writer's own words.

create or replace function countersign.named(person jsonb) returns jsonb
language sql immutable as $$ select jsonb_build_object('id', person->'id', 'name', person->'name', 'email', person->'email') $$;

-- What an entry says, by its action: `a`, `b` the row that it is about, after and before. `data`, `reason`, `before`,
-- `after` as the entry must have them (absent: none); `free`: keys of `data` that are words of the writer.
create or replace function countersign.so_of_request(code text, a jsonb, b jsonb, the_case jsonb) returns jsonb
language plpgsql stable as $$
declare note jsonb; seconds int;
begin
  if code in ('request.countersigned', 'request.declined', 'break_glass.countersigned', 'emergency.countersigned') then
    note := jsonb_path_query_first(the_case->'rows', '$[*] ? (@.table == "decision" && @.after.request_id == $q).after.note', jsonb_build_object('q', a->'id'));
  elsif code in ('request.approved', 'request.denied', 'break_glass.vetoed') then
    note := a->'decision_note';
  end if;
  note := case when coalesce(note, 'null') = 'null' then '{}' else jsonb_build_object('note', note) end;
  if code = 'request.lapsed' then
    seconds := case when b->>'state' = 'cooling' and b->'break_glass'->>'cooling_until' is not null then 28800 else 86400 end;
  end if;
  return case code
    when 'request.created' then jsonb_build_object('reason', a->'reason', 'free', '["mailed"]'::jsonb, 'data', jsonb_build_object(
        'scope', a->'scope', 'records', a->'records', 'mode', a->'mode', 'minutes', a->'minutes', 'urgent', a->'urgent', 'tried', a->'tried',
        'why_not', a->'why_not', 'content_digest', a->'content_digest')
      || case when a->>'again_of' is null then '{}' else jsonb_build_object('again_of', a->'again_of') end
      || case when (a->'engineer_id') = the_case->'change'->'actor'->'id' then '{}'  -- whoever asks for another says for whom
           else jsonb_build_object('engineer', countersign.named(countersign.row_image('staff', a->>'engineer_id')::jsonb)) end)
    when 'request.approved' then jsonb_build_object('data', note || jsonb_build_object('minutes', a->'granted_minutes', 'mode', a->'mode',
        'content_digest', a->'content_digest') || case when b = 'null' then '{"standing_consent": true}' else '{}' end::jsonb)
    when 'request.denied' then jsonb_build_object('data', note || jsonb_build_object('content_digest', a->'content_digest'))
    when 'request.withdrawn' then '{"free": ["note"]}'
    when 'request.expired' then jsonb_build_object('data', jsonb_build_object('effective_at', a->'expires_at'))
    when 'request.lapsed' then jsonb_build_object('data', jsonb_build_object('effective_at', case when b->>'state' = 'approved' then a->>'usable_until'
      else countersign.time_text(case b->>'state' when 'declared' then a->>'expires_at' else coalesce(a->'break_glass'->>'cooling_until',
        a->'break_glass'->>'countersigned_at') end::timestamptz + make_interval(secs => seconds)) end))
    when 'request.countersigned' then jsonb_build_object('data', note || jsonb_build_object('mode', a->'mode'))
    when 'request.declined' then jsonb_build_object('data', note || jsonb_build_object('mode', a->'mode'))
    when 'question.asked' then jsonb_build_object('data', jsonb_build_object('question', a->'exchanges'->-1->'text'))
    when 'question.answered' then jsonb_build_object('data', jsonb_build_object('answer', a->'exchanges'->-1->'text'))
    when 'break_glass.declared' then jsonb_build_object('reason', a->'break_glass'->'reason')
    when 'break_glass.countersigned' then jsonb_build_object('free', '["mailed"]'::jsonb, 'data', note || jsonb_build_object('content_digest', a->'content_digest'))
    when 'break_glass.cooling' then jsonb_build_object('data', jsonb_build_object('until', a->'break_glass'->'cooling_until'))
    when 'break_glass.vetoed' then jsonb_build_object('data', note || jsonb_build_object('was', b->'state', 'content_digest', a->'content_digest'))
    when 'break_glass.usable' then jsonb_build_object('data', jsonb_build_object('effective_at', a->'break_glass'->'cooling_until'))
    when 'emergency.declared' then jsonb_build_object('reason', a->'emergency'->'reason', 'data', jsonb_build_object('category', a->'emergency'->'category'))
    when 'emergency.countersigned' then jsonb_build_object('reason', a->'emergency'->'reason', 'free', '["mailed"]'::jsonb, 'data', note || jsonb_build_object(
        'category', a->'emergency'->'category', 'declared_by', a->'emergency'->'declared_by', 'content_digest', a->'content_digest'))
    when 'emergency.lapsed' then jsonb_build_object('reason', b->'emergency'->'reason', 'data', jsonb_build_object('category', b->'emergency'->'category',
        'declared_by', b->'emergency'->'declared_by',
        'effective_at', countersign.time_text((b->'emergency'->>'declared_at')::timestamptz + interval '2 hours')))
    when 'incident.registered' then jsonb_build_object('reason', a->'emergency'->'reason', 'data', jsonb_build_object('incident', a->'emergency'->'incident_id'))
    else '{}' end;
end $$;

create or replace function countersign.so_of_session(code text, a jsonb, the_case jsonb) returns jsonb
language plpgsql stable as $$
declare q jsonb; outcome jsonb; view_row jsonb;
begin
  if code = 'session.started' then
    q := countersign.row_after(the_case, 'request', a->>'request_id');
  elsif code like 'platform\_admin.%' then
    view_row := jsonb_path_query_first(the_case->'rows', '$[*] ? (@.table == "session_view" && @.after.session_id == $s).after', jsonb_build_object('s', a->'id'));
    if a->>'last_viewed' <> concat(view_row->>'kind', ' ', view_row->>'name') then
      perform countersign.refuse('P3', format('session %s was last seen at %s', a->>'id', view_row->>'name'));
    end if;
    return jsonb_build_object('data', jsonb_build_object('name', view_row->'name', 'count', view_row->'count', 'within_scope', view_row->'within_scope',
      'source', view_row->'source') || case when view_row->'fields' = '[]' then '{}' else jsonb_build_object('fields', view_row->'fields') end);
  end if;
  outcome := case when a->'outcome' = 'null' or code = 'session.expired' then '{}' else (a->'outcome') - 'at' end;
  return case code
    when 'session.started' then jsonb_build_object('reason', q->'reason', 'data', jsonb_build_object('mode', a->'mode', 'layer', a->'layer',
        'expires_at', a->'expires_at', 'approved_by', case a->>'layer' when 'break_glass' then q->'break_glass'->'countersigned_by'
          when 'emergency' then q->'emergency'->'countersigned_by' else q->'decided_by' end,
        'countersigned_by', case when a->>'mode' = 'full' then q->'countersigned_by' else 'null' end))
    when 'outcome.given' then jsonb_build_object('data', outcome)
    when 'elevation.asked' then jsonb_build_object('reason', a->'elevation'->'reason', 'data', '{"mode": "full"}'::jsonb)
    when 'elevation.granted' then jsonb_build_object('reason', a->'elevation'->'reason', 'free', '["note"]'::jsonb,
        'before', '{"mode": "read_only"}'::jsonb, 'after', jsonb_build_object('mode', a->'mode'))
    when 'elevation.declined' then jsonb_build_object('reason', a->'elevation'->'reason', 'free', '["note"]'::jsonb,
        'before', '{"mode": "read_only"}'::jsonb, 'after', jsonb_build_object('mode', a->'mode'))
    else jsonb_build_object('reason', a->'end_reason', 'data', outcome || jsonb_build_object('ended_by', a->'end_kind', 'effective_at', a->'ended_at',
        'seconds', floor(extract(epoch from (a->>'ended_at')::timestamptz - (a->>'started_at')::timestamptz))::bigint,
        'views', a->'views', 'records_seen', a->'records_seen', 'outcome_owed', outcome = '{}')) end;
end $$;

-- Of tenants, their settings and people: `a`, `b` the row of the tenant or of its settings.
create or replace function countersign.so_of_tenant(code text, e jsonb, a jsonb, b jsonb, the_case jsonb) returns jsonb
language plpgsql stable as $$
declare was jsonb; becomes jsonb; who jsonb;
begin
  case code
    when 'kill_switch.turned_on', 'kill_switch.turned_off' then
      if a->>'changed_by' <> the_case->'change'->'actor'->>'id' then  -- the worker writes down what an administrator did
        select jsonb_build_object('id', s.by, 'name', s.name, 'ip', s.ip, 'at', countersign.time_text(s.at)) into who
          from countersign.shutting as s where s.tenant_id = a->>'id' and s.by = a->>'changed_by'
         order by countersign.time_text(s.at) = e->'data'->'turned_on_by'->>'at' desc nulls last limit 1;
      end if;
      return jsonb_build_object('before', jsonb_build_object('kill_switch', b->'kill_switch'), 'after', jsonb_build_object('kill_switch', a->'kill_switch'),
        'data', case when who is null then '{}' else jsonb_build_object('turned_on_by', who) end);
    when 'settings.changed' then
      select jsonb_object_agg(key, b->key), jsonb_object_agg(key, value) into was, becomes from jsonb_each(a)
       where value is distinct from b->key and key not in ('kill_switch', 'changed_at', 'changed_by');
      return jsonb_build_object('before', was, 'after', becomes);
    when 'tenant.imported' then
      return jsonb_build_object('free', '["contacts"]'::jsonb, 'data', jsonb_build_object('name', a->'name', 'plan', a->'plan', 'status', a->'status', 'new', b = 'null'));
    when 'tenant.created' then
      return jsonb_build_object('after', jsonb_build_object('plan', a->'plan', 'status', a->'status'), 'free', '["contacts"]'::jsonb,
        'data', jsonb_build_object('name', a->'name'));
    when 'tenant.plan_changed' then
      return jsonb_build_object('before', jsonb_build_object('plan', b->'plan'), 'after', jsonb_build_object('plan', a->'plan'));
    when 'tenant.flags_changed' then
      select jsonb_agg(jsonb_build_array(name, o->'value') order by name collate "C"), jsonb_agg(jsonb_build_array(name, n->'value') order by name collate "C")
        into was, becomes from (select coalesce(o->>'name', n->>'name') as name, o, n from jsonb_array_elements(b->'flags') as o
          full join jsonb_array_elements(a->'flags') as n on o->>'name' = n->>'name' where (o->>'value') is distinct from (n->>'value')) as changed;
      return jsonb_build_object('before', jsonb_build_object('flags', was), 'after', jsonb_build_object('flags', becomes));
    else  -- its life cycle, with the platform's reason
      return jsonb_build_object('before', jsonb_build_object('status', b->'status'), 'after', jsonb_build_object('status', a->'status'), 'reason', e->'reason');
  end case;
end $$;

-- Of everything else that has a row.
create or replace function countersign.so_of_others(code text, a jsonb, b jsonb) returns jsonb
language plpgsql stable as $$
declare letter constant jsonb := jsonb_build_object('mail', a->'id', 'event', a->'event', 'to', a->'to_id');
begin
  return case code
    when 'mail.delivered' then jsonb_build_object('free', '["text"]'::jsonb, 'data', letter || jsonb_build_object('links', a->'links'))
    when 'mail.deferred' then jsonb_build_object('reason', a->'last_error', 'data', letter || jsonb_build_object('attempts', a->'attempts'))
    when 'mail.failed' then jsonb_build_object('reason', a->'last_error', 'data', letter || jsonb_build_object('attempts', a->'attempts'))
    when 'mail.requeued' then jsonb_build_object('data', letter)
    when 'review.opened' then jsonb_build_object('reason', a->'claim', 'data', jsonb_build_object('review', a->'id', 'kind', a->'kind', 'due_at', a->'due_at',
        'barred', a->'barred') || case when a->>'entry_seq' is null then '{}' else jsonb_build_object('entry', a->'entry_seq') end)
    when 'review.signed' then jsonb_build_object('reason', a->'finding', 'data', jsonb_build_object('review', a->'id', 'kind', a->'kind')
      || case when a->>'entry_seq' is null then '{}' else jsonb_build_object('entry', a->'entry_seq') end
      || case when a->>'signed_at' < a->>'due_at' then '{}' else '{"overdue": true}' end::jsonb)
    when 'rota.hours_set' then jsonb_build_object('before', case when b = 'null' then 'null' else jsonb_build_object('zone', b->'zone', 'spans', b->'spans') end,
        'after', jsonb_build_object('zone', a->'zone', 'spans', a->'spans'))
    when 'rota.shift_set' then jsonb_build_object('data', jsonb_build_object('shift', a->'id', 'on_call', a->'staff_id', 'from', a->'starts_at', 'to', a->'ends_at'))
    when 'rota.shift_cancelled' then jsonb_build_object('data', jsonb_build_object('shift', a->'id', 'on_call', a->'staff_id', 'from', a->'starts_at', 'to', a->'ends_at'))
    when 'api_key.created' then jsonb_build_object('data', jsonb_build_object('key', a->'id', 'name', a->'name', 'right', a->'right'))
    when 'api_key.accepted' then jsonb_build_object('data', jsonb_build_object('key', a->'id', 'name', a->'name', 'right', a->'right'))
    when 'api_key.revoked' then jsonb_build_object('data', jsonb_build_object('key', a->'id', 'name', a->'name', 'right', a->'right'))
    when 'portal.signed_in' then jsonb_build_object('data', jsonb_build_object('session', left(a->>'id', 12)))
    when 'portal.signed_out' then jsonb_build_object('data', jsonb_build_object('session', left(a->>'id', 12)))
    when 'staff.added' then jsonb_build_object('data', jsonb_build_object('staff', a->'id', 'email', a->'email', 'name', a->'name', 'role', a->'role', 'until', a->'until'))
    when 'staff.deactivated' then jsonb_build_object('data', jsonb_build_object('staff', a->'id', 'email', a->'email', 'name', a->'name'))
    when 'credential.enrolled' then jsonb_build_object('data', jsonb_build_object('staff', a->'id'))
    else '{}' end;
end $$;

-- Of what is on record without a row: that a rule refused, that a copy was taken, that somebody was told.
create or replace function countersign.so_of_itself(code text, e jsonb, the_case jsonb) returns jsonb
language plpgsql stable as $$
declare actor constant jsonb := the_case->'change'->'actor'; said constant jsonb := coalesce(nullif(e->'data', 'null'), '{}'); q jsonb; ok boolean;
begin
  q := case code when 'rate_limit.met' then countersign.row_image('request', e->>'request')::jsonb end;
  ok := jsonb_array_length(the_case->'change'->'entries') = 1 and case code
    when 'log.exported' then (e->>'tenant') is not distinct from (case when said->>'log' like 'tenant:%' then substr(said->>'log', 8) end)
      and (said->>'log' = 'operator' and actor->>'kind' = 'staff' or said->>'log' = 'tenant:' || (e->>'tenant'))
      and (actor->>'kind' <> 'tenant_admin' or countersign.is_admin_of(actor->>'id', e->>'tenant'))
    when 'rate_limit.met' then said->>'engineer' = actor->>'id' and said->'wanted_tenant' = q->'tenant_id' and e->'ticket' = q->'ticket'
    when 'sign_in.asked' then countersign.writes(the_case, jsonb_build_object('table', 'mail', 'before', null, 'after', jsonb_build_object(
      'to_id', e->'target', 'tenant_id', e->'tenant', 'event', code)))
    else true end;
  if ok is distinct from true then
    perform countersign.refuse('P3', format('an entry %s stands by itself, in the log that it is about', code));
  end if;
  return case code
    when 'log.exported' then '{"free": ["log", "first", "last", "form", "selection", "entries"]}'
    when 'rate_limit.met' then '{"free": ["engineer", "wanted_tenant", "why"]}'
    when 'request.refused' then '{"free": ["rules", "why"]}'
    when 'digest.sent' then '{"free": ["week", "sessions", "requests"]}'
    when 'alert.raised' then jsonb_build_object('reason', e->'reason', 'free', '["faults", "log", "number"]'::jsonb)
    else '{}' end;
end $$;

-- The table whose row an entry is about, and what an entry may name at all: of whom, of what.
create or replace function countersign.table_of(code text) returns text
language sql immutable parallel safe as $$
  select case split_part(code, '.', 1) when 'question' then 'request' when 'break_glass' then 'request' when 'emergency' then 'request'
    when 'incident' then 'request' when 'elevation' then 'session' when 'outcome' then 'session' when 'platform_admin' then 'session'
    when 'kill_switch' then 'settings' when 'portal' then 'portal_session' when 'database' then 'staff'
    when 'rota' then case code when 'rota.hours_set' then 'office_hours' else 'on_call_shift' end else split_part(code, '.', 1) end
$$;
create or replace function countersign.may_name(table_name text, code text) returns text[]
language sql immutable parallel safe as $$
  select case when code = 'request.refused' then '{tenant,target,ticket}' when table_name in ('request', 'session') then '{tenant,target,request,session,ticket}'
    when table_name in ('settings', 'tenant', 'api_key', 'log', 'digest') then '{tenant}' when table_name in ('mail', 'review') then '{tenant,request,session}'
    when table_name in ('sign_in', 'portal_session') then '{tenant,target}' when table_name = 'rate_limit' then '{request,ticket}' else '{}' end::text[]
$$;

-- What this entry must say; refuses where the row that it is about is not written.
create or replace function countersign.what_is_so(the_case jsonb, e jsonb) returns jsonb
language plpgsql stable as $$
declare
  code constant text := e->>'action'; about text := countersign.table_of(code); key text; r jsonb;
begin
  if code in ('request.refused', 'rate_limit.met', 'log.exported', 'digest.sent', 'alert.raised', 'sign_in.asked') then
    return countersign.so_of_itself(code, e, the_case);
  elsif code = 'tenant.imported' and e->>'tenant' is null then
    return '{"free": ["tenants", "changed", "names"]}';
  elsif about = 'portal_session' then
    r := jsonb_path_query_first(the_case->'rows', '$[*] ? (@.table == "portal_session")');
    if (r->'after'->'contact_id') is distinct from (e->'target') then
      perform countersign.refuse('P3', format('an entry %s names another person', code));
    end if;
  else
    key := case about when 'office_hours' then 'office' else countersign.subject_of(code, e) end;
    r := the_case #> array['rows', ((the_case #>> array['places', concat(about, ' ', key)])::int - 1)::text];
  end if;
  if r is null then
    perform countersign.refuse('P3', format('an entry %s is about %s %s, which stays as it is', code, about, key));
  end if;
  return case about when 'request' then countersign.so_of_request(code, r->'after', r->'before', the_case)
    when 'session' then countersign.so_of_session(code, r->'after', the_case)
    when 'settings' then countersign.so_of_tenant(code, e, r->'after', r->'before', the_case)
    when 'tenant' then countersign.so_of_tenant(code, e, r->'after', r->'before', the_case)
    else countersign.so_of_others(code, r->'after', r->'before') end;
end $$;

create or replace function countersign.guard_p90_says_what_is_so(the_case jsonb) returns void
language plpgsql stable as $$
declare
  entries constant jsonb := the_case->'change'->'entries'; e jsonb; so jsonb; code text; said jsonb; free text[]; people boolean := false;
begin
  if the_case->'login'->>'kind' = 'owner' then
    return;
  end if;
  for n in 0 .. jsonb_array_length(entries) - 1 loop
    e := entries->n;
    code := e->>'action';
    so := countersign.what_is_so(the_case, e);
    said := coalesce(nullif(e->'data', 'null'), '{}');
    free := case when so ? 'free' then array(select jsonb_array_elements_text(so->'free')) else '{}' end;
    if said ? 'decided_at' and coalesce(said->>'decided_at' < the_case->>'now', false) then
      free := free || 'decided_at'::text;  -- kept while the shared database was out of reach (REQ-802)
    end if;
    if said - free <> coalesce(so->'data', '{}') then
      perform countersign.refuse('P3', format('an entry %s says what is not so, or not all of it: %s', code, (select string_agg(key, ', ') from
        jsonb_object_keys((said - free) || coalesce(so->'data', '{}')) as key where (said->key) is distinct from (so->'data'->key))));
    elsif coalesce(e->'reason', 'null') <> coalesce(so->'reason', 'null') or coalesce(e->'before', 'null') <> coalesce(so->'before', 'null')
       or coalesce(e->'after', 'null') <> coalesce(so->'after', 'null') then
      perform countersign.refuse('P3', format('an entry %s gives another reason, before or after than its row', code));
    elsif jsonb_strip_nulls(e - '{action,data,reason,before,after}'::text[]) - countersign.may_name(countersign.table_of(code), code) <> '{}' then
      perform countersign.refuse('P3', format('an entry %s names what it is not about', code));
    elsif said ? 'mailed' and not jsonb_path_query_array(the_case->'rows', '$[*] ? (@.table == "mail" && @.before == null).after.to_id') @> (said->'mailed') then
      perform countersign.refuse('P3', format('an entry %s names people who are not written to', code));
    end if;
    people := people or code in ('tenant.imported', 'tenant.created', 'staff.added', 'request.approved', 'request.denied', 'break_glass.vetoed');
  end loop;
  if people then
    perform countersign.people_are_named(the_case, entries);
  end if;
end $$;

-- Who came into a tenant, or left it, stands in that tenant's log; a tenant names its contacts, all of them and no others;
-- an account begins with a standing; a decision is the one that its request keeps.
create or replace function countersign.people_are_named(the_case jsonb, entries jsonb) returns void
language plpgsql stable as $$
declare r jsonb; a jsonb; ok boolean; listed int := 0; names jsonb;
begin
  for r in select value from jsonb_array_elements(the_case->'rows') where value->>'table' in ('contact', 'tenant', 'staff', 'decision') loop
    a := r->'after';
    case r->>'table'
      when 'contact' then
        listed := listed + 1;
        ok := coalesce(countersign.row_after(the_case, 'tenant', a->>'tenant_id')->'contacts' ? (r->>'key'), false)
          and entries->((r->>'entry')::int)->'data'->'contacts' @> jsonb_build_array(jsonb_build_object('id', a->'id', 'roles', a->'roles')
            || case entries->((r->>'entry')::int)->>'action' when 'tenant.created' then '{}' else jsonb_build_object('removed', a->'removed') end);
      when 'tenant' then
        ok := countersign.row_after(the_case, 'settings', r->>'key') is not null and not exists (
          select 1 from jsonb_array_elements_text(a->'contacts') as c where countersign.row_after(the_case, 'contact', c) is null);
      when 'staff' then
        ok := r->'before' <> 'null' or countersign.writes(the_case, jsonb_build_object('table', 'standing', 'key', r->'key', 'after',
          '{"active_session": null, "owes_outcome": null, "limit_alerted_at": null, "starts": []}'::jsonb));
      else
        ok := a->>'kind' not in ('approve', 'standing_consent', 'deny', 'veto') or countersign.writes(the_case, jsonb_build_object('table', 'request',
          'after', jsonb_build_object('id', a->'request_id', 'decided_by', a->'by', 'decided_at', a->'at', 'decision_note', a->'note')
            || case when a->>'minutes' is null then '{}' else jsonb_build_object('granted_minutes', a->'minutes') end));
    end case;
    if ok is distinct from true then
      perform countersign.refuse('P3', format('%s %s: what is told of it is not all of it', r->>'table', r->>'key'));
    end if;
  end loop;
  if listed <> coalesce((select sum(jsonb_array_length(e->'data'->'contacts')) from jsonb_array_elements(entries) as e where e->'data' ? 'contacts'), 0) then
    perform countersign.refuse('P3', 'an entry names contacts that are not written');
  end if;
  if entries->0->>'action' = 'tenant.imported' then
    names := jsonb_path_query_array(entries, '$[*] ? (@.action == "tenant.imported" && @.tenant.type() == "string").tenant');
    if entries->0->>'tenant' is not null or entries->0->'data'->'changed' <> to_jsonb(jsonb_array_length(names))
       or (entries->0->'data'->>'tenants')::int < jsonb_array_length(names)
       or entries->0->'data'->'names' <> jsonb_path_query_array(names, '$[0 to 49]') then
      perform countersign.refuse('P3', 'an import begins with its summary');
    end if;
  elsif entries @> '[{"action": "tenant.imported"}]' then
    perform countersign.refuse('P3', 'an import begins with its summary');
  end if;
end $$;
