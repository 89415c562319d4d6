#!/bin/sh
# Lays out the agent as a release of the kind agent-self, for `roost release build`:
#
#   packaging/agent_release.sh FOLDER [WHEEL]     FOLDER: new; WHEEL: of dist/ unless it is named
#
# An environment that runs wherever it lies, of plain files alone: nodes keep each below its digest. It
# has a copy of this system's Python, so make it on the system and processor of the nodes. Its programs
# are compiled already: on a node nobody may write there.
set -eu
umask 022
case ${1:-} in
-h | --help) echo "usage: $0 FOLDER [WHEEL]: lays out the agent for roost release build" && exit 0 ;;
'' | -*) echo "usage: $0 FOLDER [WHEEL]" >&2 && exit 2 ;;
esac
refuse() { echo "agent_release: $1" >&2 && exit 1; }
[ ! -e "$1" ] || refuse "$1 is there already: name a new folder"
wheel=$(realpath "${2:-$(find "$(dirname "$0")/../dist" -maxdepth 1 -name 'roost_agent-[0-9]*.whl' 2>/dev/null | head -n 1)}" 2>/dev/null) ||
    refuse 'no wheel in dist/: make build writes it, or name one'
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; [ "$status" = 0 ] || rm -rf "$out"' EXIT # all of it, or nothing
trap 'exit 130' INT TERM
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the system's own Python: nodes have it, too
packaging/system.sh venv
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
packages=$out/lib/python$version/site-packages
python3 -m venv "$scratch/env"
pip="$scratch/env/bin/python -m pip install -qq --no-compile --target $packages"
$pip --require-hashes --only-binary :all: --requirement packaging/requirements/agent.txt
$pip --no-deps --no-index "$wheel"
rm -rf "$packages/bin" # programs of others, and lists of files that name this machine's folders
rm -f "$packages"/*.dist-info/RECORD "$packages"/*.dist-info/direct_url.json

mkdir "$out/bin"
install -m 0755 "$(realpath "$(command -v python3)")" "$out/bin/python"
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$out/pyvenv.cfg"
program() { # name, module
    cat >"$out/bin/$1" <<EOF
#!/bin/sh
# By where this file really is: links of other releases lead here, too.
exec "\$(dirname "\$(readlink -f "\$0")")/python" -P -m $2 "\$@"
EOF
    chmod 0755 "$out/bin/$1"
}
program roost-agent roost_agent
program roost-config roost_agent.config_apply
program roost-guard roost_agent.guard
program roost-helper roost_agent.helper
program roost-install roost_agent.install
program roost-listen roost_agent.listener
# Never compared with the sources' times, which a release does not carry.
"$out/bin/python" -m compileall -qq --invalidation-mode unchecked-hash -s "$out" -p /roost "$packages"
said=$("$out/bin/roost-agent" --version)
echo "agent_release: $said for $(uname -m), Python $version, in $1"
