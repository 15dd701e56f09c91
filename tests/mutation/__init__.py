"""Mutation testing: whether the unit tests notice when what decides and counts is changed a little."""
