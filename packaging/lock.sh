#!/bin/sh
# Remakes the hash-pinned locks from the two pyproject.toml files. Needs uv on PATH.
#
#   packaging/lock.sh             keeps every version that still fits
#   packaging/lock.sh --upgrade   takes the newest releases
#
# The locks are universal (one file for every Python from 3.11 on) and name no index, so that a
# mirror works. The smaller locks take their versions from dev.txt: what ships is what was tested.
set -eu
case ${1:-} in -h | --help) echo 'usage: packaging/lock.sh [--upgrade]: remakes the hash-pinned locks' && exit 0 ;; esac
cd "$(dirname "$0")/.."
locks=packaging/requirements

compile() {
    lock=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --annotation-style line \
        --custom-compile-command packaging/lock.sh --output-file "$locks/$lock" "$@" >/dev/null
}

compile dev.txt pyproject.toml --extra dev "$@"
compile central.txt pyproject.toml "$locks/build.in" --extra central --extra postgres --constraint "$locks/dev.txt" "$@"
compile agent.txt agent/pyproject.toml --constraint "$locks/dev.txt" "$@"
