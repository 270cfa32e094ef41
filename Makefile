# Everything that a fresh clone needs is Python 3.11 to 3.13, and make. A newer Python comes
# last: the lock's bitarray has no wheel for it.

PYTHON ?= $(shell for below in 14 99; do \
	for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$python" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, $$below))" \
	2>/dev/null && echo "$$python" && exit; done; done)
IN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run key test lint simulate simulate-scale bench clean install install-dev
CHECKS := check-types check-style check-layers check-scripts
.PHONY: $(CHECKS) check-collection

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

run: install ## Run everything on this machine until Ctrl-C
	@$(IN)/python -m deploy.local run

key: install ## Print a stream key for OBS (while `make run` runs)
	@$(IN)/python -m deploy.local key

test: install-dev ## Check everything, as a change has to pass it
	@$(MAKE) --jobs --no-print-directory $(CHECKS) check-collection
	$(IN)/pytest

lint: install-dev ## Check style, types and layers only
	@$(MAKE) --jobs --no-print-directory $(CHECKS)

check-style:
	$(IN)/ruff check
	$(IN)/ruff format --check

check-types:
	$(IN)/mypy

check-layers:
	$(IN)/lint-imports

check-scripts:
	$(IN)/oxlint --config .oxlintrc.json --deny-warnings control_plane/pages/static \
		control_plane/ops/static

# Each worker of the tests would compile all of them at the same time as the others.
check-collection:
	@$(IN)/pytest --collect-only --quiet --quiet -n0 >.local/collected \
		|| { cat .local/collected; exit 1; }

simulate: install-dev ## Try SEEDS=1000 simulated worlds, or SEED=123 again
	@$(IN)/python -m tests.simulator $(if $(SEED),--seed=$(SEED),--seeds=$(or $(SEEDS),1000)) \
		$(if $(FIRST),--first=$(FIRST)) $(if $(FAULTS),--faults=$(FAULTS)) $(if $(BUG),--bug="$(BUG)")

simulate-scale: install ## Have 200 caches ask about a million viewers
	@$(IN)/python -m bench.edges

bench: install ## Measure, each thing beside its yardstick in the same run
	@$(IN)/python -m bench.auth
	@$(IN)/python -m bench.hostile
	@$(IN)/python -m bench.crowd
	@$(IN)/python -m bench.admission
	@$(IN)/python -m bench.cutting
	@$(IN)/python -m bench.calls
	@$(IN)/python -m bench.dashboards
	@$(IN)/python -m bench.pages
	@$(IN)/python -m bench.gifts
	@$(IN)/python -m bench.rounds
	@$(IN)/python -m bench.previews
	@$(IN)/python -m bench.million
	@$(IN)/python -m bench.notices
	@$(IN)/python -m bench.webhooks
	@$(IN)/python -m bench.live_events
	@$(IN)/python -m bench.readers
	@$(IN)/python -m bench.switch_over

clean: ## Delete all that make has made, the data of `make run` included
	@if [ -x $(IN)/python ]; then $(IN)/python -m deploy.local clean; fi
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache control_plane/pages/player/node_modules

install:
	@$(call set_up,run)

install-dev:
	@$(call set_up,dev)

set_up = $(if $(PYTHON),$(PYTHON) -I deploy/local/install.py $(1),\
	echo "Python 3.11 or newer was not found. Name it: make PYTHON=/path/to/python3" \
	&& exit 1)
