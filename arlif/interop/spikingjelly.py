"""SpikingJelly networks for arlif."""

from typing import Any

import torch
from spikingjelly.activation_based import base, functional, layer, neuron
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import ArlifError, LoweringError, require
from arlif.interop.adopt import adopt, time_first
from arlif.interop.cells import Cell
from arlif.interop.foreign_layers import Library
from arlif.interop.spikingjelly_neurons import NEURONS, why_refused
from arlif.interop.unrolled import from_run
from arlif.layers import Delay, evaluating
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import Loop
from arlif.quantize import linearize
from arlif.quantize.absorb import reason
from arlif.quantize.torch_graph import CANNOT_TRACE, require_no_hooks


def to_arlif(net: nn.Module, example: Tensor | None = None) -> nn.Module:
    """A trained network of SpikingJelly as an arlif network over [T, N, ...].

    example: inputs as the network will be given them, [1 or T, N, ...]. In step mode 's' or 'm';
    nn.Sequential, the containers, and modules with a forward of their own. It stays as it is where
    it works on [T, N, ...], and its children are exchanged under their names; else, as where it
    holds the loop over time, it is run once on the example and followed. Weights are shared, `net`
    is left alone. LIFNode, IFNode, ParametricLIFNode, HalfThresholdIFNode, ComplementaryLIFNode and
    CUBALIFNode have a counterpart, on every backend. A node with decay_input integrates x / tau and
    ours integrates x, so its threshold is tau times as high.
    Raises LoweringError naming every module that has no counterpart, and why.
    """
    require_no_hooks(net)
    conversion = _Conversion()
    converted = conversion.convert(net, "", _step_mode(net))
    if conversion.refused:
        raise LoweringError("; ".join(conversion.refused))
    if example is None or _home(net) != "":
        return converted
    return _followed(net, converted, example)


def _followed(net: nn.Module, converted: nn.Module, example: Tensor) -> nn.Module:
    """The converted network where its forward works on [T, N, ...], else what one run shows."""
    try:
        with torch.no_grad(), evaluating(converted):
            converted(example[:, :1])
        linearize(converted, tuple(example.shape[2:]))
    except Exception as error:  # whatever a forward raises on what it is not made for
        try:
            return from_run(net, example, LIBRARY)
        except LoweringError as reasons:
            if isinstance(error, LoweringError) and CANNOT_TRACE not in str(error):
                raise error from None
            raise reasons from None
    return converted


def _part(module: nn.Module) -> Cell | nn.Module | None:
    """A layer or container of SpikingJelly as ours; None for what is of no library or torch's."""
    if not isinstance(module, _CONTAINERS) and _home(module) != "spikingjelly":
        return None
    conversion = _Conversion()
    converted = conversion.convert(module, "", _own_mode(module) or "s")
    require(not conversion.refused, "; ".join(conversion.refused), LoweringError)
    fires = any(isinstance(part, SpikingNeuron | Delay) for part in converted.modules())
    return Cell((converted,), keeps_state=True) if fires else converted


