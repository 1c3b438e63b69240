# SPDX-License-Identifier: BSD-3-Clause
"""Raw frames on the far end of a gateway's port."""

import errno
import ipaddress
import select
import socket
import struct
import time

SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
ETH_P_ALL = 3


def is_noise(ip):
    """What kernels say by themselves: neighbour discovery, MLD, multicast."""
    if not ip:
        return True
    if ip[0] >> 4 == 4:
        return len(ip) >= 20 and ip[16] >= 224
    if ip[0] >> 4 != 6 or len(ip) < 40:
        return False
    return ip[24] == 0xFF or (ip[6] == 58 and len(ip) > 40 and 130 <= ip[40] <= 137) or ip[6] == 0


class Side:
    """
    An AF_PACKET socket on `device` in `namespace`. Frames go to `mac`; what is
    received are IP packets, cut to their own length, without the noise of kernels.
    """

    def __init__(self, namespace, device, mac=None):
        with namespace.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        with namespace.inside():
            self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)
        self.mac = bytes.fromhex(namespace.mac(device).replace(":", ""))
        self.to = bytes.fromhex(mac.replace(":", "")) if mac else b"\xff" * 6
        namespace.lab.closing.append(self.socket.close)

    def send_frame(self, frame):
        while True:
            try:
                self.socket.send(frame)
                return
            except OSError as error:
                # ENETDOWN is what is left of a link that was down for a while.
                if error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.ENETDOWN):
                    raise
                select.select([], [self.socket], [], 0.01)

    def frame(self, ip):
        ethertype = 0x86DD if ip and ip[0] >> 4 == 6 else 0x0800
        return self.to + self.mac + struct.pack("!H", ethertype) + ip

    def send(self, *packets):
        """Each packet is bytes from its IP header, or what bytes() makes of it."""
        for packet in packets:
            self.send_frame(self.frame(bytes(packet)))

    def receive(self, count=None, seconds=2.0, until=None):
        """
        IP packets in order of arrival: until there are `count`, or until(packet) is
        true for one (which is the last returned), or time is over.
        """
        packets = []
        end = time.monotonic() + seconds
        while count is None or len(packets) < count:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                break
            try:
                frame = self.socket.recv(65536)
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise
                continue
            if frame[12:14] not in (b"\x08\x00", b"\x86\xdd") or is_noise(frame[14:]):
                continue
            ip = trim(frame[14:])
            packets.append(ip)
            if until is not None and until(ip):
                break
        return packets

    def drain(self):
        while True:
            try:
                self.socket.recv(65536)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise


def trim(ip):
    """Without Ethernet padding."""
    if ip[0] >> 4 == 4:
        return ip[:struct.unpack("!H", ip[2:4])[0]]
    return ip[:40 + struct.unpack("!H", ip[4:6])[0]]


def checksum(data):
    """RFC 1071, as it would be written into a header."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def ip_header(src, dst, proto, length, ttl=64, tos=0, ident=0, df=False, fragment=0):
    """An IPv4 or IPv6 header for `length` bytes of payload; `fragment`: IPv4 flags and offset."""
    if ":" in src:
        return (struct.pack("!IHBB", 6 << 28 | tos << 20, length, proto, ttl)
                + packed(src) + packed(dst))
    fragment |= 0x4000 if df else 0
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + length, ident, fragment, ttl, proto, 0)
    head += packed(src) + packed(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def ip_packet(src, dst, proto, payload, **fields):
    return ip_header(src, dst, proto, len(payload), **fields) + payload


def udp(src, dst, sport, dport, payload, zero=False):
    """A UDP datagram, with its checksum unless `zero`."""
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    if zero:
        return head + payload
    pseudo = packed(src) + packed(dst) + struct.pack("!IHBB", 8 + len(payload), 0, 0, 17)
    total = checksum(pseudo + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + payload


def udp_checksum_holds(ip):
    """Of a whole UDP datagram in IPv4 or IPv6; zero does not hold."""
    if ip[0] >> 4 == 4:
        src, dst, datagram = ip[12:16], ip[16:20], ip[20:]
    else:
        src, dst, datagram = ip[8:24], ip[24:40], ip[40:]
    pseudo = src + dst + struct.pack("!IHBB", len(datagram), 0, 0, 17)
    return datagram[6:8] != b"\0\0" and checksum(pseudo + datagram) == 0


def forwarded(ip):
    """The packet as the next router sees it: TTL or hop limit one lower, checksum right."""
    if ip[0] >> 4 == 6:
        return ip[:7] + bytes([ip[7] - 1]) + ip[8:]
    head = ip[:8] + bytes([ip[8] - 1]) + ip[9:10] + b"\0\0" + ip[12:20]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + ip[20:]


def retos(ip, tos):
    """The packet with another DSCP and ECN."""
    if ip[0] >> 4 == 6:
        word = struct.unpack("!I", ip[:4])[0] & ~(0xFF << 20) | tos << 20
        return struct.pack("!I", word) + ip[4:]
    head = ip[:1] + bytes([tos]) + ip[2:10] + b"\0\0" + ip[12:20]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + ip[20:]
