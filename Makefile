# The two commands of the README: `make demo` and `make test`. Everything lives in .venv; nothing is installed elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
VENV1 := .venv-duckdb1
CLIENTS := .venv-interop
DBT := .venv-dbt
CLICKHOUSE := .venv-clickhouse

# The tests start many processes: none of them is to compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test format lint types floors unit test-all crash test-duckdb1 test-clickhouse test-dbt interop bench readme lock clean help

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(STAMP) ## run the demo: two simulated CRMs, one pipeline, both directions
	@$(BIN)/backhaul demo

test: $(STAMP) format lint types floors unit ## format, lint, strict types, import floors and the tests

format: $(STAMP)
	@$(BIN)/ruff format --check .

lint: $(STAMP)
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/mypy

floors: $(STAMP)
	@$(BIN)/lint-imports

unit: $(STAMP)
	@$(BIN)/pytest -n auto --dist loadfile -m "not slow and not interop and not dbt and not clickhouse"

test-all: $(STAMP) ## the tests that need longer: faults, large volumes, more random examples (BACKHAUL_FAULTS=all: each by every verb and road)
	@$(BIN)/pytest -n 2 --dist loadfile --hypothesis-profile long -m "(slow or hypothesis) and not crash and not clickhouse"

crash: $(STAMP) ## exports killed at write boundaries, on both CRMs, and resumed (BACKHAUL_CRASH=all: at every one)
	@$(BIN)/pytest -n 2 --dist load -m crash tests/crash

# The folders whose SQL DuckDB is given; what goes round a whole run (workflow, odd, faults) gives it the same.
test-duckdb1: $(VENV1)/.installed ## the suite on the newest DuckDB 1.x
	@$(VENV1)/bin/pytest -n auto --dist loadfile -m "not slow and not interop and not dbt and not clickhouse" \
		tests/warehouse tests/importing tests/transform tests/template tests/export tests/undo

test-clickhouse: $(STAMP) $(CLICKHOUSE)/.installed ## the warehouse and the template on ClickHouse
	@$(BIN)/pytest -n 2 --dist loadfile -m clickhouse tests/warehouse tests/transform tests/template

test-dbt: $(STAMP) $(DBT)/.installed ## the template built by dbt with dbt-duckdb: the same tables
	@$(BIN)/pytest -m dbt tests/dbt

interop: $(STAMP) $(CLIENTS)/.installed ## clients of other makers at work against the simulators
	@$(BIN)/pytest -n 2 --dist loadfile -m interop tests/interop

bench: $(STAMP) $(DBT)/.installed ## the benchmarks: speed and memory of imports, models and exports, duplicate detection
	@$(BIN)/python benchmarks/import.py
	@$(BIN)/python benchmarks/plan.py
	@$(BIN)/python benchmarks/transform.py
	@$(BIN)/python benchmarks/dedupe.py
	@$(BIN)/python benchmarks/salesforce.py
	@$(BIN)/python benchmarks/dynamics.py
	@$(BIN)/python benchmarks/postgres.py

readme: $(STAMP) ## write the README's YAML reference anew from the configuration's types
	@$(BIN)/python -m tests.readme

lock: ## write constraints.txt anew from the lower bounds in pyproject.toml
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade '.[dev]'
	( echo '# Every version that the Makefile installs: `make lock` writes this file anew from the lower bounds in pyproject.toml.'; \
	  .venv-lock/bin/python -m pip freeze --exclude backhaul | grep -v ' @ ' | sort -f ) > constraints.txt
	rm -rf .venv-lock

clean: ## remove everything that the targets made
	rm -rf $(VENV) $(VENV1) $(CLIENTS) $(DBT) $(CLICKHOUSE) .backhaul build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "backhaul needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version 2>&1). Next: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "making the virtual environment $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ rm -rf $(VENV); echo "Python's venv module does not work here. Next: install it (Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }

# The stamp is written last, so that an installation broken off half-way is done again.
$(STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing backhaul and what it needs into $(VENV) (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV1)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv --clear $(VENV1)
	@grep -v -i '^duckdb==' constraints.txt > $(VENV1)/constraints.txt
	@$(VENV1)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(VENV1)/constraints.txt 'duckdb<2' --editable '.[dev]'
	@touch $@

# dbt wants other versions of what backhaul uses; it opens the same DuckDB file, so DuckDB is the same.
$(DBT)/.installed: tests/dbt/requirements.txt constraints.txt
	@echo "installing dbt into $(DBT) (a minute the first time)"
	@$(PYTHON) -m venv --clear $(DBT)
	@grep -i '^duckdb==' constraints.txt > $(DBT)/constraints.txt
	@$(DBT)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(DBT)/constraints.txt --requirement tests/dbt/requirements.txt
	@touch $@

# ClickHouse's engine is a package of 600 MB, and runs in a process of its own.
$(CLICKHOUSE)/.installed: tests/clickhouse/requirements.txt
	@echo "installing ClickHouse's engine into $(CLICKHOUSE) (a minute the first time)"
	@$(PYTHON) -m venv --clear $(CLICKHOUSE)
	@$(CLICKHOUSE)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/clickhouse/requirements.txt
	@touch $@

# The Salesforce command line, jsforce, a Dataverse client and the Node.js they want, from npm (about 500 MB), and
# Microsoft's Dataverse client from PyPI in an environment of its own.
$(CLIENTS)/.installed: tests/interop/package.json tests/interop/requirements.txt
	@command -v npm >/dev/null || { echo "make interop needs npm. Next: install it (Debian and Ubuntu: apt-get install npm)"; exit 1; }
	@echo "installing the clients of tests/interop into $(CLIENTS) (a minute or two the first time)"
	@mkdir -p $(CLIENTS) && cp tests/interop/package.json $(CLIENTS)/
	@cd $(CLIENTS) && npm install --fetch-retries=5 --no-audit --no-fund --no-package-lock --loglevel=error
	@$(PYTHON) -m venv --clear $(CLIENTS)/python
	@$(CLIENTS)/python/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
	@touch $@
