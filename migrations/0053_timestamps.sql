-- signing: the time-stamps that were given out (RFC 3161). The row comes first and gives the serial
-- number, so no token is signed that nobody recorded and no number is given twice, also after a crash.
-- One row per token: partitioned by its own key, since a city's documents and the public both ask.
create sequence signing.timestamp_serials;
create table signing.timestamps (
  serial bigint not null default nextval('signing.timestamp_serials'),
  hash text not null check (hash in ('sha256', 'sha384', 'sha512')),
  imprint bytea not null,
  stamped_at timestamptz not null,
  primary key (serial)
) partition by hash (serial);
do $$
begin
  for part in 0..7 loop
    execute format('create table signing.timestamps_%s partition of signing.timestamps
      for values with (modulus 8, remainder %s)', part, part);
  end loop;
end $$;
grant select, insert on signing.timestamps to :"app";
grant usage on sequence signing.timestamp_serials to :"app";
