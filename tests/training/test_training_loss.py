"""The loss against plain Python."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from arlif import data
from arlif.networks import build
from arlif.training import load_recipe
from arlif.training.batches import Batches
from arlif.training.loss import judged, tet_loss
from arlif.training.module import TrainingModule

FLOATS = st.floats(-5, 5)
LOGITS = st.integers(1, 4).flatmap(
    lambda t: st.lists(
        st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=2, max_size=2),
        min_size=t,
        max_size=t,
    )
)


@given(LOGITS, st.floats(0, 1), st.booleans())
def test_loss_equals_its_definition(logits, weight, to_labels):
    targets = [[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]
    cross, square, count = 0.0, 0.0, 0
    for step in logits:
        for row, target in zip(step, targets, strict=True):
            norm = math.log(sum(math.exp(v) for v in row))
            cross -= sum(p * (v - norm) for v, p in zip(row, target, strict=True))
            square += sum(
                (v - (p if to_labels else 1.0)) ** 2 for v, p in zip(row, target, strict=True)
            )
            count += 1
    want = (1 - weight) * cross / count + weight * square / (3 * count)
    got = tet_loss(
        torch.tensor(logits, dtype=torch.float64),
        torch.tensor(targets, dtype=torch.float64),
        weight,
        to_labels,
    )
    assert math.isclose(float(got), want, rel_tol=1e-9, abs_tol=1e-9)


@given(LOGITS, st.floats(0.1, 9))
def test_what_is_judged_is_every_step_or_the_mean_times_a_factor(logits, scale):
    steps = len(logits)
    mean = [
        [[scale * sum(step[n][c] for step in logits) / steps for c in range(3)] for n in range(2)]
    ]
    every = [[[scale * value for value in row] for row in step] for step in logits]
    tensor = torch.tensor(logits, dtype=torch.float64)
    for mean_logits, want in ((True, mean), (False, every)):
        got = judged(tensor, mean_logits, scale)
        torch.testing.assert_close(got, torch.tensor(want, dtype=torch.float64))


def test_the_recipe_says_what_is_judged(monkeypatch):
    """The loss of a training step is the cross-entropy of 5 times the mean over time."""
    changes = {"mean_logits": True, "logit_scale": 5.0, "mse_weight": 0.0}
    recipe = load_recipe("digits", {"architecture.features": [2], **changes})
    digits = data.load("digits")
    module = TrainingModule(build(recipe.network()), recipe, digits).eval()
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    raw, labels = next(iter(Batches(digits.train, 8)))
    with torch.no_grad():
        mean = module.net(digits.info.network_input(raw)).mean(0)
        want = functional.cross_entropy(5 * mean, labels)
        assert torch.allclose(module.training_step((raw, labels), 0), want)
