"""Aggregation's I/O, one module per outside system."""
