-- works with programs from schema 1
-- What contacts do, in the order in which it was received. A contact's events are numbered from 1.
create table event_count (
  contact_id integer primary key,
  newest     integer not null           -- number of its newest event
);

create table event (
  contact_id integer not null,
  number     integer not null,
  name       text not null,
  properties text not null,             -- a JSON object
  at         integer not null,
  track_id   integer not null default 0,  -- 0: from outside; else the entry whose action
  entry      integer not null default 0,
  origin     integer not null default 0,  -- 1 recorded it, or 2 is answered by it
  primary key (contact_id, number)
) without rowid;

-- Events that were received under a name of their own, so that one that is sent again is known.
create table message (
  source     text not null,
  message_id text not null,
  at         integer not null,
  primary key (source, message_id)
) without rowid;
