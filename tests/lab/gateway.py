# SPDX-License-Identifier: BSD-3-Clause
"""A running espalierd in a namespace, and its control socket."""

import json
import os
import pathlib
import signal
import socket
import time

from . import netns

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ESPALIER_BUILD", TOP / "build"))
ESPALIERD = BUILD / "app" / "espalierd" / "espalierd"
ESPCTL = BUILD / "app" / "espctl" / "espctl"


class RpcError(Exception):
    def __init__(self, error):
        self.code = error.get("code")
        self.message = error.get("message")
        self.data = error.get("data")
        super().__init__(json.dumps(error))


class Control:
    """One connection to a control socket."""

    def __init__(self, path, seconds=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")
        self.id = 0

    def line(self, text):
        """Send a line as it stands, return the answer's JSON."""
        self.socket.sendall(text.encode() + b"\n")
        answer = self.file.readline()
        if not answer:
            raise ConnectionError("the gateway closed the control connection")
        return json.loads(answer)

    def call(self, method, params=None):
        self.id += 1
        answer = self.line(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method,
                                       "params": params or {}}))
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def batch(self, calls):
        """calls: (method, params) pairs. Results in order; the first error is raised."""
        requests = [{"jsonrpc": "2.0", "id": i, "method": method, "params": params}
                    for i, (method, params) in enumerate(calls)]
        answers = {answer["id"]: answer for answer in self.line(json.dumps(requests))}
        for i in range(len(calls)):
            if "error" in answers[i]:
                raise RpcError(answers[i]["error"])
        return [answers[i]["result"] for i in range(len(calls))]

    def close(self):
        self.file.close()
        self.socket.close()


class Gateway:
    """
    espalierd in `namespace` with `config` (a dict; JSON is YAML). The dict may
    be changed between stop() and start(). Keyword arguments to call() are the
    method's parameters.
    """

    def __init__(self, namespace, config, start=True):
        self.namespace = namespace
        self.lab = namespace.lab
        self.config = {"workers": {"lcores": [0], "idle": "sleep"}, **config}
        self.config.setdefault("log", {"tunnels": str(self.lab.directory / f"{namespace.short}.tunnels.jsonl")})
        self.config.setdefault("state_directory", str(self.lab.directory / f"{namespace.short}.state"))
        self.file = self.lab.directory / f"{namespace.short}.yaml"
        self.socket = self.lab.directory / f"{namespace.short}.sock"
        self.process = None
        self.control = None
        if start:
            self.start()

    def start(self, ready=True, env=None):
        self.file.write_text(json.dumps(self.config, indent=2) + "\n")
        self.process = self.namespace.spawn(ESPALIERD, "--config", self.file,
                                            "--socket", self.socket, env=env)
        self.control = None
        if ready:
            self.wait_ready()

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            if not self.process.running():
                raise AssertionError(f"espalierd ended with status {self.process.popen.returncode}\n"
                                     + self.process.text())
            try:
                self.control = Control(self.socket)
                return self.control.call("gateway.info")
            except (FileNotFoundError, ConnectionError):
                self.control = None
            if time.monotonic() > end:
                raise AssertionError(f"espalierd was not ready in {seconds} s\n" + self.process.text())
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        if self.control:
            self.control.close()
            self.control = None
        return self.process.stop(number)

    def kill(self):
        return self.stop(signal.SIGKILL)

    def call(self, method, **params):
        return self.control.call(method, params)

    def log(self):
        return self.process.text()

    def espctl(self, *arguments, stdin=None, check=True):
        return self.namespace.run(ESPCTL, "--socket", self.socket, *arguments,
                                  stdin=stdin, check=check)

    # The state that tests compare.

    def drops(self):
        return {item["reason"]: item["count"]
                for item in self.call("drops.get")["items"] if item["count"]}

    def totals(self):
        return self.call("counters.get")["total"]

    def sa(self, direction, spi, **which):
        return self.call("sa.get", direction=direction, spi=spi, **which)

    def tunnel(self, name):
        return self.call("tunnel.get", name=name)

    def at_rest(self, seconds=3):
        """The totals, once nothing is being worked on; fails if packets stay unaccounted."""
        def settled():
            total = self.totals()
            return total if total["difference"] == 0 else None
        return netns.wait_until(settled, f"difference 0 in {self.totals()}", seconds)

    # Steps that many tests take.

    def add_tunnel(self, name, local, remote, prefixes=(), **more):
        """Route-based unless device="" is given."""
        self.call("tunnel.add", name=name, local=local, remote=remote, **more)
        for prefix in prefixes:
            self.namespace.ip("route", "replace", prefix, "dev", more.get("device", name))

    def add_sa(self, direction, tunnel, spi, key, **more):
        return self.call("sa.add", direction=direction, tunnel=tunnel, spi=spi, key=key.hex(), **more)


def fresh_key(bits=256):
    """AES key and salt."""
    return os.urandom(bits // 8 + 4)


def difference(before, after):
    """What grew between two dicts of counters."""
    return {key: after.get(key, 0) - before.get(key, 0)
            for key in {*before, *after} if after.get(key, 0) != before.get(key, 0)}
