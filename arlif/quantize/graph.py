"""What torch.fx sees of a network: layers, and the few functions that join them."""

import operator
from typing import Any

import torch
from torch import fx, nn

from arlif.errors import LoweringError, require
from arlif.layers import evaluating
from arlif.neurons import SpikingNeuron
from arlif.quantize.absorb import REASONS


def trace(module: nn.Module) -> fx.Graph:
    """The graph of a module in eval mode; it is left in the mode that it was in."""
    with evaluating(module):
        return LayerTracer().trace(module)


class LayerTracer(fx.Tracer):
    """Traces down to spiking neurons and to layers of torch.nn and arlif.layers.

    A class that derives from such a layer is one too, unless its forward is its own.
    """

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, SpikingNeuron) or _is_layer(m)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)


class _Proxy(fx.Proxy):
    """Records a += b as such; torch.fx by itself makes a = a + b of it."""

    def __iadd__(self, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})


def _is_layer(module: nn.Module) -> bool:
    forward = next(base for base in type(module).__mro__ if "forward" in vars(base))
    library = forward.__module__.startswith(("torch.nn.", "arlif.layers"))
    return library and not isinstance(module, nn.Sequential)


def function_kind(node: fx.Node) -> str:
    """Which function a node calls: add, flatten(2) or mean(0) over time; others are refused."""
    target = node.target if isinstance(node.target, str) else _FUNCTIONS.get(node.target)
    summands = [part for part in node.args if isinstance(part, fx.Node)]
    if target == "add" and len(summands) == len(node.args) == 2:
        alpha: Any = node.kwargs.get("alpha", 1)
        require(
            alpha == 1,
            f"add with alpha={alpha} scales a branch; leave alpha at 1 and scale the weights",
            LoweringError,
        )
        changed = summands[0].users if node.target is operator.iadd else ()
        require(
            not any(reader > node for reader in changed),
            "+= changes a tensor that is read again behind it; write a = a + b",
            LoweringError,
        )
        return "add"
    if target == "flatten" and _only_argument(node, "start_dim") == 2:
        return "flatten"
    if target == "mean" and _only_argument(node, "dim") in (0, (0,), [0]):
        return "mean"
    name = getattr(node.target, "__name__", str(node.target))
    cure = _CURES.get(name, "use layers from arlif.layers, +, flatten(2) and mean(0) over time")
    raise LoweringError(f"the operation {name} has no integer counterpart; {cure}")


_CURES = {
    "avg_pool2d": "use the layer arlif.layers.AvgPool2d",
    "adaptive_avg_pool2d": "use the layer arlif.layers.AdaptiveAvgPool2d",
    "dropout": "use the layer arlif.layers.Dropout",
    "conv2d": "use the layer arlif.layers.Conv2d",
    "linear": "use the layer arlif.layers.Linear",
    "batch_norm": "use the layers arlif.layers.BatchNorm1d and BatchNorm2d",
    "max_pool2d": REASONS["MaxPool2d"],
    "relu": REASONS["ReLU"],
    "layer_norm": REASONS["LayerNorm"],
    "group_norm": REASONS["GroupNorm"],
}
"""What to use instead of a function, by its name."""


def _only_argument(node: fx.Node, name: str) -> Any:
    """The one argument behind the tensor, given by place or by name; None where it is not alone."""
    placed, named = node.args[1:], node.kwargs
    if len(placed) + len(named) != 1:
        return None
    return placed[0] if placed else named.get(name)


_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    torch.flatten: "flatten",
    torch.mean: "mean",
}


def population_name(path: str) -> str:
    """What the neuron layer at a path of a module is called as a population, in every file."""
    return path.replace(".", "_")


def live_nodes(graph: fx.Graph) -> set[fx.Node]:
    """The nodes that the output depends on."""
    live: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        if node.op == "output" or node in live:
            live.update((node, *node.all_input_nodes))
    return live
