# Everything starts here. Each target sets up what it needs first, in no time when that is already there.
#
#   make run TORCH=cuda              PyTorch with CUDA instead of the CPU build (Linux; kept from then on)
#   make run PYTHON=python3.12       another Python than the first that fits (before there is a .venv)
#   make test ARGS="-k geodesic"     arguments for pytest, also of make bench
#   make test LANES=2                so many tests side by side; one a core unless said, 2 at least and 6 at most;
#                                    0 is one after the other

PYTHONS = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)
VENV = .venv/bin
TYPESCRIPT = 7.0.2
PRETTIER = 3.10.1
PAGE = 'frontend/**/*.{js,css,ts}' 'tests/frontend/*.mjs' tests/browser/probes.js 'tools/*.mjs'
LANES := $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
  [ $$cores -lt 2 ] && cores=2; [ $$cores -gt 6 ] && cores=6; echo $$cores)
# Modules are kept compiled, also where the environment says not to: each process of a test would compile them again.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(VENV)/python -m pytest -n $(LANES) --dist loadfile --no-loadscope-reorder
define UNIT_TESTS_OF_PAGE
if command -v node >/dev/null; then node --test $$(find tests/frontend -name '*.test.*js' | sort); \
elif [ -n "$$CI" ]; then echo "CI without node: the page's unit tests cannot run" >&2; exit 1; \
else echo "No node here: the page's unit tests are left out."; fi
endef

# mypy takes one core for longer than all of these
define CHECKS_BESIDE_MYPY
if command -v npx >/dev/null; then npx --yes -p typescript@$(TYPESCRIPT) tsc -p frontend && \
npx --yes prettier@$(PRETTIER) --check --log-level warn $(PAGE) && node tools/page.mjs --check; \
else echo "No npx here: the page's types and layout are left unchecked."; fi && $(VENV)/python tools/audit.py
endef

.PHONY: help run test test-quick coverage check format lock docs bench bench-against bench-geometry bench-middle bench-instruments bench-collection measures dataset train evaluate install install-dev clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: install ## start Sonifold and open it in the browser
	@exec $(VENV)/sonifold serve

test: install-dev ## everything that CI runs: the page's unit tests, then pytest with a real browser
	@$(UNIT_TESTS_OF_PAGE)
	@$(PYTEST) --durations 10 $(ARGS)

test-quick: install-dev ## what needs neither pack nor browser and is soon through: for between two changes
	@$(UNIT_TESTS_OF_PAGE)
	@SONIFOLD_MODELS=build/no-packs $(PYTEST) -m "not pack and not browser and not long" --ignore tests/browser $(ARGS)

coverage: install-dev ## the tests again, and which lines of the backend they reach; fails under the floor in pyproject.toml
	@$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

check: install-dev ## linter, formatter and type checkers, for Python and (where node is) for the page
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy & types=$$!; { $(CHECKS_BESIDE_MYPY); }; beside=$$?; wait $$types && exit $$beside

format: install-dev ## lay out all code as make check wants it
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .
	@npx --yes prettier@$(PRETTIER) --write --log-level warn $(PAGE)
	@node tools/page.mjs

lock: install-dev ## pin every dependency, with hashes, for all systems: ARGS="--upgrade numpy"
	@$(VENV)/python tools/lock.py $(ARGS)

docs: install-dev ## the API reference, library and HTTP, as pages that open without a network
	@$(VENV)/python tools/reference.py

bench: install-dev ## measure what the README promises, and print it beside its bars
	@$(VENV)/python -m pytest tests/benchmarks -s $(ARGS)
	@$(VENV)/python -m sonifold.evaluate.measures

bench-against: install-dev ## this checkout beside another revision in one run: REF=v0.1.0, ARGS="--only morphs"
	@$(VENV)/python tests/benchmarks/against $(if $(REF),--ref $(REF)) $(ARGS)

bench-geometry: install-dev ## the geometry beside its peers, installed into build/peers; about twenty minutes
	@$(VENV)/python tests/benchmarks/geometry $(ARGS)

bench-middle: install-dev ## what is heard between two sounds, beside another checkout: ARGS="--base ../before"
	@$(VENV)/python tests/benchmarks/middle $(ARGS)

bench-instruments: install-dev ## exported instruments, opened by programs that were not written here; about a minute
	@$(VENV)/python tests/benchmarks/instruments $(ARGS)

bench-collection: install-dev ## folders taken into the collection, killed meanwhile, found again; some fifteen minutes
	@$(VENV)/python tests/benchmarks/collection $(ARGS)

measures: install ## every figure measured so far beside its bar, oldest first
	@$(VENV)/python -m sonifold.evaluate.measures

dataset: install-dev ## build the training set of the pack oneshots from its sources
	@$(VENV)/sonifold dataset oneshots

train: install-dev ## train the pack oneshots; stopped and started again, it goes on
	@$(VENV)/sonifold train oneshots

evaluate: install-dev ## measure the pack on sounds it never saw, and write its card
	@$(VENV)/sonifold evaluate oneshots

install-dev: EXTRAS = dev
install install-dev:
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; \
	  then exec $$python tools/install.py $(EXTRAS) $(if $(TORCH),--torch $(TORCH)); fi; done; \
	echo "Sonifold needs Python 3.11, 3.12 or 3.13, and none of these is one: $(PYTHONS)." >&2; \
	echo "Install one (Debian, Ubuntu: sudo apt-get install python3 python3-venv)," >&2; \
	echo "or say where yours is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1

clean: ## remove the environment, caches and everything built
	rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find backend tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
