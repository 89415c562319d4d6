# Every target sees to what it needs: a fresh Debian 12 and this file are enough.
# `make` prints the targets. Options go in ARGS: make demo ARGS="--for 20 --sites 50"

BIN := .venv/bin
PYTEST := $(BIN)/pytest
PACKAGES := agent central protocol packaging tests
# A layer is run when its folder is there.
UNIT := $(wildcard tests/unit tests/protocol tests/repo)
# A part that hangs ends by itself; one on a busy machine is no failure. Seconds.
ENDS := --session-timeout=2400
# The fast tests in two halves, so that each has a core.
AGENT := tests/unit/agent
# They read no clock, as all that is begun by nice: they take the time that others leave.
FAST := nice -n 5 $(PYTEST) $(ENDS) --timeout=120
COVERED := nice -n 5 $(BIN)/coverage run --parallel-mode -m pytest $(ENDS) --timeout=120
# What is broken on purpose; the storage contract runs once more, for its PostgreSQL half.
FAULTS := $(wildcard tests/integration/faults tests/unit/central/storage)
# `make prove` gives each decoder a million inputs.
FUZZ := tests/integration/faults/test_fuzz.py
# Local HA with real nodes: it mostly waits, as a site does.
SITES := $(wildcard $(addprefix tests/integration/,guard services ha))
# The two that wait longest are parts of their own, so that others work meanwhile.
DEMOS := $(wildcard tests/integration/demo)
NOC := $(wildcard tests/integration/northbound)
PROGRAMS := $(filter-out $(FAULTS) $(SITES) $(DEMOS) $(NOC),\
    $(patsubst %/,%,$(wildcard tests/integration/*/)))
TIMED := $(ENDS) --timeout=120 -m 'not soak'
BROWSER := $(wildcard tests/browser)
SIM := $(wildcard tests/sim)

# What real programs do begins first: it waits as much as it works.
CHECKED := cover-agent cover-rest types imports
TESTED := programs faults demos sites unit-rest unit-agent browser sim noc types imports build
# So many at once keep two cores busy; all of them are heard, though one fails. What they need is
# there by then (READY), so that they begin in this order; and on the disk (sync): an environment
# that is still being written makes every fsync of a test wait for seconds.
TOGETHER := sync && echo "make: five parts at once, each is shown when it ends" && \
    $(MAKE) READY=yes --jobs=5 --output-sync=target --keep-going

MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE := # hundreds of processes would each compile the tree
.PHONY: help install runtime system demo test check lint types imports format unit cover \
        unit-agent unit-rest cover-agent cover-rest covered sim integration programs demos noc faults \
        sites browser build bench figures prove soak shape catalogue schemas docs clean

help:           ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

install:        ## .venv with the locked packages and this tree, editable
	@$(if $(READY),,packaging/setup.sh dev)

runtime:
	@packaging/setup.sh central

system: install
	@$(if $(READY),,packaging/system.sh test)

demo: runtime   ## centre, broker, agents and a simulated fleet on this machine (ARGS="--for 20 --sites 50")
	@packaging/system.sh demo
	@$(BIN)/roost demo $(ARGS)

test: system lint ## all that CI runs, at most 20 minutes on 2 cores
	@$(TOGETHER) $(TESTED)

check: lint     ## what a commit must pass
	@rm -f .coverage .coverage.*
	@$(TOGETHER) $(CHECKED)
	@$(MAKE) covered

lint: install   ## ruff: rules and format
	$(BIN)/ruff check --quiet $(PACKAGES)
	$(BIN)/ruff format --check --quiet $(PACKAGES)

types: install  ## mypy, strict
	nice -n 5 $(BIN)/mypy

imports: install ## the import contracts
	$(BIN)/lint-imports

format: install ## rewrite the sources as ruff formats them
	$(BIN)/ruff check --fix --quiet $(PACKAGES)
	$(BIN)/ruff format --quiet $(PACKAGES)

unit: install   ## the fast tests, without coverage (ARGS="-k outbox")
	$(PYTEST) $(UNIT) $(ARGS)

unit-agent: install
	$(FAST) $(AGENT)

unit-rest: install
	$(FAST) $(UNIT) --ignore=$(AGENT)

cover: install  ## the fast tests; 80 % of branches in all, 100 % in the cores
	@rm -f .coverage .coverage.*
	@$(TOGETHER) cover-agent cover-rest
	@$(MAKE) covered

cover-agent: install
	$(COVERED) $(AGENT)

cover-rest: install
	$(COVERED) $(UNIT) --ignore=$(AGENT)

covered:
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --skip-covered --skip-empty
	@$(BIN)/coverage report --skip-covered --show-missing --include='*/core.py' --fail-under=100

sim: install    ## the deterministic simulation: seeds, scenarios, the same trace twice
	$(if $(SIM),nice -n 5 $(PYTEST) $(ENDS) $(SIM) $(ARGS))

integration: programs demos noc faults sites ## real brokers, databases, processes, and faults on purpose

programs: install system
	$(if $(PROGRAMS),$(PYTEST) $(TIMED) $(PROGRAMS) $(ARGS))

demos: install system
	$(if $(DEMOS),$(PYTEST) $(TIMED) $(DEMOS) $(ARGS))

noc: install system
	$(if $(NOC),$(PYTEST) $(TIMED) $(NOC) $(ARGS))

faults: install system
	$(if $(FAULTS),$(PYTEST) $(TIMED) --ignore=$(FUZZ) $(FAULTS) $(ARGS))

sites: install system
	$(if $(SITES),$(PYTEST) $(TIMED) $(SITES) $(ARGS))

browser: install system ## the dashboard in headless Chromium
	$(if $(BROWSER),$(PYTEST) $(ENDS) --timeout=120 -m 'browser and not soak' $(BROWSER) $(ARGS))

build: install  ## both wheels into dist/: reproducible, and each works alone
	@nice -n 5 packaging/wheels.sh

bench: install system ## measure; the figures go to build/bench.json
	@packaging/system.sh peers
	$(BIN)/python tests/bench/run.py $(ARGS)

figures: install ## write the figures of build/bench.json into the README
	$(BIN)/python tests/bench/quote.py

prove: install system ## run the proofs; the results go to build/PROOFS.json
	$(BIN)/python tests/prove/run.py $(ARGS)

soak: install system build ## the long and the large, and an installation that is thrown away
	@packaging/system.sh guest
	@packaging/system.sh tools
	@packaging/guest_kernel.sh
	$(PYTEST) -m soak $(ARGS)
	@packaging/install_trial.sh

shape: install  ## files and functions that outgrew the guide
	@$(BIN)/python tests/repo/shape.py

catalogue: install ## write what is made from the alarm catalogue
	$(BIN)/python -m roost_central.alarms.export_catalogue

schemas: install ## write what is made from the payloads of the NOC's tree
	$(BIN)/python -m roost_central.northbound.schema
	$(BIN)/python -m roost_central.northbound.asyncapi

docs: install   ## links, decision records and change log
	$(PYTEST) tests/repo/test_docs.py

clean:          ## remove what builds and tests left; .venv stays
	rm -rf build dist agent/build agent/dist htmlcov .coverage .coverage.* \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PACKAGES) -name __pycache__ -type d -prune -exec rm -rf {} +
