"""The paper's recipes beside the settings of the runs that its authors released.

RELEASED: what logs and programs at github.com/2ephyrus/AR-LIF say, as read in November 2026.
"""

from dataclasses import replace

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
    "neuron": NeuronConfig("arlif-memoryless", 0.2),
}
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
    **{f"cifar10-dvs-vggsnn-t{t}": DVS for t in (4, 8, 10, 16)},
    "cifar10-dvs-released-t4": DVS,
    "dvs128-gesture-vgg11-t20": GESTURE,
}

STATED = {
    "precision": ("bf16", "fp16"),
    "free_alpha": (False, True),
    "neuron": ("arlif", "arlif-memoryless"),
}
"""What docs/training.md says differs: ours, released."""


def differences(recipe, released):
    found = {}
    for name, theirs in released.items():
        ours = getattr(recipe, name)
        if isinstance(theirs, NeuronConfig):
            parts = {"neuron": "name", "free_alpha": "free_alpha", "decay": "decay"}
            pairs = {k: (getattr(ours, v), getattr(theirs, v)) for k, v in parts.items()}
            found |= {k: pair for k, pair in pairs.items() if pair[0] != pair[1]}
            assert replace(theirs, name="arlif", free_alpha=False, decay=ours.decay) == replace(
                ours, name="arlif", free_alpha=False
            )
        elif ours != theirs:
            found[name] = (ours, theirs)
    return found


@pytest.mark.parametrize("name", RELEASED)
def test_a_recipe_differs_from_the_released_run_in_what_is_stated_only(name):
    found = differences(load_recipe(name), RELEASED[name])
    assert found.items() <= STATED.items()
    assert "precision" in found


def test_every_recipe_of_the_paper_is_compared():
    large = ("resnet18", "vgg", "cifar10-dvs")
    of_the_paper = {name for name in recipe_names() if any(net in name for net in large)}
    assert of_the_paper == RELEASED.keys()


def test_the_page_states_the_differences():
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    section = page[page.index("Where they still differ") : page.index("## The run directory")]
    for word in ("fp16", "`free_alpha = true`", "`cifar10-dvs-released-t4`", "triangle"):
        assert word in section
