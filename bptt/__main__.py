"""``python -m bptt``."""

import sys

from bptt.cli import run

sys.exit(run())
