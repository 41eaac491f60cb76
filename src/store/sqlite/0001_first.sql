-- Turnout's tables on SQLite. Names are part of the contract: people query them. They are those of PostgreSQL, with
-- timestamps as INTEGER microseconds since 1970-01-01 UTC, dates as INTEGER days since then, booleans as 0 and 1, and JSON
-- as TEXT. Text compares bytewise (BINARY), which for UTF-8 is by code point.

create table setting (
  name  text primary key,
  value text not null
) without rowid;
insert into setting values ('catalogue_version', '1');
insert into setting values ('database_id', lower(hex(randomblob(8))));
insert into setting values ('incarnation', '0');

create table peer (
  name        text primary key,
  incarnation integer not null,
  stamp       integer not null default 0,  -- 0: stamps stand in a small file beside the database
  address     text not null default '',
  version     text not null default '',
  started_at  integer not null
) without rowid;

create table field (
  name        text primary key,
  type        text not null,            -- text, number, boolean, timestamp, date
  column_name text not null unique
) without rowid;
create unique index field_by_lower_name on field (lower(name));

create table contact (
  id          integer primary key autoincrement,
  key         text not null unique,
  email       text,
  created_at  integer not null,
  updated_at  integer not null,
  merged_into integer,
  extra       text
);

create table contact_tag (
  contact_id integer not null,
  tag        text not null,
  at         integer not null,
  primary key (contact_id, tag)
) without rowid;

create table track (
  id      integer primary key autoincrement,
  name    text not null unique,
  version integer not null,             -- the current one
  active  integer not null default 1
);

create table track_version (
  track_id     integer not null references track,
  version      integer not null,
  text         text not null,
  step_map     text not null default '{}',
  published_at integer not null,
  primary key (track_id, version)
);

-- The numbers by which the other tables name steps, outcomes, templates and webhooks of a track.
create table track_name (
  track_id integer not null,
  number   integer not null,
  kind     text not null,               -- step, outcome, email, webhook
  name     text not null,
  primary key (track_id, number),
  unique (track_id, kind, name)
) without rowid;

-- Row 0 is the master's.
create table ledger (
  track_id    integer primary key,
  owner       text,
  incarnation integer,
  timeline    integer not null,
  epoch       integer not null,
  version     integer not null,
  state       integer not null default 0,  -- 0 active, 1 paused, 2 archived
  since       integer not null
);

create table position (
  track_id   integer not null,
  contact_id integer not null,
  entry      integer not null,
  step       integer not null,
  move_no    integer not null,
  version    integer not null,
  state      integer not null,          -- 0 open, 1 closed until due_at, 2 stopped (step is the outcome's number)
  heard      integer not null default 0,
  stayed     integer not null default 0,
  entered_at integer not null,
  step_at    integer not null,
  due_at     integer,
  entry_key  text,
  entry_data text,
  primary key (track_id, contact_id, entry)
) without rowid;

create table timer (
  track_id   integer not null,
  due_at     integer not null,
  contact_id integer not null,
  entry      integer not null,
  move_no    integer not null,
  primary key (track_id, due_at, contact_id, entry)
) without rowid;

create table journal (
  track_id    integer not null,
  contact_id  integer not null,
  entry       integer not null,
  from_move   integer not null,         -- number of the passage's first move
  to_move     integer not null,
  version     integer not null,
  at          integer not null,
  peer        text not null,
  incarnation integer not null,
  path        text not null,            -- JSON: [step, rule, step, rule, …, where it ended]
  seen        text not null,            -- JSON object: the values that the rules tested
  primary key (track_id, contact_id, entry, to_move)
) without rowid;

create table outbox (
  track_id    integer not null,
  contact_id  integer not null,
  entry       integer not null,
  move_no     integer not null,
  action_no   integer not null,
  kind        integer not null,         -- 1 e-mail, 2 webhook
  name        integer not null,         -- number in track_name
  version     integer not null,
  state       integer not null default 0,  -- 0 waiting, 1 sending, 2 sent, 3 failed, 4 uncertain
  attempt     integer not null default 0,
  asked_at    integer not null,
  due_at      integer not null,
  peer        text,
  incarnation integer,
  deadline    integer,
  payload     text,
  primary key (track_id, contact_id, entry, move_no, action_no)
) without rowid;
create index outbox_waiting on outbox (due_at) where state = 0;
create index outbox_sending on outbox (deadline) where state = 1;

create table delivery (
  track_id   integer not null,
  contact_id integer not null,
  entry      integer not null,
  move_no    integer not null,
  action_no  integer not null,
  attempt    integer not null,
  at         integer not null,
  peer       text not null,
  state      integer not null,
  answer     text not null,
  primary key (track_id, contact_id, entry, move_no, action_no, attempt)
) without rowid;

-- One writer at a time, so its numbers commit in order: a reader of the feed stands at a number.
create table change (
  xid        integer primary key autoincrement,
  contact_id integer not null,
  track_id   integer not null default 0,  -- whose block made it; 0: import or API
  created    integer not null default 0,
  what       text not null,               -- JSON: {"fields": [...], "tags": [...]}
  at         integer not null
);

create table cursor (
  track_id integer not null,
  clause   text not null,
  value    text not null,
  primary key (track_id, clause)
) without rowid;

create table tally (
  track_id   integer not null,
  version    integer not null,
  step       integer not null,          -- where the rule is
  rule       integer not null,          -- -1: entered here from outside; -2: net change of the contacts on the step
  connection integer not null,
  times      integer not null,
  primary key (track_id, version, step, rule, connection)
) without rowid;

create view move as
select j.track_id, j.contact_id, j.entry,
       j.from_move + (g.value - 1) / 2 as move_no,
       j.version, j.at, j.peer,
       json_extract(j.path, '$[' || (g.value - 1) || ']') as from_step,
       json_extract(j.path, '$[' || g.value || ']') as rule,
       json_extract(j.path, '$[' || (g.value + 1) || ']') as to_step,
       j.seen
from journal j
join (with recursive n(value) as (values (1) union all select value + 2 from n where value < 1999) select value from n) g
  on g.value <= json_array_length(j.path) - 2;
