"""Formats chosen from data: narrow ones saturate and change spikes, wide ones do not."""

import numpy as np
import pytest
from support.networks_small import conv_net, images

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, Numbers
from arlif.core.tables import TableDomain
from arlif.quantize import calibrate_input, linearize
from hw_sim.comparison.calibration import calibrate_numbers, narrowest

TINY = Numbers(FixedPointFormat(6, 4), 4, TableDomain(32, -2.0, 2.0))


@pytest.fixture(scope="module")
def case():
    module, real = conv_net(), images((1, 8, 8), 48)
    linear = linearize(module, (1, 8, 8))
    return module, linear, calibrate_input(real.numpy(), (1, 8, 8), linear.static), real


def test_reports_tell_formats_apart(case) -> None:
    candidates = (TINY, PRESETS["compact16"], PRESETS["loihi24"])
    tiny, compact, loihi = calibrate_numbers(*case, 4, candidates=candidates)
    assert tiny.saturated > 0.003 > compact.saturated == loihi.saturated == 0
    assert tiny.spikes_changed > compact.spikes_changed
    assert [layer.name for layer in tiny.layers] == [p.name for p in case[1].populations]
    assert compact.samples == 48


def test_the_narrowest_that_changes_little_is_chosen(case) -> None:
    reports = calibrate_numbers(*case, 4)
    chosen = narrowest(reports, outputs_changed=0.1)
    assert chosen.outputs_changed <= 4.8
    assert all(r.outputs_changed > 4.8 for r in reports[: reports.index(chosen)])
    best = narrowest(reports, outputs_changed=-1)
    assert best.outputs_changed == min(r.outputs_changed for r in reports)


def test_a_network_that_fits_nowhere_is_told_why(case) -> None:
    module, linear, source, real = case
    head = linear.populations[0].current
    head.terms[0].synapses.weight[:] *= 1e9
    try:
        with pytest.raises(ArlifError, match="fits into no candidate"):
            calibrate_numbers(module, linear, source, real, 4)
    finally:
        head.terms[0].synapses.weight[:] /= 1e9
    assert np.isfinite(head.terms[0].synapses.weight).all()


@pytest.mark.parametrize("shape", [(8, 8), (5, 8, 8), (3, 1, 8, 9), ()])
def test_samples_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArlifError, match=r"\[\.\.\., 1, 8, 8\]"):
        calibrate_input(np.ones(shape), (1, 8, 8), static=True)
