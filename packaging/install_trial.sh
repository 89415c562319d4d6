#!/bin/sh
# Installs roost as packaging/install.sh does, in a mount namespace whose /usr and /etc are thrown away
# afterwards, and looks at what is there: the programs answer, and systemd finds no fault in a unit.
#
#   packaging/install_trial.sh      after `make build`; needs root, and says so where it is missing
set -eu
case ${1:-} in -h | --help) echo 'usage: packaging/install_trial.sh: installs as install.sh does, into a place that is thrown away' && exit 0 ;; esac
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
    PATH=/usr/sbin:/usr/bin:/sbin:/bin packaging/system.sh venv # a package must not go into the trial
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM
    if ! unshare --mount mount -t tmpfs none "$scratch" 2>/dev/null; then
        echo "install_trial: skipped, a mount namespace needs root"
        exit 0
    fi
    unshare --mount "$0" inside "$scratch"
    exit
fi

scratch=$2
mount -t tmpfs none "$scratch"
for folder in usr etc; do
    mkdir -p "$scratch/$folder" "$scratch/$folder.work"
    layers=lowerdir=/$folder,upperdir=$scratch/$folder,workdir=$scratch/$folder.work
    if ! mount -t overlay overlay -o "$layers" "/$folder"; then
        echo "install_trial: skipped, this kernel has no overlay file system"
        exit 0
    fi
done
for role in node centre; do
    rm -rf /usr/lib/roost
    packaging/install.sh "$role"
    roost-agent --version
    roost-helper check >/dev/null || [ $? -eq 1 ] # 1: it found something to say of this machine
    runuser -u roost -- roost-agent probe --json >/dev/null
done
roost-central --version
roost --version
id roost-signer >/dev/null
said=$(systemd-analyze verify /etc/systemd/system/roost-*.service /etc/systemd/system/roost-*.socket /etc/systemd/system/roost-*.timer 2>&1 | grep roost || true)
if [ -n "$said" ]; then
    echo "$said" >&2
    exit 1
fi
echo "install_trial: a node and a centre are installed by one line each"
