"""Integers as hexadecimal text, one word a line: what $readmemh reads and $writememh writes."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require

WORD = re.compile(r"[0-9a-fA-F]{1,16}")
REMARKS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def hex_text(values: NDArray[Any], bits: int) -> str:
    """Values in C order, each in two's complement of `bits` bits, at most 63."""
    digits, mask = -(-bits // 4), (1 << bits) - 1
    words = (values.reshape(-1).astype(np.int64) & mask).tolist()
    return "".join(f"{word:0{digits}x}\n" for word in words)


def from_hex(text: str, bits: int, signed: bool) -> NDArray[np.int64]:
    """The values of words of `bits` bits, or of words that are sign-extended to all their digits.

    Remarks are skipped. Raises FormatError where something else stands there.
    """
    words = REMARKS.sub(" ", text).replace("_", "").split()
    wrong = next((word for word in words if not WORD.fullmatch(word)), None)
    require(
        wrong is None,
        f"{str(wrong)[:20]!r} is no hexadecimal word; give known digits only, without addresses",
        FormatError,
    )
    values = np.array([int(word, 16) for word in words], np.uint64)
    widths = np.array([4 * len(word) for word in words], np.uint64)
    if not signed:
        return values.astype(np.int64)
    narrow = values < np.uint64(1 << bits)
    widths = np.where(narrow, np.uint64(bits), widths)
    negative = (values >> (widths - np.uint64(1))) & np.uint64(1) == 1
    ones = np.where(widths < 64, ~np.uint64(0) << (widths % np.uint64(64)), np.uint64(0))
    return np.where(negative, values | ones, values).astype(np.int64)
