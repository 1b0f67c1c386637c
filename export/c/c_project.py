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
            "#include <stdio.h>",
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
            "        const int32_t good = ((total == hashes[v]) && (differ == 0)) ? 1 : 0;",
            '        printf("vector %d: class %d, %d of %d logits differ, '
            'spikes and states %s\\n",',
            f"               (int)v, (int)decision, (int)differ, {big}_CLASSES,",
            '               (total == hashes[v]) ? "equal" : "DIFFER");',
            "        wrong += 1 - good;",
            "    }",
            '    printf("%s\\n", (wrong == 0) ? "PASS" : "FAIL");',
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
