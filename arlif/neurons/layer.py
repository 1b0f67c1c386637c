"""A layer of neurons of any class, the user's own too."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from arlif.arithmetic.surrogates import Surrogate
from arlif.base.errors import require
from arlif.core.neuron import Neuron, Parameter, Per, traced
from arlif.neurons.modules import SpikingNeuron


class NeuronLayer(SpikingNeuron):
    """Neurons of a class, over [T, N, *shape]; what the class learns are this module's parameters.

    neuron: its constants are where training starts; more than one is a tensor that broadcasts
    against [N, *shape]. shape: (C, H, W) or (features,); None takes that of the first input, and
    then parameters per channel or neuron have no size before. width: of the rectangular surrogate.
    What a bounded constant has learned is clamped to its bounds. Raises ArlifError where the step
    cannot be traced, see arlif.core.neuron.traced, and where a constant does not fit the shape.
    """

    def __init__(
        self, neuron: Neuron, shape: tuple[int, ...] | None = None, width: float = 1.0
    ) -> None:
        super().__init__(width)
        require(
            isinstance(neuron, Neuron),
            f"a layer takes a neuron, such as NeuronLayer(Mine(decay=0.9)), not {neuron!r}",
        )
        traced(neuron)
        self.neuron, self._known = neuron, neuron.parameters()
        for name, known in self._known.items():
            self._declare(name, known)
        if shape is not None:
            self.fit(shape)

    def _declare(self, name: str, known: Parameter) -> None:
        kind = type(self.neuron).__name__
        require(
            not hasattr(self, name),
            f"{name} of {kind}: torch modules have a {name} of their own; rename the constant",
        )
        start = torch.as_tensor(getattr(self.neuron, name), dtype=torch.get_default_dtype())
        if known.learned and start.ndim == 0 and known.per is not Per.LAYER:
            unknown: Any = UninitializedParameter()
            self.register_parameter(name, unknown)
        elif known.learned:
            self.register_parameter(name, nn.Parameter(start.detach().clone()))
        elif start.ndim > 0:
            fixed = torch.as_tensor(getattr(self.neuron, name), dtype=torch.float64)
            self.register_buffer(name, fixed.detach().clone(), persistent=False)

    def fit(self, shape: tuple[int, ...]) -> None:
        """Give what is one per channel or neuron its size; raise ArlifError where sizes differ."""
        channels = (*shape[:1], *(1 for _ in shape[1:]))
        sizes = {Per.LAYER: (), Per.CHANNEL: channels, Per.NEURON: tuple(shape)}
        for name, known in self._known.items():
            held: Any = getattr(self, name, None)
            if isinstance(held, UninitializedParameter):
                require(
                    bool(shape),
                    f"{name} is one per {known.per.value}; give currents [T, N, C, ...]",
                )
                self._materialize(held, name, sizes[known.per])
            elif held is not None:
                require(
                    tuple(held.shape) in list(sizes.values())[: 1 + list(Per).index(known.per)],
                    f"{name} of {type(self.neuron).__name__} is one per {known.per.value}, and "
                    f"its shape {tuple(held.shape)} does not fit neurons of shape {tuple(shape)}; "
                    f"give one number, or a tensor of shape {sizes[known.per]}",
                )

    def _materialize(self, held: Any, name: str, size: tuple[int, ...]) -> None:
        held.materialize(size)
        with torch.no_grad():
            held.fill_(float(getattr(self.neuron, name)))

    def learned(self) -> dict[str, Tensor]:
        return {
            name: self._held(name).clamp(known.low, known.high)
            for name, known in self._known.items()
            if known.learned
        }

    def real_neuron(self) -> Neuron:
        """The neuron's constants; arrays that do not learn are float64, and cast when they run."""
        found: Neuron = self.neuron.with_constants(dict(self.named_buffers()) | self.learned())
        return found

    def run(
        self, x: Tensor, state: Any, surrogate: Surrogate, return_state: bool
    ) -> tuple[Tensor, Any]:
        self.fit(tuple(x.shape[2:]))
        return super().run(x, state, surrogate, return_state)

    @torch.no_grad()
    def keep_bounds(self) -> None:
        for name, known in self._known.items():
            if known.learned:
                self._held(name).clamp_(known.low, known.high)

    def _held(self, name: str) -> Tensor:
        """The parameter as training left it."""
        held = self.get_parameter(name)
        require(
            not isinstance(held, UninitializedParameter),
            f"{name} of {type(self.neuron).__name__} is one per {self._known[name].per.value}, and "
            "its shape is not known yet: run the network once, or say NeuronLayer(neuron, "
            "shape=(C, H, W))",
        )
        return held

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        self.learned()  # says what is missing
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any) -> None:
        parameters: Any = self._parameters
        for name, held in parameters.items():
            saved = state_dict.get(prefix + name)
            if isinstance(held, UninitializedParameter) and saved is not None:
                self._materialize(held, name, saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *others)

    def extra_repr(self) -> str:
        return repr(self.neuron)
