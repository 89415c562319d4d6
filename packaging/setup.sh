#!/bin/sh
# Makes .venv hold one lock and this tree as an editable install; at once when it already does.
#
#   packaging/setup.sh central    what `make demo` runs
#   packaging/setup.sh dev        that, and the tools and tests
#
# The stamp names the lock's content, the project's metadata, the interpreter and the place, so a
# pulled lock, another Python or a moved folder installs anew, and nothing else does.
# PYTHON=python3.12 chooses an interpreter.
set -eu
case ${1:-} in -h | --help) echo 'usage: packaging/setup.sh central|dev: makes .venv hold one lock and this tree' && exit 0 ;; esac
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1

profile=$1
venv=.venv

stamp() { # the content that .venv/.roost-$1 has when profile $1 is installed
    "$venv/bin/python" -V
    pwd
    cat "packaging/requirements/$1.txt" pyproject.toml protocol/roost_protocol/__init__.py | sha256sum
}
is_installed() { [ -f "$venv/.roost-$1" ] && [ "$(stamp "$1")" = "$(cat "$venv/.roost-$1")" ]; }
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() { # the first interpreter of 3.11 or newer that can make an environment
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_recent "$name" && "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

if [ -e "$venv" ]; then
    # A moved folder leaves scripts that point at the old place; an upgraded system, a dead link.
    if ! is_recent "$venv/bin/python" || ! grep -qF "$PWD/$venv" "$venv/bin/activate"; then
        rm -rf "$venv"
    elif is_installed dev || is_installed "$profile"; then # dev holds central's versions too
        exit 0
    fi
fi
if [ ! -e "$venv" ]; then
    if ! python=$(find_python); then
        packaging/system.sh venv
        if ! python=$(find_python); then
            echo "roost needs Python 3.11 or newer with its venv module (or set PYTHON=...)" >&2
            exit 1
        fi
    fi
    echo "setup: $("$python" -V) in $venv"
    "$python" -m venv "$venv"
fi

lock=packaging/requirements/$profile.txt
echo "setup: installing the $(grep -c '^[a-z0-9]' "$lock") packages of $lock (the first time takes a minute)"
began=$(date +%s)
# Wheels only: building a source archive would fetch build tools that no hash pins.
"$venv/bin/python" -m pip install -qq --require-hashes --only-binary :all: --requirement "$lock"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --no-index --editable .
stamp "$profile" >"$venv/.roost-$profile"
echo "setup: done in $(($(date +%s) - began)) s"
