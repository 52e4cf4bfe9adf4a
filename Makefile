# The whole vocabulary of commands. `make up` and `make test` need Python 3.11+ with venv, and nothing else.
PYTHON ?= python3
MEMBERS := contracts delivery telemetry artifacts services/gateway services/generator services/task-store services/reaper darkroom
BIN := .venv/bin
NAMES := $(addprefix darkroom-,contracts delivery telemetry artifacts gateway generator task-store reaper) darkroom

lock:  ## resolve every dependency anew, with hashes
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group dev $(foreach m,$(MEMBERS),$(m)/pyproject.toml) \
		$(foreach n,$(NAMES),--no-emit-package $(n)) -o requirements.lock
