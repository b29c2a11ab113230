# Two commands do everything:  make run   and   make test

# The tests mostly wait: more processes than cores. ARGS=-n0 runs them in one, for debugging. What shares a lab is a
# group, and stays in one process.
PARALLEL = -n 5 --dist loadgroup
PARALLEL_CHECK = -n 8

MAKEFLAGS += --no-print-directory
.PHONY: help run test check lab dist dist-test lowest matrix bench reliability mutants docs docs-site docs-generate clean static
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start vmtop; pass arguments with ARGS="list --json"
	@.ci/setup run
	@.venv/bin/vmtop $(ARGS)

test: ## Everything: format, lint, types, contracts, and all tests on real daemons
	@.ci/setup test
	@$(MAKE) static
	@.venv/bin/pytest $(PARALLEL) $(ARGS)

check: ## The same without real daemons and slow tests, in a tenth of the time
	@.ci/setup test
	@$(MAKE) static
	@.venv/bin/pytest -q -m "not lab and not slow" $(PARALLEL_CHECK) $(ARGS)

lab: ## The tests on a real kubelet, which is built first (a few minutes, as root, on Debian 12), and ten minutes of scraping
	@.ci/setup test
	@.ci/build-kubelet
	@VMTOP_LONG_LAB=1 VMTOP_REQUIRE_LAB=1 .venv/bin/pytest -n0 $(ARGS) tests/lab/test_kubelet.py tests/lab/test_scraped_values.py

dist: ## Build all that is handed out into dist/: wheel, program without Python, Debian package, images (some minutes)
	@.ci/setup dist
	@.ci/dist/build $(ARGS)

dist-test: ## Install each of them into a fresh Debian 12 and 13, use it there, update it, remove it (as root, on Debian)
	@.ci/setup test
	@VMTOP_DIST=1 VMTOP_REQUIRE_LAB=1 .venv/bin/pytest -q -n0 -m dist $(ARGS) tests/dist

lowest: ## The fast tests on the oldest Python here, with the lowest dependencies that pyproject.toml allows
	@.ci/matrix lowest

matrix: ## The fast tests on every Python here, with the lowest and the newest dependencies
	@.ci/matrix

bench: ## Measure vmtop against its marks; writes bench/RESULTS.md (half an hour; one chapter: ARGS="--renew painting")
	@.ci/setup test
	@.venv/bin/python -m bench.run $(ARGS)

reliability: ## Inject faults and count what is survived; writes bench/RELIABILITY.md (about three hours)
	@.ci/setup test
	@.venv/bin/python -m bench.reliability $(ARGS)

mutants: ## Put N slips into a copy of the code one at a time and count those that the tests catch
	@.ci/setup test
	@.venv/bin/python -m bench.mutants $(ARGS)

docs: ## Build the documentation as a site with search into dist/site, which works without a server
	@.ci/setup test
	@$(MAKE) docs-site

docs-site:
	@rm -rf dist/site
	@.venv/bin/python -m sphinx -q -W --keep-going -E -b html -d build/docs -c docs . dist/site
	@echo "dist/site/index.html"

docs-generate: ## Regenerate what pages take from the code: pictures, tables of keys, reference pages, schema
	@.venv/bin/python -m docs.make

static:
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

clean: ## Remove the virtual environment and all caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
