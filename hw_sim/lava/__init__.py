"""Simulation on Intel's Lava, mended for current Python; see docs/lava.md."""

from typing import TYPE_CHECKING, Any

from hw_sim.lava.options import LavaOptions, Models

if TYPE_CHECKING:
    from hw_sim.lava.launch import simulate

__all__ = ["LavaOptions", "Models", "simulate"]


def __getattr__(name: str) -> Any:
    """Load the launcher, and numpy with it, when it is first asked for."""
    if name != "simulate":
        raise AttributeError(f"module 'hw_sim.lava' has no attribute {name!r}")
    from hw_sim.lava.launch import simulate

    return simulate
