"""network.json beside network.v: what a program must know to feed and read the hardware."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arlif.base.digests import require_unchanged
from arlif.base.errors import ArlifError, FormatError
from arlif.base.files import read_json
from arlif.core.equality import fingerprint
from arlif.core.network import NUMERICS_VERSION, Input
from export.records import require_numerics_version
from export.verilog.layer_modules import tap_bits
from export.verilog.placement import Plan
from export.verilog.top import in_bits, input_place, out_bits

NAME = "network.json"


@dataclass(frozen=True)
class Tapped:
    """A population's tap: shape, and the bits of every state variable by name."""

    name: str
    shape: tuple[int, ...]
    states: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """The ports of a network in Verilog.

    place: bits of (c, y, x) in an input's tdata, below them 9 of its value. in_bits, out_bits: of
    tdata. network: the fingerprint of what was exported. lanes: of the layer that has most.
    fpga: what it was laid out for; empty where that is any.
    """

    network: str
    lanes: int
    fpga: str
    input: Input
    time_steps: int
    populations: tuple[Tapped, ...]
    classes: int
    place: tuple[int, ...]
    in_bits: int
    out_bits: int


def manifest(plan: Plan) -> Manifest:
    """Of a planned network."""
    network, place = plan.network, input_place(plan)
    return Manifest(
        fingerprint(network),
        max(layer.lanes for layer in plan.layers),
        plan.fpga,
        network.input,
        network.time_steps,
        tuple(
            Tapped(p.name, p.shape, dict(zip(p.neuron.variables, tap_bits(layer), strict=True)))
            for p, layer in zip(network.populations, plan.layers, strict=False)
        ),
        network.readout.shape[0],
        (place.c, place.y, place.x),
        in_bits(plan),
        out_bits(plan),
    )


def manifest_tree(known: Manifest) -> dict[str, Any]:
    """As plain values."""
    source = known.input
    return {
        "numerics_version": NUMERICS_VERSION,
        "network": known.network,
        "lanes": known.lanes,
        "fpga": known.fpga,
        "input": {
            "shape": list(source.shape),
            "scale": source.scale,
            "low": source.low,
            "high": source.high,
            "static": source.static,
        },
        "time_steps": known.time_steps,
        "populations": [
            {"name": p.name, "shape": list(p.shape), "states": p.states} for p in known.populations
        ],
        "classes": known.classes,
        "place": list(known.place),
        "in_bits": known.in_bits,
        "out_bits": known.out_bits,
    }


def read_manifest(path: Path) -> Manifest:
    """From network.json. Raises FormatError on any other file."""
    require_unchanged(path)
    try:
        tree = read_json(path)
        require_numerics_version(tree["numerics_version"], path)
        given = tree["input"]
        return Manifest(
            str(tree["network"]),
            int(tree["lanes"]),
            str(tree["fpga"]),
            Input(
                tuple(map(int, given["shape"])),
                float(given["scale"]),
                int(given["low"]),
                int(given["high"]),
                bool(given["static"]),
            ),
            int(tree["time_steps"]),
            tuple(
                Tapped(
                    str(p["name"]),
                    tuple(map(int, p["shape"])),
                    {str(name): int(bits) for name, bits in p["states"].items()},
                )
                for p in tree["populations"]
            ),
            int(tree["classes"]),
            tuple(map(int, tree["place"])),
            int(tree["in_bits"]),
            int(tree["out_bits"]),
        )
    except FormatError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArlifError) as error:
        raise FormatError(
            f"{path} is missing or not what arlif export --verilog wrote ({error}); export again"
        ) from None
