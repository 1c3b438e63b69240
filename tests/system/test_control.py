# SPDX-License-Identifier: BSD-3-Clause
"""The control socket from outside: permissions, bad input, and what espctl makes of it."""

import grp
import json
import os
import socket
import stat

import pytest
from lab import gateway
from lab.crossing import Crossing, Peer


@pytest.fixture(scope="module")
def crossing(module_lab):
    return Crossing(module_lab, {"control": {"mode": "0660", "group": "daemon"}})


def test_mode_and_group(crossing):
    state = os.stat(crossing.gateway.socket)
    assert stat.S_IMODE(state.st_mode) == 0o660
    assert state.st_gid == grp.getgrnam("daemon").gr_gid


def test_others_are_refused(crossing):
    """By the file's mode already; nobody is neither its owner nor in its group."""
    os.chmod(crossing.lab.directory, 0o755)
    said = crossing.gw.run("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
                           gateway.ESPCTL, "--socket", crossing.gateway.socket, "gateway", "info", check=False)
    assert "version" not in said


BAD = {
    "no JSON": "hello",
    "half": '{"jsonrpc": "2.0", "id": 1, "method": "gateway.info"',
    "no version": '{"id": 1, "method": "gateway.info"}',
    "another version": '{"jsonrpc": "1.0", "id": 1, "method": "gateway.info"}',
    "method is a number": '{"jsonrpc": "2.0", "id": 1, "method": 5}',
    "unknown method": '{"jsonrpc": "2.0", "id": 1, "method": "gateway.explode"}',
    "empty batch": "[]",
    "a number": "42",
    "null": "null",
    "params are a string": '{"jsonrpc": "2.0", "id": 1, "method": "gateway.info", "params": "x"}',
    "unknown parameter": '{"jsonrpc": "2.0", "id": 1, "method": "gateway.info", "params": {"x": 1}}',
    "name twice": '{"jsonrpc": "2.0", "id": 1, "method": "tunnel.get", "params": {"name": "a", "name": "b"}}',
    "NUL": '{"jsonrpc": "2.0", "id": 1, "method": "gateway.info\\u0000"}',
    "surrogate": '{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}',
    "deep": "[" * 5000,
    "deep and closed": "[" * 2000 + "]" * 2000,
    "large number": '{"jsonrpc": "2.0", "id": 1, "method": "tunnel.send_dummy", "params": {"name": "t1", "count": 1e400}}',
    "control characters": "\x01\x02\x03",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lines_get_an_error_and_the_connection_lives(crossing, case):
    control = gateway.Control(crossing.gateway.socket)
    answer = control.line(BAD[case])
    for one in answer if isinstance(answer, list) else [answer]:
        assert -32768 <= one["error"]["code"] <= -32000 or one["error"]["code"] > 0
        assert one["error"]["message"]
    assert control.call("gateway.info")["version"]
    control.close()


WRONG_SA = {
    "direction": {"direction": "sideways"}, "spi": {"spi": 255}, "spi too large": {"spi": 1 << 32},
    "spi text": {"spi": "4096"}, "tunnel": {"tunnel": "nonesuch"}, "short key": {"key": "00" * 35},
    "long key": {"key": "00" * 37}, "key of the other cipher": {"key": "00" * 20},
    "no hex": {"key": "zz" * 36}, "algorithm": {"algorithm": "rot13"}, "window": {"replay_window": 31},
    "window too large": {"replay_window": 32769}, "port": {"udp": True, "remote_port": 65536},
    "port 0": {"udp": True, "remote_port": 0}, "address": {"remote": "1.2.3"},
    "multicast": {"remote": "224.0.0.1"}, "families": {"remote": "2001:db8::1"},
    "selector": {"selectors": [{"local": "10.0.0.0/33"}]},
    "selector families": {"selectors": [{"local": "10.0.0.0/8", "remote": "fd00::/8"}]},
    "too many selectors": {"selectors": [{"local": f"10.0.{n}.0/24"} for n in range(33)]},
    "unknown": {"colour": "blue"},
}


@pytest.mark.parametrize("case", WRONG_SA)
def test_a_wrong_sa_is_refused_whole_and_the_error_names_the_field(crossing, case):
    crossing.gateway.call("tunnel.add", name="victim", local="192.0.2.1", remote="203.0.113.99", exist_ok=True)
    right = {"direction": "in", "spi": 0x5000, "tunnel": "victim", "key": "ab" * 36}
    before = crossing.gateway.call("gateway.info")["sas_in"]
    with pytest.raises(gateway.RpcError) as error:
        crossing.gateway.call("sa.add", **{**right, **WRONG_SA[case]})
    assert list(WRONG_SA[case])[-1] in json.dumps([error.value.message, error.value.data])
    assert "ab" * 36 not in str(error.value)
    assert crossing.gateway.call("gateway.info")["sas_in"] == before


def test_a_used_key_is_refused_for_sending(crossing):
    """Nonce safety: the same key and salt would start at 1 again."""
    crossing.gateway.call("tunnel.add", name="nonce", local="192.0.2.1", remote="203.0.113.98")
    key = gateway.fresh_key()
    crossing.gateway.add_sa("out", "nonce", 0x6000, key)
    crossing.gateway.call("sa.delete", direction="out", spi=0x6000, tunnel="nonce")
    crossing.gateway.add_sa("out", "nonce", 0x6002, gateway.fresh_key())
    try:
        crossing.gateway.add_sa("out", "nonce", 0x6001, key)
    except gateway.RpcError as error:
        assert "key" in str(error)
    else:
        # It may be taken again only because nothing was sent with it.
        assert crossing.gateway.sa("out", 0x6001, tunnel="nonce")["counters"]["packets"] == 0


def test_a_key_that_has_sent_is_refused(crossing):
    peer = Peer(crossing, 5, 4)
    crossing.probe_out(peer)
    crossing.gateway.call("sa.delete", direction="out", spi=peer.spi_out, tunnel=peer.name)
    with pytest.raises(gateway.RpcError):
        crossing.gateway.add_sa("out", peer.name, peer.spi_out, peer.open.key)
    crossing.gateway.add_sa("out", peer.name, peer.spi_out, peer.open.key, seq_first=1000)
    crossing.hosts.send(peer.inner_out(4, payload=b"beyond"))
    assert peer.opened(crossing.peers.receive(1)[0]).seq == 1000


def test_clients_that_stall_or_flood_do_not_stop_others(crossing):
    stalled = [gateway.Control(crossing.gateway.socket) for _ in range(20)]
    for one in stalled[:10]:
        one.socket.sendall(b'{"jsonrpc": "2.0", "id": 1, "method"')
    flooding = stalled[10:]
    request = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n' * 200
    for one in flooding:
        one.socket.setblocking(False)
        for _ in range(50):
            try:
                one.socket.send(request)
            except (BlockingIOError, ConnectionError):
                break
    assert crossing.gateway.call("gateway.info")["version"]
    for one in stalled:
        one.socket.close()
    assert crossing.gateway.call("gateway.info")["version"]


def test_an_endless_line_is_cut_off(crossing):
    control = gateway.Control(crossing.gateway.socket)
    chunk = b"x" * 65536
    with pytest.raises((ConnectionError, socket.timeout)):
        for _ in range(4096):
            control.socket.sendall(chunk)
    assert crossing.gateway.call("gateway.info")["version"]


def test_a_second_gateway_does_not_take_a_living_socket(crossing):
    process = crossing.peers_ns.spawn(gateway.ESPALIERD, "--config", crossing.gateway.file,
                                      "--socket", crossing.gateway.socket)
    assert process.wait(20) != 0
    assert crossing.gateway.call("gateway.info")["version"]


def test_espctl(crossing):
    text = crossing.gateway.espctl("gateway", "info")
    assert "version" in text
    ports = json.loads(crossing.gateway.espctl("--json", "port", "list"))["items"]
    assert {port["name"] for port in ports} == {"lan", "wan"}
    lines = crossing.gateway.espctl("port", "list").splitlines()
    assert lines[0].split()[:3] == ["NAME", "UP", "ROLE"]
    column = lines[0].index("ROLE")
    assert all(line[column] != " " and line[column - 1] == " " for line in lines if line)
    crossing.gateway.espctl("tunnel", "add", "name=ctl", "local=192.0.2.1", "remote=203.0.113.77", "mtu=1300")
    assert crossing.gateway.tunnel("ctl")["mtu"] == 1300
    key = gateway.fresh_key().hex()
    said = crossing.gateway.espctl("call", "sa.add", "-", stdin=json.dumps(
        {"direction": "in", "spi": 0x7000, "tunnel": "ctl", "key": key}))
    assert key not in said
    assert "7000" in crossing.gateway.espctl("sa", "list", "tunnel=ctl")
    file = crossing.lab.directory / "out.key"
    file.write_text(gateway.fresh_key().hex() + "\n")
    crossing.gateway.espctl("sa", "add", "direction=out", "spi=28673", "tunnel=ctl", f"key=@{file}")
    assert crossing.gateway.tunnel("ctl")["state"] == "up"
    crossing.gateway.espctl("tunnel", "delete", "name=ctl")
    for wrong in (["tunnel", "get", "name=ctl"], ["tunnel", "explode"], ["tunnel", "add"], ["nonsense"],
                  ["tunnel", "add", "name=x", "mtu=many"]):
        done = crossing.gw.run("sh", "-c", f"{gateway.ESPCTL} --socket {crossing.gateway.socket} "
                               f"{' '.join(wrong)} 2>&1; echo status $?")
        assert "status 0" not in done and len(done) > len("status 1\n"), (wrong, done)


def test_no_key_was_logged(crossing):
    assert "ab" * 36 not in crossing.gateway.log()
