"""A full disk is one sentence, whichever file was being written; nothing of it is left."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.full_disk import files_end_at
from support.networks_small import digits_like
from torch import nn

from arlif.base.errors import WriteError
from arlif.neurons import LIF
from export.lava.net import write_net
from export.nir import write_nir, write_nir_lif
from hw_sim.engines.integer import fast
from hw_sim.engines.simulation import Record
from hw_sim.engines.traces import write_traces

Writer = Callable[[Path], None]


@pytest.fixture(scope="module")
def writers() -> dict[str, Writer]:
    """One for every kind of HDF5 file that we write."""
    network, inputs = digits_like(samples=3)
    simulation = fast.simulate(network, inputs, 3, Record.everything(network))
    module = nn.Sequential(nn.Linear(64, 64), LIF(), nn.Linear(64, 10))
    return {
        "network.nir": lambda path: write_nir(network, path),
        "network.net": lambda path: write_net(network, path),
        "lif.nir": lambda path: write_nir_lif(module, path, (64,)),
        "traces.h5": lambda path: write_traces(simulation, path),
    }


@pytest.mark.parametrize("kind", ["network.nir", "network.net", "lif.nir", "traces.h5"])
def test_a_full_disk_is_one_sentence(
    writers: dict[str, Writer], kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / kind
    writers[kind](file)
    whole = file.read_bytes()
    for part in (0.0, 0.5, 0.9999):
        with (
            files_end_at(int(part * len(whole))),
            pytest.raises(WriteError, match=rf"cannot write .*{kind}: File too large$"),
        ):
            writers[kind](file)
        assert file.read_bytes() == whole
        assert [*tmp_path.iterdir()] == [file]
    assert capfd.readouterr() == ("", "")
