# make demo   a whole Nexus in miniature and the monitor watching it
# make test   everything CI runs
# make simulate SEEDS=100000   many worlds on all cores; each seed that breaks a promise is printed with its replay
# make benchmark   how fast the engine is, what a check costs, how well and how soon a fault is named
# make under-fire   fifty deaths of the monitor in the middle of outages, on both databases
# make faults   every fault done to the demo, one at a time and in pairs; writes docs/fault-matrix.md
# make lock   recompile the pinned requirements from pyproject.toml
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
DEBIAN_TOOLS := prometheus chromium rabbitmq-server redis-server postgresql nginx-light openssl

.PHONY: demo faults under-fire simulate benchmark test lint types imports unit tools lock format clean

demo: $(READY)
	@$(BIN)/nexus-monitor demo $(ARGS)

test: lint types imports unit

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports

# Debian's packages widen what the tests see: promtool judges our metrics, Chromium opens our pages, the servers are
# targets that are not ours. RUNLEVEL=1: none is started as a service.
# Where they cannot be installed, the tests that need them are skipped by name.
tools:
	@command -v promtool >/dev/null && command -v chromium >/dev/null && command -v redis-server >/dev/null \
	&& command -v openssl >/dev/null && test -d /usr/lib/rabbitmq -a -d /usr/lib/postgresql -a -x /usr/sbin/nginx \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && echo "installing $(DEBIAN_TOOLS)" && apt-get update -qq \
	     && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN_TOOLS) >/dev/null; } \
	|| echo "not installed: $(DEBIAN_TOOLS); the tests that need them will be skipped by name"

unit: $(READY) tools
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90 --format=total
	$(BIN)/coverage report --fail-under=100 --include='monitor/engine/*'

under-fire: $(READY)
	UNDER_FIRE_KILLS=50 $(BIN)/python -m pytest tests/monitor/delivery/test_under_fire.py -q $(ARGS)

# An interrupted run goes on where it stopped; ARGS="--fresh" begins anew, ARGS="--only redis-paused" does one.
faults: $(READY)
	$(BIN)/python -m demo.matrix --write --quiet-seconds 1800 $(ARGS)

simulate: $(READY)
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) $(ARGS)

benchmark: $(READY)
	$(BIN)/python -m benchmarks.engine $(ARGS)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml

lock:
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet uv; }
	$(COMPILE) -o requirements.txt
	$(COMPILE) --extra dev -o requirements-dev.txt

clean:
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
