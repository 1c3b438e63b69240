# SPDX-License-Identifier: BSD-3-Clause
"""A subscription to a gateway's events."""

import json
import time

from .gateway import Control


class Events:
    """
    Subscribes at once. `parameters` are those of events.subscribe. Events are kept
    until somebody asks for them; each is handed out once.
    """

    def __init__(self, gateway, **parameters):
        self.control = Control(gateway.socket)
        gateway.lab.closing.append(self.close)
        self.waiting = []
        self.seen = 0
        self.told = self.control.call("events.subscribe", parameters)

    def close(self):
        self.control.close()

    def _read(self, seconds):
        self.control.socket.settimeout(max(seconds, 0.001))
        try:
            line = self.control.file.readline()
        except TimeoutError:
            # A timed out file object refuses to go on; events are whole lines, nothing is lost.
            self.control.file = self.control.socket.makefile("rb")
            return False
        assert line, "the gateway closed the connection"
        message = json.loads(line)
        assert message.get("method") == "event", message
        event = message["params"]
        self.seen += 1
        assert event["seq"] == self.seen, "an event is missing"
        self.waiting.append(event)
        return True

    def next(self, name, seconds=5, **wanted):
        """The next event of that name with these members; those before it stay."""
        end = time.monotonic() + seconds
        at = 0
        while True:
            while at < len(self.waiting):
                event = self.waiting[at]
                if event["event"] == name and all(event.get(k) == v for k, v in wanted.items()):
                    return self.waiting.pop(at)
                at += 1
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no {name} {wanted} in {seconds} s, but {self.waiting}")
            self._read(left)

    def all(self, name, seconds=0.5, **wanted):
        """Every event of that name that came, or comes within `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read(end - time.monotonic())
        found = [event for event in self.waiting
                 if event["event"] == name and all(event.get(k) == v for k, v in wanted.items())]
        self.waiting = [event for event in self.waiting if event not in found]
        return found
