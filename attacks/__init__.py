"""Attacks on the running system, each bounded, each with the figures that show whether the control held."""
