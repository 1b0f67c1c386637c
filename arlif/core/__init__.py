"""The integer specification: formats, tables, steps, networks. numpy only, no torch."""
