"""Requests that nobody would think of, against every service's OpenAPI document: python -m tests.fuzzing"""
