# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces that vanish with the test, however it ends."""

import contextlib
import ctypes
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
serial = itertools.count()


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def wait_until(condition, what, seconds=10.0, pause=0.02):
    """Return the first true value of condition(), or fail saying what did not come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(pause)


class Process:
    """A command in a namespace; its output goes to a file."""

    def __init__(self, name, command, log, env=None):
        self.log = pathlib.Path(log)
        self.command = command
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                ["ip", "netns", "exec", name, *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **(env or {})}, preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def send_signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def wait(self, seconds=10.0):
        return self.popen.wait(seconds)

    def stop(self, number=signal.SIGTERM, seconds=10.0):
        """Exit status (negative: signal). Killed, and that reported, if it does not end."""
        self.send_signal(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"{self.command[0]} did not end on signal {number}\n{self.text()}")

    def text(self):
        return self.log.read_text(errors="replace")


class Namespace:
    def __init__(self, lab, short):
        self.lab = lab
        self.short = short
        self.name = f"{lab.prefix}-{short}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link", "set", "dev", "lo", "up")

    def run(self, *command, check=True, stdin=None, seconds=60):
        done = subprocess.run(["ip", "netns", "exec", self.name, *map(str, command)],
                              input=stdin, capture_output=True, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))} in {self.short}: status "
                                 f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ip(self, *arguments):
        done = subprocess.run(["ip", "-n", self.name, *map(str, arguments)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"ip {' '.join(map(str, arguments))} in {self.short}: {done.stderr}")
        return done.stdout

    def spawn(self, *command, env=None):
        log = self.lab.directory / f"{self.short}.{pathlib.Path(command[0]).name}.{next(serial)}.log"
        process = Process(self.name, command, log, env)
        self.lab.processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self):
        """The calling thread works in this namespace; sockets opened here stay in it."""
        with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{self.name}") as there:
            self._enter(there)
            try:
                yield self
            finally:
                self._enter(here)

    @staticmethod
    def _enter(file):
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def address(self, device, *addresses):
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.ip("address", "add", address, "dev", device, *nodad)

    def mac(self, device):
        return self.run("cat", f"/sys/class/net/{device}/address").strip()

    def sysctl(self, **values):
        for key, value in values.items():
            self.run("sysctl", "-qw", f"{key.replace('__', '.')}={value}")

    def forward(self, on=True):
        self.run("sysctl", "-qw", f"net.ipv4.ip_forward={int(on)}",
                 f"net.ipv6.conf.all.forwarding={int(on)}")

    def neighbour(self, device, address, mac):
        self.ip("neighbour", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent")

    def devices(self):
        return {line.split(":")[1].strip().split("@")[0]: line
                for line in self.ip("-o", "link").splitlines()}


class Lab:
    """All namespaces, files and processes of one test; use as a context manager."""

    def __init__(self, name):
        self.prefix = f"esp{os.getpid()}-{next(serial)}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.prefix}-{name}."))
        self.namespaces = []
        self.processes = []
        self.closing = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, short):
        namespace = Namespace(self, short)
        self.namespaces.append(namespace)
        return namespace

    def link(self, a, device_a, b, device_b, mtu=1500, queues=1):
        """A veth pair with sender checksum offload off, both ends up."""
        many = ["numrxqueues", queues, "numtxqueues", queues] if queues > 1 else []
        a.ip("link", "add", "name", device_a, "mtu", mtu, *many, "type", "veth",
             "peer", "name", device_b, "mtu", mtu, *many, "netns", b.name)
        for namespace, device in ((a, device_a), (b, device_b)):
            # An AF_XDP port at the other end sees frames as they leave here.
            namespace.run("ethtool", "-K", device, "tx", "off")
            namespace.ip("link", "set", "dev", device, "up")

    def close(self):
        for process in reversed(self.processes):
            if process.running():
                process.popen.terminate()
        for process in reversed(self.processes):
            try:
                process.popen.wait(5)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
        for close in reversed(self.closing):
            close()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "delete", namespace.name], capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)
