"""NIR files: lossless ones for arlif, and plain LIF ones for every other NIR tool."""

from export.nir.read_native import is_native, read_nir
from export.nir.write_native import write_nir

__all__ = ["is_native", "read_nir", "write_nir"]
