"""What stages take where nobody says it; loads nothing heavy, the command line reads it."""

DEFAULT_PRESET, DEFAULT_BITS = "compact16", 8
"""Number formats and bits per weight; see arlif.quantize.presets."""
TRACED_SAMPLES = 32
"""Of so many first samples spikes and states are kept."""
CHECKED_SAMPLES = 256
"""On so many test samples a quantized network is compared with its parent."""
