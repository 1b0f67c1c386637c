"""Arrays of a user's own, from .npy and .npz files: nothing in them is run."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, require

INPUTS, LABELS = "inputs", "labels"
"""What the arrays of an .npz file are called."""


def read_array(path: Path) -> NDArray[Any]:
    """The real numbers of a .npy file. Raises ArlifError where it holds none or anything else."""
    array = _contents(path, ".npy")
    require(
        isinstance(array, np.ndarray),
        f"{path} must be a .npy file of one array; save a tensor x with np.save(FILE, x.numpy())",
    )
    return real_numbers(array, str(path))


def read_arrays(path: Path, others: tuple[str, ...] = (LABELS,)) -> dict[str, NDArray[Any]]:
    """`inputs`, and which of the `others` there are, of an .npz file. Raises ArlifError."""
    found = _contents(path, ".npz")
    if not isinstance(found, dict):
        raise ArlifError(f"{path} is one array, not an archive of arrays; call it .npy")
    require(
        INPUTS in found and {*found} <= {INPUTS, *others},
        f"{path} must hold an array named {INPUTS!r}"
        f"{''.join(f', and may hold {other!r}' for other in others)}; it holds "
        f"{', '.join(map(repr, found)) or 'nothing'}",
    )
    return {name: real_numbers(array, f"{name} of {path}") for name, array in found.items()}


def _contents(path: Path, kind: str) -> Any:
    """The array of a .npy file; of an .npz file its arrays, and None for those of other names."""
    require(path.is_file(), f"there is no file {path}; give the path of one")
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return found
            return {n: found[n] if n in (INPUTS, LABELS) else None for n in found.files}
    except Exception as error:  # whatever a header or an archive makes numpy raise
        raise ArlifError(f"{path} is not a readable {kind} file ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__


def real_numbers(values: Any, where: str) -> NDArray[Any]:
    """Real numbers that float32 can hold, of an array or a tensor. Raises ArlifError."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array)
    require(array.dtype.kind in "biuf", f"{where} must hold one array of real numbers")
    require(array.size > 0, f"{where} holds no numbers: its shape is {array.shape}")
    require(
        bool((np.abs(array) <= np.finfo(np.float32).max).all()),
        f"{where} holds NaN, infinity or numbers beyond float32; take them out",
    )
    return array


def class_labels(values: NDArray[Any], where: object) -> NDArray[np.int64]:
    """The class of each sample. Raises ArlifError where they are no integers."""
    require(
        np.issubdtype(values.dtype, np.integer),
        f"{where} must hold integers, the class of each sample",
    )
    return values.astype(np.int64)
