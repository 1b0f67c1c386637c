"""Released checkpoints compute what the released programs do, or say every key that is wrong."""

import argparse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.released_networks import Neuron, ResNet, Silent, Vgg, VggSnn, lively
from torch import Tensor, nn

from arlif.base.errors import ArlifError, FormatError
from arlif.interop.released import load_released, read_weights
from arlif.run_folder import Run
from arlif.training import load_recipe, load_trained
from arlif.training.recipe import Recipe
from hw_sim.pipeline import quantize_run
from hw_sim.pipeline.import_checkpoint import import_checkpoint
from hw_sim.report import write_report

RESNET = "cifar10-resnet18-t4"
NARROW: dict[str, Any] = {"architecture.widths": [6, 6, 6, 6]}
WIDTHS: list[int | str] = [4, 5, "pool", 6, 6, "pool", 7, 7, "pool", 8, 8, "pool"]


def narrow(changes: dict[str, Any] | None = None) -> Recipe:
    return load_recipe(RESNET, NARROW | (changes or {}))


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "checkpoint.pth")
    return folder / "checkpoint.pth"


def resnet(neuron: type[nn.Module] = Neuron) -> ResNet:
    torch.manual_seed(0)
    return lively(ResNet(6, neuron))


def close(a: Tensor, b: Tensor) -> bool:
    """Equal but for the order of sums: one spike that differs would change far more."""
    return bool(torch.allclose(a, b, atol=1e-4)) and bool(a.std() > 1e-3)


@pytest.mark.parametrize("wrapper", ["net", "model", "state_dict", None])
def test_resnet(wrapper: str | None, tmp_path: Path) -> None:
    net, image = resnet(), torch.rand(1, 3, 3, 32, 32)
    state = {f"module.{k}": v for k, v in net.state_dict().items()}
    content = state if wrapper is None else {wrapper: state, "acc": 96.0, "epoch": 399}
    released = load_released(saved(tmp_path, content), narrow())
    with torch.no_grad():
        assert close(released.network(image), net(image[0], 4))
    stored = {name: float(v) for name, v in net.state_dict().items() if name.endswith(".c")}
    assert any(not 0 <= alpha <= 1 for alpha in stored.values())
    assert sorted(released.alphas.values()) == sorted(stored.values())
    assert released.recipe.neuron.free_alpha


def test_alphas_within_bounds_leave_the_recipe_as_it_is(tmp_path: Path) -> None:
    net = resnet()
    state = {k: v.clamp(0, 1) if k.endswith(".c") else v for k, v in net.state_dict().items()}
    assert load_released(saved(tmp_path, {"net": state}), narrow()).recipe == narrow()


def test_networks_without_neuron_keys(tmp_path: Path) -> None:
    net, image = resnet(Silent), torch.rand(1, 2, 3, 32, 32)
    file = saved(tmp_path, {"net": net.state_dict()})
    released = load_released(file, narrow({"neuron.name": "lif-hard"}))
    with torch.no_grad():
        assert close(released.network(image), net(image[0], 4))
    with pytest.raises(FormatError, match=r"lacks layer1.0.relu1.c.*neuron.name=clif"):
        load_released(file, narrow())
    assert not load_released(file, narrow({"neuron.name": "clif"})).alphas


def test_constants_of_neurons_that_the_recipe_has_not(tmp_path: Path) -> None:
    file = saved(tmp_path, {"net": resnet().state_dict()})
    with pytest.raises(FormatError, match=r"also holds layer1.0.relu1.a, .*use its neuron"):
        load_released(file, narrow({"neuron.name": "clif"}))


def test_vgg(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = lively(Vgg([[4], [5], [6, 6], [7, 7], [8, 8]], 2, 11))
    widths = [4, "pool", 5, "pool", 6, 6, "pool", 7, 7, "pool", 8, 8, "pool"]
    recipe = load_recipe(
        "dvs128-gesture-vgg11-t20", {"architecture.features": widths, "time_steps": 3}
    )
    shape = recipe.network().input_shape
    frames = (torch.rand(3, 1, *shape) < 0.2).float()
    released = load_released(saved(tmp_path, {"net": net.state_dict()}), recipe)
    with torch.no_grad():
        assert close(released.network(frames), net(frames))


@pytest.mark.parametrize("psn", [False, True])
def test_vgg_snn(psn: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = VggSnn(WIDTHS, 2, 10, psn)
    frames = (torch.rand(4, 2, 2, 48, 48) < 0.3).float()
    with torch.no_grad():
        net(frames)
        want = lively(net)(frames)
    recipe = load_recipe(
        "cifar10-dvs-vggsnn-t4", {"architecture.features": WIDTHS, "neuron.decay": 0.5}
    )
    file = saved(tmp_path, {"model" if psn else "net": net.state_dict()})
    with torch.no_grad():
        assert close(load_released(file, recipe).network(frames), want)


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    state = dict(resnet().state_dict())
    del state["layer2.1.conv2.weight"], state["linear.bias"]
    state |= {"layer9.weight": torch.zeros(1), "linear.weight": torch.zeros(10, 7)}
    state["bn1.bias"] = torch.full((6,), torch.nan)
    with pytest.raises(FormatError) as refused:
        load_released(saved(tmp_path, {"net": state}), narrow())
    for words in (
        "lacks layer2.1.conv2.weight, linear.bias;",
        "also holds layer9.weight;",
        "linear.weight is (10, 7) and not (10, 6)",
        "bn1.bias hold NaN",
    ):
        assert words in str(refused.value)


def test_counters_of_batch_norm_may_be_missing(tmp_path: Path) -> None:
    state = {k: v for k, v in resnet().state_dict().items() if "num_batches" not in k}
    load_released(saved(tmp_path, {"net": state}), narrow())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"net": {"x.weight": torch.zeros(2)}}, "no key of .* holds x.weight .* --recipe"),
        ({"net": {}}, "it is empty"),
        ({"acc": 1.0}, "holds no weights"),
        ([torch.zeros(1)], "holds no weights"),
        ({"net": {}, "args": argparse.Namespace()}, "argparse.Namespace, which only code .* save"),
        ({"acc": np.float64(1)}, "numpy.* which only code"),
    ],
)
def test_what_is_no_checkpoint(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=words) as refused:
        load_released(saved(tmp_path, content), narrow())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04junk", b"\x80\x02junk"])
