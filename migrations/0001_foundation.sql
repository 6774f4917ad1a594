-- The database's clock. Deadlines and validity are decided by platform.now(); tests move it with
-- the setting yihao.clock_offset, an interval that no running house sets.
create function platform.now() returns timestamptz
  language sql stable parallel safe
  return clock_timestamp()
    + coalesce(nullif(current_setting('yihao.clock_offset', true), ''), '0')::interval;

grant execute on function platform.now() to :"app", :"log";
