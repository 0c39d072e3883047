"""Names of the blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reports.blocks.claims import claim_block, findings_block
from reports.blocks.derivations import cell_block, gradient_block, gradients_block, jacobian_block, measurements_block, proof_block, ranges_block
from reports.blocks.diagrams import unrolled_block
from reports.blocks.spectra import eigen_block, growth_plot_block, growth_table_block, power_block, power_theorem_block
from reports.document import Block

HANDLERS: Mapping[str, Callable[[Any, Any], Sequence[Block]]] = {
    "cell": cell_block,
    "jacobian": jacobian_block,
    "gradient": gradient_block,
    "gradients": gradients_block,
    "proof": proof_block,
    "ranges": ranges_block,
    "measurements": measurements_block,
    "power-theorem": power_theorem_block,
    "eigen": eigen_block,
    "power": power_block,
    "growth-table": growth_table_block,
    "growth-plot": growth_plot_block,
    "claim": claim_block,
    "findings": findings_block,
    "unrolled": unrolled_block,
}
