"""The TET + MSE loss against plain Python."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from arlif.training.loss import tet_loss

FLOATS = st.floats(-5, 5)


@given(
    st.integers(1, 4).flatmap(
        lambda t: st.lists(
            st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=2, max_size=2),
            min_size=t,
            max_size=t,
        )
    ),
    st.floats(0, 1),
    st.booleans(),
)
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
