"""What energy.json holds, for its readers: hw_sim.energy.bill makes it."""

from dataclasses import dataclass
from typing import ClassVar

from arlif.base.bounded import Amount, Count, Share
from arlif.base.errors import require
from arlif.base.plain_data import BESIDE


@dataclass(frozen=True)
class Spread:
    """Over samples."""

    mean: Amount
    std: Amount
    min: Amount
    max: Amount

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Energy(Spread):
    """In uJ, and the mean of its parts; None where a model leaves one out."""

    synapses: Amount | None
    neurons: Amount | None
    memory: Amount | None


@dataclass(frozen=True)
class LayerEnergy(Energy):
    """share: in that of the network."""

    share: Share


@dataclass(frozen=True)
class Work:
    """What is counted."""

    synaptic_operations: Spread
    synaptic_operations_per_step: Amount
    updates: Count

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Layer(Work):
    """rate: spikes per neuron and step; None of the readout."""

    layer: str
    neuron: str
    neurons: Count
    rate: Share | None
    energy_uj: dict[str, LayerEnergy]


@dataclass(frozen=True)
class Total(Work):
    """Of all layers."""

    energy_uj: dict[str, Energy]


@dataclass(frozen=True)
class ByStep:
    """By layer, and of energy by model before; a number for each time step."""

    samples: Count
    synaptic_operations: dict[str, tuple[Amount, ...]]
    energy_uj: dict[str, dict[str, tuple[Amount, ...]]]

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Estimated:
    """A projection. error: the estimate over what was counted, less one."""

    source: str
    target: str
    estimate: float
    counted: float
    padding: float
    border: float
    error: float

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Model:
    """What a cost model says of itself."""

    source: str
    assumptions: tuple[str, ...]
    unpriced: str

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Billed:
    """Everything. Raises ArlifError where models, layers or steps are not those of each part."""

    engine: str
    samples: Count
    time_steps: Count
    layers: tuple[Layer, ...]
    total: Total
    by_step: ByStep | None
    estimates: tuple[Estimated, ...]
    models: dict[str, Model]
    left_out: tuple[str, ...]

    __pydantic_config__: ClassVar = BESIDE

    def __post_init__(self) -> None:
        priced = [{*part.energy_uj} for part in (*self.layers, self.total, self.by_step) if part]
        lines = []
        if self.by_step:
            lines = [self.by_step.synaptic_operations, *self.by_step.energy_uj.values()]
        require(
            all(models == {*self.models} for models in priced),
            f"not every part is priced by the models {', '.join(self.models)}",
        )
        names = {layer.layer for layer in self.layers}
        require(
            all(layers.keys() == names for layers in lines),
            f"not every part is of the layers {', '.join(sorted(names))}",
        )
        steps = {len(values) for layers in lines for values in layers.values()}
        require(
            steps <= {self.time_steps},
            f"what is counted by step has not {self.time_steps} of them",
        )
