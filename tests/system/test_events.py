# SPDX-License-Identifier: BSD-3-Clause
"""What happens is told, in order; and whatever happens on the socket, packets flow."""

import contextlib
import os
import socket
import threading
import time

from lab import sites, stream
from lab.crossing import Crossing, Peer
from lab.events import Events
from lab.gateway import Control


def test_a_link_goes_and_comes(lab):
    crossing = Crossing(lab)
    events = Events(crossing.gateway, events=["port.link"])
    crossing.peers_ns.ip("link", "set", "wan", "down")
    assert events.next("port.link")["up"] is False
    crossing.peers_ns.ip("link", "set", "wan", "up")
    up = events.next("port.link")
    assert (up["port"], up["up"]) == ("wan", True)


def test_the_life_of_a_tunnel_in_order(lab):
    crossing = Crossing(lab)
    events, others = Events(crossing.gateway, tunnel="t1"), Events(crossing.gateway, tunnel="t2")
    peer = Peer(crossing, 1, 4)
    crossing.gateway.add_sa("out", peer.name, 0x30001, os.urandom(36))
    crossing.gateway.call("sa.delete", direction="out", spi=peer.spi_out, tunnel=peer.name, reason="rekeyed")
    crossing.gateway.call("sa.delete", direction="out", spi=0x30001, tunnel=peer.name, reason="peer is dead")
    crossing.gateway.call("tunnel.reset", name=peer.name, reason="customer called")
    crossing.gateway.call("tunnel.delete", name=peer.name)
    events.all("none")
    told = [(e["event"], e.get("state"), e.get("reason")) for e in events.waiting]
    assert told == [
        ("tunnel.state", "half", "SA added"), ("tunnel.state", "up", "SA added"), ("tunnel.rekey", None, None),
        ("tunnel.state", "half", "peer is dead"), ("tunnel.reset", None, "reset: customer called"),
        ("tunnel.state", "down", "reset: customer called"), ("tunnel.delete", None, "tunnel deleted")]
    assert all(f"pid {os.getpid()}" in e["actor"] for e in events.waiting if "actor" in e)
    assert others.all("tunnel.state") == []


def abuse(path, stopping, count):
    """Garbage, half messages, connects without a word, a client that never reads."""
    deaf = Control(path)
    while not stopping.is_set():
        with contextlib.suppress(OSError):
            for _ in range(20):
                one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                one.connect(str(path))
                one.send(b'{"jsonrpc":"2.0","id":1,"method":"sa.list"')
                count.append(one)
            deaf.socket.setblocking(False)
            deaf.socket.send(b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n' * 10)
        with contextlib.suppress(OSError):
            two = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            two.connect(str(path))
            two.send(os.urandom(5000) + b"\n")
            two.close()
        while len(count) > 200:
            count.pop(0).close()
        time.sleep(0.01)


def test_workers_are_unmoved(lab):
    two = sites.Sites(lab)
    two.connect()
    source, sink = sites.HOST[4]
    stopping, held = threading.Event(), []
    with stream.Stream(two.host_a, source, two.host_b, sink, rate=1000) as one:
        one.arrived()
        thread = threading.Thread(target=abuse, args=(two.a.socket, stopping, held))
        thread.start()
        rows = [[0x100000 + i, os.urandom(36).hex()] for i in range(2000)]
        for _ in range(3):
            two.a.call("sa.add_many", template={"direction": "in", "tunnel": "site-b"},
                       columns=["spi", "key"], rows=rows)
            for spi, _ in rows[::20]:
                two.a.call("sa.delete", direction="in", spi=spi)
            for spi, key in rows:
                two.a.call("sa.delete", direction="in", spi=spi, missing_ok=True)
            rows = [[spi, os.urandom(36).hex()] for spi, _ in rows]
        stopping.set()
        thread.join()
        for client in held:
            client.close()
    one.lossless()
    assert two.a.call("gateway.info")["pid"] == two.a.process.pid
