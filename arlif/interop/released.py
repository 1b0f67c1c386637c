"""Checkpoints that the authors of AR-LIF and CLIF released, as weights of a recipe's network.

Key names: github.com/2ephyrus/AR-LIF (folders AR-LIF and AR-LIF-PSN) and
github.com/HuuYuLong/Complementary-LIF, whose networks have the same names and no neuron keys.
"""

import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from arlif.base.errors import FormatError, require
from arlif.networks import PreActResNet, Stack, build
from arlif.networks.weight_files import broken, read_saved, weights_in
from arlif.training import change_recipe
from arlif.training.recipe import Recipe

SUFFIXES = (".pth", ".pt", ".ckpt", ".tar")
"""What checkpoints are called."""

WRAPPERS = ("net", "model", "state_dict")
"""Under which key of a checkpoint its weights are, where it holds more."""

PARALLEL = "module."
"""What torch.nn.DataParallel puts in front of every key."""

NEURON = {"alpha_raw": "c", "beta_raw": "a"}
"""Our neurons' parameters, by what the released ones are called."""

UNUSED = "num_batches_tracked"
"""Of batch norm: it counts, and computes nothing."""


@dataclass(frozen=True)
class Released:
    """A network with released weights, and the recipe that it follows.

    recipe: with neuron.free_alpha where a stored alpha, `alphas` by layer, lies outside [0, 1].
    """

    network: nn.Module
    recipe: Recipe
    alphas: dict[str, float]


def load_released(file: Path, recipe: Recipe) -> Released:
    """The network of a recipe with the weights of a checkpoint; alpha is taken as it is stored.

    Raises ArlifError naming every key that is missing, left over or of another shape.
    """
    weights = read_weights(file)
    state = build(recipe.network()).state_dict()
    found = _named(file, recipe, weights, state)
    alphas = {
        name.rpartition(".")[0]: float(value)
        for name, value in found.items()
        if name.endswith("alpha_raw")
    }
    if any(not 0 <= alpha <= 1 for alpha in alphas.values()):
        recipe = change_recipe(recipe, {"neuron.free_alpha": True})
    network = build(recipe.network())
    network.load_state_dict(state | found)
    return Released(network.eval(), recipe, alphas)


def read_weights(file: Path) -> dict[str, Tensor]:
    """The weights in a checkpoint by name, which runs no code of the file.

    Raises FormatError where it is none, or holds anything but plain data and tensors.
    """
    require(file.is_file(), f"there is no file {file}")
    try:
        content = read_saved(file)
    except FormatError as error:
        raise FormatError(f"{file} is damaged ({error}); fetch it again") from None
    except pickle.UnpicklingError as error:
        held = re.search(r"GLOBAL (\S+)", str(error))
        raise FormatError(
            f"{file} holds {held[1] if held else 'objects'}, which only code in the file could "
            "make, and arlif runs none; where you trust it, save its weights alone: torch.save("
            "torch.load(FILE, weights_only=False)['net'], 'weights.pth')"
        ) from None
    except Exception:  # whatever torch raises on bytes that are something else
        raise FormatError(f"{file} is damaged or no checkpoint of torch") from None
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    try:
        weights = weights_in(content)
    except FormatError as error:
        where = f"alone or under one of {', '.join(WRAPPERS)}"
        raise FormatError(f"{file} does not fit: {error}, {where}") from None
    require(bool(weights), f"{file} holds no weights: it is empty", FormatError)
    names = {name: name.removeprefix(PARALLEL) for name in weights}
    require(
        len({*names.values()}) == len(names),
        f"{file} holds weights both with and without {PARALLEL!r} in front of their names",
        FormatError,
    )
    return {names[name]: value for name, value in weights.items()}


