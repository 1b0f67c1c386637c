"""Whether what a training took up from its checkpoint is what such a training leaves."""

import copy
from typing import Any

import torch
from torch import Tensor

from arlif.base.errors import FormatError, require


def require_taken_up(trainer: Any, module: Any, epochs: int) -> None:
    """Raise FormatError unless a training goes on behind so many epochs, as its recipe says.

    trainer, module: Lightning's, once they have loaded a checkpoint. Only what weights and moments
    were trained to is not known.
    """
    fresh = copy.deepcopy(module.net)
    made = module.optimizer_of(fresh)
    steps = epochs * made.steps
    found = (trainer.current_epoch, trainer.global_step)
    require(found == (epochs, steps), f"it has counted {found}, not {(epochs, steps)}", FormatError)
    rates = made.rates.state_dict()
    now = [
        base * at(steps) for base, at in zip(rates["base_lrs"], made.rates.lr_lambdas, strict=True)
    ]
    rates |= {"last_epoch": steps, "_step_count": steps + 1, "_last_lr": now}
    for parameter in fresh.parameters():
        parameter.grad = torch.zeros_like(parameter)
    made.optimizer.step()
    want, got = made.optimizer.state_dict(), trainer.optimizers[0].state_dict()
    groups = [group | {"lr": rate} for group, rate in zip(want["param_groups"], now, strict=True)]
    loaded = trainer.lr_scheduler_configs[0].scheduler.state_dict()
    strays = [key for key in trainer.optimizers[0].state if not isinstance(key, Tensor)]
    require(not strays, f"moments {strays} are of no parameter", FormatError)
    require(
        loaded == rates and got["param_groups"] == groups,
        "the optimizer's settings or rates are not those of the recipe",
        FormatError,
    )
    absent = want["state"].keys() - got["state"].keys()  # of parameters that took no part so far
    known = {index: state for index, state in want["state"].items() if index not in absent}
    strange = _unlike(known, got["state"], "optimizer")
    require(not strange, f"{strange} is of another kind", FormatError)


def _unlike(want: Any, got: Any, where: str) -> str:
    """The place of the first value that is of another kind, or no finite number."""
    if type(want) is not type(got):
        return where
    if isinstance(want, dict):
        if want.keys() != got.keys():
            return where
        pairs = [(want[key], got[key], f"{where}.{key}") for key in want]
    elif isinstance(want, list | tuple):
        if len(want) != len(got):
            return where
        pairs = [(a, b, f"{where}.{at}") for at, (a, b) in enumerate(zip(want, got, strict=True))]
    elif isinstance(want, Tensor):
        alike = (want.shape, want.dtype, want.layout) == (got.shape, got.dtype, got.layout)
        return "" if alike and bool(got.isfinite().all()) else where
    else:
        return where if isinstance(got, float) and got - got != 0 else ""
    return next(filter(None, (_unlike(*pair) for pair in pairs)), "")
