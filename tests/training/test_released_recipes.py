"""The paper's recipes beside the settings of the runs that its authors released.

RELEASED: what logs and programs at github.com/2ephyrus/AR-LIF say, as read in November 2026.
"""

from dataclasses import asdict

import pytest
from support.places import ROOT

from arlif.networks.neuron_choice import NeuronConfig
from arlif.training import load_recipe, recipe_names
from arlif.training.augment import Augmentation

CIFAR = {
    "epochs": 400,
    "batch_size": 128,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "weight_decay": 5e-5,
    "rate_per": "epoch",
    "keep_last": False,
    "mse_weight": 0.05,
    "mse_to_labels": False,
    "augmentation": Augmentation(flip=True, rand_augment=True, erase=0.1, mixup=0.2, cutmix=1.0),
    "neuron": NeuronConfig("arlif", 0.5, free_alpha=True),
    "precision": "fp16",
}
CIFAR_100 = CIFAR | {"learning_rate": 0.05, "weight_decay": 5e-4}
TINY = CIFAR | {
    "epochs": 200,
    "weight_decay": 5e-4,
    "keep_last": True,
    "mse_weight": 0.2,
    "mse_to_labels": True,
    "augmentation": Augmentation(flip=True, trivial_wide=True),
}
DVS = CIFAR | {
    "epochs": 100,
    "batch_size": 16,
    "weight_decay": 5e-4,
    "keep_last": True,
    "mse_weight": 0.3,
    "augmentation": Augmentation(crop=4, flip=True, event_wide=True),
    "neuron": NeuronConfig("arlif-memoryless", 0.2, surrogate="triangle", strict=True),
}
DVS_4 = DVS | {"batch_size": 32}
"""No log says it; probably so."""
GESTURE = CIFAR | {
    "epochs": 200,
    "batch_size": 12,
    "weight_decay": 5e-4,
    "augmentation": Augmentation(event_wide=True),
}

RELEASED = {
    **{f"cifar10-resnet18-t{t}": CIFAR for t in (4, 6, 8)},
    **{f"cifar100-resnet18-t{t}": CIFAR_100 for t in (4, 6, 8)},
    **{f"tiny-imagenet-{net}-t{t}": TINY for net in ("vgg13", "vggsnn") for t in (4, 6)},
    **{f"cifar10-dvs-vggsnn-t{t}": DVS for t in (8, 10, 16)},
    "cifar10-dvs-vggsnn-t4": DVS_4,
    "cifar10-dvs-released-t4": DVS_4,
    "dvs128-gesture-vgg11-t20": GESTURE,
}

PRECISION = {"precision": ("bf16", "fp16")}
ALPHA = {"free_alpha": (False, True)}
NEURON = {
    "name": ("arlif", "arlif-memoryless"),
    "surrogate": ("rectangle", "triangle"),
    "strict": (False, True),
}
BATCH = {"batch_size": (16, 32)}
STATED = {
    **dict.fromkeys(RELEASED, PRECISION | ALPHA),
    **{f"cifar10-dvs-vggsnn-t{t}": PRECISION | NEURON for t in (8, 10, 16)},
    "cifar10-dvs-vggsnn-t4": PRECISION | NEURON | BATCH,
    "cifar10-dvs-released-t4": PRECISION | BATCH,
}
"""What differs, by recipe: ours, released."""

ROWS = {
    "precision": PRECISION,
    "alpha": ALPHA,
    "CIFAR10-DVS: neuron": NEURON,
    "CIFAR10-DVS, T = 4: batch": BATCH,
    "batch norm": {},
    "CIFAR augmentation": {},
    "rotated and sheared pixels": {},
    "DVS128-Gesture": {},
}
"""The rows of docs/training.md by what of a recipe they state; four are about no field of one."""


def differences(recipe, released):
    """By name: ours and theirs. The neuron's fields are compared one by one."""
    ours = {name: getattr(recipe, name) for name in released} | asdict(recipe.neuron)
    theirs = released | asdict(released["neuron"])
    return {
        name: (ours[name], theirs[name])
        for name in theirs
        if name != "neuron" and ours[name] != theirs[name]
    }


@pytest.mark.parametrize("name", RELEASED)
def test_a_recipe_differs_from_the_released_run_in_what_is_stated_and_in_nothing_else(name):
    assert differences(load_recipe(name), RELEASED[name]) == STATED[name]


def test_every_recipe_of_the_paper_is_compared():
    large = ("resnet18", "vgg", "cifar10-dvs")
    of_the_paper = {name for name in recipe_names() if any(net in name for net in large)}
    of_the_paper.remove("cifar10-resnet18-narrow")  # ours
    assert of_the_paper == RELEASED.keys()


def test_the_page_states_these_differences_and_no_others():
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    section = page[page.index("Where they still differ") : page.index("Batch norm over T x N is")]
    lines = [line.split("|") for line in section.splitlines() if line.startswith("| ")]
    rows = {cells[1].strip(): (cells[2], cells[3]) for cells in lines[1:]}
    assert rows.keys() == ROWS.keys()
    stated = {key: pair for found in STATED.values() for key, pair in found.items()}
    assert stated == {key: pair for row in ROWS.values() for key, pair in row.items()}
    for words in (("bf16", "fp16"), ("[0, 1]", "as it is learned"), ("16", "32")):
        assert any(
            all(w in cell for w, cell in zip(words, row, strict=True)) for row in rows.values()
        )
    neuron = rows["CIFAR10-DVS: neuron"]
    assert "`cifar10-dvs-released-t4`" in neuron[0]
    for word in ("r restarts", "triangle", "h > theta"):
        assert word in neuron[1]
