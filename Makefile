# `make run` and `make test` are the two commands; both set up what they need.
# PYTHON=python3.12 picks another interpreter, WORKERS=2 the number of test processes, TESTS="tests/rules -k domain" what is run.

PYTHON ?= python3
WORKERS ?= logical
TESTS ?= tests
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE_LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
CATALOG := locale/en/LC_MESSAGES/messages

.PHONY: help install run test check format proof bench words lock wheel clean

help:
	@echo 'make run     start the desk with demo data          make test   everything that must hold'
	@echo 'make check   only the static part of the tests      make format put code into its form'
	@echo 'make proof   long sweeps                            make bench  speed beside a bare reference'
	@echo 'make words   collect and compile the translations   make lock   renew the locked dependencies'
	@echo 'make install only the set-up                        make clean  remove what can be made again'

install: $(STAMP)

$(STAMP): requirements-dev.txt pyproject.toml
	@PYTHON='$(PYTHON)' sh .ci/install $(VENV)
	@touch $@

run: $(STAMP)
	@exec $(BIN)/jtickets run

test: check
	@$(BIN)/python -m tests.services.prepare
	@$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses=8 --dist worksteal -m 'not proof' $(TESTS)

check: $(STAMP)
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; echo 'make format puts this right' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/basedpyright
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/bandit --quiet --recursive -ll --configfile pyproject.toml .
	@$(BIN)/djlint --quiet --lint templates

format: $(STAMP)
	@$(BIN)/ruff check --quiet --fix --exit-zero .
	@$(BIN)/ruff format .

proof: $(STAMP)
	@$(BIN)/python -m tests.services.prepare lighthouse
	@$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses=8 --dist worksteal -m proof $(TESTS)

bench: $(STAMP)
	@$(BIN)/python -m bench

words: $(STAMP)
	@mkdir -p $(dir $(CATALOG))
	@$(BIN)/pybabel --quiet extract --mapping-file babel.cfg --keyword NC_:1c,2 --no-location --sort-output --project jtickets --header-comment '# Text of jtickets' --output-file locale/messages.pot .
	@test -f $(CATALOG).po || $(BIN)/pybabel --quiet init --input-file locale/messages.pot --locale en --output-file $(CATALOG).po
	@$(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --input-file locale/messages.pot --locale en --output-file $(CATALOG).po
	@rm locale/messages.pot
	@$(BIN)/pybabel compile --statistics --locale en --input-file $(CATALOG).po --output-file $(CATALOG).mo

lock:
	@$(CODE_LOCK) --upgrade pyproject.toml --output-file requirements.txt
	@$(CODE_LOCK) --constraint requirements.txt --group dev pyproject.toml --output-file requirements-dev.txt
	@$(CODE_LOCK) --constraint requirements-dev.txt --group build --output-file requirements-build.txt
	@for folder in . tests/lighthouse; do (cd $$folder && npm install --package-lock-only) && $(PYTHON) .ci/strip_lock.py $$folder/package-lock.json; done

wheel: $(STAMP)
	@$(BIN)/python -m hatchling build --target wheel

clean:
	rm -rf $(VENV) node_modules tests/lighthouse/node_modules dist build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
