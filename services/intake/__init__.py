"""Finds and takes ratings; keeps the directory."""
