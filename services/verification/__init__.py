"""Verification: decides for every submission whether it counts, once and for all."""
