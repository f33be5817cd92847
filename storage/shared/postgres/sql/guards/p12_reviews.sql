-- P12, of what comes after: an emergency has its incident and its review; a review is signed once, by a super or an
-- auditor who was no part of it; an entry is disputed by an administrator of its tenant; the rota is set by supers.

create or replace function countersign.guard_p12_reviews(the_case jsonb) returns void
language plpgsql stable as $$
declare
  actor jsonb; moment text; r jsonb; a jsonb; b jsonb; person jsonb; hour constant text := '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$';
begin
  if not the_case @? '$.rows[*] ? (@.table == "incident" || @.table == "review" || @.table == "office_hours"
                                   || @.table == "on_call_shift" || @.table == "request" && @.after.layer == "emergency")' then
    return;
  end if;
  actor := the_case->'change'->'actor';
  moment := the_case->>'now';
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n; a := r->'after'; b := r->'before';
    case r->>'table'
      when 'request' then
        if a->>'layer' = 'emergency' and coalesce(b->>'layer', '') <> 'emergency' and not (
             countersign.writes(the_case, jsonb_build_object('table', 'incident', 'before', null, 'after', jsonb_build_object('id', a->'emergency'->'incident_id',
               'request_id', a->'id', 'tenant_id', a->'tenant_id', 'engineer_id', a->'engineer_id', 'ticket', a->'ticket', 'category', a->'emergency'->'category',
               'reason', a->'emergency'->'reason', 'declared_by', a->'emergency'->'declared_by', 'countersigned_by', a->'emergency'->'countersigned_by')))
             and countersign.writes(the_case, jsonb_build_object('table', 'review', 'before', null, 'after', jsonb_build_object('kind', 'emergency',
               'request_id', a->'id', 'tenant_id', a->'tenant_id', 'barred', jsonb_build_array(a->'engineer_id', a->'emergency'->'declared_by', actor->'id'))))) then
          perform countersign.refuse('P12', format('the emergency of request %s is registered and reviewed', a->>'id'));
        end if;
      when 'incident' then
        if b <> 'null' or not countersign.is_now(a->>'at', moment)
           or (countersign.row_after(the_case, 'request', a->>'request_id')->'emergency'->>'incident_id') is distinct from (a->>'id') then
          perform countersign.refuse('P12', format('incident %s is registered once, by its emergency', a->>'id'));
        end if;
      when 'review' then perform countersign.check_review(the_case, b, a);
      when 'office_hours' then
        if a->>'set_by' <> actor->>'id' or not countersign.is_now(a->>'set_at', moment)
           or not exists (select 1 from pg_timezone_names as z where z.name = a->>'zone') then
          perform countersign.refuse('P12', 'office hours say who set them, when, and in which time zone');
        elsif exists (select 1 from jsonb_array_elements(a->'spans') as x where not coalesce((x->>'weekday')::int between 1 and 7
             and x->>'opens' ~ hour and x->>'closes' ~ hour and (x->>'opens') collate "C" < (x->>'closes') collate "C", false)) then
          perform countersign.refuse('P12', 'office hours are stretches of weekdays, like 1 from 09:00 to 17:30');
        end if;
      when 'on_call_shift' then
        person := countersign.row_image('staff', a->>'staff_id')::jsonb;
        if b = 'null' and (a->>'set_by' <> actor->>'id' or not countersign.is_now(a->>'set_at', moment) or a->'cancelled' = 'true'
             or a->>'ends_at' <= a->>'starts_at' or a->>'ends_at' <= moment
             or (a->>'ends_at')::timestamptz - (a->>'starts_at')::timestamptz > interval '744 hours' or person->>'role' = 'auditor' or not countersign.is_active(person, moment)) is not false
           or b <> 'null' and (b - 'cancelled' <> a - 'cancelled' or b->'cancelled' = 'true' or a->'cancelled' <> 'true' or b->>'ends_at' <= moment) then
          perform countersign.refuse('P12', format('shift %s is set for somebody who can countersign, for 31 days at most, and cancelled, nothing else', a->>'id'));
        end if;
      else null;
    end case;
  end loop;
end $$;

create or replace function countersign.check_review(the_case jsonb, b jsonb, a jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare actor constant jsonb := the_case->'change'->'actor'; moment constant text := the_case->>'now'; entry jsonb; staff jsonb; engineer text;
begin
  if b = 'null' then
    if a->>'opened_by' <> actor->>'id' or a->>'opened_by_name' <> actor->>'name' or a->>'signed_at' is not null or a->>'signed_by' is not null
       or a->>'finding' is not null or not countersign.is_now(a->>'opened_at', moment)
       or (a->>'due_at')::timestamptz <> (a->>'opened_at')::timestamptz + interval '72 hours' then
      perform countersign.refuse('P12', format('review %s is opened by who acts, unsigned, for 72 hours', a->>'id'));
    elsif a->>'kind' = 'emergency' and not countersign.has_action(the_case, 'emergency.countersigned') then
      perform countersign.refuse('P12', 'a review of an emergency is opened by one');
    elsif a->>'kind' = 'dispute' then
      select t.body::jsonb into entry from countersign.tenant_log as t where t.tenant_id = a->>'tenant_id' and t.seq = (a->>'entry_seq')::bigint;
      engineer := countersign.row_image('request', entry->>'request')::jsonb->>'engineer_id';
      if actor->>'kind' <> 'tenant_admin' or not countersign.is_admin_of(actor->>'id', a->>'tenant_id') or entry is null then
        perform countersign.refuse('P12', format('an entry of %s is disputed by its administrators', a->>'tenant_id'));
      elsif (entry->>'request', entry->>'session') is distinct from (a->>'request_id', a->>'session_id')
         or entry->'actor'->>'kind' = 'staff' and not a->'barred' ? (entry->'actor'->>'id') or engineer is not null and not a->'barred' ? engineer then
        perform countersign.refuse('P12', format('whoever was part of entry %s of %s does not sign its review', a->>'entry_seq', a->>'tenant_id'));
      end if;
    end if;
    return;
  end if;
  staff := countersign.row_image('staff', actor->>'id')::jsonb;
  if b->>'signed_at' is not null or b - '{finding,signed_by,signed_at}'::text[] <> a - '{finding,signed_by,signed_at}'::text[]
     or coalesce(btrim(a->>'finding'), '') = '' or (a->>'signed_by') is distinct from (actor->>'id') or not countersign.is_now(a->>'signed_at', moment) then
    perform countersign.refuse('P12', format('review %s is signed once, now, with a finding, by who acts', a->>'id'));
  elsif coalesce(staff->>'role', '') not in ('super', 'auditor') then
    perform countersign.refuse('P12', format('review %s is signed by a super or an auditor', a->>'id'));
  elsif exists (select 1 from jsonb_array_elements_text(a->'barred') as part where countersign.is_same_person(part, actor->>'id'))
     or countersign.is_contact_of(actor->>'id', a->>'tenant_id') then
    perform countersign.refuse('P12', format('%s was part of what review %s is about', actor->>'name', a->>'id'));
  end if;
end $$;
