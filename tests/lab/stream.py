# SPDX-License-Identifier: BSD-3-Clause
"""A numbered stream of UDP datagrams between two namespaces, and what arrived of it."""

import socket
import struct
import threading
import time


def udp_socket(namespace, address, port=0):
    with namespace.inside():
        one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
    one.bind((address, port))
    return one


class Stream:
    """
    While the `with` block runs, `rate` datagrams a second go from the one to the
    other. Afterwards `sent` is how many, `got` their numbers in order of arrival.
    """

    def __init__(self, source, source_address, sink, sink_address, rate=2000, size=256, port=9000, flows=1):
        self.receiver = udp_socket(sink, sink_address, port)
        self.senders = [udp_socket(source, source_address) for _ in range(flows)]
        self.to = (sink_address, port)
        self.rate = rate
        self.pad = bytes(size - 8)
        self.sent = 0
        self.got = []
        self.stopping = threading.Event()
        self.error = None

    def _send(self):
        try:
            start = time.monotonic()
            while not self.stopping.is_set():
                due = int((time.monotonic() - start) * self.rate)
                while self.sent < due:
                    sender = self.senders[self.sent % len(self.senders)]
                    sender.sendto(struct.pack("!Q", self.sent) + self.pad, self.to)
                    self.sent += 1
                time.sleep(0.002)
        except OSError as error:
            self.error = error

    def _receive(self):
        self.receiver.settimeout(0.1)
        last = time.monotonic()
        # One second of silence after the end of sending is the end.
        while not self.stopping.is_set() or time.monotonic() - last < 1:
            try:
                self.got.append(struct.unpack("!Q", self.receiver.recv(2048)[:8])[0])
                last = time.monotonic()
            except TimeoutError:
                if self.stopping.is_set() and len(self.got) >= self.sent:
                    return

    def __enter__(self):
        self.threads = [threading.Thread(target=self._receive), threading.Thread(target=self._send)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for one in (self.receiver, *self.senders):
            one.close()

    def arrived(self, seconds=3):
        """Wait for the stream to flow at all."""
        end = time.monotonic() + seconds
        while not self.got:
            assert time.monotonic() < end, "not one datagram arrived"
            time.sleep(0.01)

    def lost(self):
        return sorted(set(range(self.sent)) - set(self.got))

    def reordered(self):
        return [(a, b) for a, b in zip(self.got, self.got[1:]) if b <= a]

    def lossless(self, order=True):
        assert self.error is None, self.error
        assert self.sent > 100
        lost = self.lost()
        assert not lost, f"{len(lost)} of {self.sent} lost: {lost[:20]}"
        assert len(self.got) == len(set(self.got)), "duplicates"
        if order:
            assert not self.reordered(), f"reordered: {self.reordered()[:10]}"
