"""What torch.fx sees of a network: layers, and the few functions that join them."""

import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn.parallel import DistributedDataParallel

from arlif.base.errors import LoweringError, require
from arlif.layers import Integrator, Repeat, evaluating
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import Loop
from arlif.quantize.absorb import REASONS

CANNOT_TRACE = "torch.fx cannot trace the network"
"""How the message begins of a forward that torch.fx fails on."""


def trace(module: nn.Module) -> fx.Graph:
    """The graph of a module in eval mode; it is left in the mode that it was in.

    Raises LoweringError where it is no plain torch module, and naming every part with hooks.
    """
    require_plain(module)
    require_no_hooks(module)
    with evaluating(module):
        return LayerTracer().trace(module)


def require_no_hooks(module: nn.Module) -> None:
    """Raise LoweringError naming every part with forward hooks."""
    hooked = [name or "the network" for name, part in module.named_modules() if _has_hooks(part)]
    require(
        not hooked,
        f"{', '.join(hooked)}: forward hooks may change what a layer computes; remove them (those "
        "of pruning with torch.nn.utils.prune.remove, of norms with remove_weight_norm or "
        "remove_spectral_norm, of lazy layers by running the network once), and register what "
        "only records afterwards",
        LoweringError,
    )


def require_plain(module: object) -> None:
    """Raise LoweringError where something is no torch module, or only wraps one."""
    kind = type(module).__name__
    require(
        isinstance(module, nn.Module),
        f"a network is a torch module, not {kind}; of what load_nir returns, give its .module",
        LoweringError,
    )
    for name, wrapped in (
        ("_orig_mod", hasattr(module, "_orig_mod")),
        ("module", isinstance(module, nn.DataParallel | DistributedDataParallel)),
    ):
        require(not wrapped, f"{kind} wraps the network; give its .{name}", LoweringError)


def _has_hooks(part: nn.Module) -> bool:
    return bool(part._forward_hooks or part._forward_pre_hooks)


class LayerTracer(fx.Tracer):
    """Traces down to spiking neurons and to layers of torch.nn and arlif.layers.

    A class that derives from such a layer is one too, unless its forward is its own. Arguments of
    the network behind the first have the values that they have by themselves.
    """

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, SpikingNeuron | Loop) or _is_layer(m)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def create_proxy(self, kind: str, target: Any, args: Any, *more: Any, **named: Any) -> Any:
        if kind == "placeholder" and args and len(self.graph.nodes):
            return args[0]
        return super().create_proxy(kind, target, args, *more, **named)


class _Proxy(fx.Proxy):
    """Records a += b as such; torch.fx by itself makes a = a + b of it."""

    def __iadd__(self, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})


def _is_layer(module: nn.Module) -> bool:
    forward = next(base for base in type(module).__mro__ if "forward" in vars(base))
    library = forward.__module__.startswith(("torch.nn.", "arlif.layers"))
    return library and not isinstance(module, nn.Sequential)


