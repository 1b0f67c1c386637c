"""Only a lack of memory is reported as one; freed memory is kept where that is asked for."""

import platform
import resource

import psutil
import pytest
import torch

from arlif.base.errors import ArlifError
from arlif.base.memory import enough_memory, freed_memory_kept

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


def faults() -> int:
    """Pages that the kernel had to give while a tensor of 32 MiB was made and freed three times."""
    for _ in range(
        16
    ):  # glibc holds back up to seven crumbs that keep blocks from growing together
        torch.ones(1 << 23)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.ones(1 << 23)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again_while_it_is_kept() -> None:
    process = psutil.Process()
    without, held = faults(), process.memory_info().rss
    with freed_memory_kept():
        kept = faults()
        assert process.memory_info().rss > held + (24 << 20)
    assert kept < 20 < without
    assert process.memory_info().rss < held + (16 << 20)
