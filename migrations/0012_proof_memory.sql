-- The memory of used DPoP proofs: a ring of eight unlogged slots, one for each minute in which proofs
-- were made. A slot is emptied as a whole, long after its last proof could be used, and no row is ever
-- deleted or vacuumed. A crash empties all of it together with the epoch (identity/README.md).
create table identity.dpop_proofs (
  slot smallint not null,
  digest bytea not null,
  primary key (slot, digest)
) partition by list (slot);
grant insert, select on identity.dpop_proofs to :"app";

create unlogged table identity.dpop_proofs_0 partition of identity.dpop_proofs for values in (0);
create unlogged table identity.dpop_proofs_1 partition of identity.dpop_proofs for values in (1);
create unlogged table identity.dpop_proofs_2 partition of identity.dpop_proofs for values in (2);
create unlogged table identity.dpop_proofs_3 partition of identity.dpop_proofs for values in (3);
create unlogged table identity.dpop_proofs_4 partition of identity.dpop_proofs for values in (4);
create unlogged table identity.dpop_proofs_5 partition of identity.dpop_proofs for values in (5);
create unlogged table identity.dpop_proofs_6 partition of identity.dpop_proofs for values in (6);
create unlogged table identity.dpop_proofs_7 partition of identity.dpop_proofs for values in (7);
grant truncate on identity.dpop_proofs_0, identity.dpop_proofs_1, identity.dpop_proofs_2,
  identity.dpop_proofs_3, identity.dpop_proofs_4, identity.dpop_proofs_5, identity.dpop_proofs_6,
  identity.dpop_proofs_7 to :"app";

-- What the old memory held is lost with it, as in a crash: a house that has clients begins a new epoch.
drop table identity.dpop_jtis;
update identity.dpop_epochs set started_at = platform.now()
  where exists (select 1 from identity.clients);
