#!/bin/sh
# Runs one command beside another, on the second core: what the first says is shown when both have
# ended. Fails when one of them does; an end of ours ends both.
#
#   packaging/beside.sh "make sim" "make check"
set -eu
said=$(mktemp)
$1 >"$said" 2>&1 &
aside=$!
trap 'kill "$aside" 2>/dev/null || true; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

failed=0
$2 || failed=$?
wait "$aside" || failed=$?
echo "$1, beside it:"
cat "$said"
exit "$failed"
