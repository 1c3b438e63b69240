# SPDX-License-Identifier: BSD-3-Clause
"""
Two charons, two gateways, hosts behind them: tunnels negotiated by IKEv2 carry traffic. The
peer is a gateway of ours (protocol 50, ESN), or strongSwan's own userspace dataplane.
"""

import os
import re
import signal
import subprocess
import threading
import time

import pytest
from lab import charon, netns, sites, stream
from lab.events import Events

OUTER = sites.OUTER
NET = {"local_ts": "10.1.0.0/24,fd00:1::/64", "remote_ts": "10.2.0.0/24,fd00:2::/64", "replay_window": 1024}
ANY = {"local_ts": "0.0.0.0/0,::/0", "remote_ts": "0.0.0.0/0,::/0", "replay_window": 1024}
# What kernel-libipsec can do: no ESN, one family in a policy.
LIBIPSEC = {"local_ts": "10.1.0.0/24", "remote_ts": "10.2.0.0/24", "esp_proposals": "aes256gcm16-noesn"}


def mirrored(child):
    swap = {"local_ts": child["remote_ts"], "remote_ts": child["local_ts"]}
    return {**child, **swap, "start_action": "none"}


class Ike:
    """Sites with a charon at each gateway; `theirs`: kernel-libipsec instead of espalierd at B."""

    def __init__(self, lab, theirs=False, settings=None, plugin=None):
        self.lab = lab
        self.sites = sites.Sites(lab)
        self.a, self.b = self.sites.a, self.sites.b
        self.host_a, self.host_b = self.sites.host_a, self.sites.host_b
        if theirs:
            self.b.stop()
        self.ike_a = charon.Charon(self.sites.gw_a, self.a, settings, plugin)
        self.ike_b = charon.Charon(self.sites.gw_b, None if theirs else self.b, settings, None if theirs else plugin)

    def load(self, children, outer=4, a=None, b=None, **more):
        local, remote = OUTER[outer]
        # The side that answers first: the other one may start at once.
        self.ike_b.load({"hq": {**charon.connection(
            remote, local, {name: mirrored(child) for name, child in children.items()}, **more), **(b or {})}})
        self.ike_a.load({"hq": {**charon.connection(local, remote, children, **more), **(a or {})}})

    def ping(self, family=4, back=False, count=3, check=True):
        host, to = (self.host_b, sites.HOST[family][0]) if back else (self.host_a, sites.HOST[family][1])
        said = host.run("ping", "-c", count, "-i", 0.2, "-W", 2, to, check=False)
        got = int(re.search(r"(\d+) received", said)[1])
        if check:
            assert got == count, said + self.ike_a.text()[-3000:] + str(self.a.drops())
        return got

    def tunnel(self, name="hq.net", gateway=None):
        return (gateway or self.a).tunnel(name)

    def stream(self, back=False, **more):
        ends = ((self.host_b, "10.2.0.2", self.host_a, "10.1.0.2") if back
                else (self.host_a, "10.1.0.2", self.host_b, "10.2.0.2"))
        return stream.Stream(*ends, **{"port": 9001 if back else 9000, **more})


@pytest.fixture
def ike(lab):
    return Ike(lab)


@pytest.mark.parametrize("outer", (4, 6))
@pytest.mark.parametrize("initiator", ("a", "b"))
def test_ours_against_ours(ike, outer, initiator):
    ike.load({"net": NET}, outer)
    (ike.ike_a if initiator == "a" else ike.ike_b).initiate("net")
    ike.ping(4)
    ike.ping(6, back=True)
    view = ike.tunnel()
    assert view["state"] == "up" and view["session"] == "charon"
    assert (view["local"], view["remote"]) == OUTER[outer]
    assert all(sa["esn"] and not sa["udp"] for sa in ike.a.call("sa.list")["items"])
    # What charon shows are the gateway's counters.
    listed = ike.ike_a.swanctl("--list-sas")
    assert re.search(r"in +[0-9a-f]{8}, +[1-9]\d* bytes, +[1-9]\d* packets", listed), listed
    ike.ike_a.terminate("--ike", "hq")
    assert ike.tunnel()["state"] == "down" and ike.tunnel()["reason"] == "IKE_SA terminated here"
    netns.wait_until(lambda: ike.tunnel(gateway=ike.b)["state"] == "down", "the peer's goes too")
    assert ike.tunnel(gateway=ike.b)["reason"] == "peer deleted the IKE_SA"


