"""Helpers of the tests: loading vignettes and comparing results with what they expect."""
