"""Independent evaluator of patient facts, written from spec/verdicts.md alone; it shares no code with the engine."""

from tests.oracle.verdicts import evaluate

__all__ = ["evaluate"]
