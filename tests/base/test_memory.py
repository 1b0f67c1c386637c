"""Only a lack of memory is reported as one."""

import pytest
import torch

from arlif.base.errors import ArlifError
from arlif.base.memory import enough_memory

LACKS = (
    MemoryError(),
    MemoryError("Unable to allocate 9 GiB"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    RuntimeError("Storage size calculation overflowed with sizes=[9]"),
)


@pytest.mark.parametrize("error", LACKS, ids=str)
def test_a_lack_of_memory_is_told_with_its_cure(error: Exception):
    refused = pytest.raises(ArlifError, match=r"not enough memory .*; buy more")
    with refused as found, enough_memory("buy more"):
        raise error
    assert found.value.__cause__ is error


@pytest.mark.parametrize("words", ["pin_memory: allocation kind is unknown", "bad allocator name"])
def test_other_errors_stay_what_they_are(words: str):
    with pytest.raises(RuntimeError, match=words), enough_memory("buy more"):
        raise RuntimeError(words)
