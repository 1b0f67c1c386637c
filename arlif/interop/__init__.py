"""Networks of other spiking libraries, and our neurons in their idiom."""
