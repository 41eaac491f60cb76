"""Hosts of a test network: one network namespace for each server, all on one bridge, and faults between them.

Needs root. The program that uses it must itself run in a network namespace made for it (tests/faults/in-network.sh), which
holds the bridge at 10.88.0.254 and, with it, database and sink. Nothing of the machine's own network is touched, and all
of it is gone when the processes are.
"""

import subprocess

HUB = "10.88.0.254"


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class Network:
    def __init__(self, names):
        self.hosts = {}  # name -> (process that holds the namespace, address)
        for number, name in enumerate(names, 1):
            holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec sleep infinity"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            holder.stdout.readline()
            address = f"10.88.0.{number}"
            self.hosts[name] = (holder, address)
            run("ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
            run("ip", "link", "set", f"to{number}", "master", "hub", "up")
            run(*self.inside(name), "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            run(*self.inside(name), "ip", "link", "set", "eth0", "up")
            run(*self.inside(name), "ip", "link", "set", "lo", "up")

    def address(self, name):
        return self.hosts[name][1]

    def inside(self, name):
        """Put before a command, runs it on that host."""
        return ["nsenter", "-t", str(self.hosts[name][0].pid), "-n"]

    def drop(self, name, source=None, probability=1.0):
        """`name` does not hear what comes from `source` (an address; None: from anybody), or loses a part of it."""
        rule = ["-A", "INPUT", "!", "-i", "lo"]
        if source is not None:
            rule += ["-s", source]
        if probability < 1.0:
            rule += ["-m", "statistic", "--mode", "random", "--probability", str(probability)]
        run(*self.inside(name), "iptables", "-w", *rule, "-j", "DROP")

    def isolate(self, name):
        """Nothing reaches that host, and nothing leaves it."""
        run(*self.inside(name), "iptables", "-w", "-A", "INPUT", "!", "-i", "lo", "-j", "DROP")
        run(*self.inside(name), "iptables", "-w", "-A", "OUTPUT", "!", "-o", "lo", "-j", "DROP")

    def heal(self):
        for name in self.hosts:
            run(*self.inside(name), "iptables", "-w", "-F")

    def end(self):
        for holder, _ in self.hosts.values():
            holder.kill()
            holder.wait()
