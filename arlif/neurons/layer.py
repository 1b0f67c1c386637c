"""A layer of neurons of any class, the user's own too."""

import torch
from torch import Tensor, nn

from arlif.base.errors import require
from arlif.core.neuron import Neuron, Per
from arlif.neurons.modules import SpikingNeuron


class NeuronLayer(SpikingNeuron):
    """Neurons of a class, over [T, N, *shape]; what the class learns are this module's parameters.

    neuron: its constants are where training starts. shape: (C, H, W) or (features,), needed where
    the class has constants per channel or neuron that start from one number. width: of the
    rectangular surrogate. A learned constant with bounds is clamped to them. Raises ArlifError.
    """

    def __init__(
        self, neuron: Neuron, shape: tuple[int, ...] | None = None, width: float = 1.0
    ) -> None:
        super().__init__(width)
        self.neuron = neuron
        for name, known in neuron.parameters().items():
            start = torch.as_tensor(getattr(neuron, name), dtype=torch.get_default_dtype())
            if known.learned and start.ndim == 0 and known.per is not Per.LAYER:
                require(
                    shape is not None,
                    f"{name} of {type(neuron).__name__} is one per {known.per.value}: say for "
                    "which shape, NeuronLayer(neuron, shape=(C, H, W))",
                )
                assert shape is not None
                rest = shape[1:] if known.per is Per.NEURON else (1 for _ in shape[1:])
                start = start.expand(shape[0], *rest)
            if known.learned:
                self.register_parameter(name, nn.Parameter(start.clone()))
            elif start.ndim > 0:
                self.register_buffer(name, start.clone(), persistent=False)

    def learned(self) -> dict[str, Tensor]:
        return {
            name: self._present(name)
            for name, known in self.neuron.parameters().items()
            if known.learned
        }

    def real_neuron(self) -> Neuron:
        buffers = dict(self.named_buffers())
        found: Neuron = self.neuron.with_constants(buffers | self.learned())
        return found

    def _present(self, name: str) -> Tensor:
        known = self.neuron.parameters()[name]
        return self.get_parameter(name).clamp(known.low, known.high)

    def extra_repr(self) -> str:
        return repr(self.neuron)
