"""Exported C that reads potentials: the reference's logits, spikes and states."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.c_projects import require_clean, require_equal, simulated
from support.readings import Case, reading_cases

from export.c.c_options import COptions, Style


@pytest.mark.parametrize("style", [Style.DENSE, Style.FUSED])
@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(case=reading_cases(max_populations=2, max_steps=6))
def test_the_program_reads_what_the_reference_reads(style: Style, case: Case) -> None:
    style = style if case.network.input.static else Style.DENSE
    with TemporaryDirectory() as folder:
        got = simulated(case.network, case.inputs, Path(folder), COptions(style=style))
        require_equal(case.network, case.inputs, got)
        require_clean(Path(folder) / "c", "gcc")
