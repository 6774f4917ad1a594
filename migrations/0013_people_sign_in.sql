-- Signing in: what tries are counted by, the browsers an account is known on, and what a session
-- remembers of how and where it began.

-- Counted by keyed digests of an account's name, a device or an address (identity/lockout.ts), so that
-- a dump tells neither who tried nor from where, and unknown accounts lock like known ones.
drop table identity.sign_in_attempts;
create table identity.sign_in_tries (
  counter_digest bytea primary key check (length(counter_digest) = 32),
  tries integer not null,
  expires_at timestamptz not null
);
create index sign_in_tries_expiry on identity.sign_in_tries (expires_at);
grant select, insert, update, delete on identity.sign_in_tries to :"app";

-- A browser that somebody signed in from: her tries there are counted apart from everybody else's.
create table identity.known_devices (
  pair_digest bytea primary key check (length(pair_digest) = 32),
  expires_at timestamptz not null
);
create index known_devices_expiry on identity.known_devices (expires_at);
grant select, insert, update, delete on identity.known_devices to :"app";

alter table identity.sessions
  add column assurance text not null default 'low'
    check (assurance in ('low', 'substantial', 'high')),
  add column method text not null default 'secret'
    check (method in ('secret', 'passkey', 'provider')),
  -- Families only, of a list: never the header itself, never an address.
  add column browser text not null default 'other' check (browser ~ '^[a-z]{1,16}$'),
  add column system text not null default 'other' check (system ~ '^[a-z]{1,16}$');
