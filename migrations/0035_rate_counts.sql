-- How many requests callers were given tickets for in a minute, counted by all processes together
-- (docs/adr/0016). A ring of four unlogged slots, one per minute, emptied as wholes: a crash forgets a
-- minute's counts. Callers are keyed digests; an address never stands here.
create table platform.rate_counts (
  slot smallint not null,
  digest bytea not null,
  -- The minute since 1970 that is counted; a slot that wasn't emptied in time is begun anew by it.
  minute integer not null,
  taken integer not null,
  -- What the last one who asked was given: returned to it by the statement that gave it.
  given integer not null,
  primary key (slot, digest)
) partition by list (slot);
grant select, insert, update on platform.rate_counts to :"app";

create unlogged table platform.rate_counts_0 partition of platform.rate_counts for values in (0)
  with (fillfactor = 70);
create unlogged table platform.rate_counts_1 partition of platform.rate_counts for values in (1)
  with (fillfactor = 70);
create unlogged table platform.rate_counts_2 partition of platform.rate_counts for values in (2)
  with (fillfactor = 70);
create unlogged table platform.rate_counts_3 partition of platform.rate_counts for values in (3)
  with (fillfactor = 70);
grant truncate on platform.rate_counts_0, platform.rate_counts_1, platform.rate_counts_2,
  platform.rate_counts_3 to :"app";
