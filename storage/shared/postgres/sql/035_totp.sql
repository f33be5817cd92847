-- TOTP (RFC 6238: SHA-1, 6 digits, 30 s) inside the database, so that no staff log-in ever reads a secret.
-- pgcrypto's HMAC where install finds it, else these lines; the RFC's vectors are tested on both.

-- SHA-1 (FIPS 180-4), for servers without pgcrypto: milliseconds, and a code is typed by a person.
create or replace function countersign.sha1(message bytea) returns bytea
language plpgsql immutable strict as $$
declare
  m constant bigint := 4294967295;
  size constant int := length(message);
  padded bytea := message || '\x80'::bytea || decode(repeat('00', (119 - size % 64) % 64), 'hex') || int8send(size * 8::bigint);
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[]; a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint; x bigint;
begin
  for block in 0 .. length(padded) / 64 - 1 loop
    for i in 0 .. 15 loop
      w[i] := (get_byte(padded, block * 64 + i * 4)::bigint << 24) | (get_byte(padded, block * 64 + i * 4 + 1) << 16)
            | (get_byte(padded, block * 64 + i * 4 + 2) << 8) | get_byte(padded, block * 64 + i * 4 + 3);
    end loop;
    for i in 16 .. 79 loop
      x := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((x << 1) | (x >> 31)) & m;
    end loop;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    for i in 0 .. 79 loop
      if i < 20 then f := (b & c) | (~b & m & d); k := 1518500249;
      elsif i < 40 then f := b # c # d; k := 1859775393;
      elsif i < 60 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
      else f := b # c # d; k := 3395469782;
      end if;
      t := ((((a << 5) | (a >> 27)) & m) + f + e + k + w[i]) & m;
      e := d; d := c; c := ((b << 30) | (b >> 2)) & m; b := a; a := t;
    end loop;
    h := array[(h[1] + a) & m, (h[2] + b) & m, (h[3] + c) & m, (h[4] + d) & m, (h[5] + e) & m];
  end loop;
  return substr(int8send(h[1]), 5) || substr(int8send(h[2]), 5) || substr(int8send(h[3]), 5)
      || substr(int8send(h[4]), 5) || substr(int8send(h[5]), 5);
end $$;

-- HMAC (RFC 2104) over it.
create or replace function countersign.hmac_sha1_plain(secret bytea, message bytea) returns bytea
language plpgsql immutable strict as $$
declare
  key bytea := case when length(secret) > 64 then countersign.sha1(secret) else secret end;
  inner_pad bytea; outer_pad bytea;
begin
  key := key || decode(repeat('00', 64 - length(key)), 'hex');
  inner_pad := key; outer_pad := key;
  for i in 0 .. 63 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  return countersign.sha1(outer_pad || countersign.sha1(inner_pad || message));
end $$;

create or replace function countersign.base32(text_form text) returns bytea
language plpgsql immutable strict as $$
declare
  plain constant text := upper(rtrim(replace(text_form, ' ', ''), '='));
  bits bigint := 0; filled int := 0; place int; result bytea := '';
begin
  for i in 1 .. length(plain) loop
    place := strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', substr(plain, i, 1)) - 1;
    if place < 0 then
      raise exception using errcode = 'CS004', message = 'a second factor''s secret is no base 32';
    end if;
    bits := ((bits << 5) | place) & 65535;
    filled := filled + 5;
    if filled >= 8 then
      filled := filled - 8;
      result := result || set_byte('\x00'::bytea, 0, ((bits >> filled) & 255)::int);
    end if;
  end loop;
  return result;
end $$;

create or replace function countersign.totp(secret bytea, step bigint, digits int default 6) returns text
language plpgsql stable strict as $$
declare
  mac constant bytea := countersign.hmac_sha1(secret, int8send(step));
  place constant int := get_byte(mac, 19) & 15;
  number constant bigint := ((get_byte(mac, place) & 127)::bigint << 24) | (get_byte(mac, place + 1) << 16)
                          | (get_byte(mac, place + 2) << 8) | get_byte(mac, place + 3);
begin
  return lpad((number % (10 ^ digits)::bigint)::text, digits, '0');
end $$;
