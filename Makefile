# Two commands to know: `make run` sets up and shows the main job, `make test` sets up and runs the tests.
PYTHON ?= python3
BIN := .venv/bin
SPREAD := --numprocesses auto --dist worksteal  # a process a core

.PHONY: run test test-core test-frameworks test-matrix check format docs docs-outputs bench-quality bench-audit bench-cascade bench-speed bench-frameworks clean

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

run: .venv/.installed
	$(BIN)/pointsman demo

test: .venv/.installed
	$(BIN)/pytest $(SPREAD)

# The core on its own, without any optional dependency.
test-core:
	$(PYTHON) -m venv .venv-core
	.venv-core/bin/pip install --quiet --constraint constraints.txt . pytest pytest-asyncio pytest-socket pytest-timeout pytest-xdist hypothesis
	! .venv-core/bin/pip show --quiet langchain-core pyarrow httpx genai-prices jsonschema jinja2 matplotlib 2> /dev/null
	.venv-core/bin/pytest $(SPREAD) tests/core

# LlamaIndex and DSPy, which pin other versions of shared dependencies than LangChain's newest.
test-frameworks:
	$(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/pip install --quiet --editable ".[llamaindex,dspy,http,data]" \
		pytest pytest-asyncio pytest-socket pytest-timeout pytest-xdist hypothesis llama-index-llms-openai-like
	.venv-frameworks/bin/pytest $(SPREAD) tests/adapters/llamaindex tests/adapters/dspy tests/adapters/test_one_artefact.py
	.venv-frameworks/bin/pytest tests/test_docs.py -k "dspy_router or llamaindex_router or one-router"
	.venv-frameworks/bin/pytest tests/test_examples.py -k llamaindex

# Every supported Python that is found, with the oldest and the newest frameworks: long, and no part of CI. Fewer by
# CELLS="dspy-* langchain-3.13-newest". uv heeds its own UV_OVERRIDE where an index is behind what a newest version asks for.
test-matrix:
	$(PYTHON) -m venv .venv-matrix
	.venv-matrix/bin/pip install --quiet uv
	PATH="$(CURDIR)/.venv-matrix/bin:$$PATH" PYTHONPATH=tests .venv-matrix/bin/python -m matrix $(CELLS)

check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation, in site/; a broken link or an unknown name is an error.
docs: .venv/.installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Put what the pages' code prints into the pages, or into those named by PAGES.
docs-outputs: .venv/.installed
	PYTHONPATH=tests $(BIN)/python -m pages $(PAGES)

# What was measured before is kept in bench-results/ and not measured again; remove it to begin anew.
bench-quality: .venv/.installed
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/auto.py
	$(BIN)/python benchmarks/harm.py
	$(BIN)/python benchmarks/pairs.py
	$(BIN)/python benchmarks/shift.py

bench-audit: .venv/.installed
	$(BIN)/python benchmarks/audit_coverage.py

bench-cascade: .venv/.installed
	$(BIN)/python benchmarks/cascade.py

bench-speed: .venv/.installed
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/auto_speed.py
	$(BIN)/python benchmarks/step_speed.py
	$(BIN)/python benchmarks/langchain_hop.py

# One hop of the LlamaIndex and of the DSPy adapter, in the environment of `make test-frameworks`.
bench-frameworks:
	.venv-frameworks/bin/python benchmarks/llamaindex_hop.py
	.venv-frameworks/bin/python benchmarks/dspy_hop.py

clean:
	rm -rf .venv .venv-core .venv-frameworks .venv-matrix .mypy_cache .ruff_cache .hypothesis build dist
