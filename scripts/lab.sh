# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Laboratories of network namespaces, for sourcing by bash scripts:
#
#   . scripts/lab.sh
#   lab_begin demo              # names, a directory, clean-up on any way out
#   lab_namespace gwa           # loopback up, forwarding as the kernel has it
#   lab_link gwa wan inet a     # a veth pair with sender checksum offload off
#   lab_in gwa ip route ...     # run there
#   lab_spawn gwa tcpdump ...   # in the background; its id is in $LAB_PID
#   lab_gateway gwa FILE        # espalierd there, ready when this returns
#   lab_ctl gwa tunnel list     # espctl to that gateway
#
# Names carry the id of the shell, so runs beside each other and leftovers of a
# killed run do not meet. Only processes that were started here are ended.

LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_BUILD=${LAB_BUILD:-$LAB_TOP/build}
LAB_KEEP=${LAB_KEEP:-}
declare -A LAB_GATEWAY=()
LAB_PIDS=()
LAB_NAMESPACES=()

lab_begin() {
	LAB_NAME=esp-$1-$$
	LAB_DIR=$(mktemp -d "/tmp/$LAB_NAME.XXXX")
	trap lab_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# Ends what was started, newest first, and removes namespaces and files.
lab_end() {
	local status=$? i ns
	trap - EXIT
	trap '' INT TERM HUP
	if [[ -n $LAB_KEEP ]]; then
		lab_describe
		exit "$status"
	fi
	for ((i = ${#LAB_PIDS[@]} - 1; i >= 0; i--)); do
		lab_stop "${LAB_PIDS[i]}"
	done
	for ns in "${LAB_NAMESPACES[@]}"; do
		ip netns delete "$LAB_NAME-$ns" 2>/dev/null || true
	done
	rm -rf "$LAB_DIR"
	exit "$status"
}

lab_describe() {
	local ns
	echo "kept: files in $LAB_DIR, namespaces:"
	for ns in "${LAB_NAMESPACES[@]}"; do
		echo "  ip netns exec $LAB_NAME-$ns bash"
	done
	echo "to remove:"
	((${#LAB_PIDS[@]} > 0)) && echo "  kill ${LAB_PIDS[*]}"
	for ns in "${LAB_NAMESPACES[@]}"; do
		echo "  ip netns delete $LAB_NAME-$ns"
	done
	echo "  rm -r $LAB_DIR"
}

lab_namespace() {
	local ns=$1
	ip netns add "$LAB_NAME-$ns"
	LAB_NAMESPACES+=("$ns")
	ip -n "$LAB_NAME-$ns" link set lo up
}

# lab_link NS_A DEVICE_A NS_B DEVICE_B [MTU]
lab_link() {
	local mtu=${5:-1500} ns dev
	ip -n "$LAB_NAME-$1" link add name "$2" mtu "$mtu" type veth \
		peer name "$4" mtu "$mtu" netns "$LAB_NAME-$3"
	for ns in "$1 $2" "$3 $4"; do
		read -r ns dev <<<"$ns"
		# The other end may be an AF_XDP port: it sees frames as they leave here,
		# so checksums have to be in them.
		ip netns exec "$LAB_NAME-$ns" ethtool -K "$dev" tx off >/dev/null
		ip -n "$LAB_NAME-$ns" link set dev "$dev" up
	done
}

lab_in() {
	local ns=$1
	shift
	ip netns exec "$LAB_NAME-$ns" "$@"
}

# Addresses are usable at once: duplicate address detection is for shared links.
lab_address() {
	local ns=$1 dev=$2 address
	shift 2
	for address in "$@"; do
		if [[ $address == *:* ]]; then
			ip -n "$LAB_NAME-$ns" address add "$address" dev "$dev" nodad
		else
			ip -n "$LAB_NAME-$ns" address add "$address" dev "$dev"
		fi
	done
}

lab_forward() {
	lab_in "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# Output goes to $LAB_DIR/NS.COMMAND.log.
lab_spawn() {
	local ns=$1
	shift
	ip netns exec "$LAB_NAME-$ns" "$@" >>"$LAB_DIR/$ns.$(basename "$1").log" 2>&1 </dev/null &
	LAB_PID=$!
	LAB_PIDS+=("$LAB_PID")
}

# lab_stop PID [SIGNAL]: true if it ended by itself within five seconds.
lab_stop() {
	local pid=$1 i
	kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
	for ((i = 0; i < 100; i++)); do
		if ! kill -0 "$pid" 2>/dev/null; then
			wait "$pid" 2>/dev/null || true
			return 0
		fi
		sleep 0.05
	done
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	return 1
}

lab_gateway() {
	local ns=$1 file=$2 socket=$LAB_DIR/$1.sock i
	lab_spawn "$ns" "$LAB_BUILD/app/espalierd/espalierd" --config "$file" --socket "$socket"
	LAB_GATEWAY[$ns]=$LAB_PID
	for ((i = 0; i < 300; i++)); do
		if ! kill -0 "$LAB_PID" 2>/dev/null; then
			break
		fi
		if [[ -S $socket ]] && lab_ctl "$ns" gateway info >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	echo "espalierd in $ns did not become ready:" >&2
	tail -n 30 "$LAB_DIR/$ns.espalierd.log" >&2
	return 1
}

# True if it ended by itself, as asked, with status 0.
lab_gateway_stop() {
	local pid=${LAB_GATEWAY[$1]} i
	kill -TERM "$pid"
	for ((i = 0; i < 100; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	wait "$pid"
}

lab_ctl() {
	local ns=$1
	shift
	"$LAB_BUILD/app/espctl/espctl" --socket "$LAB_DIR/$ns.sock" "$@"
}