@pytest.mark.parametrize("initiator", ("a", "b"))
def test_ours_against_libipsec(lab, initiator):
    ike = Ike(lab, theirs=True)
    ike.load({"net": LIBIPSEC})
    (ike.ike_a if initiator == "a" else ike.ike_b).initiate("net")
    ike.ping()
    ike.ping(back=True)
    assert all(sa["udp"] and not sa["esn"] for sa in ike.a.call("sa.list")["items"])
    for one in (ike.ike_a, ike.ike_b):
        one.swanctl("--rekey", "--child", "net")
        ike.ping()
    ike.ike_a.swanctl("--rekey", "--ike", "hq")
    ike.ping(back=True)


def test_certificates_and_names(ike):
    charon.pki(ike.lab.directory, "paris.example", "lyon.example")
    local, remote = OUTER[4]
    for one, mine, theirs, children, ends in (
            (ike.ike_a, "paris.example", "lyon.example", {"net": NET}, (local, remote)),
            (ike.ike_b, "lyon.example", "paris.example", {"net": mirrored(NET)}, (remote, local))):
        one.certificates(ike.lab.directory, mine)
        one.load({"hq": charon.connection(*ends, children, auth="pubkey", local_id=mine, remote_id=theirs)},
                 secrets={})
    ike.ike_a.initiate("net")
    ike.ping()


def test_route_based(ike):
    ike.load({"hq": ANY})
    ike.ike_a.initiate("hq")
    assert ike.tunnel("hq")["device"] == "hq"
    for gateway, site in ((ike.a, 1), (ike.b, 0)):
        assert not gateway.call("policy.list")["items"]
        for family in (4, 6):
            gateway.namespace.ip("route", "replace", sites.INNER[family][site], "dev", "hq")
    netns.wait_until(lambda: ike.ping(count=1, check=False), "the route is seen")
    ike.ping(4)
    ike.ping(6, back=True)
    # The gateway's own traffic goes through the device, too.
    ike.sites.gw_a.run("ping", "-c", 2, "-i", 0.2, "-W", 2, "-I", "10.1.0.1", "10.2.0.2")
    # Routes outlive the tunnel, so that nothing goes astray until it is back.
    ike.ike_a.terminate("--ike", "hq")
    assert "hq" in ike.sites.gw_a.devices() and ike.tunnel("hq")["state"] == "down"
    assert ike.ping(count=1, check=False) == 0
    ike.ike_a.initiate("hq")
    ike.ping()


def test_traffic_brings_it_up(ike):
    """The first packet of all arrives: it is held until the SAs are there."""
    ike.load({"net": {**NET, "start_action": "trap"}})
    assert ike.tunnel()["state"] == "down" and ike.tunnel()["trap"] is True
    assert ike.ping(count=1) == 1
    assert ike.tunnel()["state"] == "up"
    # It goes down, and comes up again the same way.
    ike.ike_a.terminate("--ike", "hq")
    assert ike.ping(6, count=1) == 1


def test_traffic_brings_a_route_based_one_up(ike):
    ike.load({"hq": {**ANY, "start_action": "trap"}})
    ike.sites.gw_a.ip("route", "replace", "10.2.0.0/24", "dev", "hq")
    ike.ike_b.waits_for("added vici connection")
    tunnel_of_b = threading_route(ike)
    assert ike.ping(count=4, check=False) >= 3
    assert tunnel_of_b()
    assert ike.tunnel("hq")["state"] == "up"


def threading_route(ike):
    """B's device comes with its first SA; the route into it as soon as it is there."""
    done = threading.Event()

    def add():
        netns.wait_until(lambda: "hq" in ike.sites.gw_b.devices(), "the device", 10)
        ike.sites.gw_b.ip("route", "replace", "10.1.0.0/24", "dev", "hq")
        done.set()

    threading.Thread(target=add, daemon=True).start()
    return lambda: done.wait(10)


