# Two commands do everything on a fresh machine: `make report` and `make test`.
# Both create the environment where it is missing, and are quick when nothing changed.

PYTHON ?= python3
CLIENT ?= cdnow
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SPARK  := $(VENV)/.ready-spark
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
PIN    := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --upgrade --quiet --custom-compile-command "make lock"

.PHONY: report test test-fast lab bench check-code derived lock clean help

help:            ## show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

report: $(READY) ## the report of one client: make report CLIENT=name
	@$(BIN)/retention report params/$(CLIENT).yaml

test: $(READY) $(SPARK) check-code  ## every test
	@$(BIN)/pytest -rs

test-fast: $(READY) ## the tests of daily work, without the slow ones
	@$(BIN)/pytest -m "not slow" -n auto

lab: $(READY)    ## JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=. notebooks

bench: $(READY)  ## the benchmarks, side by side with the peers
	@$(BIN)/python benchmarks/report_time.py
	@$(BIN)/python benchmarks/rows_to_summary.py
	@$(BIN)/python benchmarks/chapters.py
	@$(BIN)/python benchmarks/models.py
	@$(BIN)/python benchmarks/coverage.py

check-code: $(READY)  ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

derived: $(READY)  ## rewrite what comes from the client file's model: parameter cells, schema, docs table
	@$(BIN)/python -m retention_lib.derived

lock: $(READY)   ## pin the dependencies of pyproject.toml anew
	@$(PIN) pyproject.toml --extra dev -o requirements.lock
	@$(PIN) --group spark --constraint requirements.lock -o requirements-spark.lock

clean:           ## remove the environment; reports stay
	rm -rf $(VENV)

# The stamp makes a second call quick: pip runs again only when the lock or the project file changed.
$(READY): requirements.lock pyproject.toml
	@echo "Setting up the environment in $(VENV) (once, some minutes) …"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 …")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --editable .
	@touch $(READY)

# Only the tests need Spark, and it is large. It comes as source: setuptools, pinned, packs it.
$(SPARK): requirements-spark.lock | $(READY)
	@echo "Adding pyspark for the tests (once, half a minute and 430 MB) …"
	@$(PIP) --require-hashes --no-build-isolation -r requirements-spark.lock
	@touch $(SPARK)
