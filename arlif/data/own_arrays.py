"""Arrays of a user's own, from .npy and .npz files: nothing in them is run."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, require
from arlif.data.numpy_files import ARCHIVE, BEGINNING, read_npy, read_npz

Shape = tuple[int, ...]

INPUTS, LABELS = "inputs", "labels"
"""What the arrays of an .npz file are called."""
SAVED = {".npy": "np.save(FILE, x)", ".npz": "np.savez(FILE, inputs=x)"}
"""What writes files of these kinds."""


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
            start = file.read(len(BEGINNING))
        if start == BEGINNING:
            return read_npy(path)
        require(start.startswith(ARCHIVE), "it begins as none does")
        return read_npz(path, (INPUTS, LABELS))
    except Exception as error:  # whatever a header or an archive makes numpy raise
        raise ArlifError(
            f"{path} is not a readable {kind} file ({_reason(error)}); write one with {SAVED[kind]}"
        ) from None


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()) or type(error).__name__


def real_numbers(values: Any, where: str) -> NDArray[Any]:
    """Real numbers that float32 can hold, of an array or a tensor. Raises ArlifError."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    array = np.asarray(array)
    require(
        array.dtype.kind in "biuf",
        f"{where} must hold one array of real numbers, not {array.dtype}",
    )
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
        f"{where} must hold integers, the class of each sample; of a row a sample save y.argmax(1)",
    )
    return values.astype(np.int64)


def written(shape: Shape) -> list[Shape]:
    """How a frame may be written: a signal (C, L) is (C, 1, L) to a network."""
    signal = len(shape) == 3 and shape[1] == 1
    return [shape, (shape[0], shape[2])] if signal else [shape]


def axes_cure(given: Shape, shape: Shape, frames: int) -> str:
    """What makes of an array x what a network takes, where its shape shows that."""
    for channels, *size in written(shape):
        frame, last = (channels, *size), (*size, channels)
        first = "[None]" if frames == 1 else f"[None].repeat({frames}, 0)"
        for seen, cure in (
            (given[1:] == frame, f"time comes first: save x{first}"),
            (given[1:] == last, f"time and channels come first: save np.moveaxis(x, -1, 1){first}"),
            (given[2:] == last, "channels come first: save np.moveaxis(x, -1, 2)"),
            (given[1:] == (frames, *frame), "time comes first: save x.swapaxes(0, 1)"),
            (given[:1] + given[2:] == (1, *frame), f"for still images save x.repeat({frames}, 0)"),
            (frames == 1 and given[2:] == frame, "it shows one frame at every step: save x[:1]"),
        ):
            if seen:
                return f"; {cure}"
    return "; time comes first" if given[:1] != (frames,) else ""
