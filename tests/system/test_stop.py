# SPDX-License-Identifier: BSD-3-Clause
"""Readiness, and a clean stop that leaves nothing."""

import signal
import socket

import pytest
from lab import netns
from lab.crossing import Crossing, Peer


def picture(namespace):
    """Everything of a namespace that a gateway could leave behind."""
    return {
        "links": {name: "xdp" in line for name, line in namespace.devices().items()},
        # Link-local ones come a second after the link, whatever the gateway does.
        "routes": sorted(line for family in ("-4", "-6")
                         for line in namespace.ip(family, "route", "show", "table", "all").splitlines()
                         if "fe80:" not in line and "ff00:" not in line),
        "rules": namespace.ip("rule"),
        "neighbours": sorted(line.rsplit(" ", 1)[0] for line in namespace.ip("neighbour").splitlines()
                             if "PERMANENT" in line),
        "xdp": namespace.run("bpftool", "net", "show"),
        "sockets": namespace.run("ss", "-Hanp", "--xdp"),
    }


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_a_clean_stop_leaves_nothing(lab, number):
    crossing = Crossing(lab, start=False)
    before = picture(crossing.gw)
    crossing.gateway.start()
    peer = Peer(crossing, 1, 4)
    crossing.gateway.call("tunnel.add", name="by-policy", device="", local="192.0.2.1", remote="203.0.113.9")
    crossing.gateway.call("policy.add", name="branch", action="protect", tunnel="by-policy",
                          selector={"local": "10.1.0.0/16", "remote": "10.66.0.0/16"})
    crossing.probe(peer)
    crossing.probe_out(peer)
    during = picture(crossing.gw)
    assert during["links"]["lan"] and during["links"]["wan"] and peer.name in during["links"]
    assert crossing.gateway.stop(number) == 0
    after = picture(crossing.gw)
    for what in before:
        assert after[what] == before[what], what
    assert not crossing.gateway.socket.exists()


def test_readiness_is_notified(lab):
    crossing = Crossing(lab, start=False)
    path = lab.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(20)
        crossing.gateway.start(ready=False, env={"NOTIFY_SOCKET": str(path)})
        said = notify.recv(4096).decode()
        assert "READY=1" in said.splitlines()
        # Ready means that it answers.
        assert crossing.gateway.wait_ready(1)["pid"] == crossing.gateway.call("gateway.info")["pid"]
        crossing.gateway.stop()
        assert "STOPPING=1" in notify.recv(4096).decode().splitlines()


def test_several_gateways_on_one_machine(lab):
    """As in the demo: nothing they use is shared."""
    from lab.sites import Sites
    two = Sites(lab)
    assert two.a.call("gateway.info")["pid"] != two.b.call("gateway.info")["pid"]
    assert two.a.stop() == 0
    assert two.b.call("gateway.info")["ports"] == 2
    two.a.start()
    assert two.b.stop() == 0
    assert two.a.call("gateway.info")["ports"] == 2


def test_a_port_that_goes_down_and_up(lab):
    crossing = Crossing(lab)
    peer = Peer(crossing, 1, 4)
    crossing.probe(peer)

    def up():
        return {port["name"]: port["up"] for port in crossing.gateway.call("port.list")["items"]}

    assert up() == {"lan": True, "wan": True}
    crossing.peers_ns.ip("link", "set", "dev", "wan", "down")
    netns.wait_until(lambda: up() == {"lan": True, "wan": False}, "link down is noticed")
    crossing.hosts.send(peer.inner_out(4, payload=b"nowhere to go"))
    netns.wait_until(lambda: crossing.gateway.drops().get("port_down") or crossing.gateway.drops().get("no_route"),
                     f"counted as dropped, not as sent: {crossing.gateway.drops()}")
    crossing.peers_ns.ip("link", "set", "dev", "wan", "up")
    netns.wait_until(lambda: up()["wan"], "link up is noticed")
    # The kernel removed the routes of the device with its link, and neighbours too.
    for nexthop, prefix in (("192.0.2.2", "203.0.113.0/24"), ("2001:db8:f::2", "2001:db8:2::/48")):
        crossing.gw.neighbour("wan", nexthop, crossing.peers_ns.mac("wan"))
        crossing.gw.ip("route", "replace", prefix, "via", nexthop)
    crossing.probe(peer)
    crossing.probe_out(peer)
