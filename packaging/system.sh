#!/bin/sh
# Sees to the system programs that a make target needs.
#
#   packaging/system.sh venv    Python with its venv module
#   packaging/system.sh demo    the broker; without it the demo falls back on a pure Python one
#   packaging/system.sh test    everything the test layers start
#   packaging/system.sh guest   what a machine in the machine takes, of the soak; it goes without
#   packaging/system.sh tools   what installers of releases drive, of the soak; it skips what is not there
#   packaging/system.sh peers   what the bench measures beside roost; it leaves out what is not there
#
# Present: silent. Absent, as root with apt-get: installed, and no service left running.
# Absent otherwise: one line that says what to install, and exit status 1
# (demo, guest, tools, peers: a note, status 0).
set -eu
export DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # Debian's users have no sbin on PATH
for bin in /usr/lib/postgresql/*/bin; do PATH=$PATH:$bin; done # nor is the server's on it

has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# program:package pairs; a package is wanted when its program is not found
case ${1:-} in
venv) pairs='' ;;
demo) pairs='mosquitto:mosquitto' ;;
test) pairs='mosquitto:mosquitto chromium:chromium strace:strace nft:nftables ip:iproute2
             lspci:pciutils systemd-analyze:systemd initdb:postgresql
             mosquitto_sub:mosquitto-clients snmptrapd:snmptrapd snmpwalk:snmp
             dnsmasq:dnsmasq-base faketime:faketime swtpm:swtpm tpm2_createek:tpm2-tools
             ipmi_sim:openipmi ipmitool:ipmitool' ;;
guest) pairs='qemu-system-x86_64:qemu-system-x86 busybox:busybox-static
              ipmi_sim:openipmi ipmitool:ipmitool' ;;
tools) pairs='podman:podman rauc:rauc mksquashfs:squashfs-tools ostree:ostree openssl:openssl' ;;
peers) pairs='keepalived:keepalived corosync:corosync' ;;
-h | --help) echo "usage: $0 venv|demo|test|guest|tools|peers: sees to the system programs" && exit 0 ;;
*) echo "usage: $0 venv|demo|test|guest|tools|peers" >&2 && exit 2 ;;
esac
# what happens without it; empty: nothing goes on
case $1 in
demo) loss='the demo uses its built-in broker' ;;
guest) loss='the soak has no machine to fence' ;;
tools) loss='the soak skips the installers that drive them' ;;
peers) loss='the bench measures roost alone' ;;
*) loss='' ;;
esac

missing=''
for pair in $pairs; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
if [ "$1" = venv ] && ! has_venv; then missing=' python3-venv'; fi
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    if [ -n "$loss" ]; then
        echo "note: without$missing $loss; with them: sudo $install"
        exit 0
    fi
    echo "missing:$missing; on Debian or Ubuntu: sudo $install" >&2
    exit 1
fi

# A package's postinst must not start its service: the tests start their own, on their own ports.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made_policy=''
tidy() {
    rm -f "$log"
    [ -z "$made_policy" ] || rm -f "$policy"
}
trap tidy EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

echo "system: installing$missing"
fetch() { $install >"$log" 2>&1; }
# An index from an image's build time is often stale or absent: refresh it only when it fails us.
if ! fetch && ! { apt-get update >"$log" 2>&1 && fetch; }; then
    tail -n 20 "$log" >&2
    if [ -n "$loss" ]; then
        echo "note: not installed:$missing; $loss"
        exit 0
    fi
    echo "system: failed; try: $install" >&2
    exit 1
fi
# Nor start it at the next boot; a service that was there before is not ours to touch.
for service in mosquitto postgresql snmptrapd keepalived corosync openipmi; do
    case $missing in
    *$service*)
        deb-systemd-helper disable "$service.service" >/dev/null 2>&1 || true
        update-rc.d "$service" disable >/dev/null 2>&1 || true
        ;;
    esac
done
case $missing in # it brings the agent along, and is started by its socket
*snmptrapd*)
    update-rc.d snmpd disable >/dev/null 2>&1 || true
    systemctl disable snmpd.service snmptrapd.socket >/dev/null 2>&1 || true
    ;;
esac
case $missing in
*podman*)
    systemctl disable podman.service podman.socket podman-restart.service \
        podman-auto-update.timer podman-auto-update.service >/dev/null 2>&1 || true
    ;;
esac
