# SPDX-License-Identifier: BSD-3-Clause
"""
ESP with AES-GCM in a few lines, from RFC 4303 and RFC 4106: the reference that
makes what scapy cannot (bad padding, dummies, ESN with any high half) and checks
what the gateway sends down to the padding bytes.
"""

import dataclasses
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import wire

IPV4, IPV6, DUMMY = 4, 41, 59


@dataclasses.dataclass
class Opened:
    spi: int
    seq: int  # 64 bit
    iv: bytes
    inner: bytes  # payload before the padding
    padding: bytes
    next_header: int


class Sa:
    """One direction. `key`: AES key and 4 bytes of salt. The number to use next is `seq`."""

    def __init__(self, spi, key, esn=True, seq=1, outer=None):
        self.spi = spi
        self.key = key
        self.esn = esn
        self.seq = seq
        self.outer = outer
        self.aead = AESGCM(key[:-4])
        self.salt = key[-4:]

    def aad(self, seq, spi=None):
        spi = self.spi if spi is None else spi
        if self.esn:
            return struct.pack("!IQ", spi, seq)
        return struct.pack("!II", spi, seq & 0xFFFFFFFF)

    def seal(self, inner, seq=None, next_header=None, tfc=0, pad=None, trailer=None, spi=None):
        """
        The ESP packet (no outer headers) for `inner`. `tfc` bytes of zeros follow
        it (RFC 4303 2.7); `pad` is the padding itself, `trailer` all behind the payload.
        """
        if seq is None:
            seq, self.seq = self.seq, self.seq + 1
        if next_header is None:
            next_header = IPV6 if inner and inner[0] >> 4 == 6 else IPV4
        text = inner + bytes(tfc)
        if trailer is None:
            if pad is None:
                pad = bytes(range(1, 1 + (-(len(text) + 2)) % 4))
            trailer = pad + bytes([len(pad), next_header])
        iv = struct.pack("!Q", seq)
        spi = self.spi if spi is None else spi
        sealed = self.aead.encrypt(self.salt + iv, text + trailer, self.aad(seq, spi))
        return struct.pack("!II", spi, seq & 0xFFFFFFFF) + iv + sealed

    def open(self, esp, high=0):
        """Raises InvalidTag; the high half of the number is `high`."""
        spi, low = struct.unpack("!II", esp[:8])
        seq = high << 32 | low
        iv = esp[8:16]
        text = self.aead.decrypt(self.salt + iv, esp[16:], self.aad(seq, spi))
        pad, next_header = text[-2], text[-1]
        return Opened(spi, seq, iv, text[:len(text) - 2 - pad],
                      text[len(text) - 2 - pad:-2], next_header)


@dataclasses.dataclass
class Outer:
    """Outer headers: addresses, and ports where ESP is in UDP."""

    src: str
    dst: str
    sport: int = 0
    dport: int = 0

    def wrap(self, esp, **fields):
        if self.sport:
            body = wire.udp(self.src, self.dst, self.sport, self.dport, esp, zero=":" not in self.src)
            return wire.ip_packet(self.src, self.dst, 17, body, **fields)
        return wire.ip_packet(self.src, self.dst, 50, esp, **fields)

    def back(self):
        return Outer(self.dst, self.src, self.dport, self.sport)


def split(ip):
    """(IP header, UDP header or b"", ESP) of an outer packet, no options or extensions."""
    size = 20 if ip[0] >> 4 == 4 else 40
    proto = ip[9] if size == 20 else ip[6]
    if proto == 17:
        return ip[:size], ip[size:size + 8], ip[size + 8:]
    assert proto == 50, f"protocol {proto} is neither ESP nor UDP"
    return ip[:size], b"", ip[size:]


__all__ = ["IPV4", "IPV6", "DUMMY", "InvalidTag", "Opened", "Outer", "Sa", "split"]
