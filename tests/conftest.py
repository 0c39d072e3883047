"""Settings that all tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Strategies live beside the tests and are imported by name.
sys.path.insert(0, str(Path(__file__).parent))

# The same examples in every run, so that a run says something about the change; others are drawn in long runs, which
# look for what nobody has found: pytest --hypothesis-profile=long.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, derandomize=True
)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=5000, derandomize=False)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write exported modules anew, to be read before they are kept"
    )


@pytest.fixture(autouse=True, scope="session")
def _machine_code_in_a_folder_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from the user's folder of machine code, or left in it; the processes of one run share what they make."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["BPTT_CACHE_DIR"] = str(run / "machine-code")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are written instead of compared."""
    return bool(request.config.getoption("--update-goldens"))
