"""The alert rules, tried by Prometheus itself."""

import shutil
import subprocess

import pytest

from deploy.local.layout import CHECKOUT


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool here: apt-get install prometheus"
)
def test_each_alert_fires_for_what_it_is_meant_for_and_for_nothing_else() -> None:
    done = subprocess.run(["make", "alerts"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