def test_damaged_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pth").write_bytes(content)
    with pytest.raises(FormatError, match="damaged or no checkpoint"):
        read_weights(tmp_path / "checkpoint.pth")


def test_a_flipped_bit_is_refused_though_torch_reads_it(tmp_path: Path) -> None:
    file = saved(tmp_path, {"w": torch.zeros(64)})
    content = bytearray(file.read_bytes())
    content[content.index(bytes(256)) + 3] = 64
    file.write_bytes(content)
    assert torch.load(file)["w"].sum() == 2
    with pytest.raises(FormatError, match=r"is damaged .*checksum of .*data/0 in it does not fit"):
        read_weights(file)


def test_a_packed_checkpoint_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    file = saved(tmp_path, {"w": torch.zeros(1 << 20)})
    with zipfile.ZipFile(file) as plain, zipfile.ZipFile(tmp_path / "b.pth", "w", 8) as packed:
        for member in plain.namelist():
            packed.writestr(member, plain.read(member))
    with pytest.raises(FormatError, match="members are packed"):
        read_weights(tmp_path / "b.pth")


@pytest.mark.parametrize(
    "strange",
    [
        torch.empty(2, device="meta"),
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2).to_sparse(),
    ],
)
def test_tensors_that_are_no_plain_numbers_are_named(tmp_path: Path, strange: Tensor) -> None:
    with pytest.raises(FormatError, match=r"net.x are no plain tensors"):
        read_weights(saved(tmp_path, {"net": {"net.x": strange}}))


def test_a_shape_that_no_memory_holds_is_a_wrong_shape(tmp_path: Path) -> None:
    state = resnet().state_dict() | {"bn1.bias": torch.zeros(1).expand(1 << 45)}
    with pytest.raises(FormatError, match=r"bn1.bias is \(35184372088832,\) and not \(6,\)"):
        load_released(saved(tmp_path, state), narrow())


def test_architectures_that_nobody_released(tmp_path: Path) -> None:
    file = saved(tmp_path, {"net": resnet().state_dict()})
    recipe = load_recipe(RESNET, {"architecture": {"kind": "resnet19"}})
    with pytest.raises(ArlifError, match="ResNet19"):
        load_released(file, recipe)


def test_a_run_as_if_it_had_been_trained(tmp_path: Path) -> None:
    net, image = resnet(), torch.rand(1, 2, 3, 32, 32)
    file = saved(tmp_path, {"net": net.state_dict()})
    found = import_checkpoint(file, tmp_path / "run", RESNET, NARROW)
    written = {p.name for p in (tmp_path / "run").iterdir() if not p.name.startswith(".")}
    assert written == {"config.json", "digests.json", "model.pt"}
    module, recipe = load_trained(tmp_path / "run")
    assert recipe.neuron.free_alpha == found["free_alpha"]
    with torch.no_grad():
        assert close(module(image), net(image[0], 4))
    with pytest.raises(ArlifError, match="folder of its own"):
        import_checkpoint(file, tmp_path / "run", RESNET, NARROW)


def test_the_stages_behind_it(tmp_path: Path) -> None:
    """A run without a training can be quantized and reported."""
    torch.manual_seed(0)
    net = VggSnn([16, "pool", 32, "pool"], 1, 10, psn=False)
    net(torch.rand(1, 1, 1, 8, 8))
    file = saved(tmp_path, {"net": lively(net).state_dict()})
    import_checkpoint(file, tmp_path / "run", "digits", {"test_per_class": 2})
    quantize_run(tmp_path / "run", samples=8)
    content = write_report(Run(tmp_path / "run"))
    assert content["training"] is None
    assert content["quantization"]


def test_what_fits_no_checkpoint(tmp_path: Path) -> None:
    file = saved(tmp_path, {"net": {}})
    for name, recipe, changes, words in (
        (file, None, {}, "give the --recipe"),
        (tmp_path / "net.nir", RESNET, {}, "for checkpoints"),
        (tmp_path / "none.pth", RESNET, {}, "there is no file"),
        (file, "nothing", {}, "no recipe is called"),
    ):
        with pytest.raises(ArlifError, match=words):
            import_checkpoint(name, tmp_path / "run", recipe, changes)
    assert not (tmp_path / "run").exists()
