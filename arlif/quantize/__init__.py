"""From a trained torch module to a QuantizedNetwork: linearize, then choose integers."""
