"""The one registry that all blocks of the engine enter themselves into."""

from __future__ import annotations

from reports.block_calls import BlockRegistry

REGISTRY = BlockRegistry()
