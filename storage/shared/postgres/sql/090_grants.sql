-- Rights. Nobody has any but these. Staff, portal, gate and worker call `apply` and read; nobody reads secrets.

revoke all on schema countersign from public;
revoke all on all tables in schema countersign from public;
revoke all on all functions in schema countersign from public;
grant usage on schema countersign to @staff@, @portal@, @gate@, @worker@;
grant select on all tables in schema countersign to @staff@, @portal@, @gate@, @worker@;
revoke all on countersign.credential, countersign.command, countersign.login, countersign.attempt, countersign.giving,
    countersign.lease
  from @staff@, @portal@, @gate@, @worker@;
grant execute on function countersign.apply(jsonb), countersign.clock() to @staff@, @portal@, @gate@, @worker@;
grant execute on function countersign.step_up_begin(text, text, text), countersign.step_up(uuid) to @staff@;
grant execute on function countersign.take_lease(text, text, int) to @worker@;
grant execute on function countersign.shut(text, jsonb) to @portal@;
grant execute on function countersign.admission(text) to @portal@, @gate@, @worker@;
