-- Canonical JSON (RFC 8785) of the domain of images and entries: strings, integers below 2^53, booleans, null, lists,
-- objects with ASCII keys. Raises CS003 for what lies outside. Entries are composed with it; row images are checked by
-- `image_of`, which knows every table's shape and costs a fifth.

create or replace function countersign.canonical(value jsonb) returns text
language plpgsql immutable strict parallel safe as $$
declare written text; ascii boolean;
begin
  case jsonb_typeof(value)
    when 'object' then
      select '{' || string_agg(to_json(key)::text || ':' || case when jsonb_typeof(one) in ('object', 'array', 'number')
                                 then countersign.canonical(one) else one::text end, ',' order by key collate "C") || '}',
             bool_and(octet_length(key) = length(key)) into written, ascii from jsonb_each(value) as pair(key, one);
      if not ascii then
        raise exception using errcode = 'CS003', message = 'keys must be ASCII text';
      end if;
      return coalesce(written, '{}');
    when 'array' then
      return '[' || coalesce((
        select string_agg(countersign.canonical(one), ',' order by place)
          from jsonb_array_elements(value) with ordinality as item(one, place)), '') || ']';
    when 'number' then
      if abs(value::numeric) >= 9007199254740992 or value::text <> (value::bigint)::text then
        raise exception using errcode = 'CS003', message = 'a number that is no integer below 2^53';
      end if;
      return value::text;
    else
      return value::text;
  end case;
end $$;

-- A text field of an entry as JSON: null where it is absent, CS003 where it is something else.
create or replace function countersign.word(value jsonb) returns text
language plpgsql immutable parallel safe as $$
begin
  case jsonb_typeof(value)
    when 'string' then return value::text;
    when 'null' then return null;
    else
      if value is null then return null; end if;
      raise exception using errcode = 'CS003', message = 'a text was expected, not ' || left(value::text, 40);
  end case;
end $$;
