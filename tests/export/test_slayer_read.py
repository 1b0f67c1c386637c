""".net files of lava-dl: what is read, what is refused by name, and that nothing else happens."""

import importlib.util
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import slayer_files
from support.slayer_files import NEURON, conv, dense

import export.hdf5
from arlif.base.errors import FormatError
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import READOUT
from export.hdf5 import Tree
from export.slayer import read_slayer
from export.slayer.weights import eight_bit_parts, packed_without_loss
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.lava.hook import mend_lava
from hw_sim.engines.simulation import Record

SPIKES_IN = {"type": "input", "shape": [3]}
FRAMES_IN = {"type": "input", "shape": [2, 5, 5], "neuron": NEURON}
EVEN = np.array([[2, -4, 6], [8, 10, -12]])
KERNEL = np.arange(-9, 9).reshape(1, 2, 3, 3)


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process: h5py has just written them, so libhdf5 survives them."""
    monkeypatch.setattr(export.hdf5, "rehearse", lambda path, module: None)


def test_frames_pass_weight_and_bias_on_their_way_to_the_first_neuron(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    first = FRAMES_IN | {"shape": [3], "weight": [40.0], "bias": [5.0]}
    slayer_files.write(path, [first, dense(EVEN)])
    network = read_slayer(path)
    assert network.input.encode([[0.5, -1, 0]]).tolist() == [[20, -40, 0]]
    trace = simulate(network, np.array([[20, -40, 0]], np.int8), 1, Record(("layer0",), True))
    assert trace.traces["layer0"].states["u"].tolist() == [[[25 * 64, -35 * 64, 5 * 64]]]


def test_a_last_layer_without_neuron_is_the_readout(tmp_path: Path) -> None:
    slayer_files.write(tmp_path / "a.net", [SPIKES_IN, dense(EVEN, None)])
    network = read_slayer(tmp_path / "a.net", time_steps=3)
    spikes = np.array([[[1, 0, 1]], [[0, 1, 0]], [[0, 0, 0]]], np.int8)
    assert simulate(network, spikes, 3).readout.tolist() == [[2 + 6 - 4, 8 - 12 + 10]]


def test_else_the_readout_counts_spikes_of_any_shape(tmp_path: Path) -> None:
    slayer_files.write(tmp_path / "a.net", [FRAMES_IN, conv(KERNEL, (1, 3, 3))])
    network = read_slayer(tmp_path / "a.net")
    rng = np.random.default_rng(0)
    found = simulate(network, rng.integers(-127, 128, (4, 2, 5, 5)).astype(np.int8), 20)
    assert found.counts["layer1"].any()
    assert np.array_equal(found.readout, found.counts["layer1"].reshape(4, 9))


def test_a_pool_sums_its_window_with_one_kernel_for_all_channels(tmp_path: Path) -> None:
    pool = {"type": "pool", "shape": [2, 3, 2], "kernelSize": [2, 3], "stride": [2, 2]}
    pool |= {
        "padding": [1, 0],
        "dilation": [1, 1],
        "neuron": NEURON,
        "weight": [[4, 4, 4], [6, 6, 6]],
    }
    slayer_files.write(tmp_path / "a.net", [{"type": "input", "shape": [2, 5, 5]}, pool])
    (projection,) = read_slayer(tmp_path / "a.net").incoming("layer1")
    kernel = [[4, 4, 4], [6, 6, 6]]
    assert projection.maps == (Conv2d(np.array([[kernel], [kernel]]), (2, 2), (1, 0), (1, 1), 2),)


def test_time_steps_come_from_the_file_or_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    slayer_files.write(path, [SPIKES_IN, dense(EVEN)], time_steps=9)
    assert read_slayer(path).time_steps == 9
    assert read_slayer(path, time_steps=4).time_steps == 4
    slayer_files.write(path, [SPIKES_IN, dense(EVEN)], time_steps=None)
    with pytest.raises(FormatError, match="pass time_steps"):
        read_slayer(path)


SDNN = {"type": "SDNN", "vThMant": 1}
REFUSED: list[tuple[str, list[dict[str, Any]], str]] = [
    ("delay", [SPIKES_IN, dense(EVEN, delay=[1, 2])], "layer/1: has delay"),
    ("recurrent", [SPIKES_IN, dense(EVEN) | {"type": "dense_rec"}], "type 'dense_rec'"),
    ("average", [SPIKES_IN, {"type": "average", "shape": [1]}], "type 'average'"),
    ("sdnn", [SPIKES_IN, dense(EVEN, SDNN)], "layer/1/neuron: neurons of type 'SDNN'"),
    ("refractory", [SPIKES_IN, dense(EVEN, NEURON | {"refDelay": 2})], "'refDelay' must be"),
    ("graded", [SPIKES_IN, dense(EVEN, NEURON | {"gradedSpike": True})], "'gradedSpike' must be"),
    ("message bits", [SPIKES_IN, dense(EVEN, NEURON | {"messageBits": 8})], "has messageBits"),
    ("decay", [SPIKES_IN, dense(EVEN, NEURON | {"vDecay": 5000})], "'vDecay' must be one integer"),
    ("no input", [dense(EVEN), dense(EVEN)], "must be of type 'input'"),
    ("alone", [SPIKES_IN], "numbered from 0"),
    ("fractions", [SPIKES_IN, dense(EVEN / 3)], "'weight' must hold integers"),
    ("complex", [SPIKES_IN, dense(EVEN) | {"weight": {"real": 1}}], "'weight' must hold integers"),
    ("too heavy", [SPIKES_IN, dense(EVEN * 30)], "netx would not use the weights"),
    ("all negative", [SPIKES_IN, dense(-np.ones((2, 3)))], "netx would not use the weights"),
    ("misfit", [SPIKES_IN, dense(EVEN[:, :2])], "do not join shape"),
    ("bias", [SPIKES_IN, dense(EVEN, bias=[1, 2, 3])], "bias must hold 2 integers"),
    ("no neuron", [SPIKES_IN, dense(EVEN, None), dense(EVEN)], "only the last layer may lack"),
    ("readout bias", [SPIKES_IN, dense(EVEN, None, bias=[1, 1])], "cannot have a bias"),
    (
        "input weight",
        [FRAMES_IN | {"weight": 200}, conv(KERNEL, (1, 3, 3))],
        "'weight' must be one",
    ),
    ("flatten", [FRAMES_IN, dense(np.full((2, 50), 2))], "needs a flatten layer"),
    ("shape", [FRAMES_IN, conv(KERNEL, (1, 2, 3))], "its geometry gives"),
    ("kernel", [FRAMES_IN, conv(KERNEL, (1, 3, 3), kernelSize=[2, 2])], "do not match kernelSize"),
    ("heavy kernel", [FRAMES_IN, conv(KERNEL * 30, (1, 3, 3))], "must lie in"),
    ("channels", [FRAMES_IN, conv(KERNEL[:, :1], (1, 3, 3))], "1 input channels"),
    ("classes", [FRAMES_IN | {"shape": [2, 90, 90]}, conv(KERNEL, (1, 88, 88))], "at most 4096"),
]


@pytest.mark.parametrize(
    ("layers", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
@pytest.mark.usefixtures("sound")
def test_what_is_not_supported_is_named(
    layers: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    slayer_files.write(tmp_path / "a.net", layers)
    with pytest.raises(FormatError, match=message) as raised:
        read_slayer(tmp_path / "a.net")
    assert "a.net" in str(raised.value)


def test_a_current_past_25_bits_is_refused(tmp_path: Path) -> None:
    heavy = np.full((2, 3000), 254)
    heavy[0, 0] = -254
    layers = [{"type": "input", "shape": [3000]}, dense(heavy)]
    slayer_files.write(tmp_path / "a.net", layers)
    with pytest.raises(FormatError, match="layer1: the current may reach"):
        read_slayer(tmp_path / "a.net")


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_weights_of_nine_bits_are_a_sum_of_eight_bit_parts(
    outputs: int, inputs: int, data: st.DataObject
) -> None:
    values = st.integers(-256, 255)
    flat = data.draw(st.lists(values, min_size=outputs * inputs, max_size=outputs * inputs))
    weight = np.array(flat).reshape(outputs, inputs)
    parts = eight_bit_parts(weight)
    assert np.array_equal(sum(Dense(p).weight.astype(int) << shift for p, shift in parts), weight)
    simple = np.abs(weight).max() <= 127 or not ((weight % 2).any() or weight.min() < -254)
    assert (len(parts) == 1) == simple


@pytest.fixture(scope="module")
def lava_product() -> Callable[[Any, Any], Any]:
    """What netx and Lava make of a dense product, by their own functions."""
    pytest.importorskip("lava.utils")
    try:
        file = distribution("lava-dl").locate_file("lava/lib/dl/netx/utils.py")
    except PackageNotFoundError:
        pytest.skip("lava-dl is not installed")
    mend_lava()
    from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights

    spec = importlib.util.spec_from_file_location("netx_utils", str(file))
    assert spec is not None
    assert spec.loader is not None
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)

    def multiply(weight: Any, spikes: Any) -> Any:
        packed, bits, exponent, _ = utils.optimize_weight_bits(weight)
        mode = determine_sign_mode(packed)
        packed = truncate_weights(clip_weights(packed, mode, num_bits=8), mode, bits)
        return (packed @ spikes) >> -exponent

    return multiply


@pytest.mark.lava
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["mixed", "pos", "neg"]),
)
@settings(max_examples=400)
def test_lossless_packing_is_what_lavas_own_functions_do(
    lava_product: Callable[[Any, Any], Any], seed: int, step: int, signs: str
) -> None:
    rng = np.random.default_rng(seed)
    reach = int(rng.integers(1, 257))
    low, high = {"mixed": (-reach, reach), "pos": (0, reach), "neg": (-reach, rng.integers(0, 2))}[
        signs
    ]
    weight = (rng.integers(low, high, (3, 4)) // step * step).astype(int)
    if not weight.any():
        return
    spikes = np.array(list(product((0, 1), repeat=4))).T
    try:
        with np.errstate(divide="ignore"):
            exact = np.array_equal(lava_product(weight, spikes), weight @ spikes)
    except (ValueError, OverflowError):
        exact = False
    # a sum that Lava floors may come out right by luck; such matrices are refused all the same
    assert packed_without_loss(weight) == exact or (exact and weight.max() <= 0)


def _mutate(data: bytearray, rng: np.random.Generator) -> bytes:
    """One of: flipped bytes, a cut, a run of zeros, a piece moved elsewhere."""
    kind, at = rng.integers(4), int(rng.integers(len(data)))
    length = int(rng.integers(1, 64))
    if kind == 0:
        for spot in rng.integers(0, len(data), length % 8 + 1):
            data[spot] = int(rng.integers(256))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at : at + length] = bytes(len(data[at : at + length]))
    else:
        target = int(rng.integers(len(data)))
        data[target : target + length] = data[at : at + length]
    return bytes(data)


def _fuzz(folder: Path, rounds: int) -> tuple[int, int]:
    """How many mutated files were read, and how many refused."""
    path, good = folder / "a.net", folder / "good.net"
    slayer_files.write_random(good, 1)
    rng, read, refused = np.random.default_rng(0), 0, 0
    for _ in range(rounds):
        path.write_bytes(_mutate(bytearray(good.read_bytes()), rng))
        error = _error(path)
        read, refused = read + (error is None), refused + (error is not None)
    return read, refused


def _error(path: Path) -> str | None:
    """What a file is refused for, if it is."""
    try:
        network = read_slayer(path)
    except FormatError as error:
        return str(error) if path.name in str(error) else pytest.fail(f"{error} names no file")
    return None if network.incoming(READOUT) else pytest.fail("a network without a readout")


def test_mutated_files_give_a_network_or_a_named_error(tmp_path: Path) -> None:
    read, refused = _fuzz(tmp_path, 8)
    assert read > 0
    assert refused > 0


@pytest.mark.slow
def test_1000_mutated_files_give_a_network_or_a_named_error(tmp_path: Path) -> None:
    read, refused = _fuzz(tmp_path, 1000)
    assert read > 50
    assert refused > 50


def _fields(tree: Tree) -> Iterator[tuple[Tree, str]]:
    """Every group with the name of each field in it."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _fields(value)
        else:
            yield tree, name


@pytest.mark.parametrize(
    "wrong",
    [None, "text", {}, -1, 3, 1e9, 0.5, np.nan, [], [[1, 2], [3, 4]], np.zeros((1, 0))],
    ids=repr,
)
def test_every_field_missing_or_wrong_is_a_named_error_or_harmless(
    wrong: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.net"
    slayer_files.write_random(path, 2)
    tree = export.hdf5.read_tree(path)
    monkeypatch.setattr("export.slayer.read.read_tree", lambda path: tree)
    errors = []
    for group, name in list(_fields(tree)):
        kept = group.pop(name)
        if wrong is not None:
            group[name] = wrong
        errors.append(_error(path))
        group[name] = kept
    assert len(errors) > 40
    assert sum(error is not None for error in errors) > 10
    assert _error(path) is None
