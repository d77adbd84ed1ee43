# Every chore is one word. What is installed is what requirements*.txt pin, by hash, in .venv.

PYTHON ?= python3
BIN := .venv/bin
LOCKS := requirements requirements-kafka requirements-dev requirements-bench requirements-faults requirements-lock
# One more than there are cores, up to four: many tests wait for a clock. They are handed out file by file, in
# their order: the longest ones don't come last.
PROCESSES ?= $(shell cores=$$(nproc); echo $$((cores > 3 ? 4 : cores + 1)))
SHARED_OUT := --dist=loadfile --no-loadscope-reorder
INSTALL := @$(BIN)/python .ci/install.py

.PHONY: run test test-cluster check bench bench-full bench-cores bench-beside bench-admin bench-migrations bench-kafka proxies faults faults-full lock audit licences fmt clean

run: .venv/run.done  ## everything, at http://127.0.0.1:8000 (make run ARGS="--demo --workers 2")
	@exec $(BIN)/python manage.py up $(ARGS)

test: .venv/dev.done tests/npm/node_modules/done tests/kafka/jars/done  ## the whole suite (make test ARGS=tests/presence)
	$(BIN)/python -m pytest --numprocesses=$(PROCESSES) $(SHARED_OUT) --durations=15 $(ARGS)

# What has to do with Redis, on a cluster of three masters instead of the embedded server; 10 minutes.
test-cluster: .venv/dev.done
	TEST_REDIS=cluster $(BIN)/python -m pytest --numprocesses=$(PROCESSES) $(SHARED_OUT) \
		tests/rooms tests/presence tests/messaging tests/accounts $(ARGS)

check: .venv/dev.done  ## style, types, and migrations that were forgotten
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@# It would rather ask the database about its history, too; no server runs here.
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

bench: .venv/dev.done  ## the goals, ours beside its peers, in under 10 minutes
	@exec $(BIN)/python -m bench short $(ARGS)

bench-full: .venv/dev.done  ## all of it, and the charts of docs/performance.md
	@exec $(BIN)/python -m bench full $(ARGS)

bench-beside: .venv/dev.done  ## this checkout beside a commit of its own (make bench-beside ARGS=v1.0)
	@exec $(BIN)/python -W ignore::RuntimeWarning -m bench.beside $(ARGS)

bench-cores: .venv/dev.done  ## what this machine's cores are worth: 1, 2, 4 … workers, in under 8 minutes
	@exec $(BIN)/python -m bench.cores $(ARGS)

bench-admin: .venv/dev.done  ## database time of the admin's pages, with a million lines
	@exec $(BIN)/python -W ignore -m bench.admin_pages

bench-migrations: .venv/dev.done  ## how long a writer waits while a million messages are migrated
	@exec $(BIN)/python -m bench.migrations $(ARGS)

proxies: .venv/dev.done  ## each proxy of deploy/ in front of a site, and sockets that say nothing for 90 s
	$(BIN)/python -m pytest -n0 -m "slow or not slow" --timeout 600 tests/chattalk/deploying $(ARGS)

bench-kafka: .venv/dev.done tests/kafka/jars/done  ## the relay beside one that waits for each line, and docs/kafka.md
	@exec $(BIN)/python -m bench.relay

faults: .venv/dev.done  ## what is lost when all that it stands on fails, in about 12 minutes
	@exec $(BIN)/python -m faults short $(ARGS)

faults-full: .venv/faults.done  ## the whole catalogue with many seeds, and docs/reliability.md
	@exec $(BIN)/python -m faults full $(ARGS)

lock: .venv-lock/done  ## requirements*.txt anew from requirements*.in (make lock ARGS="--upgrade-package six")
	@set -e; for each in $(LOCKS); do \
		.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
			--custom-compile-command "make lock" $(ARGS) $$each.in --output-file $$each.txt; done

audit: .venv-lock/done  ## known weaknesses of what is pinned, where they can be asked for
	@.venv-lock/bin/python .ci/audit.py $(LOCKS:=.txt)

licences: .venv/run.done  ## the licence of each package that ChatTalk runs on, and the copyleft ones
	@$(BIN)/python .ci/licences.py requirements.txt

fmt: .venv/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## all but the data (var/)
	rm -rf .venv .venv-lock .mypy_cache .import_linter_cache .ruff_cache .pytest_cache test-artifacts tests/npm/node_modules tests/kafka/jars
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

# The mark is made last, so an installation that was cut off is done again.
.venv/dev.done: requirements-dev.txt requirements.txt .venv/bin/python
	$(INSTALL) requirements.txt requirements-dev.txt
	@touch .venv/run.done $@

.venv/faults.done: requirements-faults.txt .venv/dev.done
	$(INSTALL) requirements.txt requirements-dev.txt requirements-faults.txt
	@touch $@

.venv/run.done: requirements.txt .venv/bin/python
	$(INSTALL) requirements.txt
	@touch $@

# Apart from the others, which it must be able to change.
.venv-lock/done: requirements-lock.txt
	@$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lock.txt
	@touch $@

# The STOMP and SockJS clients of tests/interfaces/original, for Node. Without npm those tests say what they miss.
tests/npm/node_modules/done: tests/npm/package.json tests/npm/package-lock.json
	@if command -v npm >/dev/null; then cd tests/npm && npm ci --loglevel=error && touch node_modules/done; fi

# A Kafka broker, for tests/interfaces/kafka, the faults and the benchmark. Without Maven those say what they miss.
tests/kafka/jars/done: tests/kafka/pom.xml
	@if command -v mvn >/dev/null; then cd tests/kafka && rm -rf jars && \
		mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory=jars && touch jars/done; fi

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ChatTalk needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@echo "Making a virtual environment in .venv"
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
