# MyFlux Keys. `make` prints the list of targets. Every target does its own set-up, and a second run reuses it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Tests and demo start hundreds of processes that import the same modules: keep the compiled files.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# ENGINE=none leaves out the tests that need Pulumi's engine, BROWSER=none those that need a Chromium or Chrome.
ENGINE ?=
BROWSER ?=
# KEEP=1 leaves the demo's cell running, or a failed rehearsal's.
KEEP ?=
# What `make examples` runs, e.g. EXAMPLES="yaml go"; EXAMPLES=--all fails if a runtime is missing.
EXAMPLES ?=
# Arguments for pytest, e.g. PYTEST="tests/tenancy -k overlap": only these tests, without check. Engine and browser are
# found or installed only if one of them needs it (tests/conftest.py).
PYTEST ?=
# A number, the seed of a random order of the tests' folders, to find tests that depend on the order.
ORDER ?=
# A folder's tests run in one process; tests/conftest.py sets the number of processes.
TEST := $(if $(ORDER),MYFLUX_TEST_ORDER=$(ORDER) )$(RUN) -m pytest -n auto --dist loadscope --no-loadscope-reorder

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "  Variables: KEEP=1 (demo, rehearsal), PYTEST=\"tests/FOLDER ...\" ENGINE=none BROWSER=none ORDER=7 (test), MYFLUX_CACHE=FOLDER (engine, browser)"

.PHONY: demo
demo: $(STAMP) engine ## Run the whole product on this machine; KEEP=1 leaves the cell running
	$(RUN) -m ops.cli demo $(if $(KEEP),--keep)

NO_ENGINE := $(filter none,$(ENGINE))
NO_BROWSER := $(filter none,$(BROWSER))
MARKS := $(if $(NO_ENGINE),not engine)$(if $(and $(NO_ENGINE),$(NO_BROWSER)), and )$(if $(NO_BROWSER),not browser)

.PHONY: test
test: BESIDE := collected
test: $(if $(PYTEST),$(STAMP),lint $(if $(NO_ENGINE),,engine) $(if $(NO_BROWSER),,browser)) ## Run what `check` runs, and every test; PYTEST="tests/tenancy" runs only the tests of one folder
	$(if $(NO_ENGINE),@echo "ENGINE=none: the tests that run Pulumi's real engine are LEFT OUT of this run" >&2)
	$(if $(NO_BROWSER),@echo "BROWSER=none: the tests that look at a page in a real browser are LEFT OUT of this run" >&2)
	$(TEST) $(if $(MARKS),-m "$(MARKS)" )$(PYTEST)

.PHONY: check
check: lint ## Check format, lint, types, workflows, generated documents and import directions; search for keys
	$(RUN) -m pytest -q tests/architecture

# Everything of `check` that is no test. Types take as long as the rest together, so they are checked beside it.
.PHONY: lint
lint: $(STAMP)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line types style $(BESIDE)

# Else each of the workers, which collect at the same time, would rewrite all tests' assertions.
.PHONY: collected
collected: $(STAMP)
	@said=$$($(RUN) -m pytest --collect-only -qq 2>&1) || { echo "$$said" | tail -40; exit 1; }

.PHONY: types
types: $(STAMP)
	$(VENV)/bin/pyright

.PHONY: style
style: $(STAMP)
	$(RUN) -m tools.key_guard
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m tools.actionlint
	$(VENV)/bin/zizmor --offline --quiet .github
	$(RUN) -m docs.generate --check

.PHONY: bench
bench: $(STAMP) engine ## Measure, print and save the table of figures
	$(RUN) -m bench

.PHONY: bench-fleet
bench-fleet: $(STAMP) engine ## Measure the cost of a growing number of tenants, and of `myflux-keys up`
	$(RUN) -m bench growth add_tenant many_stacks unchanged drive worker_memory

.PHONY: crash-table
crash-table: $(STAMP) ## Inject every fault into every call of a rotation; print and save the results (minutes)
	$(RUN) -m tests.crash

.PHONY: kill-table
kill-table: $(STAMP) engine ## Kill command, worker and engine at 30 moments of `up`, `rotate`, `move`, `offboard` and `credential`; print and save the results (hours; a run that is stopped goes on)
	$(RUN) -m tests.kills

.PHONY: mutants
mutants: $(STAMP) ## Change each property that the program registers, one by one; report changes that the policy pack passes (minutes)
	$(RUN) -m tests.mutants

.PHONY: rehearsal
rehearsal: $(STAMP) engine ## Play docs/going-live.md on a local cell in production's shape, block by block, then `upgrade` (minutes)
	$(RUN) -m tests.rehearsal $(if $(KEEP),--keep)
	$(RUN) -m tests.upgrade

.PHONY: examples
examples: $(STAMP) engine ## Run the programs under examples/ on local cells; name missing runtimes and how to get them (minutes)
	$(RUN) -m tests.examples $(EXAMPLES)

.PHONY: upgrade
upgrade: $(STAMP) engine ## Deploy the last release, upgrade to this version under load, go one step back (minutes; needs git's history)
	$(RUN) -m tests.upgrade

.PHONY: engine
engine: $(STAMP) ## Find Pulumi's engine, or install it once into a cache outside the repository
	@$(RUN) -m tools.engine

.PHONY: browser
browser: $(STAMP) ## Find a Chromium or Chrome, or install one once (as root Debian's package, else into the cache)
	@$(RUN) -m tools.browser

.PHONY: install
install: $(STAMP) ## Make the virtual environment with pinned packages and the myflux-keys command

.PHONY: hooks
hooks: ## Make git refuse commits, merges and pushes that contain something that looks like a key
	git config core.hooksPath "$$(git rev-parse --show-prefix).githooks"

.PHONY: lock
lock: ## Write the exact versions and hashes of the packages in requirements*.in
	@command -v uv > /dev/null || { echo "make lock needs uv on PATH: pipx install uv" >&2; exit 1; }
	for name in requirements requirements-dev; do uv pip compile --quiet --generate-hashes --universal --python-version 3.11 $$name.in -o $$name.txt; done

.PHONY: clean
clean: ## Stop a running local cell, then remove everything that these targets created
	@if [ -x $(RUN) ] && [ -d .local ]; then $(RUN) -c 'from pathlib import Path; from local.cell import LocalCell; LocalCell.clear(Path(".local"))'; fi
	rm -rf .local .build .stacks dist .pytest_cache .ruff_cache .hypothesis $(VENV)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python >= 3.11 that can make a virtual environment. `-e .` adds the command and downloads nothing.
# Packages are not compiled at installation, which would double the time: Python compiles what it imports.
$(STAMP): requirements-dev.txt pyproject.toml
	@python=$$(tools/find_python) && echo "installing into $(VENV) with $$python" && "$$python" -m venv $(VENV)
	$(RUN) -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)
