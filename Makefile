# The commands of this repository. `make` alone lists them. Nothing here touches anything outside this folder, but for
# `make test` and `make chaos`, which install the Debian packages that tests need where they may; `make test` keeps the
# systems that tests start in the user's cache folder.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests start hundreds of processes; each would compile the hub anew where Python is told to keep nothing compiled.
export PYTHONDONTWRITEBYTECODE :=
# Debian keeps servers, and the means to start one as its own user, where not everybody's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin
# program:Debian package, what tests start besides Python
TEST_PROGRAMS := openssl:openssl git:git redis-server:redis-server rabbitmq-server:rabbitmq-server \
  systemd-analyze:systemd initdb:postgresql faketime:faketime sshd:openssh-server node:nodejs npm:npm xmlsec1:xmlsec1 \
  gpg:gnupg

CHECKED := tests/unit tests/simulation/test_planted.py tests/test_docs.py tests/test_house_rules.py
LONGEST_FIRST := tests/simulation tests/mutants tests/chaos tests/acceptance tests/integration tests/conformance tests/engine

.DEFAULT_GOAL := help
.PHONY: help setup demo check test test-packages real-systems conformance soak chaos bench docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv with the pinned packages of requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@set -eu; python=""; \
	for name in python3 python3.13 python3.12 python3.11; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "make setup: Python 3.11 or newer is needed; none was found" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "make setup: $$python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "installing the pinned packages into $(VENV); this once, it takes about half a minute ..."; \
	[ -x $(BIN)/python ] || $$python -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .; \
	touch $(STAMP)

demo: setup ## a day of orders through the hub and four stub systems; STAY=1 leaves it running
	@$(BIN)/o2c demo $(if $(STAY),--stay)

check: setup ## format, lint, types, import layers, unit tests: what to run before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy & types=$$!; $(BIN)/o2c test; tests=$$?; wait $$types && exit $$tests
	$(BIN)/pytest -n 2 $(CHECKED)

# Many tests wait for processes and disks, so four files at a time keep two cores busy.
test: test-packages real-systems check ## everything: starts with check, then all other tests
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not by_hand" --deselect tests/simulation/test_planted.py \
	  $(LONGEST_FIRST)

# The shop and the ERP that tests start are installed once, outside this folder, while the first checks run; a test that
# needs one waits for it, and tells what went wrong.
real-systems: test-packages setup
	@cd tests && nice -n 5 ../$(BIN)/python -m systems.installs >/dev/null 2>&1 &

# Root installs what is missing, without starting it as a service; anyone else is told the names.
test-packages:
	@set -eu; missing=""; \
	for folder in /usr/lib/rabbitmq/bin /usr/lib/postgresql/*/bin; do PATH="$$PATH:$$folder"; done; \
	for pair in $(TEST_PROGRAMS); do \
	  command -v "$${pair%%:*}" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
	done; \
	[ -x $(BIN)/python ] || python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then \
	  echo "make test: these Debian packages are missing; install them and run it again:$$missing" >&2; exit 1; \
	fi; \
	echo "installing$$missing ..."; \
	apt-get update -qq; \
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

# What the hub writes itself, by the rules of the project that PROJECT= names.
OWN_DOCUMENTS = $(if $(PROJECT),$(BIN)/python tests/conformance/own_documents.py $(PROJECT) || failed=1,:)

conformance: setup ## one suite per kind of plugin; CONNECTOR=FILE: one of your own; SAMPLES=FOLDER: documents of others; RULES=FOLDER PROJECT=FOLDER: tests of published rules; all in one run; GRAMMARS=FOLDER: grammars of others
ifdef CONNECTOR
	O2C_CONNECTOR_SIDE=$(abspath $(CONNECTOR)) $(BIN)/pytest tests/conformance/test_connectors_send.py tests/conformance/test_connectors_fetch.py
else ifdef GRAMMARS
	@$(BIN)/python tests/conformance/published_grammars.py $(GRAMMARS) $(if $(WRITE),--write)
else ifdef SAMPLES
	@failed=0; $(BIN)/python tests/conformance/public_documents.py $(SAMPLES) "$(PROJECT)" "$(RULES)" || failed=1; $(OWN_DOCUMENTS); exit $$failed
else ifdef RULES
	@failed=0; $(BIN)/python tests/conformance/rule_sets.py $(RULES) $(PROJECT) || failed=1; $(OWN_DOCUMENTS); exit $$failed
else
	$(BIN)/pytest tests/conformance
endif

SEEDS := 1..100000

soak: setup ## many simulated runs with faults at every place (SEEDS=1..500 for fewer); MINUTES=60: half load for so long
ifdef MINUTES
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) $(if $(SCALED),--scaled)
else
	$(BIN)/o2c simulate --seed $(SEEDS) --processes $$(getconf _NPROCESSORS_ONLN)
endif

ROUNDS := 1

chaos: test-packages setup ## every fault to real processes and servers, a quarter of an hour; SEED=17 does one again
	$(BIN)/python tests/chaos $(if $(SEED),--seed $(SEED)) --rounds $(ROUNDS) $(ONLY)
	$(BIN)/pytest tests/acceptance/test_crash.py -k disk

bench: setup ## the measured claims; needs the servers of a scaled hub: PostgreSQL, redis-server, rabbitmq-server
	$(BIN)/pytest -m by_hand tests/integration/test_benchmarks.py
	@failed=0; for name in hub mapping edi xml scale; do $(BIN)/o2c bench $$name || failed=1; done; exit $$failed

docs: setup ## write what is made of the reference pages anew and list what documentation there is
	$(BIN)/python -m hub.cli.reference_pages docs/reference
	$(BIN)/o2c schema --into schemas >/dev/null
	@find docs -name '*.md' | sort

clean: ## remove .venv, caches and build output
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
