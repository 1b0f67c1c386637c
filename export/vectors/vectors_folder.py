"""write_vectors: golden vectors and the memory map as a folder of .npy, .hex and JSON."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.files import StrPath, json_text, write_files
from arlif.core.equality import fingerprint
from arlif.core.network import NUMERICS_VERSION, QuantizedNetwork
from export.golden import Golden
from export.vectors.hex_text import hex_text
from export.vectors.layouts import Layout, layouts, values_of
from export.vectors.memory_map import FORMAT_VERSION, memory_map

MANIFEST = "vectors.json"
MEMORY = "memory"
BYTE = 8


def write_vectors(network: QuantizedNetwork, vectors: Golden, folder: StrPath) -> dict[str, Any]:
    """Write vectors.json with every array beside it, and the memory map; returns the manifest.

    Raises ArlifError where there are too many numbers, WriteError.
    """
    known = layouts(network, len(vectors.readout))
    manifest = {
        "format_version": FORMAT_VERSION,
        "numerics_version": NUMERICS_VERSION,
        "network": fingerprint(network),
        "time_steps": network.time_steps,
        "samples": len(vectors.readout),
        "order": "C: the last axis runs fastest; .hex has one word a line in this order",
        "memory": f"{MEMORY}/{MEMORY}.json",
        "arrays": {name: _facts(layout) for name, layout in known.items()},
    }
    described, memory = memory_map(network)
    files: dict[str, str | bytes] = {}
    for name, values in values_of(network, vectors).items():
        files |= _twice(name, values, known[name].bits)
    for name, stored in memory.arrays.items():
        files |= _twice(f"{MEMORY}/{name}", stored.values, stored.bits)
    files |= _twice(f"{MEMORY}/image", memory.image(), BYTE)
    files[f"{MEMORY}/{MEMORY}.json"] = json_text(described) + "\n"
    files[MANIFEST] = json_text(manifest) + "\n"
    write_files(Path(folder), files)
    return manifest


def _facts(layout: Layout) -> dict[str, Any]:
    return {
        "axes": list(layout.axes),
        "shape": list(layout.shape),
        "dtype": layout.dtype,
        "bits": layout.bits,
        "signed": layout.signed,
        "range": [layout.low, layout.high],
        "unit": layout.unit,
        "scale": layout.scale,
    }


def _twice(name: str, values: NDArray[Any], bits: int) -> dict[str, str | bytes]:
    """An array as .npy and as .hex."""
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return {f"{name}.npy": stream.getvalue(), f"{name}.hex": hex_text(values, bits)}
