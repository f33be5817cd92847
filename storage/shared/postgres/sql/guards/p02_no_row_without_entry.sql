-- P2: no row changes without an entry of the same Change that lists the digest of its image.
--
-- `apply` lists the digests. Here: a row stands under an entry that is about such rows, and nothing is overwritten that
-- the decision had not read. The triggers hold everyone else to it: a row goes in or changes only beside an entry of
-- the same transaction that lists it.

-- Which tables' rows an action's entry may vouch for. Letters may go with any entry that has words for people.
create or replace function countersign.vouches(code text) returns jsonb
language sql immutable parallel safe as $$
  select coalesce(case when starts_with(code, 'platform_admin.impersonate.action.') then '["session", "session_view"]'::jsonb
                       else '{
    "request.created": ["request", "decision", "step_up", "mail"],
    "request.approved": ["request", "decision", "consent_link", "mail"],
    "request.denied": ["request", "decision", "consent_link", "mail"],
    "request.withdrawn": ["request", "mail"],
    "request.expired": ["request", "mail"],
    "request.lapsed": ["request", "mail"],
    "request.countersigned": ["request", "decision", "step_up", "mail"],
    "request.declined": ["request", "decision", "mail"],
    "question.asked": ["request", "mail"],
    "question.answered": ["request", "mail"],
    "session.started": ["session", "request", "standing", "step_up", "mail"],
    "session.ended": ["session", "standing", "mail"],
    "session.force_ended": ["session", "standing", "step_up", "mail"],
    "session.expired": ["session", "standing", "mail"],
    "outcome.given": ["session", "standing", "mail"],
    "elevation.asked": ["session", "step_up", "mail"],
    "elevation.granted": ["session", "step_up", "mail"],
    "elevation.declined": ["session", "mail"],
    "break_glass.declared": ["request", "step_up", "mail"],
    "break_glass.countersigned": ["request", "decision", "step_up", "mail"],
    "break_glass.cooling": ["request"],
    "break_glass.vetoed": ["request", "decision", "consent_link", "mail"],
    "break_glass.usable": ["request", "mail"],
    "emergency.declared": ["request", "step_up", "mail"],
    "emergency.countersigned": ["request", "decision", "step_up", "mail"],
    "emergency.lapsed": ["request", "mail"],
    "incident.registered": ["incident"],
    "review.opened": ["review", "mail"],
    "review.signed": ["review", "mail"],
    "rota.hours_set": ["office_hours"],
    "rota.shift_set": ["on_call_shift"],
    "rota.shift_cancelled": ["on_call_shift"],
    "rate_limit.met": ["standing", "mail"],
    "mail.delivered": ["mail", "consent_link", "sign_in_link"],
    "mail.deferred": ["mail"],
    "mail.failed": ["mail"],
    "mail.requeued": ["mail"],
    "digest.sent": ["mail"],
    "alert.raised": ["mail"],
    "settings.changed": ["settings", "mail"],
    "kill_switch.turned_on": ["settings", "mail"],
    "kill_switch.turned_off": ["settings", "mail"],
    "tenant.imported": ["tenant", "settings", "contact", "mail"],
    "tenant.created": ["tenant", "settings", "contact"],
    "tenant.suspended": ["tenant", "mail"],
    "tenant.resumed": ["tenant"],
    "tenant.deprovisioned": ["tenant", "mail"],
    "tenant.plan_changed": ["tenant"],
    "tenant.flags_changed": ["tenant"],
    "api_key.created": ["api_key"],
    "api_key.accepted": ["api_key"],
    "api_key.revoked": ["api_key"],
    "sign_in.asked": ["mail"],
    "portal.signed_in": ["sign_in_link", "portal_session"],
    "portal.signed_out": ["portal_session"],
    "database.created": ["staff", "standing", "credential"],
    "staff.added": ["staff", "standing", "mail"],
    "staff.deactivated": ["staff", "mail"],
    "credential.enrolled": ["credential", "step_up"]
  }'::jsonb->code end, '[]')
$$;

create or replace function countersign.guard_p02(the_case jsonb) returns void
language plpgsql stable as $$
declare
  r jsonb; code text; reads constant jsonb := the_case->'change'->'reads'; entries constant jsonb := the_case->'change'->'entries';
begin
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    code := entries->((r->>'entry')::int)->>'action';
    continue when countersign.vouches(code) ? (r->>'table')
      and (r->'before' = 'null' or reads @> jsonb_build_array(jsonb_build_array(r->'table', r->'key')));
    if r->'before' <> 'null'
       and not reads @> jsonb_build_array(jsonb_build_array(r->'table', r->'key')) then
      perform countersign.refuse('P2', format('%s %s is overwritten without having been read', r->>'table', r->>'key'));
    elsif the_case->'login'->>'kind' <> 'owner' then
      perform countersign.refuse('P2', format('an entry %s does not speak of %s %s', code, r->>'table', r->>'key'));
    end if;
  end loop;
end $$;

-- The row's number is that of an entry of this very transaction, which lists the row's digest.
create or replace function countersign.row_is_listed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare body text; stack text;
begin
  get diagnostics stack = pg_context;
  if countersign.fired_by_apply(stack,
       case tg_op when 'INSERT' then concat('insert into countersign."', tg_table_name, '" (id, image, rev) values (key, new_image, new_rev)')
                  else concat('update countersign."', tg_table_name, '" set image = new_image, rev = new_rev where id = key') end, 1) then
    return new;
  end if;
  select o.body into body from countersign.operator_log as o
   where o.seq = new.rev and o.xmin = pg_current_xact_id()::xid;
  if body is null or strpos(body, concat('["', tg_table_name, '",', to_json(new.id), ',"', encode(sha256(convert_to(new.image, 'UTF8')), 'hex'), '"]')) = 0 then
    perform countersign.refuse('P2', format('%s %s changes without an entry that lists it', tg_table_name, new.id));
  elsif tg_op = 'UPDATE' and (new.id <> old.id or new.rev <= old.rev) then
    perform countersign.refuse('P2', format('%s %s only moves forward', tg_table_name, old.id));
  end if;
  return new;
end $$;

do $do$
declare row_table text;
begin
  for row_table in
    select c.table_name from information_schema.columns as c
      join pg_class as k on k.relname = c.table_name and k.relnamespace = 'countersign'::regnamespace and k.relkind = 'r'
     where c.table_schema = 'countersign' and c.column_name in ('image', 'rev') group by c.table_name having count(*) = 2
  loop
    execute format($$
      create or replace trigger p02_listed before insert or update on countersign.%1$I
        for each row execute function countersign.row_is_listed();
      create or replace trigger p02_never before delete or truncate on countersign.%1$I
        for each statement execute function countersign.never('P2', 'a row is never removed');
      alter table countersign.%1$I enable always trigger p02_listed;
      alter table countersign.%1$I enable always trigger p02_never$$, row_table);
  end loop;
end $do$;
