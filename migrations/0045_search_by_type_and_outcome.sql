-- Auditors search by type and by outcome, too. Without an index of its own a rare type or a failure would
-- be looked for entry by entry through every partition. Most looks are 'ok': those are found by time.
create index on audit.lookups (type, at, idx);
create index on audit.lookups (outcome, at, idx) where outcome <> 'ok';
