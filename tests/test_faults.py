"""Killed, damaged and out of disk a few times, a run ends as the unbroken one: the short form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts are forks")
def test_a_few_faults_change_nothing(tmp_path):
    """As `python benchmarks/faults.py` does a hundred times, with one and two processes."""
    numbers = tmp_path / "numbers.json"
    done = subprocess.run(
        [sys.executable, "benchmarks/faults.py", "--kills", "8", "--json", str(numbers)],
        cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    report = json.loads(numbers.read_text(encoding="utf-8"))
    assert report["total_kills"] >= 8
    assert report["resumes"] >= 4
    assert report["differences"] == []
    assert "File too large" in report["full_disks"]["file size limit"]
