"""network.h and network.c: what every style has in common."""

from collections.abc import Iterable
from math import prod

from arlif.core.equality import fingerprint
from arlif.core.maps import Shape
from arlif.core.network import NUMERICS_VERSION, QuantizedNetwork
from export.c.c_manifest import InputFacts, Manifest, PopulationFacts
from export.c.c_types import sides
from export.c.program import Plan, Program, channels, pixels


def header(network: QuantizedNetwork, program: Program, prefix: str) -> str:
    """network.h: sizes, the memory, the functions."""
    plan, big = Plan(network), prefix.upper()
    source, classes, static = network.input, network.readout.shape[0], network.input.static
    frame = "NULL" if static else "the next one, or NULL where events were it"
    shown = "shown at every step" if static else "one frame a step"
    stepwise = [
        f"/* Before the first step: forgets all{', takes the input' if static else ''}. */",
        f"void {prefix}_start({prefix}_network *n{', const int8_t *input' if static else ''});",
        "",
        f"/* One time step; frame: {frame}. */",
        f"void {prefix}_step({prefix}_network *n, const int8_t *frame);",
        "",
        *(_about_events(prefix) if program.event else ()),
    ]
    return _text(
        [
            "/* A spiking network as integers, exported by arlif;",
            f" * numerics version {NUMERICS_VERSION}.",
            " *",
            f" * Input: int8_t[{prod(source.shape)}] in the order H, W, C, {shown};",
            f" * what lies outside [{source.low}, {source.high}] is clamped.",
            f" * Its real values are raw * {source.scale!r}.",
            f" * Readout: {classes} logits, real values raw * {network.readout.scale!r}.",
            " */",
            f"#ifndef {big}_NETWORK_H",
            f"#define {big}_NETWORK_H",
            "",
            "#include <stdint.h>",
            "",
            f"#define {big}_INPUTS {prod(source.shape)}",
            f"#define {big}_CLASSES {classes}",
            f"#define {big}_STEPS {network.time_steps}",
            f"#define {big}_STATIC {int(static)}",
            "",
            f"typedef {plan.logit_type()} {prefix}_logit;",
            "",
            f"/* All memory that changes, {sum(program.memory.values())} bytes and padding. */",
            "typedef struct {",
            *(f"    {line}" for line in program.fields),
            f"}} {prefix}_network;",
            "",
            *(stepwise if program.step else ()),
            f"/* All {network.time_steps} steps on an input{'' if static else ' [T][inputs]'}; "
            "the class: the largest logit, the first of equals. */",
            f"int32_t {prefix}_run({prefix}_network *n, const int8_t *input);",
            "",
            "/* The readout of the steps that are done. */",
            f"const {prefix}_logit *{prefix}_logits(const {prefix}_network *n);",
            "",
            "#endif",
        ]
    )


def source(network: QuantizedNetwork, program: Program, prefix: str) -> str:
    """network.c: constants, the populations' functions, the public ones."""
    big, static = prefix.upper(), network.input.static
    names = {f"p{k}": p for k, p in enumerate(network.populations)}
    return _text(
        [
            "/* Exported by arlif; see network.h. */",
            '#include "network.h"',
            "",
            "#include <stddef.h>",
            "",
            *(
                f"/* {label}: {_comment(p.name)}, {p.shape} {p.neuron.name} */"
                for label, p in names.items()
            ),
            "",
            "/* What every neuron did, for checks: -DARLIF_RECORD=name, a function of yours. */",
            "#ifdef ARLIF_RECORD",
            "void ARLIF_RECORD(int32_t step, int32_t population, int32_t neuron, int32_t spike,",
            "                  const int32_t *states);",
            "#define RECORD(step, population, neuron, spike, ...) \\",
            "    do { \\",
            "        const int32_t states_[] = {__VA_ARGS__}; \\",
            "        ARLIF_RECORD(step, population, neuron, spike, states_); \\",
            "    } while (0)",
            "#else",
            "#define RECORD(step, population, neuron, spike, ...) \\",
            "    do { \\",
            "        const int32_t states_[] = {__VA_ARGS__}; \\",
            "        (void)(neuron); \\",
            "        (void)states_; \\",
            "    } while (0)",
            "#endif",
            "",
            *program.constants.lines,
            "",
            *_clamp(network, big),
            *program.functions,
            *_start(program, prefix, static),
            *_step(program, prefix, network),
            *_run(program, prefix, big, static),
            f"const {prefix}_logit *{prefix}_logits(const {prefix}_network *n)",
            "{",
            "    return n->logits;",
            "}",
        ]
    )


