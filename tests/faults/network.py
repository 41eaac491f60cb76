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
        self.ports = {}  # name -> its port of the bridge
        self.isolated = set()
        for name in names:
            self._add(name)

    def _hold(self, name, address):
        holder = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sh", "-c",
                                   "echo ready; exec sleep infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.hosts[name] = (holder, address)
        run(*self.inside(name), "ip", "link", "set", "lo", "up")
        return holder

    def _add(self, name):
        number = len(self.hosts) + 1
        address = f"10.88.0.{number}"
        holder = self._hold(name, address)
        self.ports[name] = f"to{number}"
        run("ip", "link", "add", f"to{number}", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        run("ip", "link", "set", f"to{number}", "master", "hub", "up")
        run(*self.inside(name), "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        run(*self.inside(name), "ip", "link", "set", "eth0", "up")

    def add_behind_nat(self, name):
        """One more host, behind a router of its own that translates addresses (RFC 3022): it reaches the others and the
        hub, and nobody reaches it."""
        router = f"router of {name}"
        self._add(router)
        holder = self._hold(name, "192.168.88.2")
        run(*self.inside(router), "ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns",
            str(holder.pid))
        for host, device, address in ((router, "eth1", "192.168.88.1"), (name, "eth0", "192.168.88.2")):
            run(*self.inside(host), "ip", "addr", "add", f"{address}/24", "dev", device)
            run(*self.inside(host), "ip", "link", "set", device, "up")
        run(*self.inside(name), "ip", "route", "add", "default", "via", "192.168.88.1")
        run(*self.inside(router), "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        run(*self.inside(router), "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE")
        run(*self.inside(router), "iptables", "-w", "-A", "FORWARD", "-i", "eth0", "-m", "conntrack", "--ctstate", "NEW",
            "-j", "DROP")
        # As on the Internet, who dials a private address gets no answer rather than a refusal.
        for host in self.hosts:
            if host != name and host != router:
                run(*self.inside(host), "ip", "route", "add", "192.168.88.0/24", "via", self.address(router))

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
        """Nothing reaches that host, and nothing leaves it, from one instant on: its port of the bridge drops all."""
        run("bridge", "link", "set", "dev", self.ports[name], "state", "0")
        self.isolated.add(name)

    def heal(self, *names):
        """Ends all faults of those hosts, or of all."""
        for name in names or self.hosts:
            if name in self.isolated:
                run("bridge", "link", "set", "dev", self.ports[name], "state", "3")
                self.isolated.discard(name)
            run(*self.inside(name), "iptables", "-w", "-F")

    def end(self):
        for holder, _ in self.hosts.values():
            holder.kill()
            holder.wait()
        # The kernel takes namespaces down when it likes; the next network has links of the same names.
        for port in self.ports.values():
            subprocess.run(["ip", "link", "del", port], check=False, stderr=subprocess.DEVNULL)
