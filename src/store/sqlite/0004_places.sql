-- works with programs from schema 1
-- Which tracks others ask about by `on track`, so that the feed of changes tells of contacts' places on them
-- (store/sql/places.h): 1 who comes and who stops, 2 every move.
create table watch (
  track text primary key,   -- by its name: it need not be there yet
  how   integer not null
) without rowid;
alter table ledger add column watched integer not null default 0;
