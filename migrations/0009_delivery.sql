-- Delivery: events that wait to be told (outbox) and answers kept for repeated requests.

-- Written in the transaction of the act that an event tells of. Payloads hold identifiers of rows.
create table platform.outbox (
  position bigint generated always as identity primary key,
  id uuid not null,
  topic text not null check (topic ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$'),
  key text not null check (length(key) between 1 and 200),
  payload jsonb not null,
  occurred_at timestamptz not null,
  is_fanned_out boolean not null default false
);
create index outbox_fresh on platform.outbox (position) where not is_fanned_out;
create index outbox_aged on platform.outbox (occurred_at);

-- Who wants which topic; kept here so that a process that knows fewer subscribers loses no event.
create table platform.outbox_subscriptions (
  topic text not null,
  subscriber text not null,
  seen_at timestamptz not null,
  primary key (topic, subscriber)
);

-- One row per event and subscriber. A claim raises attempts, which fences the claimer, and moves
-- next_attempt_at behind the time it may take; so a dead claimer's row comes due by itself.
create table platform.outbox_deliveries (
  position bigint not null references platform.outbox on delete cascade,
  subscriber text not null,
  key text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  last_error text check (length(last_error) <= 200),
  ended_at timestamptz,
  primary key (position, subscriber),
  check ((state = 'pending') = (ended_at is null))
);
create index outbox_deliveries_due
  on platform.outbox_deliveries (subscriber, next_attempt_at, position)
  where state = 'pending';
create index outbox_deliveries_order on platform.outbox_deliveries (subscriber, key, position)
  where state = 'pending';
create index outbox_deliveries_dead on platform.outbox_deliveries (subscriber, position)
  where state = 'dead';

-- Only keyed hashes of keys and requests, and the response sealed: a dump tells nothing.
create table platform.idempotency_keys (
  key_hash bytea primary key check (octet_length(key_hash) = 32),
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  run_token uuid not null,
  -- While the act runs; null once its response is stored.
  lease_until timestamptz,
  response bytea,
  expires_at timestamptz not null,
  check ((lease_until is null) = (response is not null))
);
create index idempotency_keys_expired on platform.idempotency_keys (expires_at);

grant select, insert, delete, update (is_fanned_out) on platform.outbox to :"app";
grant select, insert, update, delete on platform.outbox_subscriptions to :"app";
grant select, insert, update, delete on platform.outbox_deliveries to :"app";
grant select, insert, update, delete on platform.idempotency_keys to :"app";
