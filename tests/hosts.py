#!/usr/bin/env python3
"""Hosts on one machine: network namespaces on one switch, whose cables can be slow, and can be cut.

Linux only, for a user who may make namespaces (root). What mpiexec starts on the other hosts goes
by `python hosts.py -x HOST COMMAND`, in place of ssh.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

CARD = "eth0"  # the name of each host's end of its cable
numbers = itertools.count()


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Hosts:
    """Inside, there are so many hosts. `names` are those of their namespaces: no other process has
    the same.

    Raises OSError or CalledProcessError if this user may not make them.
    """

    def __init__(self, count=2):
        begin = f"mini-{os.getpid()}-{next(numbers)}"
        self.switch, self.names = f"{begin}-switch", [f"{begin}-{n}" for n in range(count)]
        self.addresses = [f"10.77.0.{n + 1}" for n in range(count)]

    def __enter__(self):
        switch = self.switch
        try:
            ip("netns", "add", switch)
            setting(switch, "net.ipv4.ip_forward", 1)
            for port, (name, address) in zip(self.ports(), zip(self.names, self.addresses)):
                ip("netns", "add", name)
                ip("link", "add", CARD, "netns", name, "type", "veth",
                   "peer", "name", port, "netns", switch)  # fmt: skip
                # it passes on what is for other hosts: answers for them, and knows where they are
                setting(switch, f"net.ipv4.conf.{port}.proxy_arp", 1)
                setting(switch, f"net.ipv4.neigh.{port}.proxy_delay", 0)
                ip("-n", switch, "addr", "add", f"10.78.{address[6:]}/32", "dev", port)
                ip("-n", switch, "link", "set", port, "up")
                ip("-n", switch, "route", "add", f"{address}/32", "dev", port)
                ip("-n", name, "addr", "add", f"{address}/24", "dev", CARD)
                for card in ("lo", CARD):
                    ip("-n", name, "link", "set", card, "up")
            while not all("state UP" in ip("-n", n, "link", "show", CARD) for n in self.names):
                time.sleep(0.05)  # UCX would not find the card
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (*self.names, self.switch):
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                self.end_processes(name)
                ip("netns", "del", name)

    def processes(self, name):
        return [int(word) for word in ip("netns", "pids", name).split()]

    def end_processes(self, name):
        """End all that runs on a host."""
        for _ in range(50):
            if not (left := self.processes(name)):
                return
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)

    def environment(self):
        """What mpiexec's environment must have."""
        return {
            "HOSTS": " ".join(f"{a}={n}" for a, n in zip(self.addresses, self.names)),
            "UCX_NET_DEVICES": CARD, "UCX_TLS": "tcp,self",
            "CUT": f"ip -n {self.names[1]} link set {CARD} down",  # for faulty_rank.py
        }  # fmt: skip

    def command(self, mpiexec, words, ranks=None):
        """The words of a command that mpiexec, on the first host, starts on each of them."""
        return [
            "ip", "netns", "exec", self.names[0], mpiexec, "-n", str(ranks or len(self.names)),
            "-ppn", "1", "-hosts", ",".join(self.addresses), "-localhost", self.addresses[0],
            "-launcher", "ssh", "-launcher-exec", __file__, *words,
        ]  # fmt: skip

    def sent(self):
        """How many bytes each host has sent to the others."""
        return [
            int(ip_exec(name, "cat", f"/sys/class/net/{CARD}/statistics/tx_bytes"))
            for name in self.names
        ]

    def slow_down(self, rate="1gbit"):
        """Let both ends of each cable send no more than this."""
        for name, port in zip(self.names, self.ports()):
            for space, card in ((name, CARD), (self.switch, port)):
                subprocess.run(
                    ["tc", "-n", space, "qdisc", "add", "dev", card, "root", "tbf", "rate", rate,
                     "burst", "256kb", "latency", "50ms"], check=True, capture_output=True,
                )  # fmt: skip

    def ports(self):
        return [f"port{number}" for number in range(len(self.names))]


def setting(space, name, value):
    ip("netns", "exec", space, "sysctl", "-q", "-w", f"{name}={value}")


def ip_exec(name, *words):
    return ip("netns", "exec", name, *words)


def why_not():
    """Why there can be no hosts here; None if there can."""
    try:
        with Hosts():
            return None
    except OSError as problem:
        return f"no program ip: {problem}"
    except subprocess.CalledProcessError as problem:
        return f"no network namespaces for this user: {problem.stderr.strip()}"


if __name__ == "__main__":
    host, *command = [word for word in sys.argv[1:] if not word == "-x"]
    name = dict(both.split("=") for both in os.environ["HOSTS"].split())[host]
    os.execvp("ip", ["ip", "netns", "exec", name, "sh", "-c", " ".join(command)])
