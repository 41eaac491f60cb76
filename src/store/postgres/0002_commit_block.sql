-- works with programs from schema 1
-- How a block commits when it writes no fields (store/postgres/commit_call.h): one call, so that the
-- server has the whole of it before it locks a row, and a statement each for what it writes. A later
-- version of it gets a name of its own, since peers of two versions may run side by side.
--
-- The arrays p_contact … p_path stand for the rows of the block, in the order in which rows are locked;
-- p_act_… for rows of the outbox, p_tag_… for tags given and taken, p_tally_… for what a shape counts:
-- rows and shapes are numbered from 1. `held` says whether the ledger was still where the block was
-- handed out; `moved` which rows were written, and is null when all of them were.
create function commit_block(
  p_track integer, p_timeline bigint, p_epoch bigint, p_version integer, p_peer text,
  p_incarnation bigint, p_connection integer,
  p_contact bigint[], p_entry integer[], p_move_no integer[], p_heard bigint[],
  p_old_due timestamptz[], p_step integer[], p_state smallint[], p_to_move integer[],
  p_new_due timestamptz[], p_step_at timestamptz[], p_stayed bigint[], p_shape integer[],
  p_seen text[], p_path text[],
  p_act_row integer[], p_act_move integer[], p_act_number smallint[], p_act_kind smallint[],
  p_act_name integer[], p_act_payload text[], p_act_place integer[],
  p_tag_row integer[], p_tag_add boolean[], p_tag text[],
  p_shape_rows bigint[], p_tally_shape integer[], p_tally_step integer[], p_tally_rule integer[],
  p_tally_times integer[],
  out held boolean, out moved integer[]
) language plpgsql as $commit$
declare
  written bigint;
  ok boolean[];  -- per row, whether it was written; null when all were
