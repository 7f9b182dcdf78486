#!/usr/bin/env python3
"""Two hosts on one machine: network namespaces, joined by a cable that can be slow, and can be cut.

Linux only, for a user who may make namespaces (root). What mpiexec starts on the second host goes
by `python two_hosts.py -x HOST COMMAND`, in place of ssh.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time

ADDRESSES = ("10.77.0.1", "10.77.0.2")
CARD = "eth0"  # the name of each host's end of the cable
numbers = itertools.count()


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class TwoHosts:
    """Inside, there are two hosts. `names` are those of their namespaces: no other process has the
    same.

    Raises OSError or CalledProcessError if this user may not make them.
    """

    def __init__(self):
        number = next(numbers)
        self.names = [f"mini-{os.getpid()}-{number}-{end}" for end in "ab"]

    def __enter__(self):
        a, b = self.names
        try:
            for name in self.names:
                ip("netns", "add", name)
            ip("link", "add", CARD, "netns", a, "type", "veth", "peer", "name", CARD, "netns", b)
            for name, address in zip(self.names, ADDRESSES):
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
        for name in self.names:
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
            "TWO_HOSTS": " ".join(self.names), "UCX_NET_DEVICES": CARD, "UCX_TLS": "tcp,self",
            "CUT": f"ip -n {self.names[1]} link set {CARD} down",  # for faulty_rank.py
        }  # fmt: skip

    def command(self, mpiexec, words, ranks=2):
        """The words of a command that mpiexec, on the first host, starts on both in turn."""
        return [
            "ip", "netns", "exec", self.names[0], mpiexec, "-n", str(ranks), "-ppn", "1",
            "-hosts", ",".join(ADDRESSES), "-localhost", ADDRESSES[0], "-launcher", "ssh",
            "-launcher-exec", __file__, *words,
        ]  # fmt: skip

    def sent(self):
        """How many bytes each host has sent to the other."""
        return [
            int(ip_exec(name, "cat", f"/sys/class/net/{CARD}/statistics/tx_bytes"))
            for name in self.names
        ]

    def slow_down(self, rate="1gbit"):
        """Let each end of the cable send no more than this."""
        for name in self.names:
            subprocess.run(
                ["tc", "-n", name, "qdisc", "add", "dev", CARD, "root", "tbf", "rate", rate,
                 "burst", "256kb", "latency", "50ms"], check=True, capture_output=True,
            )  # fmt: skip


def ip_exec(name, *words):
    return ip("netns", "exec", name, *words)


def why_not():
    """Why there can be no two hosts here; None if there can."""
    try:
        with TwoHosts():
            return None
    except OSError as problem:
        return f"no program ip: {problem}"
    except subprocess.CalledProcessError as problem:
        return f"no network namespaces for this user: {problem.stderr.strip()}"


if __name__ == "__main__":
    host, *command = [word for word in sys.argv[1:] if not word == "-x"]
    name = os.environ["TWO_HOSTS"].split()[ADDRESSES.index(host)]
    os.execvp("ip", ["ip", "netns", "exec", name, "sh", "-c", " ".join(command)])
