# `make demo` measures and shows; `make test` checks. Both make what they need in $(VENV).
PYTHON ?= python3
VENV ?= .venv
# What is installed: the source tree, or a wheel (.ci/run sets EDITABLE= PACKAGE=dist/benchbox-....whl)
EDITABLE ?= -e
PACKAGE ?= .
BIN = $(VENV)/bin
STAMP = $(VENV)/.benchbox

.PHONY: demo picture test test-all lint docs published clean

demo: $(STAMP)
	@echo "measuring four photographs through the codecs of the demo; the last line names the page to open"
	$(BIN)/benchbox run

# the picture of README.md and of docs/gallery.md, from the demo's report
picture: demo
	chromium --no-sandbox --headless --hide-scrollbars --window-size=1280,1060 --virtual-time-budget=5000 \
	    --screenshot=docs/report.png runs/demo/report/index.html

test: $(STAMP)-dev
	$(BIN)/pytest -n 2 --dist loadfile

test-all: $(STAMP)-dev
	$(BIN)/pytest -n 2 --dist loadfile -m "slow or not slow"

lint: $(STAMP)-dev
	$(BIN)/ruff check .
	$(BIN)/mypy benchbox plugins datasets reports tests

docs: $(STAMP)-dev
	$(BIN)/mkdocs build --strict --site-dir build/docs

# the evaluation in reports/published/$(EVALUATION), measured and written again, by all metrics that the machine has; the
# times of kodak need a machine that does nothing else
published: $(STAMP)-dev
	$(BIN)/python reports/published/measure.py $(EVALUATION) $(if $(LITERATURE),--literature $(LITERATURE))

EVALUATION ?= kodak
LITERATURE ?= $(LITERATURE_$(EVALUATION))
LITERATURE_kodak = bpg444,av1,vtm,j2k-kdu5,bmshj2018-hyperprior,elic2022
LITERATURE_clic = vtm,bpg,mlicplusplus
LITERATURE_cid22 =

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact version: a bare requirement may bring gigabytes of another build
$(STAMP): $(BIN)/python pyproject.toml constraints.txt
	@echo "installing benchbox and what it needs into $(VENV), torch among it: some minutes the first time"
	$(BIN)/pip install -q -c constraints.txt torch==2.13.0
	$(BIN)/pip install -q -c constraints.txt $(EDITABLE) "$(PACKAGE)[resnet]"
	touch $@

$(STAMP)-dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing benchbox and what its tests need into $(VENV), torch among it: some minutes the first time"
	$(BIN)/pip install -q -c constraints.txt torch==2.13.0
	$(BIN)/pip install -q -c constraints.txt $(EDITABLE) "$(PACKAGE)[dev]"
	touch $@

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info
