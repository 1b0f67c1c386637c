"""What torch.save wrote, from files that need not be trusted."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from arlif.base.errors import FormatError, require
from arlif.base.seal import is_sealed


def read_saved(path: Path) -> Any:
    """Plain data and tensors that torch.save wrote; nothing in the file is run.

    Raises FormatError where its seal or its checksums, which torch itself does not look at, do not
    fit it, or where it is packed; and whatever torch raises on a file that is something else.
    """
    is_sealed(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            plain = all(member.compress_type == zipfile.ZIP_STORED for member in members)
            require(
                plain and sum(member.file_size for member in members) <= path.stat().st_size,
                "its members are packed, which torch.save does not do",
                FormatError,
            )
            wrong = archive.testzip()
            require(wrong is None, f"the checksum of {wrong} in it does not fit", FormatError)
    return torch.load(path, map_location="cpu", weights_only=True)


def weights_in(content: Any) -> dict[str, Tensor]:
    """Tensors by name, of real numbers that lie in memory. Raises FormatError on anything else."""
    require(
        isinstance(content, dict) and all(isinstance(v, Tensor) for v in content.values()),
        "it holds no weights: they are tensors by name",
        FormatError,
    )
    strange = [name for name, value in content.items() if not _is_plain(value)]
    require(
        not strange,
        f"{', '.join(map(str, strange[:3]))} are no plain tensors of real numbers",
        FormatError,
    )
    return {str(name): value for name, value in content.items()}


def broken(weights: Mapping[str, Tensor]) -> str:
    """The names of those that no training leaves: NaN, infinity, a variance below 0."""
    return ", ".join(
        name
        for name, value in weights.items()
        if not value.isfinite().all() or (name.endswith("running_var") and (value < 0).any())
    )


def _is_plain(value: Tensor) -> bool:
    """Whether a tensor is neither sparse, nested, quantized or complex nor without numbers."""
    dense = value.layout == torch.strided and not value.is_nested and not value.is_quantized
    return dense and value.device.type == "cpu" and not value.is_complex()