def _named(
    file: Path, recipe: Recipe, weights: dict[str, Tensor], state: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The weights by our names, each as the network wants it."""
    layouts = [_keys(layout, state) for layout in _layouts(recipe.architecture)]
    require(
        bool(layouts),
        f"checkpoints were released of pre-activation ResNets and of stacks of convolutions, and "
        f"the recipe's network is neither: {type(recipe.architecture).__name__}",
    )
    names = max(layouts, key=lambda names: len(weights.keys() & names.keys()))
    require(
        bool(weights.keys() & names.keys()),
        f"no key of {file} is one of a released network: it holds {', '.join([*weights][:3])} ... "
        f"where {', '.join([*names][:3])} ... are looked for; give the --recipe of its network",
        FormatError,
    )
    missing = [n for n in names if n not in weights and not n.endswith(UNUSED)]
    surplus = [name for name in weights if name not in names]
    both = {name: ours for name, ours in names.items() if name in weights}
    shaped = {name: weights[name].shape for name in both}
    other = [
        f"{name} is {tuple(shape)} and not {tuple(state[both[name]].shape)}"
        for name, shape in shaped.items()
        if shape != state[both[name]].shape and not shape.numel() == state[both[name]].numel() == 1
    ]
    alike = [n for n, shape in shaped.items() if shape.numel() == state[both[n]].numel()]
    wrong = broken({name: weights[name] for name in alike})
    problems = [
        *([f"it lacks {', '.join(missing)}{_neuron_cure(missing, names)}"] if missing else []),
        *([f"it also holds {', '.join(surplus)}{_surplus_cure(surplus)}"] if surplus else []),
        *other,
        *([f"{wrong} hold NaN, infinity or a variance below 0"] if wrong else []),
    ]
    require(not problems, f"{file} does not fit the recipe: {'; '.join(problems)}", FormatError)
    return {
        ours: weights[name].reshape(state[ours].shape).to(state[ours].dtype)
        for name, ours in both.items()
    }


def _of_neurons(names: list[str]) -> bool:
    return all(name.rpartition(".")[2] in NEURON.values() for name in names)


def _neuron_cure(missing: list[str], names: dict[str, str]) -> str:
    wanted = [name for name in names if _of_neurons([name])]
    if missing != wanted:
        return ""
    return (
        ", which are constants of AR-LIF: say what its neurons are, --set neuron.name=clif "
        "for checkpoints of CLIF, or lif-hard, lif-soft"
    )


def _surplus_cure(surplus: list[str]) -> str:
    return ", which are constants of AR-LIF: use its neuron" if _of_neurons(surplus) else ""


Layout = dict[str, str]
"""Layers of a released network by their paths in ours."""


def _keys(layout: Layout, state: dict[str, Tensor]) -> dict[str, str]:
    """Our names by the released ones; a layer that no released network has keeps its own."""
    names = {}
    for ours in state:
        path, _, leaf = ours.rpartition(".")
        names[f"{layout.get(path, path)}.{NEURON.get(leaf, leaf)}"] = ours
    return names


def _layouts(architecture: Any) -> list[Layout]:
    """How networks of an architecture were released."""
    if isinstance(architecture, PreActResNet):
        return [_resnet(architecture)]
    if isinstance(architecture, Stack):
        return [_vgg(architecture), _vgg_snn(architecture), _vgg_psn(architecture)]
    return []


def _resnet(architecture: PreActResNet) -> Layout:
    layout = {"conv": "conv1", "bn": "bn1", "neuron": "relu1", "head": "linear"}
    for stage, blocks in enumerate(architecture.blocks, start=1):
        for block in range(blocks):
            here, there = f"stage{stage}_{block + 1}", f"layer{stage}.{block}"
            for name in ("bn1", "conv1", "bn2", "conv2", "shortcut"):
                layout[f"{here}.{name}"] = f"{there}.{name}"
            for number in (1, 2):
                layout[f"{here}.neuron{number}"] = f"{there}.relu{number}"
    return layout


def _vgg(architecture: Stack) -> Layout:
    """VGG-11 and -13: a layer ends in a pool, and each convolution takes four places of it."""
    layout, layer, place = {"head": "classifier.1"}, 1, 0
    for number, feature in _features(architecture):
        if feature == "pool":
            layer, place = layer + 1, 0
            continue
        for offset, name in enumerate(("conv", "bn", "neuron")):
            layout[f"{name}{number}"] = f"layer{layer}.{place + offset}"
        place += 4
    return layout


def _vgg_snn(architecture: Stack) -> Layout:
    """VGG-SNN: convolutions and pools take one place each."""
    layout = {"head": "classifier"}
    for place, (number, feature) in enumerate(_features(architecture)):
        if feature != "pool":
            layout[f"conv{number}"] = f"features.{place}.fwd.0"
            layout[f"bn{number}"] = f"features.{place}.fwd.1"
            layout[f"neuron{number}"] = f"features.{place}.act"
    return layout


def _vgg_psn(architecture: Stack) -> Layout:
    """VGG-SNN of the folder AR-LIF-PSN: a neuron takes a place of its own."""
    layout, place = {"head": "classifier.1.module"}, 0
    for number, feature in _features(architecture):
        if feature == "pool":
            place += 1
            continue
        layout[f"conv{number}"] = f"features.{place}.fwd.module.0"
        layout[f"bn{number}"] = f"features.{place}.fwd.module.1"
        layout[f"neuron{number}"] = f"features.{place + 1}"
        place += 2
    return layout


def _features(architecture: Stack) -> Iterator[tuple[int, int | str]]:
    """Each convolution and pool, with the number of convolutions so far."""
    number = 0
    for feature in architecture.features:
        number += feature != "pool"
        yield number, feature
