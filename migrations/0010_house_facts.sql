-- What a house remembers of itself: its public URL, how far the sample city is loaded.
create table platform.house_facts (
  name text primary key,
  value jsonb not null
);
grant select, insert, update on platform.house_facts to :"app";
