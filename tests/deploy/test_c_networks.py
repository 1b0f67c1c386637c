"""Exported C equals the reference engine on networks of every kind."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.c_projects import COMPILERS, require_clean, require_equal, simulated
from support.loops import LoopCase, image_loop_cases, loop_cases
from support.strategies import Case, cases

ANY = st.one_of(cases(), cases(), loop_cases(), image_loop_cases())


def check(case: Case | LoopCase, compilers: tuple[str, ...] = ()) -> None:
    with tempfile.TemporaryDirectory() as folder:
        got = simulated(case.network, case.inputs, Path(folder))
        require_equal(case.network, case.inputs, got)
        for compiler in compilers:
            require_clean(Path(folder) / "c", compiler)


@settings(max_examples=4, suppress_health_check=[*HealthCheck])
@given(case=ANY)
def test_random_networks(case: Case | LoopCase) -> None:
    check(case)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("compiler", COMPILERS)
@settings(max_examples=200, suppress_health_check=[*HealthCheck])
@given(case=ANY)
def test_200_random_networks_strictly(compiler: str, case: Case | LoopCase) -> None:
    check(case, (compiler,))
