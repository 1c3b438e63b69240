#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports on real devices, from outside: port_test.sh PORT_LIVE. Needs root.
#
#   ptA (sender) -- ptG (port_live on gw0) -- ptC (where a leak would arrive)
set -u
[ "$(id -u)" = 0 ] || exit 77
live=$1
tmp=$(mktemp -d)
pid="" stream="" failed=0
tag=pt$$
mode=auto

cleanup() {
    [ -n "$stream" ] && kill "$stream" 2>/dev/null
    [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    wait 2>/dev/null
    for n in A G C; do ip netns del $tag$n 2>/dev/null; done
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

check() { # check TEXT COMMAND...
    local text=$1
    shift
    if "$@"; then echo "ok   $text"; else
        echo "FAIL $text"
        failed=1
        tail -5 "$tmp/log" 2>/dev/null | sed 's/^/     /'
    fi
}

start() { # start DEVICE QUEUES ROLE MTU BUFFER [EAL ARGUMENTS]: until ready or ended
    local device=$1 queues=$2 role=$3 mtu=$4 buffer=$5
    shift 5
    ip netns exec ${tag}G "$live" "$device" "$queues" "$role" "$mtu" "$buffer" 10.99.0.0/16 $mode \
        --no-huge --no-shconf --no-telemetry --no-pci --file-prefix "$tag" -m 256 -l 0 "$@" \
        >"$tmp/log" 2>&1 &
    pid=$!
    for _ in $(seq 100); do
        grep -q '^ready' "$tmp/log" && return 0
        kill -0 $pid 2>/dev/null || { pid=; return 1; }
        sleep 0.1
    done
    return 1
}

stop() { # stop [SIGNAL]
    kill "-${1:-TERM}" "$pid"
    wait "$pid" 2>/dev/null
    local status=$?
    pid=
    [ $status = 0 ]
}

echoes() { # echoes COUNT SIZE: how many datagrams come back whole
    ip netns exec ${tag}A /usr/bin/python3 - "$1" "$2" <<'PY'
import socket, sys
count, size, back = int(sys.argv[1]), int(sys.argv[2]), 0
for i in range(count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    s.connect(("10.99.0.1", 5000 + i))
    data = (b"%08d" % i) * (size // 8)
    s.send(data)
    try:
        back += s.recv(65535) == data
    except OSError:
        pass
    s.close()
print(back)
PY
}

leaked() { ip netns exec ${tag}C nft reset counter ip t leak | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
leaks() { sleep 0.3; [ "$(leaked)" -gt 0 ]; }
tight() { sleep 0.3; [ "$(leaked)" = 0 ]; }
same() { [ "$1" = "$2" ]; }
attached() { ip netns exec ${tag}G ip link show gw0 | grep -q xdp; }
says() { grep -q -- "$1" "$tmp/log"; }
fails() { ! start "$@" && [ -z "$pid" ]; }
not() { ! "$@"; }
pings() { ip netns exec ${tag}A ping -q -c2 -i0.2 -W1 10.8.0.2 >/dev/null; }
mirrored() { ip -n ${tag}G link show live >/dev/null 2>&1; }

# DPDK 22.11's driver never destroys an AF_XDP umem.
echo leak:xsk_umem__create >"$tmp/lsan"
export LSAN_OPTIONS=suppressions=$tmp/lsan:print_suppressions=0

for n in A G C; do
    ip netns add $tag$n
    ip netns exec $tag$n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    ip -n $tag$n link set lo up
done
link() { # link NS DEV ADDRESS NS DEV ADDRESS
    ip link add "$2" netns "$tag$1" numrxqueues 2 numtxqueues 2 type veth \
        peer name "$5" netns "$tag$4" numrxqueues 2 numtxqueues 2
    ip -n "$tag$1" addr add "$3" dev "$2" && ip -n "$tag$1" link set "$2" up
    ip -n "$tag$4" addr add "$6" dev "$5" && ip -n "$tag$4" link set "$5" up
    ip netns exec "$tag$1" ethtool -K "$2" tx off >/dev/null 2>&1
    ip netns exec "$tag$4" ethtool -K "$5" tx off >/dev/null 2>&1
}
link A a0 10.8.0.1/24 G gw0 10.8.0.2/24
link G gw1 10.7.0.1/24 C c0 10.7.0.2/24
ip -n ${tag}A route add 10.99.0.0/16 via 10.8.0.2
ip -n ${tag}G route add 10.99.0.0/16 via 10.7.0.2
ip netns exec ${tag}C nft -f - <<'NFT'
table ip t {
    counter leak {}
    chain c { type filter hook prerouting priority -300; ip daddr 10.99.0.0/16 counter name leak drop; }
}
NFT

# A stream to the protected prefix that never ends: where it arrives is what is tested.
ip netns exec ${tag}A /usr/bin/python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(b"inner" * 20, ("10.99.3.3", 9))
    except OSError:
        pass
    time.sleep(0.0005)' &
stream=$!

check "control: without the program the stream is forwarded" leaks

check "two queues open" start gw0 2 1 0 2048
check "native mode on veth" says '^ready native chains=0 mtu=1500 up=1'
leaked >/dev/null
check "the stream is taken" tight
check "100 of 100 datagrams come back" same "$(echoes 100 512)" 100
check "and 1,472 bytes do" same "$(echoes 10 1472)" 10
check "ping to the gateway stays with the kernel" \
    pings
check "it ends with status 0" stop TERM
check "both queues received" not grep -q '^queue . received 0$' "$tmp/log"
check "the program is gone after a clean stop" not attached
check "control: and the stream is forwarded again" leaks

start gw0 2 1 0 2048
leaked >/dev/null
for round in 1 2 3; do
    stop KILL
    check "crash $round: the program stays" attached
    check "crash $round: nothing leaks" tight
    check "crash $round: a start that fails leaves it shut" fails gw0 2 1 9000 2048
    check "crash $round: nothing leaks" tight
    check "crash $round: a restart takes over" start gw0 2 1 0 2048
    check "crash $round: and says so" says 'took over'
    check "crash $round: nothing leaked meanwhile" tight
    check "crash $round: traffic is carried" same "$(echoes 20 64)" 20
done
stop TERM

mode=generic
check "generic mode" start gw0 2 1 0 2048
check "is said" says '^ready other chains=0'
leaked >/dev/null
check "generic mode carries" same "$(echoes 20 512)" 20
check "the stream is taken" tight
stop KILL
mode=native
check "a crash in generic mode is not taken over in native mode" fails gw0 2 1 0 2048
check "with the way out" says 'ip link set dev gw0 xdpgeneric off'
mode=auto
check "but in auto mode" start gw0 2 1 0 2048
check "which stays generic" says '^ready other'
check "nothing leaked meanwhile" tight
stop TERM
check "the program is gone after a clean stop" not attached

check "one queue of two is refused" fails gw0 1 1 0 2048
check "with the command that mends it" says 'ethtool -L gw0 rx 1 tx 1'
check "three queues of two are refused" fails gw0 3 1 0 2048
check "with the limit" says 'can have 2 at most'
check "an MTU above the buffer is refused" fails gw0 2 1 1800 2048
check "with the limit" says '1800 is more than the 1778'
check "a missing device is refused" fails nosuch 1 1 0 2048
check "with its name" says 'no network device "nosuch"'
check "an unknown driver is refused" fails net_nosuch,a=b 1 1 0 2048
check "and says what is right" says 'DRIVER_NAME,argument=value'
check "nothing is attached after refusals" not attached

ip -n ${tag}A link set a0 mtu 3000
check "MTU 3,000 with larger buffers" start gw0 2 1 3000 3500
check "is the port's" says 'mtu=3000'
check "and carries 2,968 bytes" same "$(echoes 10 2968)" 10
stop TERM
ip -n ${tag}A link set a0 mtu 1500
ip -n ${tag}G link set gw0 mtu 1500

# A device of the kernel through libpcap: a port with a mirror, chains and jumbo frames.
ip -n ${tag}A link set a0 mtu 9000
ip -n ${tag}G link set gw0 mtu 9000
ip netns exec ${tag}G sysctl -qw net.ipv4.ip_forward=0
mac=$(ip netns exec ${tag}G cat /sys/class/net/gw0/address)
ip -n ${tag}A neigh replace 10.8.0.2 lladdr "$mac" dev a0
check "net_pcap opens" start net_pcap0,iface=gw0 1 1 9000 2048
check "sends chains" says '^ready other chains=1 mtu=9000 up=1'
check "has a mirror" mirrored
check "and carries 8,968 bytes" same "$(echoes 10 8968)" 10
check "it ends with status 0" stop TERM
check "the mirror goes with it" not mirrored

exit $failed
