"""What lies beside network.c: self-test, Makefile, README."""

from importlib.resources import files
from math import prod

import numpy as np

from arlif.core.network import QuantizedNetwork
from export.c.c_types import Constants, channels_last
from export.c.digest import OFFSET, PRIME, digests
from export.c.program import Program
from export.golden import Golden

EVENTS = """
A sensor of events tells its events as they come, and the step is given NULL for a frame:

```c
{prefix}_add_event(&network, c, y, x, value);
{prefix}_step(&network, NULL);
```
"""


def makefile() -> str:
    """The Makefile."""
    return template("Makefile")


def template(name: str) -> str:
    """The text of a file of templates/."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


PORT = ("port.c", "runtime.c", "cortex-m.ld", "rv32.ld")
"""What the self-test needs on a processor without an operating system."""


def ports() -> dict[str, str]:
    """Those files by path."""
    return {f"port/{name}": template(f"port/{name}") for name in PORT}


def selftest(network: QuantizedNetwork, prefix: str, vectors: Golden) -> str:
    """selftest.c: golden vectors, and a main that prints one line a vector and ends in 0 or 1."""
    count, constants, big = len(vectors.readout), Constants(), prefix.upper()
    by_sample = np.moveaxis(vectors.inputs, network.input.sample_axis, 0)
    inputs = channels_last(by_sample, network.input.shape).reshape(count, -1)
    constants.add("inputs", inputs)
    hashes = ", ".join(f"{value}u" for value in digests(network, vectors))
    logits = ", ".join(f"INT64_C({value})" for value in vectors.readout.ravel())
    widths = ", ".join(str(len(p.neuron.variables)) for p in network.populations) or "0"
    return "\n".join(
        [
            "/* Golden vectors: every spike, state and logit. Compile network.c with",
            " * -DARLIF_RECORD=selftest_record. */",
            '#include "network.h"',
            "",
            "#ifdef SELFTEST_WRITE /* a function of yours, where there is no stdio */",
            "void SELFTEST_WRITE(const char *text);",
            "#else",
            "#include <stdio.h>",
            "#define SELFTEST_WRITE(text) (void)fputs((text), stdout)",
            "#endif",
            "",
            f"#define VECTORS {count}",
            f"#define LENGTH {inputs.shape[1]}",
            "",
            "void selftest_record(int32_t step, int32_t population, int32_t neuron, int32_t spike,",
            "                     const int32_t *states);",
            "",
            *constants.lines,
            f"static const uint32_t hashes[VECTORS] = {{{hashes}}};",
            f"static const int64_t logits[] = {{{logits}}};",
            f"static const int32_t states_of[] = {{{widths}}};",
            f"static {prefix}_network network;",
            "static uint32_t total;",
            "",
            "static uint32_t mixed(uint32_t hash, int32_t word)",
            "{",
            f"    return (hash ^ (uint32_t)word) * {PRIME}u;",
            "}",
            "",
            "void selftest_record(int32_t step, int32_t population, int32_t neuron, int32_t spike,",
            "                     const int32_t *states)",
            "{",
            f"    uint32_t hash = mixed(mixed({OFFSET}u, step), population);",
            "    hash = mixed(mixed(hash, neuron), spike);",
            "    for (int32_t k = 0; k < states_of[population]; k++) {",
            "        hash = mixed(hash, states[k]);",
            "    }",
            "    total += hash;",
            "}",
            "",
            "static void number(int32_t value)",
            "{",
            "    static const int32_t powers[10] = {",
            "        1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};",
            "    int32_t shown = 0;",
            "    for (int32_t k = 0; k < 10; k++) {",
            "        char digit[2] = {'0', '\\0'};",
            "        while (value >= powers[k]) {",
            "            value -= powers[k];",
            "            digit[0]++;",
            "            shown = 1;",
            "        }",
            "        if ((shown != 0) || (k == 9)) {",
            "            SELFTEST_WRITE(digit);",
            "        }",
            "    }",
            "}",
            "",
            "int main(void)",
            "{",
            "    int32_t wrong = 0;",
            "    for (int32_t v = 0; v < VECTORS; v++) {",
            "        total = 0;",
            f"        const int32_t decision = {prefix}_run(&network, &inputs[v * LENGTH]);",
            f"        const {prefix}_logit *got = {prefix}_logits(&network);",
            "        int32_t differ = 0;",
            f"        for (int32_t k = 0; k < {big}_CLASSES; k++) {{",
            f"            differ += (got[k] != logits[v * {big}_CLASSES + k]) ? 1 : 0;",
            "        }",
            "        const int32_t same = (total == hashes[v]) ? 1 : 0;",
            "        const int32_t good = ((same != 0) && (differ == 0)) ? 1 : 0;",
            '        SELFTEST_WRITE("vector ");',
            "        number(v);",
            '        SELFTEST_WRITE(": class ");',
            "        number(decision);",
            '        SELFTEST_WRITE(", ");',
            "        number(differ);",
            '        SELFTEST_WRITE(" of ");',
            f"        number({big}_CLASSES);",
            '        SELFTEST_WRITE(" logits differ, spikes and states ");',
            '        SELFTEST_WRITE((same != 0) ? "equal\\n" : "DIFFER\\n");',
            "        wrong += 1 - good;",
            "    }",
            '    SELFTEST_WRITE((wrong == 0) ? "PASS\\n" : "FAIL\\n");',
            "    return (wrong == 0) ? 0 : 1;",
            "}",
            "",
        ]
    )


def readme(network: QuantizedNetwork, program: Program, prefix: str, style: str) -> str:
    """README.md: numbers, and how the code is called. style: what is said of it."""
    static = network.input.static
    memory = "\n".join(f"| `{name}` | {count:,} |" for name, count in program.memory.items())
    call = f"int32_t decision = {prefix}_run(&network, input);"
    stepwise = ""
    if program.step:
        stepwise = f"""
Or step by step:

```c
{prefix}_start(&network{", input" if static else ""});
for (int t = 0; t < {prefix.upper()}_STEPS; t++) {{
    {prefix}_step(&network, {"NULL" if static else "frame"});
}}
const {prefix}_logit *logits = {prefix}_logits(&network);
```
{"" if static else EVENTS.format(prefix=prefix)}"""
    return template("README.md").format(
        prefix=prefix,
        call=call,
        stepwise=stepwise,
        style=style,
        inputs=prod(network.input.shape),
        frames="" if static else ", frame after frame",
        input=network.input,
        constants=program.constants.bytes,
        bytes=sum(program.memory.values()),
        memory=memory,
    )
