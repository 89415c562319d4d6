#!/bin/sh
# Installs roost on this machine, as root: programs, users, units. It starts and enables nothing.
#
#   packaging/install.sh node [WHEEL]      agent, guard and helper
#   packaging/install.sh centre [WHEEL]    centre, signer and broker, and what a node has
#
# WHEEL: of dist/ unless it is named; `make build` writes it. The programs live in an environment of
# their own, /usr/lib/roost, with the locked dependencies. Again with a newer wheel: an upgrade.
# Configuration is never touched; what is yours in a unit belongs into a drop-in (systemctl edit).
set -eu
cd "$(dirname "$0")/.."
home=/usr/lib/roost
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the system's own Python: the services' users can reach it

node_units='roost-agent.service roost-anchor.service roost-agent-trial.service roost-agent-trial.timer roost-config-boot.service roost-config@.service
            roost-facts@.service roost-grub.service roost-facts@lldp.service roost-guard.service
            roost-helper.service roost-helper.socket roost-install@.service roost-join.service
            roost-lldp.timer'
case ${1:-} in
node) lock=agent.txt name='roost_agent-[0-9]*.whl' users=agent units=$node_units ;;
centre) lock=central.txt name='roost-[0-9]*.whl' users='agent central'
    units="$node_units roost-broker.service roost-central.service roost-signer.service" ;;
-h | --help) echo "usage: $0 node|centre [WHEEL]: installs roost on this machine, as root" && exit 0 ;;
*) echo "usage: $0 node|centre [WHEEL]" >&2 && exit 2 ;;
esac
refuse() { echo "install: $1" >&2 && exit 1; }

[ "$(id -u)" -eq 0 ] || refuse 'only root can: it makes users and units'
command -v systemd-sysusers >/dev/null || refuse 'there is no systemd-sysusers: this is for systemd'
wheel=${2:-$(find dist -maxdepth 1 -name "$name" 2>/dev/null | head -n 1)}
[ -f "$wheel" ] || refuse "no wheel in dist/: make build writes it, or name one"
packaging/system.sh venv

echo "install: $(basename "$wheel") into $home"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
umask 022
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --require-hashes --only-binary :all: \
    --requirement "packaging/requirements/$lock"
"$home/bin/python" -m pip install --quiet --force-reinstall --no-deps --no-index "$wheel"
for program in "$home"/bin/roost*; do
    ln -sf "$program" /usr/bin/
done

for of in $users; do
    install -D -m 0644 "packaging/systemd/roost-$of.sysusers.conf" "/usr/lib/sysusers.d/roost-$of.conf"
    systemd-sysusers "roost-$of.conf"
done
install -d -m 0755 /etc/roost
for unit in $units; do
    install -D -m 0644 "packaging/systemd/$unit" "/etc/systemd/system/$unit"
done
[ ! -d /run/systemd/system ] || systemctl daemon-reload

echo "install: done; nothing runs yet. The next steps: docs/install.md"
