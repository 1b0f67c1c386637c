"""A network that a user's own Python file builds."""

import traceback
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from arlif.base.errors import ArlifError, LoweringError, first_line, require
from arlif.base.user_code import calling
from arlif.base.workers import ROOT
from arlif.interop.recognise import CURES
from arlif.layers import evaluating


def build_user_module(file: Path, name: str) -> nn.Module:
    """What the function `name` of a Python file returns, called without arguments.

    The file may import what lies beside it; it finds no arguments. Raises ArlifError where there is
    none, where it fails or ends the program, or where it returns anything but a torch module.
    """
    try:
        with calling(file, name, f"{file}:{name} builds no network") as network:
            require(
                isinstance(network, nn.Module),
                f"{file}:{name} returns {type(network).__name__}, not a torch.nn.Module; "
                f"{_instead(network)}",
            )
            built: nn.Module = network
            return built
    except ArlifError as error:
        cure = _cure(error.__cause__)
        if not cure:
            raise
        raise ArlifError(f"{error}; {cure}") from error


def require_runs(network: nn.Module, inputs: Tensor) -> None:
    """Raise LoweringError where a network over [T, N, ...] fails on a sample of inputs."""
    try:
        with torch.no_grad(), evaluating(network):
            network(inputs[:, :1])
    except Exception as error:  # whatever a forward of the user's raises
        raise LoweringError(
            f"the network does not run on one sample, {tuple(inputs[:, :1].shape)}: "
            f"{first_line(error)}; time comes first, and layers that work on every time step are "
            "in arlif.layers"
        ) from None


def require_like_inputs(network: nn.Module) -> None:
    """Raise LoweringError where floating-point weights are no float32 in the computer's memory."""
    found = {f"{p.dtype} on {p.device}" for p in network.parameters() if p.is_floating_point()}
    other = found - {f"{torch.float32} on cpu"}
    require(
        not other,
        f"its weights are {' and '.join(sorted(other))}, and inputs become float32 on the CPU; "
        "return network.cpu().float()",
        LoweringError,
    )


def _instead(returned: Any) -> str:
    if isinstance(returned, dict):
        return (
            "weights alone do not say what they are weights of: build the network, load them with "
            "its load_state_dict, and return the network"
        )
    return "return the network"


def _cure(cause: BaseException | None) -> str:
    """What to do where a library could not be imported; empty where nothing is known."""
    if not isinstance(cause, ImportError):
        return ""
    files = [Path(frame.filename).parts for frame in traceback.extract_tb(cause.__traceback__)]
    missing = (cause.name or "").split(".")
    if missing[0] == "lava" or any("lava" in parts and "dl" in parts for parts in files):
        return CURES["lava"]
    if missing[0] == "arlif":
        found = sorted((ROOT / "arlif").rglob(f"{missing[-1]}.py"))
        places = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found]
        return f"there is {' and '.join(places)}" if places else ""
    return ""
