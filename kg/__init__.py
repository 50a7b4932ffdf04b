"""A clinical guideline as a knowledge graph: patient facts in, verdicts with reasons out."""

__version__ = "0.1.0"
