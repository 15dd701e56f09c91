"""A pytest plugin: the name that this version of mutmut reads a test's id under, gone from pytest since 9.2.

Later versions of mutmut do without; they need a newer click than Faust allows.
"""

import pytest

if not hasattr(pytest.Item, "_nodeid"):
    pytest.Item._nodeid = property(lambda item: item.nodeid)  # type: ignore[attr-defined]
