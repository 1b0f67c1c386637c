"""Every cost model by name, and models that users write as a small TOML file."""

from pathlib import Path

from arlif.base.errors import ArlifError, require
from arlif.base.files import read_toml
from arlif.base.plain_data import from_mapping
from arlif.core.network import QuantizedNetwork
from hw_sim.energy.models import ArithmeticModel, CostModel, TableModel
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.energy.prices import FloatUnits, IntegerUnits

HOROWITZ = "M. Horowitz, ISSCC 2014, Fig. 1.1.9: 45 nm, 0.9 V"

PAPER = ArithmeticModel(
    "paper",
    f"arXiv:2507.20746, Table 3: 4.6 pJ per multiply-accumulate, 0.9 pJ per accumulate; {HOROWITZ}",
    ("32-bit floating point", "neuron arithmetic and memory are left out, as in the paper"),
    FloatUnits(),
    neurons=False,
    memory=False,
)

FLOAT = ArithmeticModel(
    "float",
    HOROWITZ,
    (
        "32-bit floating point: a multiplication 3.7 pJ, an addition 0.9 pJ",
        "a comparison or a selection costs an addition (an upper bound)",
        "memory is left out, except reads of the neuron's tables",
    ),
    FloatUnits(),
    neurons=True,
    memory=False,
)

INTEGER = ArithmeticModel(
    "integer",
    HOROWITZ,
    (
        "integers of the width needed; between published widths additions are linear in the width, "
        "multiplications in the product of the widths",
        "a comparison or a selection costs an addition (an upper bound)",
        "memory is left out, except reads of the neuron's tables",
    ),
    IntegerUnits(),
    neurons=True,
    memory=False,
)

MEMORY = ArithmeticModel(
    "memory",
    f"accesses counted after Lemaire et al. 2022 (arXiv:2210.13107); {HOROWITZ}",
    (
        *INTEGER.assumptions[:2],
        "every memory is an SRAM of its own size, at least the price of 8 KiB; reads of tables are "
        "billed under neurons",
        "words narrower than 64 bits pay their part of an access; Lemaire et al. charge all of it",
        "queues of events and address arithmetic are left out",
    ),
    IntegerUnits(),
    neurons=True,
    memory=True,
)

LOIHI1_SYNAPTIC_OPERATION, LOIHI1_UPDATE = 23.6, 81.0
"""pJ; Davies et al., IEEE Micro 38(1), 2018, Table 2."""

LOIHI1_COMPARTMENTS = {"Arlif": 2}
"""Compartments that a neuron takes where it is not one."""

LOIHI1 = TableModel(
    "loihi1",
    "M. Davies et al., Loihi, IEEE Micro 38(1), 2018, Table 2: pre-silicon minimum at 0.75 V",
    LOIHI1_SYNAPTIC_OPERATION,
    LOIHI1_SYNAPTIC_OPERATION,
    {
        "LifSoft": LOIHI1_UPDATE,
        "LifSubtract": LOIHI1_UPDATE,
        "LifHard": LOIHI1_UPDATE,
        "Cuba": LOIHI1_UPDATE,
        "Arlif": LOIHI1_COMPARTMENTS["Arlif"] * LOIHI1_UPDATE,
        "Readout": LOIHI1_UPDATE,
    },
    assumptions=(
        "every neuron is active (81 pJ) at every step; an inactive one would cost 52 pJ",
        "AR-LIF is priced as two compartments, one per state variable: Loihi 1 cannot run it, "
        "this is a lower bound",
        "a graded input's operation costs as much as a spike's; routing is left out",
    ),
)

MODELS: dict[str, CostModel] = {m.name: m for m in (PAPER, FLOAT, INTEGER, MEMORY, LOIHI1)}
"""Every built-in model by name. Loihi 2 is missing: no energy per operation is published."""


def fitting_models(network: QuantizedNetwork) -> tuple[CostModel, ...]:
    """The built-in models that price every neuron of a network."""
    titles = [neuron_title(p.neuron) for p in network.populations]
    return tuple(m for m in MODELS.values() if all(map(m.prices, titles)))


def find_model(name: str) -> CostModel:
    """A built-in model by name, or the one in a .toml file.

    Raises ArlifError where there is neither.
    """
    if name in MODELS:
        return MODELS[name]
    if name.endswith(".toml"):
        return read_model(Path(name))
    if name.lower().replace(" ", "").replace("-", "") == "loihi2":
        raise ArlifError(
            "no energy per operation is published for Loihi 2, only whole networks; use loihi1, or "
            "give your own prices as a .toml file"
        )
    raise ArlifError(
        f"no cost model is called {name!r}; there are {', '.join(MODELS)}, or give a .toml file"
    )


def read_model(path: Path) -> TableModel:
    """A user's model: the fields of TableModel as TOML. Raises ArlifError naming what is wrong."""
    try:
        mapping = read_toml(path)
    except OSError as error:
        raise ArlifError(f"cannot read the cost model {path}: {error.strerror}") from None
    except ArlifError as error:
        raise ArlifError(
            f"{path} is not TOML ({error}); see docs/energy.md for an example"
        ) from None
    model = from_mapping(TableModel, mapping, str(path))
    require(
        model.name not in MODELS,
        f"{path}: a built-in cost model is called {model.name!r}; choose another name",
    )
    return model
