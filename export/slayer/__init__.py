"""The .net files of others: what lava-dl's SLAYER exported, read into quantized networks."""

from export.slayer.read import read_slayer

__all__ = ["read_slayer"]
