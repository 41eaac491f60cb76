"""What other systems needed for the same, for the tables of failover.py and idle.py (bench/README.md says what each means).

All figures were measured by this project, not taken from anybody's documentation: three nodes of each in network namespaces
on a machine with two cores, 15 or more trials each, the median in seconds from the kill (SIGKILL) or cut (all packets of the
node dropped) until the system's own client saw the new state. Bytes are what an idle member sends per second by its
interface's counter.
"""

# System, its setting, seconds when killed, seconds when cut off, and what then works again.
FAILOVERS = [
    ("keepalived", "advertisement 1 s", "2.7", "2.6", "an address is at another host"),
    ("keepalived", "advertisement 0.1 s", "0.27", "0.31", "the same"),
    ("etcd", "default", "1.2", "1.1", "a leader is elected and writes are accepted"),
    ("etcd", "lease of 10 s", "8.3", "-", "what a dead client held is free"),
    ("Redis Sentinel", "default", "30", "31", "a replica is promoted"),
    ("Redis Sentinel", "tuned", "1.4", "1.9", "the same"),
    ("Serf", "default", "7", "7", "the others know; nothing takes over (detection alone)"),
    ("NATS JetStream", "default", "5.0", "4.6", "a stream has a leader"),
    ("ZooKeeper", "leader", "0.39", "10.4", "a leader is elected and writes are accepted"),
    ("ZooKeeper", "session of 10 s", "10.3", "-", "what a dead client held is free"),
    ("Patroni", "default", "24", "29", "a standby of PostgreSQL is promoted and takes writes"),
]

# Bytes that an idle member sends per second.
IDLE = [("keepalived", "21"), ("ZooKeeper", "162"), ("Serf", "300 (3 members) to 460 (50)"), ("etcd", "3,740"),
        ("Redis Sentinel", "4,112")]


def columns(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def failover_table(options, median):
    """The others' medians and this run's."""
    measured = f"{median:.3f}" if median < 0.1 else f"{median:.2f}"
    killed, cut = (("-", measured) if options.how == "cut" else (measured, "-"))
    left = ", owner asked to leave" if options.how == "leave" else ""
    ours = ("turnout", f"cycle {options.cycle}{left}", killed, cut, "the new owner has committed work of the track")
    return columns([("system", "setting", "killed, s", "cut off, s", "until"), *FAILOVERS, ours])


def idle_table(ours):
    """`ours`: members -> bytes per member and second."""
    mine = [(f"turnout, {members} members", f"{sent:,.0f}") for members, sent in ours.items()]
    return columns([("system", "bytes sent per idle member and second"), *IDLE, *mine])
