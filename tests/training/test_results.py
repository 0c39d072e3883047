"""The results in the guide are those that the runs left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_guide_has_the_kept_results() -> None:
    command = [sys.executable, "benchmarks/training_results.py", "--check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, "run python benchmarks/training_results.py" + found.stderr
