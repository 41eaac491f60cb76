"""Which epoch each commit said it was made under, and when it and each change of the ledger took effect (PostgreSQL).

The journal does not keep epochs, so the database of a test notes them: `commit_block`, which carries every block of a track
that sets no fields, is wrapped in a function that writes down what it was called with, and a trigger writes down the
ledger's rows. With track_commit_timestamp the server tells when each of these transactions was committed, in the order in
which row locks were given up. A commit is stale when that is not between the taking of its epoch and the taking of the next:
so the fence is judged by what came of it, and not by what it says. The wrapper can also keep a peer's commits or takes
waiting with their locks held, as a slow disk would.
"""

TABLES = """
create table audit_commit (xid xid8 not null, track integer, epoch bigint, peer text, incarnation bigint, held boolean);
create table audit_ledger (xid xid8 not null, track integer, epoch bigint, owner text, incarnation bigint, began timestamptz);
create table audit_slow (peer text primary key, commits_s float8 not null default 0, takes_s float8 not null default 0);
create function audit_ledger() returns trigger language plpgsql as $$
begin
  insert into audit_ledger values (pg_current_xact_id(), new.track_id, new.epoch, new.owner, new.incarnation, now());
  perform pg_sleep(takes_s) from audit_slow where peer = new.owner and new.track_id > 0;
  return null;
end $$;
create trigger audit_ledger after insert or update on ledger for each row execute function audit_ledger();
alter function commit_block rename to commit_block_audited
"""

WRAPPER = """
create function commit_block({arguments}) language plpgsql as $$
begin
  select c.held, c.moved into held, moved from commit_block_audited({names}) c;
  insert into audit_commit values (pg_current_xact_id(), p_track, p_epoch, p_peer, p_incarnation, held);
  perform pg_sleep(commits_s) from audit_slow where peer = p_peer and held;
end $$
"""

# When each epoch of a track began. Giving a track up leaves its epoch as it is.
EPOCHS = """
with epochs as (
  select track, epoch, min(pg_xact_commit_timestamp(xid::xid)) as at, count(distinct (owner, incarnation))
    filter (where owner is not null) as owners
  from audit_ledger group by track, epoch
), commits as (select *, pg_xact_commit_timestamp(xid::xid) as at from audit_commit where held)
"""


class Audit:
    """`ask` is a postgres.Psql of the database. Begins before any contact is there."""

    def __init__(self, ask):
        self.ask = ask
        ask.rows(TABLES)
        arguments, names = ask.rows(
            "select pg_get_function_arguments(oid), (select string_agg(name, ', ' order by i) from unnest(proargnames, "
            "proargmodes) with ordinality as a(name, mode, i) where mode = 'i') from pg_proc "
            "where proname = 'commit_block_audited'")[0]
        ask.rows(WRAPPER.format(arguments=arguments, names=names))

    def slow(self, peer, commits=0.0, takes=0.0):
        """From now on that peer's commits and takes wait so many seconds before they end."""
        self.ask.rows(f"insert into audit_slow values ('{peer}', {commits}, {takes})")

    def quick(self):
        self.ask.rows("delete from audit_slow")

    def sleepers(self):
        """Names of the peers whose sessions wait there now, one for each session."""
        return [row[0].removeprefix("turnout ") for row in self.ask.rows(
            "select application_name from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()")]

    def committing(self, peer):
        """How many sessions of the peer are carrying out a commit now."""
        return int(self.ask.rows(
            f"select count(*) from pg_stat_activity where application_name = 'turnout {peer}' and state = 'active' "
            "and query like 'select held, moved%' and datname = current_database()")[0][0])

    def taken(self, track, epoch, unless):
        """The first taking of the track above that epoch by another than `unless`: owner, epoch, when it was committed in
        seconds since 1970, and for how many seconds its transaction had run by then; None when there is none yet."""
        at = "extract(epoch from pg_xact_commit_timestamp(xid::xid))"
        rows = self.ask.rows(f"select owner, epoch, {at}, {at} - extract(epoch from began) from audit_ledger where "
                             f"track = {track} and epoch > {epoch} and owner <> '{unless}' order by epoch limit 1")
        return (rows[0][0], int(rows[0][1]), float(rows[0][2]), float(rows[0][3])) if rows else None

    def check(self):
        """What is wrong, and what was seen: commits, and those that the fence refused."""
        problems = []
        for track, epoch, at, owners in self.ask.rows(EPOCHS + "select track, epoch, at, owners from epochs where "
                                                      "owners > 1"):
            problems.append(f"track {track}: epoch {epoch} (from {at}) had {owners} owners")
        for track, epoch, peer, at, began, ended in self.ask.rows(
                EPOCHS + "select c.track, c.epoch, c.peer, c.at, e.at, n.at from commits c left join epochs e on "
                "e.track = c.track and e.epoch = c.epoch left join epochs n on n.track = c.track and n.epoch = c.epoch + 1 "
                "where e.at is null or c.at < e.at or c.at > n.at"):
            problems.append(f"stale: {peer} committed at {at} under epoch {epoch} of track {track}, which was from "
                            f"{began or 'never'} to {ended or 'now'}")
        unknown = self.ask.rows("select count(*) from journal j where not exists (select from audit_commit c where "
                                "c.xid::xid = j.xmin and c.held and c.peer = j.peer)")[0][0]
        if unknown != "0":
            problems.append(f"{unknown} rows of the journal were written by no commit that was noted")
        commits, refused = self.ask.rows("select count(*) filter (where held), count(*) filter (where not held) "
                                         "from audit_commit")[0]
        return problems, int(commits), int(refused)
