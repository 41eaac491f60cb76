"""The PostgreSQL server of scripts/with-postgres.sh: asked quickly, and ill-treated.

`Server` starts, stops and sets it up anew. `Psql` is one psql that stays, for programs that ask many times a second: a
process for each question would cost more than what is measured.
"""

import contextlib
import os
import subprocess
import sys
import threading

MARK = "-- that was all --"


class Server:
    """The server that TURNOUT_TEST_PG names, whose data are in TURNOUT_TEST_PG_DATA."""

    def __init__(self):
        self.data = os.environ["TURNOUT_TEST_PG_DATA"]
        self.url = os.environ["TURNOUT_TEST_PG"]
        self.bin = os.environ.get("TURNOUT_PG_BIN", "/usr/lib/postgresql/15/bin")

    def control(self, *arguments, check=True):
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        log = os.path.join(self.data, "server.log")
        return subprocess.run([*as_owner, f"{self.bin}/pg_ctl", "-D", self.data, "-l", log, "-w", "-t", "60", *arguments],
                              check=check, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=None if check else subprocess.DEVNULL).returncode == 0

    def run(self, sql):
        subprocess.run(["psql", "-qAtX", self.url, "-c", sql], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def set_up(self, **settings):
        """Settings that need a restart, and the restart. track_commit_timestamp lets one ask when a row was committed."""
        for name, value in settings.items():
            self.run(f"alter system set {name} = '{value}'")
        self.control("restart", "-m", "fast")

    def write_late(self):
        """Lets PostgreSQL keep in memory what need not be on disk, as long as it can: a crash loses more."""
        self.run("alter system set wal_writer_delay = '10s'")
        self.control("reload")

    @contextlib.contextmanager
    def spending_numbers(self):
        """Transactions that write nothing, one after another. A crash loses their numbers, which are given out again."""
        loop = "begin loop perform pg_current_xact_id(), pg_sleep(0.001); commit; end loop; end"
        with subprocess.Popen(["psql", "-qAtX", self.url, "-c", f"do $${loop}$$"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()

    def end_connections(self):
        self.run("select pg_terminate_backend(pid) from pg_stat_activity "
                 "where pid <> pg_backend_pid() and backend_type = 'client backend'")


class Psql:
    """One connection. Thread-safe: one question at a time. Ends the program when a question fails."""

    def __init__(self, url):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(["psql", "-qAtX", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", url],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def rows(self, sql):
        with self.lock:
            answer = []
            try:
                self.process.stdin.write(f"{sql};\n\\echo '{MARK}'\n")
                self.process.stdin.flush()
                for line in self.process.stdout:
                    if line == MARK + "\n":
                        return [row.split("\x1f") for row in answer]
                    answer.append(line[:-1])
            except BrokenPipeError:
                pass
            sys.exit(f"psql: {self.process.stderr.read()}")

    def end(self):
        self.process.stdin.close()
        self.process.wait()
