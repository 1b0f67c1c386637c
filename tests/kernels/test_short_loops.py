"""Stages of a printed step: each reads what an earlier one stored, and has little to wait for."""

import pytest
from support.toy_neurons import AdaptiveThreshold, Bursting

from arlif.core.graph import Op
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import BUILT_IN, RealArlif, RealLifSoft
from arlif.kernels.derivative import derivative
from arlif.kernels.early_factors import with_early_factors
from arlif.kernels.kernel import standard
from arlif.kernels.real_terms import Lowering
from arlif.kernels.short_loops import LONG, Stage, stages
from arlif.kernels.sigmoids import turned
from arlif.kernels.terms import Kind, Terms

NEURONS = (*BUILT_IN, AdaptiveThreshold(), Bursting())
every_neuron = pytest.mark.parametrize(
    "neuron", NEURONS, ids=[f"{i} {type(neuron).__name__}" for i, neuron in enumerate(NEURONS)]
)


def lowered(neuron: Neuron) -> Lowering:
    kernel = standard(neuron)
    return Lowering(with_early_factors(derivative(kernel.graph, kernel.learned)), kernel.spread)


def results_of(lowering: Lowering) -> list[int]:
    places = (*lowering.derivative.after, lowering.derivative.spikes)
    return [lowering.terms.vector(lowering.of[place]) for place in places]


def computed(terms: Terms, stage: Stage) -> set[int]:
    return {*terms.needed((*stage.roots, *stage.stored), dict.fromkeys(stage.given, ""))}


def longs(terms: Terms, places: set[int]) -> list[int]:
    return [place for place in places if terms.all[place].price >= LONG and terms.all[place].args]


@every_neuron
def test_stages_read_what_was_stored_and_compute_everything_once(neuron: Neuron) -> None:
    lowering = lowered(neuron)
    terms, results = lowering.terms, results_of(lowering)
    needed = terms.needed(results, {})
    vectors = (place for place in needed if terms.all[place].kind is Kind.VECTOR)
    keep = [place for place in vectors if terms.all[place].args][::2]
    found, stored = stages(terms, results, keep), set[int]()
    for stage in found:
        assert {*stage.given} <= stored
        assert not {*stage.stored} & stored
        assert {*stage.stored} <= computed(terms, stage)
        stored |= {*stage.stored}
    assert {*keep} <= stored
    assert {*results} <= computed(terms, found[-1]) | {*found[-1].given}
    exponentials = [place for stage in found for place in longs(terms, computed(terms, stage))]
    assert sorted(exponentials) == sorted(longs(terms, {*needed}))


@every_neuron
def test_no_exponential_waits_for_another_of_its_stage(neuron: Neuron) -> None:
    lowering = lowered(neuron)
    terms = lowering.terms
    for stage in stages(terms, results_of(lowering), ()):
        given = dict.fromkeys(stage.given, "")
        for place in longs(terms, computed(terms, stage)):
            assert not longs(terms, {*terms.needed(terms.all[place].args, given)})


def test_a_step_without_exponentials_is_one_loop() -> None:
    lowering = lowered(RealLifSoft())
    (only,) = stages(lowering.terms, results_of(lowering), ())
    assert only.given == only.stored == ()


def test_only_the_gate_that_is_read_is_computed() -> None:
    """AR-LIF's reset passes sigma(y) where r >= 0 and sigma(-y) elsewhere: one exponential."""
    lowering = lowered(RealArlif(0.5, 1.0, 0.9, 0.3))
    terms = lowering.terms
    (condition,) = turned(lowering.derivative, lowering.levels).values()
    assert lowering.derivative.nodes[condition].op in (Op.GE, Op.FIRE)
    assert len(longs(terms, {*terms.needed(results_of(lowering), {})})) == 3
