# SPDX-License-Identifier: BSD-3-Clause
"""Traffic asks for SAs: one event, the first packets wait, and go out when the SA is there."""

import pytest
from lab import netns
from lab.crossing import LOCAL, Crossing, Peer
from lab.events import Events


@pytest.fixture
def crossing(lab):
    return Crossing(lab)


def install(peer, direction):
    key = {"in": peer.seal, "out": peer.open}[direction]
    peer.gateway.add_sa(direction, peer.name, key.spi, key.key)


def waiting(crossing, peer, count):
    crossing.hosts.send(*[peer.inner_out(4, proto=17, payload=bytes([0x12, 0x34, 0, 53, 0, 12, 0, 0]) + n.to_bytes(4))
                          for n in range(count)])


def numbers(peer, packets):
    return [int.from_bytes(peer.opened(ip).inner[28:32]) for ip in packets]


def trap_by_policy(crossing, peer):
    gateway = crossing.gateway
    gateway.call("tunnel.add", name=peer.name, device="", local=LOCAL[4], remote=peer.remote)
    gateway.call("policy.add", name="branch", action="protect", tunnel=peer.name, trap=True,
                 selector={"local": "10.1.1.0/24", "remote": "10.2.1.0/24"})


def trap_by_route(crossing, peer):
    crossing.gateway.add_tunnel(peer.name, LOCAL[4], peer.remote, ["10.2.1.0/24"], trap=True)


@pytest.mark.parametrize("trap", (trap_by_policy, trap_by_route))
def test_one_event_and_no_packet_lost(crossing, trap):
    peer = Peer(crossing, 1, 4, add=False)
    events = Events(crossing.gateway, events=["acquire"])
    trap(crossing, peer)
    waiting(crossing, peer, 3)
    acquire = events.next("acquire")
    assert acquire["tunnel"] == peer.name
    assert acquire.get("policy") == ("branch" if trap is trap_by_policy else None)
    assert acquire["packet"] == {"local": peer.host(4), "remote": peer.remote_host(4), "protocol": 17,
                                 "local_port": 0x1234, "remote_port": 53}
    assert events.all("acquire") == []
    assert crossing.peers.receive(seconds=0.2) == []
    assert crossing.gateway.totals()["held"] == 3
    install(peer, "in")
    install(peer, "out")
    assert numbers(peer, crossing.peers.receive(seconds=1)) == [0, 1, 2]
    waiting(crossing, peer, 2)
    assert numbers(peer, crossing.peers.receive(seconds=0.5)) == [0, 1]
    assert crossing.gateway.at_rest()["held"] == 0
    assert crossing.gateway.tunnel(peer.name)["totals"]["packets_out"] == 5


def test_the_queue_is_bounded(crossing):
    peer = Peer(crossing, 1, 4, add=False)
    trap_by_route(crossing, peer)
    waiting(crossing, peer, 50)
    total = crossing.gateway.at_rest()
    assert 0 < total["held"] <= 64
    assert crossing.gateway.drops()["acquire_queue"] == 50 - total["held"]
    install(peer, "out")
    # The first ones, in order.
    assert numbers(peer, crossing.peers.receive(seconds=1)) == list(range(total["held"]))


def test_nobody_comes(crossing):
    peer = Peer(crossing, 1, 4, add=False)
    events = Events(crossing.gateway, events=["acquire"])
    trap_by_route(crossing, peer)
    waiting(crossing, peer, 2)
    events.next("acquire")

    def dropped():
        return crossing.gateway.drops().get("acquire_timeout") == 2
    netns.wait_until(dropped, "acquire_timeout", 20)
    assert crossing.gateway.at_rest()["held"] == 0
    # Later traffic asks again.
    waiting(crossing, peer, 1)
    events.next("acquire", seconds=15)


def test_a_deleted_tunnel_lets_nothing_go(crossing):
    peer = Peer(crossing, 1, 4, add=False)
    trap_by_route(crossing, peer)
    waiting(crossing, peer, 3)
    crossing.gateway.at_rest()
    crossing.gateway.call("tunnel.delete", name=peer.name)
    # Another tunnel, perhaps with the same number, must not get what waited for the first.
    other = Peer(crossing, 2, 4)
    assert crossing.probe_out(other) == []
    assert crossing.gateway.at_rest()["held"] == 0


def test_without_a_trap_nothing_waits(crossing):
    peer = Peer(crossing, 1, 4, add=False)
    events = Events(crossing.gateway)
    crossing.gateway.add_tunnel(peer.name, LOCAL[4], peer.remote, ["10.2.1.0/24"])
    waiting(crossing, peer, 3)
    assert events.all("acquire") == []
    assert crossing.gateway.drops()["tunnel_no_sa"] == 3
