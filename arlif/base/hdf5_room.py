"""Whether an HDF5 file has room for what it says that it holds."""

import h5py

from arlif.base.errors import FormatError, require

MOST_PACKED = 1032
"""Bytes that gzip makes of one, at most."""


def require_room(data: h5py.Dataset) -> None:
    """Raise FormatError where a dataset would be more than its bytes in the file can hold.

    One of which nothing is stored reads as zeros, of any number: all memory, and minutes.
    """
    held = data.id.get_storage_size()
    require(
        data.shape is not None and data.nbytes <= MOST_PACKED * held,
        f"{data.name} of shape {data.shape} does not fit the {held} bytes that the file has of it",
        FormatError,
    )
