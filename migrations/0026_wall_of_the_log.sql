-- Row-level security, third part: what finds and tells an entry of the log. Settings, besides 0022's:
--   yihao.tag   the tag of the subject whose entries are read, in hexadecimal
--   yihao.log   'on' for whoever was allowed to read the whole log
create function platform.acting_tag() returns bytea language sql stable parallel safe
  return decode(nullif(current_setting('yihao.tag', true), ''), 'hex');
create function platform.reads_log() returns boolean language sql stable parallel safe
  return current_setting('yihao.log', true) = 'on' or platform.acts_as_system();

-- The subject sees hers when they are due. Each setting is asked once a statement, not once a row.
-- Partitions are reached through their parent alone: the app role has no right on any of them.
alter table audit.lookups enable row level security;
create policy of_subject on audit.lookups for select to :"app" using (
  subject_tag = (select platform.acting_tag())
  and (disclose_at is null or disclose_at <= (select platform.now())));
create policy of_auditors on audit.lookups for select to :"app"
  using ((select platform.reads_log()));
-- The sequencer's role writes and reads as before.
create policy sequenced on audit.lookups to :"log" using (true) with check (true);
