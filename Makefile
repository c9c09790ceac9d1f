# Every target is one call of deploy/dev.py, which works without make as well. ARGS="…" is passed on.
PYTHON ?= python3
TARGETS = setup demo up smoke test browser faults bench bench-rules switched-off wheel check lock

.PHONY: help $(TARGETS)

help:
	@$(PYTHON) deploy/dev.py help

$(TARGETS):
	@$(PYTHON) deploy/dev.py $@ $(ARGS)
