"""How a damaged dataset is judged, and how much work that is."""

import resource
from pathlib import Path

import pytest

from arlif import data
from arlif.base.errors import ArlifError

LONGEST_S = 20.0
COUNTS = (pytest.param(4), pytest.param(300, marks=pytest.mark.slow))
"""Of mutants."""


def worked() -> float:
    """Seconds of a processor that this process and those that it has ended took."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def loading(name: str, place: Path) -> str:
    """Why a dataset is not loaded; empty where it is."""
    started = worked()
    said = ""
    try:
        data.load(name, place, 4)
    except ArlifError as error:
        said = str(error)
    assert worked() - started < LONGEST_S
    assert "\n" not in said
    return said
