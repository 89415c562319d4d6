#!/bin/sh
# Builds both wheels into dist/ and checks what the README says of them: two builds of one tree are
# equal byte for byte, and each wheel works in an environment that has nothing but its lock.
set -eu
case ${1:-} in -h | --help) echo 'usage: packaging/wheels.sh: builds both wheels into dist/, and tries them' && exit 0 ;; esac
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1
bin=$PWD/.venv/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

build() { # tree, output folder
    for project in "$1" "$1/agent"; do
        "$bin/pyproject-build" --no-isolation --wheel --outdir "$2" "$project" >"$scratch/log" 2>&1 ||
            { cat "$scratch/log" >&2 && exit 1; }
    done
}

fresh() { # name, lock, wheel: an environment with this wheel and its locked dependencies
    echo "build: installing $(basename "$3") into a fresh environment"
    "$bin/python" -m venv --without-pip "$scratch/$1"
    pip="$bin/python -m pip --python $scratch/$1"
    $pip install -qq --no-compile --require-hashes --only-binary :all: \
        --requirement "packaging/requirements/$2"
    $pip install -qq --no-compile --no-deps --no-index "$3"
    $pip check >/dev/null # the lock covers what the wheel asks for
}

"$bin/python" packaging/release.py # a release must not carry what is for development

echo "build: two wheels, twice"
rm -rf dist
build . dist
# The second time from a copy elsewhere, with other times and modes: none of it may show.
mkdir "$scratch/tree"
(umask 077 && cp -RL agent central protocol packaging pyproject.toml README.md LICENSE "$scratch/tree")
build "$scratch/tree" "$scratch/again"
for wheel in dist/*.whl; do
    cmp "$wheel" "$scratch/again/$(basename "$wheel")"
    sha256sum "$wheel"
done

# `-I` keeps this folder off the path: what is imported is what was installed.
fresh central central.txt dist/roost-[0-9]*.whl
"$scratch/central/bin/roost" --version >/dev/null
"$scratch/central/bin/python" -I -c 'import roost_agent, roost_central, roost_protocol'

fresh edge agent.txt dist/roost_agent-[0-9]*.whl
"$scratch/edge/bin/python" -I -c 'import roost_agent, roost_protocol'
if "$scratch/edge/bin/python" -I -c 'import roost_central' 2>/dev/null; then
    echo "build: the edge wheel carries roost_central" >&2
    exit 1
fi

# As a release for nodes: it runs wherever it lies, and so do the programs that it starts itself.
packaging/agent_release.sh "$scratch/release" dist/roost_agent-[0-9]*.whl
mv "$scratch/release" "$scratch/elsewhere"
ln -s "$scratch/elsewhere/bin/roost-agent" "$scratch/roost-agent"
"$scratch/roost-agent" probe os --json >/dev/null
"$scratch/elsewhere/bin/roost-install" --help >/dev/null
[ -z "$(find "$scratch/elsewhere" ! -type f ! -type d)" ] || { echo "build: a release has links" >&2 && exit 1; }
echo "build: both wheels are reproducible and work alone"
