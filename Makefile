# Each target sets itself up: a virtual environment of its own, versions from the lock file, Java (for the reasoner) from PyPI.
PYTHON ?= python3
VENV := .venv
KG := $(VENV)/bin/kg

.PHONY: demo test test-slow docs-outputs bench clean

$(VENV)/ready: requirements-test.lock requirements-owlapi.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-owlapi.lock
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

demo: $(VENV)/ready
	$(KG) recommend examples/loss-of-response.json --as-of 2026-03-02

test: $(VENV)/ready
	$(VENV)/bin/python -m pytest -m "not slow"

test-slow: $(VENV)/ready
	$(VENV)/bin/python -m pytest -m slow

docs-outputs: $(VENV)/ready
	$(VENV)/bin/python -m tests.support.doc_outputs

bench: $(VENV)/ready
	$(VENV)/bin/python -m benchmarks.derivation

clean:
	rm -rf $(VENV)
