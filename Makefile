# Two commands to know: `make run` sets up and shows the main job, `make test` sets up and runs the tests.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format bench-quality bench-speed clean

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

run: .venv/.installed
	$(BIN)/pointsman demo

test: .venv/.installed
	$(BIN)/pytest

check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing/api.py
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-quality: .venv/.installed
	$(BIN)/python benchmarks/quality.py

bench-speed: .venv/.installed
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/langchain_hop.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis build dist
