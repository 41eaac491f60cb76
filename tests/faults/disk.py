"""A disk that can be full: a file system in memory whose size is set. Needs root, and mounts of the program's own
(tests/faults/own-mounts.sh, in-network.sh), so that nothing is left of it when the program ends."""

import os
import re
import subprocess

ROOMY = 8 << 30  # bytes; taken only as they are used
# What SQLite, PostgreSQL and the operating system call it.
SAYS_SO = re.compile(r"disk is full|No space left on device|53100")


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Disk:
    def __init__(self, folder):
        """At that folder, mounted here or, for PostgreSQL, by scripts/with-postgres.sh."""
        self.folder = str(folder)
        if not os.path.ismount(self.folder):
            run("mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", self.folder)

    def fill(self, left):
        """From now on there is room for so many bytes only."""
        for _ in range(20):  # what is written in between makes it too small, which is refused
            at = os.statvfs(self.folder)
            used = (at.f_blocks - at.f_bfree) * at.f_frsize
            size = -(-(used + left) // at.f_frsize) * at.f_frsize
            if subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return
        raise OSError(f"cannot make {self.folder} smaller")

    def is_full(self):
        return os.statvfs(self.folder).f_bavail == 0

    def empty(self):
        run("mount", "-o", f"remount,size={ROOMY}", self.folder)

    def end(self):
        run("umount", "-l", self.folder)


def lines_that_say_so(folder, names):
    """How many lines of the servers' logs name a full disk."""
    count = 0
    for name in names:
        with open(os.path.join(folder, f"{name}.log"), encoding="utf-8", errors="replace") as log:
            count += sum(bool(SAYS_SO.search(line)) for line in log)
    return count
