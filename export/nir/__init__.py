"""NIR files: lossless ones for arlif, and plain LIF ones for every other NIR tool.

Importing this package does not load torch; load_nir and write_nir_lif do when they are asked for.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily
from export.nir.read_native import is_native, read_nir
from export.nir.write_native import write_nir

if TYPE_CHECKING:
    from export.nir.load import load_nir, load_plain
    from export.nir.write_lif import write_nir_lif

__all__ = ["is_native", "load_nir", "load_plain", "read_nir", "write_nir", "write_nir_lif"]

__getattr__ = lazily(
    __name__,
    {
        "load_nir": "export.nir.load",
        "load_plain": "export.nir.load",
        "write_nir_lif": "export.nir.write_lif",
    },
)
