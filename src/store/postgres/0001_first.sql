-- Turnout's tables on PostgreSQL. Names are part of the contract: people query them.

create table setting (
  name  text primary key,
  value text not null
);
insert into setting values ('catalogue_version', '1');

create sequence incarnation;

create table peer (
  name        text collate "C" primary key,
  incarnation bigint not null,
  stamp       bigint not null default 0,
  address     text not null default '',
  version     text not null default '',
  started_at  timestamptz not null default now()
) with (fillfactor = 50);

create table field (
  name        text primary key,
  type        text not null,            -- text, number, boolean, timestamp, date
  column_name text not null unique
);
create unique index field_by_lower_name on field (lower(name));

create table contact (
  id          bigint generated always as identity primary key,
  key         text collate "C" not null unique,
  email       text,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  merged_into bigint,
  extra       jsonb
) with (fillfactor = 80);

create table contact_tag (
  contact_id bigint not null,
  tag        text collate "C" not null,
  at         timestamptz not null default now(),
  primary key (contact_id, tag)
);

create table track (
  id      integer generated always as identity primary key,
  name    text collate "C" not null unique,
  version integer not null,             -- the current one
  active  boolean not null default true
);

create table track_version (
  track_id     integer not null references track,
  version      integer not null,
  text         text not null,
  step_map     jsonb not null default '{}',
  published_at timestamptz not null default now(),
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
);

-- Row 0 is the master's.
create table ledger (
  track_id    integer primary key,
  owner       text,
  incarnation bigint,
  timeline    bigint not null,
  epoch       bigint not null,
  version     integer not null,
  state       smallint not null default 0,  -- 0 active, 1 paused, 2 archived
  since       timestamptz not null default now()
) with (fillfactor = 50);

create table position (
  track_id   integer not null,
  contact_id bigint not null,
  entry      integer not null,
  step       integer not null,
  move_no    integer not null,
  version    integer not null,
  state      smallint not null,         -- 0 open, 1 closed until due_at, 2 stopped (step is the outcome's number)
  heard      bigint not null default 0,
  stayed     bigint not null default 0,
  entered_at timestamptz not null,
  step_at    timestamptz not null,
  due_at     timestamptz,
  entry_key  text,
  entry_data jsonb,
  primary key (track_id, contact_id, entry)
) with (fillfactor = 50);

create table timer (
  track_id   integer not null,
  due_at     timestamptz not null,
  contact_id bigint not null,
  entry      integer not null,
  move_no    integer not null,
  primary key (track_id, due_at, contact_id, entry)
);

create table journal (
  track_id    integer not null,
  contact_id  bigint not null,
  entry       integer not null,
  from_move   integer not null,         -- number of the passage's first move
  to_move     integer not null,
  version     integer not null,
  at          timestamptz not null,
  peer        text not null,
  incarnation bigint not null,
  path        text not null,            -- JSON: [step, rule, step, rule, …, where it ended]
  seen        text not null,            -- JSON object: the values that the rules tested
  primary key (track_id, contact_id, entry, to_move)
);

create table outbox (
  track_id    integer not null,
  contact_id  bigint not null,
  entry       integer not null,
  move_no     integer not null,
  action_no   smallint not null,
  kind        smallint not null,        -- 1 e-mail, 2 webhook
  name        integer not null,         -- number in track_name
  version     integer not null,
  state       smallint not null default 0,  -- 0 waiting, 1 sending, 2 sent, 3 failed, 4 uncertain
  attempt     smallint not null default 0,
  asked_at    timestamptz not null,
  due_at      timestamptz not null,
  peer        text,
  incarnation bigint,
  deadline    timestamptz,
  payload     text,
  primary key (track_id, contact_id, entry, move_no, action_no)
) with (fillfactor = 80);
create index outbox_waiting on outbox (due_at) where state = 0;
create index outbox_sending on outbox (deadline) where state = 1;

create table delivery (
  track_id   integer not null,
  contact_id bigint not null,
  entry      integer not null,
  move_no    integer not null,
  action_no  smallint not null,
  attempt    smallint not null,
  at         timestamptz not null default now(),
  peer       text not null,
  state      smallint not null,
  answer     text not null,
  primary key (track_id, contact_id, entry, move_no, action_no, attempt)
);

create table change (
  xid        xid8 not null default pg_current_xact_id(),
  contact_id bigint not null,
  track_id   integer not null default 0,  -- whose block made it; 0: import or API
  created    boolean not null default false,
  what       text not null,               -- JSON: {"fields": [...], "tags": [...]}
  at         timestamptz not null default now()
);
create index change_by_xid on change (xid);

create table cursor (
  track_id integer not null,
  clause   text not null,
  value    text not null,
  primary key (track_id, clause)
);

create table tally (
  track_id   integer not null,
  version    integer not null,
  step       integer not null,          -- where the rule is; rule -1: entered here from outside
  rule       integer not null,
  connection integer not null,
  times      bigint not null,
  primary key (track_id, version, step, rule, connection)
) with (fillfactor = 50);

create view move as
select j.track_id, j.contact_id, j.entry,
       (j.from_move + (g.i - 1) / 2)::integer as move_no,
       j.version, j.at, j.peer,
       (j.path::jsonb ->> (g.i - 1)::integer)::integer as from_step,
       (j.path::jsonb ->> g.i::integer)::integer as rule,
       (j.path::jsonb ->> (g.i + 1)::integer)::integer as to_step,
       j.seen
from journal j
cross join lateral generate_series(1, jsonb_array_length(j.path::jsonb) - 2, 2) as g(i);
