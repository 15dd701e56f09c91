"""Tests of every kind. What they share asserts too, and says as much of a failure as they do."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.e2e", "tests.unit")
