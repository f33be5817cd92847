-- P2: no row changes without an entry of the same Change that lists the digest of its image.
--
-- `apply` lists the digests. Here: a row stands under an entry that is about such rows, and nothing is overwritten that
-- the decision had not read. The triggers hold everyone else to it: a row goes in or changes only beside an entry of
-- the same transaction that lists it.

-- Which tables' rows an action's entry may vouch for. Letters may go with any entry that has words for people.
create or replace function countersign.vouches(code text) returns text[]
language plpgsql immutable parallel safe as $$
begin
  return case code
    when 'request.created' then '{request,decision,step_up,mail}'
    when 'request.approved' then '{request,decision,consent_link,mail}'
    when 'request.denied' then '{request,decision,consent_link,mail}'
    when 'request.withdrawn' then '{request,mail}'
    when 'request.expired' then '{request,mail}'
    when 'request.lapsed' then '{request,mail}'
    when 'request.countersigned' then '{request,decision,step_up,mail}'
    when 'request.declined' then '{request,decision,mail}'
    when 'question.asked' then '{request,mail}'
    when 'question.answered' then '{request,mail}'
    when 'session.started' then '{session,request,standing,step_up,mail}'
    when 'session.ended' then '{session,standing,mail}'
    when 'session.force_ended' then '{session,standing,step_up,mail}'
    when 'session.expired' then '{session,standing,mail}'
    when 'outcome.given' then '{session,standing,mail}'
    when 'elevation.asked' then '{session,step_up,mail}'
    when 'elevation.granted' then '{session,step_up,mail}'
    when 'elevation.declined' then '{session,mail}'
    when 'break_glass.declared' then '{request,step_up,mail}'
    when 'break_glass.countersigned' then '{request,decision,step_up,mail}'
    when 'break_glass.cooling' then '{request}'
    when 'break_glass.vetoed' then '{request,decision,consent_link,mail}'
    when 'break_glass.usable' then '{request,mail}'
    when 'emergency.declared' then '{request,step_up,mail}'
    when 'emergency.countersigned' then '{request,decision,step_up,mail}'
    when 'incident.registered' then '{incident}'
    when 'review.opened' then '{review,mail}'
    when 'review.signed' then '{review,mail}'
    when 'rota.hours_set' then '{office_hours}'
    when 'rota.shift_set' then '{on_call_shift}'
    when 'rota.shift_cancelled' then '{on_call_shift}'
    when 'rate_limit.met' then '{standing,mail}'
    when 'mail.delivered' then '{mail,consent_link,sign_in_link}'
    when 'mail.deferred' then '{mail}'
    when 'mail.failed' then '{mail}'
    when 'mail.requeued' then '{mail}'
    when 'digest.sent' then '{mail}'
    when 'alert.raised' then '{mail}'
    when 'settings.changed' then '{settings,mail}'
    when 'kill_switch.turned_on' then '{settings,mail}'
    when 'kill_switch.turned_off' then '{settings,mail}'
    when 'tenant.imported' then '{tenant,settings,contact,mail}'
    when 'tenant.created' then '{tenant,settings,contact}'
    when 'tenant.suspended' then '{tenant,mail}'
    when 'tenant.resumed' then '{tenant}'
    when 'tenant.deprovisioned' then '{tenant,mail}'
    when 'tenant.plan_changed' then '{tenant}'
    when 'tenant.flags_changed' then '{tenant}'
    when 'api_key.created' then '{api_key}'
    when 'api_key.accepted' then '{api_key}'
    when 'api_key.revoked' then '{api_key}'
    when 'sign_in.asked' then '{mail}'
    when 'portal.signed_in' then '{sign_in_link,portal_session}'
    when 'portal.signed_out' then '{portal_session}'
    when 'database.created' then '{staff,standing,credential}'
    when 'staff.added' then '{staff,standing,mail}'
    when 'staff.deactivated' then '{staff,mail}'
    when 'credential.enrolled' then '{credential,step_up}'
    else case when code like 'platform\_admin.impersonate.action.%' then '{session,session_view}' else '{}' end
  end::text[];
end $$;

create or replace function countersign.guard_p02(the_case jsonb) returns void
language plpgsql stable as $$
declare
  r jsonb; code text; reads constant jsonb := the_case->'change'->'reads'; entries constant jsonb := the_case->'change'->'entries';
begin
  for n in 0 .. jsonb_array_length(the_case->'rows') - 1 loop
    r := the_case->'rows'->n;
    if r->'before' <> 'null'
       and not reads @> jsonb_build_array(jsonb_build_array(r->'table', r->'key')) then
      perform countersign.refuse('P2', format('%s %s is overwritten without having been read', r->>'table', r->>'key'));
    end if;
    code := entries->((r->>'entry')::int)->>'action';
    if not r->>'table' = any (countersign.vouches(code)) and the_case->'login'->>'kind' <> 'owner' then
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
