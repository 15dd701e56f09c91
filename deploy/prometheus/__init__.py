"""Objectives of the whole system, the alerts that guard them, and the tests of those."""
