# SPDX-License-Identifier: BSD-3-Clause
"""What explain says of a packet is what becomes of it, XDP program and kernel included."""

import pytest
from lab import netns, wire
from lab.crossing import Crossing, Peer
from lab.gateway import RpcError, difference

UDP = 17


@pytest.fixture(scope="module")
def crossing(module_lab):
    crossing = Crossing(module_lab)
    gateway = crossing.gateway
    crossing.peer = Peer(crossing, 1, 4)
    # A tunnel without SA, a trap, a policy-based one, and policies of the other kinds.
    gateway.add_tunnel("empty", "192.0.2.1", "203.0.113.2", ["10.2.2.0/24"])
    gateway.add_tunnel("trap", "192.0.2.1", "203.0.113.3", ["10.2.3.0/24"], trap=True)
    gateway.add_tunnel("lost", "192.0.2.1", "198.51.100.1", ["10.2.4.0/24"])
    gateway.add_sa("out", "lost", 0x4000, bytes(36))
    gateway.call("policy.add", name="no", action="discard", selector={"remote": "10.9.1.0/24"})
    gateway.call("tunnel.add", name="chosen", device="", local="192.0.2.1", remote="203.0.113.1")
    gateway.add_sa("out", "chosen", 0x5000, bytes(range(36)))
    gateway.call("policy.add", name="chosen", action="protect", tunnel="chosen",
                 selector={"local": "10.1.0.0/16", "remote": "10.9.2.0/24"})
    gateway.call("policy.add", name="open", action="bypass",
                 selector={"local": "10.1.0.0/16", "remote": "10.2.1.0/24", "protocol": "udp",
                           "remote_ports": "53"})
    return crossing


def udp(source, destination, to=4000, length=100):
    header = bytes((0x10, 0, to >> 8, to & 255, (length - 20) >> 8, (length - 20) & 255, 0, 0))
    return wire.ip_packet(source, destination, UDP, header + bytes(length - 28))


def became(crossing, packet):
    """Which counters of the gateway move for one packet of the hosts, and what the peers get."""
    gateway = crossing.gateway
    crossing.probe_out(crossing.peer)
    crossing.peers.drain()
    totals, drops = gateway.at_rest(), gateway.drops()
    crossing.hosts.send(packet)
    arrived = crossing.probe_out(crossing.peer)
    moved = difference(totals, gateway.at_rest())
    return moved, difference(drops, gateway.drops()), arrived


TABLE = [
    # destination, port, length: fate, drop or a word of `why`, the tunnel
    ("10.2.1.2", 4000, 100, "protect", "port wan", "t1"),
    ("10.2.1.2", 4000, 1500, "drop", "too_big", "t1"),
    ("10.2.1.2", 53, 100, "drop", "loop", None),
    ("10.2.2.2", 4000, 100, "drop", "tunnel_no_sa", "empty"),
    ("10.2.3.2", 4000, 100, "held", "acquire", "trap"),
    ("10.2.4.2", 4000, 100, "drop", "no_route", "lost"),
    ("10.9.1.2", 4000, 100, "drop", "policy_discard", None),
    ("10.9.2.2", 4000, 100, "protect", "port wan", "chosen"),
    ("203.0.113.77", 4000, 100, "kernel", "XDP leaves it to the kernel", None),
    ("192.0.2.1", 4000, 100, "kernel", "address of this machine", None),
]


@pytest.mark.parametrize("destination, port, length, fate, what, tunnel", TABLE)
def test_hosts_packets(crossing, destination, port, length, fate, what, tunnel):
    told = crossing.gateway.call("explain", source="10.1.1.2", destination=destination, length=length,
                                 protocol="udp", source_port=0x1000, destination_port=port)
    assert told["fate"] == fate and told.get("tunnel") == tunnel, told
    assert what == told["drop"] if fate == "drop" else what in told["why"], told
    moved, drops, arrived = became(crossing, udp("10.1.1.2", destination, port, length))
    if fate == "drop":
        assert drops == {what: 1}
    elif fate == "protect":
        assert drops == {} and len(arrived) == 1 and arrived[0][9] == 50
        assert told["sa"]["remote"] == "203.0.113.1" and told["outer"]["port"] == "wan"
    elif fate == "held":
        assert drops == {} and moved["held"] == 1 and arrived == []
    else:
        # The datapath has seen the probe, and nothing else.
        assert drops == {} and moved["rx"] == 1


def test_this_machines_own(crossing):
    """Into a tunnel's device, into the device of policies, and past both."""
    gateway, gw = crossing.gateway, crossing.gw

    def explain(source, destination):
        return gateway.call("explain", source=source, destination=destination, protocol="icmp")

    def ping(source, destination):
        before = gateway.totals()["from_kernel"]
        gw.run("ping", "-c1", "-W1", "-I", source, destination, check=False)
        return gateway.at_rest()["from_kernel"] - before

    told = explain("10.0.1.1", "10.2.1.2")
    assert told["fate"] == "protect" and told["tunnel"] == "t1" and told["by_route"], told
    assert ping("10.0.1.1", "10.2.1.2") == 1
    told = explain("192.0.2.1", "203.0.113.77")
    assert told["fate"] == "kernel" and "itself" in told["why"], told
    assert ping("192.0.2.1", "203.0.113.77") == 0
    # The policy speaks of 10.1.0.0/16, which 10.0.1.1 is not in: its device leads nowhere.
    told = explain("10.0.1.1", "10.9.2.2")
    assert told["fate"] == "drop" and told["drop"] == "blackhole", told
    before = gateway.drops()
    assert ping("10.0.1.1", "10.9.2.2") == 1
    assert difference(before, gateway.drops()) == {"blackhole": 1}


def test_a_port_without_link(crossing):
    gateway = crossing.gateway

    def fate():
        return gateway.call("explain", source="10.1.1.2", destination="10.2.1.2")

    crossing.peers_ns.ip("link", "set", "wan", "down")
    try:
        told = netns.wait_until(lambda: fate()["fate"] == "drop" and fate(), "the link is down")
        assert told["drop"] in ("port_down", "no_route"), told
    finally:
        crossing.peers_ns.ip("link", "set", "wan", "up")
    netns.wait_until(lambda: fate()["fate"] == "protect", "the link is up")


def test_wrong_questions(crossing):
    for question in ({"source": "10.0.0.1"}, {"source": "10.0.0.1", "destination": "fd00::1"},
                     {"source": "x", "destination": "10.0.0.1"}):
        with pytest.raises(RpcError):
            crossing.gateway.call("explain", **question)