class _Conversion:
    """One pass over a network: modules that are used twice stay one, refusals are gathered."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.done: dict[nn.Module, nn.Module] = {}

    def convert(self, module: nn.Module, path: str, mode: str) -> nn.Module:
        """The counterpart of a module that is called in this step mode; itself, once refused."""
        if module not in self.done:
            try:
                converted = self._convert(module, path, mode)
            except ArlifError as error:
                kind = type(module).__name__
                self.refused.append(f"{path or 'the network'} ({kind}): {error}")
                converted = module
            converted.training = module.training
            self.done[module] = converted
        return self.done[module]

    def _convert(self, module: nn.Module, path: str, mode: str) -> nn.Module:
        if isinstance(module, SpikingNeuron | Loop) or _home(module) == "arlif":
            return module
        if isinstance(module, _CONTAINERS):
            return self._container(module, path, mode)
        if type(module) is nn.Sequential:
            return self._children(module, path, mode)
        if isinstance(module, neuron.BaseNode | neuron.SimpleBaseNode | base.MemoryModule):
            return _stateful(module, mode)
        if _home(module) == "spikingjelly":
            return _layer(module, mode)
        if _home(module) == "torch":
            return _plain(module, mode)
        own = adopt(type(module), module)
        own._modules = {
            name: None if child is None else self.convert(child, _join(path, name), mode)
            for name, child in module._modules.items()
        }
        return own

    def _container(self, module: Any, path: str, mode: str) -> nn.Module:
        steps = isinstance(module, layer.MultiStepContainer)
        if isinstance(module, layer.StepModeContainer):
            _require_mode(module, mode)
            steps = bool(module.stateful) or mode == "s"
        else:
            require(
                mode == "m",
                "it takes all time steps, in a network that takes one a call; " + _SET_MODE,
            )
        timed = [name for name, part in module.named_modules() if _keeps_state(part)]
        require(
            steps or not timed,
            f"it calls {', '.join(timed)} on time and batch as one, where neurons see no time; "
            "put them outside, or into a MultiStepContainer",
        )
        return self._children(module, path, "s")

    def _children(self, module: nn.Module, path: str, mode: str) -> nn.Sequential:
        result = nn.Sequential()
        for name, child in module.named_children():
            result.add_module(name, self.convert(child, _join(path, name), mode))
        return result


_CONTAINERS = (layer.MultiStepContainer, layer.SeqToANNContainer, layer.StepModeContainer)
LIBRARY = Library("spikingjelly", _part, (), functional.reset_net, whole=_CONTAINERS[:2])
_SET_MODE = "call functional.set_step_mode(net, 'm') on the whole network"
_MODELESS = (layer.Linear, layer.Dropout, layer.Dropout2d)
"""Layers that do the same in both step modes."""


def _step_mode(net: nn.Module) -> str:
    """'m' where the network takes [T, N, ...], 's' where it takes one frame a call."""
    modes = [_own_mode(part) for part in _outside_containers(net)]
    return "m" if modes.count("m") > modes.count("s") else "s"


def _outside_containers(net: nn.Module) -> list[nn.Module]:
    inside = [] if isinstance(net, (*_CONTAINERS, base.MemoryModule)) else list(net.children())
    return [net, *(part for child in inside for part in _outside_containers(child))]


def _own_mode(module: nn.Module) -> str | None:
    """The step mode that a module works in; None where it has none."""
    if isinstance(module, base.MultiStepModule | neuron.NonSpikingLIFNode):
        return "m"
    if isinstance(module, _MODELESS) or not isinstance(module, base.StepModule):
        return None
    return str(module.step_mode)


def _require_mode(module: nn.Module, mode: str) -> None:
    own = _own_mode(module)
    require(
        own in (None, mode),
        f"its step mode is {own!r} where '{mode}' is needed: {_SET_MODE}, before containers are "
        "built or leaving out what is in them",
    )


def _keeps_state(module: nn.Module) -> bool:
    return isinstance(module, base.MemoryModule) and not isinstance(module, layer.Dropout)


def _home(module: nn.Module) -> str:
    """The library whose layer a module is; "" where its children are what counts."""
    name = type(module).__module__
    if name.startswith("spikingjelly.activation_based.model"):
        return ""
    library = "" if isinstance(module, nn.ModuleList | nn.ModuleDict) else name.partition(".")[0]
    return library if library in ("torch", "spikingjelly", "arlif") else ""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_LAYERS: tuple[tuple[type[nn.Module], type[nn.Module]], ...] = (
    (layers.Conv1d, layer.Conv1d),
    (layers.Conv2d, layer.Conv2d),
    (layers.Linear, layer.Linear),
    (layers.BatchNorm1d, layer.BatchNorm1d),
    (layers.BatchNorm2d, layer.BatchNorm2d),
    (layers.AvgPool1d, layer.AvgPool1d),
    (layers.AvgPool2d, layer.AvgPool2d),
    (layers.MaxPool1d, layer.MaxPool1d),
    (layers.MaxPool2d, layer.MaxPool2d),
    (layers.AdaptiveAvgPool1d, layer.AdaptiveAvgPool1d),
    (layers.AdaptiveAvgPool2d, layer.AdaptiveAvgPool2d),
)


_DECODED: dict[str | None, tuple[nn.Module, ...]] = {
    None: (),
    "max-mem": (layers.Largest(),),
    "last_mem": (layers.Last(),),
}
"""What a node without spikes makes of its potentials."""


def _layer(module: Any, mode: str) -> nn.Module:
    """A layer of SpikingJelly that keeps no state, over [T, N, ...], with its parameters."""
    _require_mode(module, mode)
    if type(module) is layer.Flatten:
        require(
            (module.start_dim, module.end_dim) == (1, -1),
            "it must flatten all but time and batch: start_dim=1 and end_dim=-1",
        )
        return _marked(layers.Flatten())
    if type(module) is layer.VotingLayer:
        return _marked(layers.Vote(module.voting_size))
    if type(module) is neuron.NonSpikingLIFNode:
        require(
            module.decode in _DECODED,
            f"its decode {module.decode!r} has no counterpart; use None, 'max-mem' or 'last_mem'",
        )
        leak = 1 / module.tau
        parts = (layers.Scale(leak), layers.Integrator(1 - leak), *_DECODED[module.decode])
        return nn.Sequential(*parts)
    for ours, theirs in _LAYERS:
        if type(module) is theirs:
            return _marked(adopt(ours, module))
    fires = type(module).__module__.startswith(neuron.__name__)
    raise LoweringError(why_refused(module) if fires else reason(module))


def _plain(module: Any, mode: str) -> nn.Module:
    """A layer of torch, whose first dimensions are those that it is called with."""
    if mode == "m":
        if isinstance(module, nn.Flatten):
            require(
                (module.start_dim, module.end_dim) == (2, -1),
                "on [T, N, ...] it must flatten all but time and batch: start_dim=2 and end_dim=-1",
            )
        elif not isinstance(module, nn.Linear | nn.Identity | nn.Dropout):
            raise LoweringError(
                "this layer of torch is called on [T, N, ...], which it is not made for; use that "
                "of spikingjelly.activation_based.layer, or wrap it in a SeqToANNContainer"
            )
    elif isinstance(module, nn.Flatten):
        require(
            (module.start_dim, module.end_dim) == (1, -1),
            "on [N, ...] it must flatten all but the batch: start_dim=1 and end_dim=-1",
        )
    converted = time_first(module)
    if converted is None:
        raise LoweringError(reason(module))
    return converted


def _marked(module: nn.Module) -> nn.Module:
    """The layer with the step mode that a forward of the user's may ask for."""
    module.step_mode = "m"  # type: ignore[assignment]
    return module


_STATEFUL = (*NEURONS, layer.Dropout, layer.Dropout2d, layer.Delay)


def _stateful(module: Any, mode: str) -> nn.Module:
    """The counterpart of a module that keeps a state."""
    require(type(module) in _STATEFUL, why_refused(module), LoweringError)
    _require_mode(module, mode)
    if type(module) in NEURONS:
        require(
            module.surrogate_function.spiking,
            "its surrogate function sends no spikes but numbers between; set its spiking to True",
        )
        return _marked(NEURONS[type(module)](module))
    if type(module) is layer.Dropout:
        return _marked(layers.Dropout(module.p))
    if type(module) is layer.Dropout2d:
        return _marked(nn.Identity())  # whole channels are dropped in training alone
    return _marked(layers.Delay(module.delay_steps))