def manifest(network: QuantizedNetwork, program: Program, prefix: str, style: str) -> Manifest:
    """What network.json says of both."""
    source = network.input
    return Manifest(
        NUMERICS_VERSION,
        fingerprint(network),
        prefix,
        style,
        InputFacts(source.shape, source.low, source.high, source.scale, source.static),
        tuple(PopulationFacts(p.name, p.shape, p.neuron.variables) for p in network.populations),
        network.readout.shape[0],
        network.time_steps,
        Plan(network).most_steps() if program.step else network.time_steps,
        bool(program.step),
        program.constants.bytes,
        program.memory,
    )


def _comment(name: str) -> str:
    """Any name inside a comment."""
    return name.encode("ascii", "backslashreplace").decode().replace("*/", "* /")


def _clamp(network: QuantizedNetwork, big: str) -> list[str]:
    """A function that brings a value into the raw range, and one that copies a static input."""
    low, high = network.input.low, network.input.high
    clamped = [
        "static inline int32_t clamped(int32_t value)",
        "{",
        "#ifdef ARLIF_TRUSTED_INPUT",
        "    return value;",
        "#else",
        f"    const int32_t above = (value < {low}) ? {low} : value;",
        f"    return (above > {high}) ? {high} : above;",
        "#endif",
        "}",
        "",
    ]
    if not network.input.static:
        return clamped
    return [
        *clamped,
        "static void take(int8_t *to, const int8_t *from)",
        "{",
        f"    for (int32_t k = 0; k < {big}_INPUTS; k++) {{",
        "        to[k] = (int8_t)clamped(from[k]);",
        "    }",
        "}",
        "",
    ]


def _event_head(prefix: str) -> list[str]:
    return [
        f"void {prefix}_add_event({prefix}_network *n, uint16_t c, uint16_t y, uint16_t x,",
        f"    {' ' * len(prefix)}                int8_t value)",
    ]


def _about_events(prefix: str) -> list[str]:
    *lines, last = _event_head(prefix)
    return [
        "/* Before a step: adds a value to one place of its frame, which begins as 0; the sum is",
        " * clamped after every event. A place outside of the frame changes nothing. */",
        *lines,
        f"{last};",
        "",
    ]


CLEAR = [
    "    uint8_t *const bytes = (uint8_t *)n;",
    "    for (size_t k = 0; k < sizeof *n; k++) {",
    "        bytes[k] = 0;",
    "    }",
]


def _start(program: Program, prefix: str, static: bool) -> list[str]:
    if not program.step:
        return []
    return [
        f"void {prefix}_start({prefix}_network *n{', const int8_t *input' if static else ''})",
        "{",
        *CLEAR,
        *(["    take(n->input, input);"] if static else ()),
        *(f"    {line}" for line in program.start),
        "}",
        "",
    ]


def _step(program: Program, prefix: str, network: QuantizedNetwork) -> list[str]:
    if not program.step:
        return []
    shape = network.input.shape
    shown = pixels(shape, channels(shape, ["see(n, c, row, column, frame[i]);"]))
    seen = ["if (frame != NULL) {", *(f"    {line}" for line in shown), "}"]
    return [
        *_add_event(program, prefix, shape),
        f"void {prefix}_step({prefix}_network *n, const int8_t *frame)",
        "{",
        *(f"    {line}" for line in (["(void)frame;"] if network.input.static else seen)),
        *(f"    {line}" for line in program.step),
        "    n->step += (n->step < INT32_MAX) ? 1 : 0;",
        "}",
        "",
    ]


def _add_event(program: Program, prefix: str, shape: Shape) -> list[str]:
    if not program.event:
        return []
    count, height, width = sides(shape)
    return [
        *_event_head(prefix),
        "{",
        f"    if ((c < {count}u) && (y < {height}u) && (x < {width}u)) {{",
        *(f"        {line}" for line in program.event),
        "    }",
        "}",
        "",
    ]


def _run(program: Program, prefix: str, big: str, static: bool) -> list[str]:
    frame = "NULL" if static else f"&input[t * {big}_INPUTS]"
    steps = [
        f"{prefix}_start(n{', input' if static else ''});",
        f"for (int32_t t = 0; t < {big}_STEPS; t++) {{",
        f"    {prefix}_step(n, {frame});",
        "}",
    ]
    return [
        f"int32_t {prefix}_run({prefix}_network *n, const int8_t *input)",
        "{",
        *([*CLEAR, "    take(n->input, input);"] if program.run else ()),
        *(f"    {line}" for line in (program.run or steps)),
        "    int32_t best = 0;",
        f"    for (int32_t k = 1; k < {big}_CLASSES; k++) {{",
        "        best = (n->logits[k] > n->logits[best]) ? k : best;",
        "    }",
        "    return best;",
        "}",
        "",
    ]


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
