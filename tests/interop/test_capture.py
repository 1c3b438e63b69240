# SPDX-License-Identifier: BSD-3-Clause
"""tshark, given the keys, reads a capture of what we send."""

import itertools
import json
import struct
import subprocess

import pytest
from lab import wire
from lab.crossing import Peer

WAYS = list(itertools.product((4, 6), (False, True)))


def write_pcap(file, packets):
    """Link type 101: raw IP."""
    with open(file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for packet in packets:
            out.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)


def tshark(file, peer, *options):
    family = "IPv6" if ":" in peer.local else "IPv4"
    sa = (f'"{family}","*","*","0x{peer.spi_out:08x}","AES-GCM [RFC4106]",'
          f'"0x{peer.open.key.hex()}","NULL",""')
    if peer.open.esn:
        sa += ',"64-bit","0"'
    done = subprocess.run(
        ["tshark", "-r", file, "-n", "-T", "json", "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", "-o", f"uat:esp_sa:{sa}",
         "-d", f"udp.port=={peer.ports[1] or 4500},udpencap", *options],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


@pytest.mark.parametrize("outer, udp", WAYS)
def test_tshark_decrypts_what_we_send(crossing, peer_number, outer, udp):
    peer = Peer(crossing, peer_number(), outer, udp, esn=False)
    texts = [f"message {n} in the tunnel".encode() for n in range(6)]
    for n, text in enumerate(texts):
        family = (4, 6)[n % 2]
        src, dst = peer.host(family), peer.remote_host(family)
        crossing.hosts.send(wire.ip_packet(src, dst, 17, wire.udp(src, dst, 7777, 8888, text)))
    file = crossing.lab.directory / f"{peer.name}.pcap"
    write_pcap(file, crossing.peers.receive(len(texts)))
    layers = tshark(file, peer)
    assert len(layers) == len(texts)
    for layer, text in zip(layers, texts):
        assert layer["esp"]["esp.spi"] == f"0x{peer.spi_out:08x}"
        assert text.hex(":") in json.dumps(layer), "the inner text is there once decrypted"
