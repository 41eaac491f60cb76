-- works with programs from schema 1
-- What contacts do, in the order in which it was received. A contact's events are numbered from 1 under the lock of its row
-- of `event_count`, so their numbers commit in order.
create table event_count (
  contact_id bigint primary key,
  newest     bigint not null            -- number of its newest event
) with (fillfactor = 50);

create table event (
  contact_id bigint not null,
  number     bigint not null,
  name       text collate "C" not null,
  properties jsonb not null,
  at         timestamptz not null,
  track_id   integer not null default 0,   -- 0: from outside; else the entry whose action
  entry      integer not null default 0,
  origin     smallint not null default 0,  -- 1 recorded it, or 2 is answered by it
  primary key (contact_id, number)
);

-- Events that were received under a name of their own, so that one that is sent again is known.
create table message (
  source     text collate "C" not null,
  message_id text collate "C" not null,
  at         timestamptz not null,
  primary key (source, message_id)
);
-- For when the feed of changes is lost: small, since events come in the order of their times.
create index event_by_at on event using brin (at);
