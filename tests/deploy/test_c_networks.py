"""Exported C equals the reference engine on networks of every kind."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.c_projects import COMPILERS, require_clean, require_equal, simulated
from support.loops import LoopCase, image_loop_cases, loop_cases
from support.strategies import Case, cases
from support.strategies_neurons import neurons
from support.toy_neurons import AdaptiveThreshold, Bursting

from arlif.base.errors import NetworkError
from arlif.core.neuron import Neuron
from export.c import COptions, Style
from hw_sim.engines.deployed.host_options import HostOptions

ANY = st.one_of(cases(), cases(), loop_cases(), image_loop_cases())
OWN: tuple[Neuron, ...] = (AdaptiveThreshold(), Bursting())


@st.composite
def with_own_neurons(draw: st.DrawFn) -> Case | LoopCase:
    """Any of these with neurons that arlif does not have in one population."""
    case = draw(ANY)
    first, *others = case.network.populations
    neuron = draw(neurons(first.shape, OWN))
    state = neuron.state_format
    own = replace(first, neuron=neuron, bias=first.bias.clip(state.low, state.high))
    return replace(case, network=replace(case.network, populations=(own, *others)))


def check(
    case: Case | LoopCase,
    compilers: tuple[str, ...] = (),
    style: Style = Style.DENSE,
    as_events: bool = False,
) -> None:
    host = HostOptions(sanitize=True, as_events=as_events)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if compilers:
            patch.setenv("CC", compilers[0])
        got = simulated(case.network, case.inputs, Path(folder), COptions(style, vectors=1), host)
        require_equal(case.network, case.inputs, got)
        for compiler in compilers:
            require_clean(Path(folder) / "c", compiler)


STEPWISE = [Style.DENSE, Style.EVENT]


@pytest.mark.parametrize("style", STEPWISE)
@settings(max_examples=4, suppress_health_check=[*HealthCheck])
@given(case=ANY)
def test_random_networks(style: Style, case: Case | LoopCase) -> None:
    check(case, style=style)


@settings(max_examples=3, suppress_health_check=[*HealthCheck])
@given(case=with_own_neurons())
def test_neurons_of_users(case: Case | LoopCase) -> None:
    check(case, style=Style.EVENT)


STREAMED = ANY.filter(lambda case: not case.network.input.static)


@pytest.mark.parametrize("style", STEPWISE)
@settings(max_examples=2, suppress_health_check=[*HealthCheck])
@given(case=STREAMED)
def test_frames_told_as_events(style: Style, case: Case | LoopCase) -> None:
    check(case, style=style, as_events=True)


MOSTLY_FUSED = cases(max_steps=32).filter(lambda case: case.network.input.static)


@settings(max_examples=4, suppress_health_check=[*HealthCheck])
@given(case=MOSTLY_FUSED)
def test_random_networks_layer_by_layer(case: Case) -> None:
    check(case, style=Style.AUTO)


@settings(max_examples=4)
@given(case=loop_cases())
def test_what_the_fused_style_cannot_is_refused(case: LoopCase) -> None:
    if any(p.delay for p in case.network.projections) or not case.network.input.static:
        with pytest.raises(NetworkError, match=r"no delays .* use --style dense"):
            check(case, style=Style.FUSED)


@pytest.mark.slow
@pytest.mark.parametrize("compiler", COMPILERS)
@settings(max_examples=200, suppress_health_check=[*HealthCheck])
@given(case=MOSTLY_FUSED)
def test_200_random_networks_layer_by_layer(compiler: str, case: Case) -> None:
    check(case, (compiler,), Style.AUTO)


@pytest.mark.slow
@pytest.mark.parametrize("style", [*STEPWISE, Style.AUTO])
@pytest.mark.parametrize("compiler", COMPILERS)
@settings(max_examples=200, suppress_health_check=[*HealthCheck])
@given(case=st.one_of(ANY, with_own_neurons()))
def test_200_random_networks_strictly(compiler: str, style: Style, case: Case | LoopCase) -> None:
    check(
        case,
        (compiler,),
        style,
        as_events=not case.network.input.static and bool(case.time_steps % 2),
    )
