"""Simulation on Intel's Lava, mended for current Python; see docs/lava.md."""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily
from hw_sim.engines.lava.lava_options import LavaOptions, Models

if TYPE_CHECKING:
    from hw_sim.engines.lava.launch import simulate

__all__ = ["LavaOptions", "Models", "simulate"]

__getattr__ = lazily(__name__, {"simulate": "hw_sim.engines.lava.launch"})
