"""Small pieces of Verilog: numbers, values made wider or narrower, instances."""

from collections.abc import Mapping, Sequence


def literal(value: int, bits: int) -> str:
    """A signed number of so many bits."""
    return f"-{bits}'sd{-value}" if value < 0 else f"{bits}'sd{value}"


def extended(name: str, have: int, want: int) -> str:
    """A signed value with another width; a narrower one takes the low bits.

    name: an identifier, or a part of one as "v3[7:2]".
    """
    if want == have:
        return name if name.isidentifier() else f"$signed({name})"
    base, _, part = name.partition("[")
    high, low = (int(n) for n in part[:-1].split(":")) if part else (have - 1, 0)
    if want < have:
        return f"$signed({base}[{low + want - 1}:{low}])"
    bit = f"{base}[{high}]" if have > 1 or part else base
    return f"$signed({{{{{want - have}{{{bit}}}}}, {name}}})"


def resized(name: str, have: int, want: int) -> str:
    """The bits of a signed value with another width."""
    if want <= have:
        return name if want == have else f"{name}[{want - 1}:0]"
    return f"{{{{{want - have}{{{name}[{have - 1}]}}}}, {name}}}"


def packed_wires(names: Sequence[str]) -> str:
    """Wires side by side, the first lowest; one stays itself, for yosys keeps its sign."""
    return names[0] if len(names) == 1 else f"{{{', '.join(reversed(names))}}}"


def instance(
    module: str, name: str, parameters: Mapping[str, object], ports: Mapping[str, str]
) -> str:
    """An instance of a module."""
    given = ", ".join(f".{key}({value})" for key, value in parameters.items())
    wired = ", ".join(f".{key}({value})" for key, value in ports.items())
    return f"  {module} #({given}) {name} ({wired});" if given else f"  {module} {name} ({wired});"
