"""python -m support.written_everywhere FOLDER: one network in every file format."""

import sys
from pathlib import Path

import torch
from torch import nn

from arlif.artifacts import MODEL
from arlif.layers import Linear
from arlif.neurons import ARLIF, LIF
from arlif.neurons.recurrent import GIVEN, Connection, Loop
from export.file_formats import FORMATS
from support.networks_small import quantized

INPUTS = 6


def module() -> nn.Module:
    """Four parts in a ring, of which the last is heard, and one behind it."""
    torch.manual_seed(0)
    names = ["first", "second", "third", "fourth"]
    ring = zip(names, [*names[1:], names[0]], strict=True)
    connections = [Connection(GIVEN, name, Linear(INPUTS, 5)) for name in names]
    connections += [Connection(a, b, Linear(5, 5), int(b == names[0])) for a, b in ring]
    neurons = {name: ARLIF() if name == "third" else LIF() for name in names}
    loop = Loop(neurons, tuple(connections), names[-1])
    return nn.Sequential(loop, Linear(5, 4), LIF(), Linear(4, 3)).eval()


def main(folder: Path) -> None:
    """Write all, each in a folder of its own."""
    net = module()
    network = quantized(net, (INPUTS,))
    for name, kind in FORMATS.items():
        place = folder / name / Path(kind.artifact.name).name
        place.parent.mkdir(parents=True)
        real = kind.artifact.made_from == MODEL and kind.artifact.verb != "quantize"
        kind.write(*((net, place, (INPUTS,)) if real else (network, place)), *kind.asked({}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
