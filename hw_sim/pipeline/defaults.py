"""What stages take where nobody says it; loads nothing heavy, the command line reads it."""

DEFAULT_PRESET, DEFAULT_BITS = "compact16", 8
"""Number formats and bits per weight; see arlif.quantize.presets."""


def numbers_or_default(preset: str | None, weight_bits: int | None) -> tuple[str, int]:
    """What was asked for; where that is None, and not where it is wrong, the default."""
    return (
        DEFAULT_PRESET if preset is None else preset,
        DEFAULT_BITS if weight_bits is None else weight_bits,
    )


TRACED_SAMPLES = 32
"""Of so many first samples spikes and states are kept."""
CHECKED_SAMPLES = 256
"""On so many samples quantized networks are compared with their parent."""
VIEWED_SAMPLES = 32
"""On so many the plain LIF of lif.nir is compared with the network that was trained."""
NEUROBENCH_BATCH = 100
"""So many samples are NeuroBench's batch."""
DEFAULT_CORES = "loihi2"
"""Whose limits count; see hw_sim.energy.cores."""
SWEPT_BITS, SWEPT_STEPS = (2, 3, 4, 6, 8), (1, 2, 4)
"""Bits per weight and time steps."""
VECTOR_SAMPLES = 4
"""Inputs of golden vectors: the largest, the smallest and two random ones."""
PROVEN_CELLS = 4
"""Cells of a neuron's tables that a proof goes through; each takes seconds."""
DEFAULT_TARGETS = ("xc7a35",)
"""Whose resources are counted; see hw_sim.engines.deployed.fpga_devices.DEVICES."""
