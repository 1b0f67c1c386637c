"""Others running lif.nir, the plain LIF view of a float network, as each reads it."""
