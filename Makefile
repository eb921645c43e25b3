# make run: the whole service with its demo. make test: everything that is checked before landing.
# Nothing here needs root, a database server or a Redis server; state lives in .venv and instance.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if \
	$(shell $(name) -c 'import sys; print("yes" if sys.version_info >= (3, 11) else "")' \
	2>/dev/null),$(name))))
BIN := .venv/bin
YARDSTICKS := $(patsubst bench/%.py,bench.%,$(wildcard bench/[a-z]*.py))
OPTIONS ?=
PROCESSES ?= 3

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Where it is set, each process that is started compiles everything anew, which takes it a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run flask test check suite judge mutants bench clean
.DELETE_ON_ERROR:

help:
	@echo "make run     start everything, with the demo (OPTIONS=--no-demo for without)"
	@echo "make flask DO=… a command on its data, such as DO=\"doctor\" or DO=\"add-staff --help\""
	@echo "make test    formatter, linter, types, and the tests on SQLite and on PostgreSQL"
	@echo "make judge   the tests that take long"
	@echo "make mutants what no test would notice of changes to what books, verifies and sends"
	@echo "make bench   the yardsticks, as ratios"
	@echo "make clean   remove what the above made, except the data in instance"

run: $(BIN)/.runs
	@$(BIN)/python -m campaigns.local.run $(OPTIONS)

# A command on the data of `make run`, such as: make flask DO="doctor"
flask: $(BIN)/.runs
	@$(BIN)/python -m campaigns.local.command $(DO)

test: check suite

check: $(BIN)/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# On each database in three processes, one more than most have cores, since tests of whole services
# mostly wait; file by file and in order (whole services first), so that a service or a browser that
# a file's tests share is started once. What does not look at the database, and pages in a browser,
# run once. The second run goes on even if the first failed, so that one look shows what is wrong
# with both.
suite: $(BIN)/.tests
	@failed=; \
	try() { \
		echo; echo "pytest $$*"; \
		$(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder "$$@" $(OPTIONS) || failed="$$failed $$1"; \
	}; \
	try --database=sqlite; \
	try --database=postgresql -m "database and not browser and not judge"; \
	if [ -n "$$failed" ]; then echo "Tests failed on:$$failed" >&2; exit 1; fi

judge: $(BIN)/.tests
	$(BIN)/pytest --database=sqlite -m hypothesis --hypothesis-profile=others --timeout=3600 $(OPTIONS)
	$(BIN)/pytest --database=sqlite -m judge --timeout=3600 $(OPTIONS)
	$(BIN)/pytest --database=postgresql -m judge --timeout=3600 $(OPTIONS)

# Mutants of what books money, checks signatures and decides who is written to. One that survives
# changes something that no test notices: no amount, number, verdict or recipient may be among them.
# What only PostgreSQL does is among them, since they are tried on SQLite. One module: make mutants OPTIONS="campaigns.money.*"
# mutmut has an environment of its own, since it brings what changes the names of processes.
mutants: .mutants/.ready
	rm -rf mutants
	.mutants/bin/mutmut run --max-children 2 $(OPTIONS)
	.mutants/bin/mutmut results

# All of them run, also after one that breaks its promise or breaks down.
bench: $(BIN)/.benches
	@broken=; \
	for yardstick in $(YARDSTICKS); do \
		echo; echo "$$yardstick"; \
		$(BIN)/python -m $$yardstick || broken="$$broken $$yardstick"; \
	done; \
	if [ -n "$$broken" ]; then echo "Yardsticks broken:$$broken" >&2; exit 1; fi

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .mutants mutants bench/postfix
	find . -name __pycache__ -type d -not -path './instance/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Huiyin needs Python 3.11 or later. Install it, or name it: make run PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian and Ubuntu:" >&2; \
		echo "apt install python3-venv), or name another Python: make run PYTHON=/path/to/python3" >&2; \
		exit 1; \
	}
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.mutants/.ready: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m venv .mutants
	.mutants/bin/python -m pip install --quiet --prefer-binary --requirement requirements-dev.txt mutmut==3.8.1
	@touch $@

$(BIN)/.runs: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --prefer-binary --requirement requirements.txt
	@touch $@

$(BIN)/.tests: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --prefer-binary --requirement requirements-dev.txt
	@touch $@ $(BIN)/.runs

# Where there is no Node.js or no Postfix to be had the yardsticks say what they do without.
$(BIN)/.benches: bench/requirements.txt bench/package-lock.json requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --prefer-binary --requirement bench/requirements.txt
	if command -v npm >/dev/null; then cd bench && npm ci --silent --no-audit --no-fund; fi
	[ -x /usr/sbin/smtp-source ] || { cd bench && apt-get download postfix && dpkg -x postfix_*.deb postfix; } || true
	rm -f bench/postfix_*.deb
	@touch $@ $(BIN)/.tests $(BIN)/.runs
