"""What a neuron is called in a bill: a name that has a price belongs to one equation."""

from arlif.core.integer_neurons import IntegerNeuron, integer_name
from arlif.core.real_neurons import BUILT_IN


def neuron_title(neuron: IntegerNeuron) -> str:
    """The neuron's name; one that only shares it with a neuron of arlif is told apart."""
    alike = [kind for kind in BUILT_IN if integer_name(kind) == neuron.name]
    known = not alike or any(neuron.is_a(kind) for kind in alike)
    return neuron.name if known else f"{neuron.name} (a class of your own)"
