# Everything a developer types. `make help` lists it; `make check` is what decides.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := schemas online_models streams
EXTRAS := deploy docs browser deep

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types tests audit check-all chaos docs bench clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## install everything into .venv (PYTHON=python3.11 picks the interpreter)

$(READY): pyproject.toml
	@test -x $(BIN)/python || { \
	  $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	    echo "$(PYTHON) is not Python 3.11 to 3.13; name one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11" >&2; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }
	@echo "installing freshrec and its tools into $(VENV); the first time this downloads some hundred megabytes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@echo "compiling what is compiled once"
	@$(BIN)/python -c 'import streams.stages.opening, streams.stages.rules'
	@touch $@

demo: $(READY)  ## watch recommendations change on a real Kafka (KAFKA=none: without one)
	$(BIN)/freshrec demo $(if $(filter none,$(KAFKA)),--no-kafka)

test: setup check  ## setup, then check: all that has to pass

check: lint types  ## ruff, mypy --strict, the audit, doctests and all tests but the slow ones
	@$(MAKE) --no-print-directory -j2 audit tests

lint: $(READY)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy --strict, tests included
	$(BIN)/mypy

# Tests on Kafka take longest and mostly wait, so the others run beside them and give way; what those say is
# shown at the end.
tests: $(READY)  ## doctests, unit, contract, property and integration tests (real Kafka), the wheel
	@mkdir -p .pytest_cache
	@nice -n 15 $(BIN)/pytest --doctest-modules -m "not slow and not kafka" $(PACKAGES) deploy tests > .pytest_cache/others.log 2>&1 & others=$$!; \
	$(BIN)/pytest -m "kafka and not slow" tests; kafka=$$?; \
	wait $$others; others=$$?; cat .pytest_cache/others.log; exit $$((kafka | others))

audit: $(READY)  ## known vulnerabilities of what is installed; says so where nobody can be asked
	$(BIN)/python -m tests.audit

check-all: check $(EXTRAS:%=$(VENV)/.%)  ## check, then the tests that take minutes
	$(BIN)/pytest --doctest-modules online_models/deep
	$(BIN)/pytest -m slow tests

$(EXTRAS:%=$(VENV)/.%): $(VENV)/.%: pyproject.toml $(READY)
	@echo "installing the extra $*"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

SCENARIO ?= kill
chaos: $(READY)  ## faults and a proof: SCENARIO=kill|flush|taking|reset|send|scale|apart|disk|snapshot|older|full|broker|slow|duplicates|poison|topics|soak KILLS=n SEED=s
	@$(BIN)/python -m tests.integration.chaos $(SCENARIO) $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

docs: $(VENV)/.docs  ## build the documentation as a site, into site/
	$(BIN)/python -m mkdocs build --quiet

bench: $(READY)  ## measure throughput and latency; writes benchmarks/results
	$(BIN)/freshrec bench

clean:  ## remove what tools left behind; keeps .venv and .freshrec
	rm -rf build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(PACKAGES) tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