def function_kind(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """Which function a node calls; LoweringError where it is none of those that have a meaning.

    modules: those of the network by path.
    add: of two values; flatten: (2); mean, sum: (0), over time; last, largest: of all time steps;
    same: what changes no value.
    """
    target = node.target if isinstance(node.target, str) else _FUNCTIONS.get(node.target)
    summands = [part for part in node.args if isinstance(part, fx.Node)]
    if target == "add" and len(summands) == len(node.args) == 2:
        alpha: Any = node.kwargs.get("alpha", 1)
        require(
            alpha == 1,
            f"add with alpha={alpha} scales a branch; leave alpha at 1 and scale the weights",
            LoweringError,
        )
        changed = _views(summands[0], modules) if node.target is operator.iadd else []
        require(
            not any(reader > node for view in changed for reader in view.users),
            "+= changes a tensor that is read again behind it; write a = a + b",
            LoweringError,
        )
        return "add"
    if target == "add" and len(summands) == 1 and 0 in node.args:
        return "same"
    if target == "flatten" and _arguments(node, "start_dim", end_dim=-1) == {"start_dim": 2}:
        return "flatten"
    if target in ("mean", "sum") and _arguments(node, "dim", keepdim=False) in _OVER_TIME:
        return str(target)
    if _is_last(node):
        return "last"
    if _is_largest(node):
        return "largest"
    if _takes_values(node):
        return "same"
    if target in _SAME and len(node.args) == 1 and not node.kwargs:
        return "same"
    name = getattr(node.target, "__name__", str(node.target))
    cure = _CURES.get(name, "use layers from arlif.layers, +, flatten(2), mean(0) and sum(0)")
    raise LoweringError(f"the operation {name} has no integer counterpart; {cure}")


_CURES = {
    "avg_pool1d": "use the layer arlif.layers.AvgPool1d",
    "avg_pool2d": "use the layer arlif.layers.AvgPool2d",
    "adaptive_avg_pool1d": "use the layer arlif.layers.AdaptiveAvgPool1d",
    "adaptive_avg_pool2d": "use the layer arlif.layers.AdaptiveAvgPool2d",
    "dropout": "use the layer arlif.layers.Dropout",
    "conv1d": "use the layer arlif.layers.Conv1d",
    "conv2d": "use the layer arlif.layers.Conv2d",
    "linear": "use the layer arlif.layers.Linear",
    "batch_norm": "use the layers arlif.layers.BatchNorm1d and BatchNorm2d",
    **dict.fromkeys(("view", "reshape", "getattr", "size"), "use the layer arlif.layers.Flatten"),
    **dict.fromkeys(
        ("mul", "sub", "truediv"), "put constant factors into the weights, or into the data"
    ),
    "flatten": "flatten all but time and batch, flatten(2); behind a mean with nn.Flatten()",
    **dict.fromkeys(
        ("unsqueeze", "repeat", "expand"),
        "take inputs that are [T, N, ...], or show one frame [1, N, ...] with arlif.layers.Repeat",
    ),
    **dict.fromkeys(
        ("getitem", "max", "amax"),
        "of time steps a readout reads the last, x[-1], or the largest, x.amax(0), at the end",
    ),
    "softmax": "return the logits: the decision is their argmax",
    "max_pool1d": "use the layer arlif.layers.MaxPool1d, on spikes",
    "max_pool2d": "use the layer arlif.layers.MaxPool2d, on spikes",
    "relu": REASONS["ReLU"],
    "layer_norm": REASONS["LayerNorm"],
    "group_norm": REASONS["GroupNorm"],
}
"""What to use instead of a function, by its name."""


_OVER_TIME = ({"dim": 0}, {"dim": (0,)}, {"dim": [0]})
_SAME = ("contiguous", "clone", "detach", "float", "double")


def _is_last(node: fx.Node) -> bool:
    """x[-1] or x[-1:]."""
    index = node.args[1] if node.target is operator.getitem else None
    return index in (-1, slice(-1, None))


def _is_largest(node: fx.Node) -> bool:
    """x.amax(0), or what holds the values of x.max(0)."""
    name = getattr(node.target, "__name__", node.target)
    if name == "amax":
        return _arguments(node, "dim", keepdim=False) in _OVER_TIME
    return name == "max" and _arguments(node, "dim", keepdim=False) == {"dim": 0}


def _takes_values(node: fx.Node) -> bool:
    """x.max(0).values or x.max(0)[0]."""
    source = node.args[0] if node.args else None
    part = {getattr: "values", operator.getitem: 0}
    if not isinstance(source, fx.Node) or node.target not in part:
        return False
    named = getattr(source.target, "__name__", source.target)
    return named == "max" and node.args[1] == part[node.target]


def _arguments(node: fx.Node, *names: str, **defaults: Any) -> dict[str, Any]:
    """The arguments behind the tensor by name, without those that are as by default."""
    given = dict(zip((*names, *defaults), node.args[1:], strict=False)) | node.kwargs
    return {name: v for name, v in given.items() if name not in defaults or v != defaults[name]}


def _views(node: fx.Node, modules: dict[str, nn.Module]) -> list[fx.Node]:
    """Every node that may hold the memory of a node's value, by what copies nothing."""
    while _is_view(node, modules):
        node = node.all_input_nodes[0]
    found = [node]
    for each in found:
        found.extend(user for user in each.users if _is_view(user, modules))
    return found


def _is_view(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return isinstance(modules[str(node.target)], _VIEW_LAYERS)
    return node.op in ("call_function", "call_method") and node.target in _VIEWS


_VIEWS = ("contiguous", "detach", "float", "double", "flatten", torch.flatten)
_VIEW_LAYERS = (nn.Identity, nn.Flatten, nn.modules.dropout._DropoutNd, Repeat)
"""In eval mode."""


def is_constant(node: fx.Node, constants: set[fx.Node]) -> bool:
    """Whether a node is a parameter, a tensor's shape or type, or a part of one of `constants`."""
    if _takes_values(node):
        return False
    part = node.target is operator.getitem and node.args[0] in constants
    asked = node.op == "call_method" and node.target in ("size", "dim")
    return part or asked or node.target is getattr or node.op == "get_attr"


_FUNCTIONS: dict[Any, str] = {
    operator.add: "add",
    operator.iadd: "add",
    torch.add: "add",
    torch.flatten: "flatten",
    torch.mean: "mean",
    torch.sum: "sum",
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


def reads_last(module: nn.Module) -> bool:
    """Whether a network ends with integrators that never leak, whose last potential is read."""
    parts = dict(module.named_modules())
    if not any(_never_leaks(part) for part in parts.values()):
        return False
    with evaluating(module):
        graph = LayerTracer().trace(module)
    behind = {node for node in graph.nodes if node.op == "output"}
    for node in reversed(graph.nodes):
        layer = parts[str(node.target)] if node.op == "call_module" else None
        if node in behind and _never_leaks(layer):
            return True
        if node in behind and not isinstance(layer, SpikingNeuron | Loop):
            behind.update(node.all_input_nodes)
    return False


def _never_leaks(layer: nn.Module | None) -> bool:
    return isinstance(layer, Integrator) and layer.reads_last
