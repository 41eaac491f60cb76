-- works with programs from schema 1
-- Which tracks others ask about by `on track`, so that the feed of changes tells of contacts' places on them
-- (store/sql/places.h): 1 who comes and who stops, 2 every move.
create table watch (
  track text collate "C" primary key,   -- by its name: it need not be there yet
  how   smallint not null
);
alter table ledger add column watched smallint not null default 0;

-- commit_block, and then a change row for each contact whose place others are to be told of.
create function commit_block_and_tell(
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
  how smallint;
begin
  select watched into how from ledger where track_id = p_track for share;
  select b.held, b.moved into held, moved from commit_block(p_track, p_timeline, p_epoch, p_version,
    p_peer, p_incarnation, p_connection, p_contact, p_entry, p_move_no, p_heard, p_old_due, p_step,
    p_state, p_to_move, p_new_due, p_step_at, p_stayed, p_shape, p_seen, p_path, p_act_row,
    p_act_move, p_act_number, p_act_kind, p_act_name, p_act_payload, p_act_place, p_tag_row,
    p_tag_add, p_tag, p_shape_rows, p_tally_shape, p_tally_step, p_tally_rule, p_tally_times) b;
  if held and how > 0 then
    insert into change (contact_id, track_id, what)
    select n.contact_id, p_track,
      (select json_build_object('places', json_build_array(name))::text from track where id = p_track)
    from (select generate_series(1, cardinality(p_contact)) as i, unnest(p_contact) as contact_id,
            unnest(p_move_no) as move_no, unnest(p_to_move) as to_move,
            unnest(p_state) as state) n
    where n.to_move > n.move_no and (how = 2 or n.state = 2) and (moved is null or n.i = any(moved));
  end if;
end
$commit$;