@pytest.mark.parametrize("encap", ("no", "yes"))
def test_rekeys_lose_nothing(ike, encap):
    ike.load({"net": NET}, encap=encap)
    ike.ike_a.initiate("net")
    ike.ping()
    with ike.stream(rate=3000) as out, ike.stream(back=True, rate=3000) as back:
        out.arrived()
        back.arrived()
        for i in range(12):
            one = (ike.ike_a, ike.ike_b)[i % 2]
            one.swanctl("--rekey", *(("--ike", "hq") if i % 4 == 3 else ("--child", "net")))
            time.sleep(0.15)
    out.lossless()
    back.lossless()
    totals = ike.tunnel()["totals"]
    assert totals["packets_out"] >= out.sent and totals["drops_in"] == totals["drops_out"] == 0


def test_both_rekey_at_once(ike):
    ike.load({"net": NET})
    ike.ike_a.initiate("net")
    ike.ping()
    with ike.stream(rate=2000) as out, ike.stream(back=True, rate=2000) as back:
        out.arrived()
        back.arrived()
        for _ in range(5):
            both = [subprocess.Popen(
                ["ip", "netns", "exec", one.namespace.name, "swanctl", "--rekey", "--child", "net", "--uri", one.vici],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in (ike.ike_a, ike.ike_b)]
            for process in both:
                process.wait(10)
            time.sleep(0.3)
    out.lossless()
    back.lossless()
    netns.wait_until(lambda: len(ike.a.call("sa.list")["items"]) == 2 == len(ike.b.call("sa.list")["items"]),
                     "one pair of SAs is left", 10)
    ike.ping()


@pytest.mark.parametrize("limits", (
    {"rekey_packets": 2000, "life_packets": 20000, "rand_packets": 0},
    {"rekey_bytes": 500000, "life_bytes": 5000000, "rand_bytes": 0},
    {"rekey_time": "1s", "life_time": "20s", "rand_time": 0}), ids=("packets", "bytes", "seconds"))
def test_limits_rekey_in_time(ike, limits):
    ike.load({"net": {**NET, **limits}})
    ike.ike_a.initiate("net")
    ike.ping()
    with ike.stream(rate=2000) as out:
        out.arrived()
        time.sleep(3.5)
    out.lossless()
    assert ike.ike_a.text().count("creating rekey job") + ike.ike_b.text().count("creating rekey job") >= 2


def test_a_hard_limit_makes_another_one(ike):
    """A peer that never rekeys: the SA ends, and charon makes another CHILD_SA."""
    ike.load({"net": {**NET, "start_action": "start", "life_packets": 300, "rekey_packets": 0}})
    ike.ike_a.waits_for("CHILD_SA net.* established")
    with ike.stream(rate=200) as out:
        out.arrived()
        ike.ike_a.waits_for("creating delete job")
        time.sleep(1)
    assert len(out.got) > 300, "it went on"
    assert ike.ping()


def test_dpd_by_true_use_times(ike):
    ike.load({"net": NET}, dpd_delay="1s")
    ike.ike_a.initiate("net")
    with ike.stream(rate=100), ike.stream(back=True, rate=100):
        time.sleep(0.5)
        since = ike.ike_a.mark()
        time.sleep(3)
        assert "sending DPD request" not in ike.ike_a.text()[since:]
    netns.wait_until(lambda: "sending DPD request" in ike.ike_a.text()[since:] + ike.ike_b.text(),
                     "they ask when nothing comes")


def test_a_peer_that_is_gone(lab):
    ike = Ike(lab, settings={"retransmit_timeout": 0.3, "retransmit_tries": 2, "retransmit_base": 1})
    ike.load({"net": {**NET, "start_action": "trap", "dpd_action": "trap"}}, dpd_delay="1s")
    ike.ike_a.initiate("net")
    ike.ping()
    ike.sites.inet.ip("link", "set", "dev", "b", "down")
    netns.wait_until(lambda: ike.tunnel()["state"] == "down", "the tunnel is down", 15)
    assert ike.tunnel()["reason"] == "peer does not answer"
    # Its trap is still there.
    ike.ike_b.terminate("--ike", "hq", "--force", "--timeout", 1, check=False)
    ike.sites.inet.ip("link", "set", "dev", "b", "up")
    ike.sites.inet.ip("route", "replace", "198.51.100.0/24", "dev", "b")
    netns.wait_until(lambda: ike.ping(count=1, check=False), "traffic brings it up again", 15)


def test_nat_and_a_new_mapping(lab):
    """A is behind a NAT, which forgets its mapping and chooses another port."""
    ike = Ike(lab)
    inet = ike.sites.inet
    nat = ("table ip nat {{\nchain post {{\ntype nat hook postrouting priority 100\n"
           "oif b udp sport {{ 500, 4500 }} masquerade to :{}\n}}\n}}\n")
    inet.sysctl(net__netfilter__nf_conntrack_udp_timeout=1, net__netfilter__nf_conntrack_udp_timeout_stream=1)
    inet.run("nft", "-f", "-", stdin=nat.format("20000-24999"))
    nat_address = "198.51.100.254"
    ike.load({"net": NET}, b={"remote_addrs": f"{nat_address},{OUTER[4][0]}"})
    ike.ike_a.initiate("net")
    ike.ping()
    before = {sa["direction"]: sa for sa in ike.b.call("sa.list")["items"]}
    assert before["out"]["remote"] == nat_address and 20000 <= before["out"]["remote_port"] < 25000
    inet.run("nft", "flush", "ruleset")
    inet.run("nft", "-f", "-", stdin=nat.format("30000-34999"))
    time.sleep(2)
    inet.sysctl(net__netfilter__nf_conntrack_udp_timeout=60, net__netfilter__nf_conntrack_udp_timeout_stream=60)
    netns.wait_until(lambda: ike.ping(count=1, check=False), "traffic flows again", 10)
    after = {sa["direction"]: sa for sa in ike.b.call("sa.list")["items"]}
    assert after["out"]["spi"] == before["out"]["spi"], "the same SA"
    assert 30000 <= after["out"]["remote_port"] < 35000
    ike.ping(back=True)


def test_mobike(ike):
    """A's address goes away; the tunnel moves to another one with its SAs, keys and numbers."""
    gw = ike.sites.gw_a
    gw.sysctl(net__ipv4__conf__wan__promote_secondaries=1)
    gw.address("wan", "192.0.2.77/24")
    ike.load({"net": NET}, a={"local_addrs": "%any"})
    ike.ike_a.initiate("net")
    ike.ping()
    before = {(sa["direction"], sa["spi"]) for sa in ike.a.call("sa.list")["items"]}
    with ike.stream(rate=500) as out:
        out.arrived()
        gw.ip("address", "delete", "192.0.2.1/24", "dev", "wan")
        netns.wait_until(lambda: {sa["remote"] for sa in ike.b.call("sa.list")["items"]} == {"192.0.2.77"},
                         "the peer's SAs have moved", 20)
        sent = out.sent
        netns.wait_until(lambda: out.got and out.got[-1] > sent + 100, "traffic flows", 10)
    assert {(sa["direction"], sa["spi"]) for sa in ike.a.call("sa.list")["items"]} == before
    assert ike.ping() and ike.tunnel(gateway=ike.b)["state"] == "up"


def test_virtual_addresses(lab):
    """A client gets an address of A's pool; it is A's tunnel for just this client."""
    ike = Ike(lab, theirs=True)
    local, remote = OUTER[4]
    ike.ike_a.load({"rw": {**charon.connection(local, "%any", {"net": {
        "local_ts": "10.1.0.0/24", "esp_proposals": "aes256gcm16-noesn"}}, remote_id="client.example"), "pools": "pool"}},
        pools={"pool": {"addrs": "10.9.0.0/28"}})
    ike.ike_b.load({"rw": {**charon.connection(remote, local, {"net": {
        "remote_ts": "10.1.0.0/24", "esp_proposals": "aes256gcm16-noesn"}}, local_id="client.example"), "vips": "0.0.0.0"}})
    ike.ike_b.initiate("net")
    tunnel, = ike.a.call("tunnel.list")["items"]
    assert tunnel["name"] == "rw.net@client.example"
    policy, = ike.a.call("policy.list")["items"]
    assert policy["selector"]["remote"] in ("10.9.0.1", "10.9.0.1/32")
    ike.sites.gw_b.run("ping", "-c", 3, "-i", 0.2, "-W", 2, "-I", "10.9.0.1", "10.1.0.2")
    ike.ike_b.terminate("--ike", "rw")
    netns.wait_until(lambda: not ike.a.call("tunnel.list")["items"], "it goes with its client")


def test_wrong_secret(ike):
    ike.load({"net": NET})
    ike.ike_b.load(ike.ike_b.conf["connections"], secrets={"ike-psk": {"secret": "other"}})
    ike.ike_a.initiate("net", check=False)
    ike.ike_a.waits_for("AUTHENTICATION_FAILED")
    assert not ike.a.call("sa.list")["items"] and not ike.b.call("sa.list")["items"]


def test_selectors_that_do_not_match(ike):
    ike.load({"net": NET})
    ike.ike_b.load({"hq": charon.connection(*reversed(OUTER[4]), {"net": {
        **mirrored(NET), "local_ts": "10.7.0.0/24"}})})
    ike.ike_a.initiate("net", check=False)
    ike.ike_a.waits_for("TS_UNACCEPTABLE")
    netns.wait_until(lambda: not ike.a.call("sa.list")["items"], "no SA is left")
    assert not ike.a.call("policy.list")["items"]


# ---- Restarts. ----


def test_a_killed_gateway(ike):
    """Every CHILD_SA is rekeyed, no key is used again, and traffic flows."""
    ike.load({"net": {**NET, "start_action": "trap"}})
    ike.ike_a.initiate("net")
    ike.ping()
    old = {sa["spi"] for sa in ike.a.call("sa.list")["items"]}
    with ike.stream(rate=500) as out, ike.stream(back=True, rate=500) as back:
        out.arrived()
        back.arrived()
        ike.a.kill()
        ike.a.start()
        ready = time.monotonic()
        at = out.sent
        netns.wait_until(lambda: out.got[-1] > at + 50, "traffic flows again", 10)
        gap = time.monotonic() - ready
    print(f"traffic flows {gap:.2f} s after the gateway was ready again")
    assert gap < 2
    now = {sa["spi"] for sa in ike.a.call("sa.list")["items"]}
    assert not old & now and ike.tunnel()["state"] == "up"
    assert back.got[-1] > back.sent - 50


def test_a_killed_charon(lab):
    ike = Ike(lab, plugin={"grace": 5})
    ike.load({"net": NET, "other": {"local_ts": "10.1.7.0/24", "remote_ts": "10.2.7.0/24"}})
    ike.ike_a.initiate("net")
    ike.ike_a.initiate("other")
    ike.ping()
    old = {sa["spi"] for sa in ike.a.call("sa.list", tunnel="hq.net")["items"]}
    with ike.stream(rate=1000) as out:
        out.arrived()
        ike.ike_a.kill()
        time.sleep(1)
        ike.ike_a.start()
        time.sleep(1)
    out.lossless()
    ike.ike_a.load(ike.ike_a.conf["connections"])
    ike.ike_a.initiate("net")
    ike.ping()
    now = {sa["spi"] for sa in ike.a.call("sa.list", tunnel="hq.net")["items"]}
    assert len(now) == 2 and not now & old, "the new ones have replaced the old ones"
    netns.wait_until(lambda: [t["name"] for t in ike.a.call("tunnel.list")["items"]] == ["hq.net"],
                     "what nobody wants goes after the time of grace", 12)
    ike.ping()
    assert {p["tunnel"] for p in ike.a.call("policy.list")["items"]} == {"hq.net"}
    assert len(ike.a.call("sa.list")["items"]) == 2


def test_a_stopped_gateway(ike):
    ike.load({"net": NET})
    ike.ike_a.initiate("net")
    ike.ping()
    daemon = int(ike.a.call("gateway.info")["pid"])
    os.kill(daemon, signal.SIGSTOP)
    try:
        start = time.monotonic()
        ike.ike_a.swanctl("--list-sas")
        took = time.monotonic() - start
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert took < 2, f"{took:.2f} s"
    ike.ike_a.waits_for("the gateway answers again")
    ike.ping()
    ike.ike_a.swanctl("--rekey", "--child", "net")
    ike.ping()


def test_reset_by_an_operator(ike):
    ike.load({"net": NET})
    ike.ike_a.initiate("net")
    ike.ping()
    old = {sa["spi"] for sa in ike.a.call("sa.list")["items"]}
    events = Events(ike.a, events=["tunnel.reset", "tunnel.state"])
    ike.a.espctl("tunnel", "reset", "hq.net")
    assert events.next("tunnel.reset")["tunnel"] == "hq.net"
    events.next("tunnel.state", state="up")
    assert not old & {sa["spi"] for sa in ike.a.call("sa.list")["items"]}
    ike.ping()