begin
  perform from ledger where track_id = p_track and timeline = p_timeline and epoch = p_epoch
    and state = 0 for share;
  held := found;
  if not held then
    return;
  end if;

  -- Nothing of the table is compared with a constant, or stale statistics would have it read by that.
  update position p set step = n.step, state = n.state, move_no = n.to_move, version = p_version,
    step_at = n.step_at, due_at = nullif(n.new_due, 'infinity'), stayed = n.stayed
  from (select p_track as track_id, unnest(p_contact) as contact_id, unnest(p_entry) as entry,
          unnest(p_move_no) as move_no, unnest(p_heard) as heard, unnest(p_old_due) as old_due,
          unnest(p_step) as step, unnest(p_state) as state, unnest(p_to_move) as to_move,
          unnest(p_new_due) as new_due, unnest(p_step_at) as step_at,
          unnest(p_stayed) as stayed) n
  where p.track_id = n.track_id and p.contact_id = n.contact_id and p.entry = n.entry
    and p.move_no = n.move_no and p.heard = n.heard
    and coalesce(p.due_at, 'infinity') = n.old_due and p.state <> 2;
  get diagnostics written = row_count;

  if written < cardinality(p_contact) then
    -- What this transaction has written bears its number.
    select coalesce(array_agg(n.i), '{}') into moved
    from (select p_track as track_id, generate_series(1, cardinality(p_contact)) as i,
            unnest(p_contact) as contact_id, unnest(p_entry) as entry,
            unnest(p_to_move) as to_move) n
    join position p on p.track_id = n.track_id and p.contact_id = n.contact_id
      and p.entry = n.entry and p.move_no = n.to_move
    where p.xmin = pg_current_xact_id()::xid;
    if written = 0 then
      return;
    end if;
    ok := array_fill(false, array[cardinality(p_contact)]);
    for k in 1 .. cardinality(moved) loop
      ok[moved[k]] := true;
    end loop;
    select array_agg(coalesce(c.n, 0) order by s.shape) into p_shape_rows
    from generate_series(1, cardinality(p_shape_rows)) as s(shape)
    left join lateral (select count(*) as n from unnest(moved) as m(i)
                       where p_shape[m.i] = s.shape) c on true;
  end if;

  -- Where the time stays, the timer does.
  delete from timer t
  using (select p_track as track_id, generate_series(1, cardinality(p_contact)) as i,
           unnest(p_contact) as contact_id, unnest(p_entry) as entry, unnest(p_old_due) as old_due,
           unnest(p_new_due) as new_due) n
  where t.track_id = n.track_id and t.due_at = n.old_due and t.contact_id = n.contact_id
    and t.entry = n.entry and n.old_due <> n.new_due and (ok is null or ok[n.i]);
  insert into timer (track_id, due_at, contact_id, entry, move_no)
  select p_track, n.new_due, n.contact_id, n.entry, n.to_move
  from (select generate_series(1, cardinality(p_contact)) as i, unnest(p_contact) as contact_id,
          unnest(p_entry) as entry, unnest(p_old_due) as old_due, unnest(p_new_due) as new_due,
          unnest(p_to_move) as to_move) n
  where n.new_due <> 'infinity' and n.old_due <> n.new_due and (ok is null or ok[n.i]);

  insert into journal (track_id, contact_id, entry, from_move, to_move, version, at, peer,
    incarnation, path, seen)
  select p_track, n.contact_id, n.entry, n.move_no + 1, n.to_move, p_version, now(), p_peer,
    p_incarnation, n.path, n.seen
  from (select generate_series(1, cardinality(p_contact)) as i, unnest(p_contact) as contact_id,
          unnest(p_entry) as entry, unnest(p_move_no) as move_no, unnest(p_to_move) as to_move,
          unnest(p_path) as path, unnest(p_seen) as seen) n
  where n.to_move > n.move_no and (ok is null or ok[n.i]);

  if cardinality(p_act_row) > 0 then
    insert into outbox (track_id, contact_id, entry, move_no, action_no, kind, name, version,
      asked_at, due_at, payload)
    select p_track, p_contact[n.i], p_entry[n.i], n.move_no, n.action_no, n.kind, n.name, p_version,
      now(), now(),
      case when n.payload <> '' then nullif((n.payload::json -> n.place)::text, 'null') end
    from (select unnest(p_act_row) as i, unnest(p_act_move) as move_no,
            unnest(p_act_number) as action_no, unnest(p_act_kind) as kind,
            unnest(p_act_name) as name, unnest(p_act_payload) as payload,
            unnest(p_act_place) as place) n
    where ok is null or ok[n.i];
  end if;

  if cardinality(p_tag_row) > 0 then
    with n as materialized (
      select p_contact[u.i] as contact_id, u.tag, u.give
      from (select unnest(p_tag_row) as i, unnest(p_tag) as tag, unnest(p_tag_add) as give) u
      where ok is null or ok[u.i]
    ), given as (
      insert into contact_tag (contact_id, tag, at) select contact_id, tag, now() from n where give
      on conflict do nothing returning contact_id, tag
    ), taken as (
      delete from contact_tag t using n
      where not n.give and t.contact_id = n.contact_id and t.tag = n.tag
      returning t.contact_id, t.tag
    )
    insert into change (contact_id, track_id, what)
    select contact_id, p_track, '{"tags":[' || to_json(tag)::text || ']}'
    from (select * from given union all select * from taken) e;
  end if;

  -- `connection` keeps commits of the same moment apart.
  if cardinality(p_tally_shape) > 0 then
    insert into tally (track_id, version, step, rule, connection, times)
    select p_track, p_version, n.step, n.rule, p_connection,
      sum(p_shape_rows[n.shape] * n.times)::bigint
    from unnest(p_tally_shape, p_tally_step, p_tally_rule, p_tally_times)
      as n(shape, step, rule, times)
    where p_shape_rows[n.shape] > 0
    group by n.step, n.rule order by n.step, n.rule
    on conflict (track_id, version, step, rule, connection)
    do update set times = tally.times + excluded.times;
  end if;
end
$commit$;
