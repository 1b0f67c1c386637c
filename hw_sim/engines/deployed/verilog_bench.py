"""The C++ that drives a network in Verilator: frames in, spikes, states and logits out."""

from math import prod

from export.verilog.incoming import VALUE_BITS
from export.verilog.manifest import Manifest
from export.verilog.top import TOP

STUCK = 100_000_000
"""Clocks after which one sample is given up."""

BENCH = r"""
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
#include "V@TOP@.h"
#include "verilated.h"

static const int CLASSES = @CLASSES@, FRAMES = @FRAMES@;
static int64_t wide(uint64_t bits, int width) {
  return (int64_t)(bits << (64 - width)) >> (64 - width);
}
struct Layer { size_t updates, states; std::vector<uint8_t> spikes; std::vector<int32_t> values; };
static uint32_t drawn = 1;
static bool pauses(int percent) {
  drawn = drawn * 1664525u + 1013904223u;
  return (int)((drawn >> 8) % 100) < percent;
}

// Arguments: raw inputs, int8 [samples][frames][y][x][c]; the file to write; percent of clocks in
// which the input waits and the output is not taken.
int main(int, char **arguments) {
  FILE *in = fopen(arguments[1], "rb"), *out = fopen(arguments[2], "wb");
  const int percent = atoi(arguments[3]);
  if (!in || !out) return 3;
  V@TOP@ top;
  const int C = @C@, Y = @Y@, X = @X@;
  std::vector<int8_t> frames((size_t)FRAMES * C * Y * X);
  int64_t cycles = 0;
  auto tick = [&] { top.clk = 1; top.eval(); top.clk = 0; top.eval(); cycles++; };
  top.clk = 0; top.rst = 1; top.s_axis_tvalid = 0; top.s_axis_tlast = 0; top.m_axis_tready = 0;
  top.eval();
  for (int k = 0; k < 4; k++) tick();
  top.rst = 0;
  std::vector<Layer> layers = {@LAYERS@};
  while (fread(frames.data(), 1, frames.size(), in) == frames.size()) {
    for (auto &layer : layers) { layer.spikes.clear(); layer.values.clear(); }
    std::vector<int64_t> logits;
    int64_t decision = -1, start = -1, answered = -1;
    size_t per = (size_t)C * Y * X, p = 0;
    int frame = 0;
    bool done = false, offered = false;
    // What waits for a delay when a sample ends counts no more: the answer may come before that.
    auto settled = [&] {
      for (auto &layer : layers) if (layer.spikes.size() < layer.updates) return false;
      return true;
    };
    while (!done || !settled()) {
      const int8_t *now = frames.data() + frame * per;
      if (!offered && frame < FRAMES) {
        while (p < per && now[p] == 0) p++;
        size_t next = p + 1;
        while (next < per && now[next] == 0) next++;
        const uint64_t at = p < per ? p : 0, c = at % C, x = at / C % X, y = at / C / X;
        const uint64_t v = p < per ? (uint64_t)now[p] & ((1u << @V@) - 1) : 0;
        top.s_axis_tdata = v | x << @V@ | y << (@V@ + @XB@) | c << (@V@ + @XB@ + @YB@);
        top.s_axis_tlast = next >= per;
        offered = !pauses(percent);
      }
      top.s_axis_tvalid = offered;
      top.m_axis_tready = !pauses(percent);
      top.eval();
      const bool taken = top.s_axis_tvalid && top.s_axis_tready;
      if (taken && start < 0) start = cycles;
@TAPS@
      if (top.m_axis_tvalid && top.m_axis_tready) {
        logits.push_back(wide(top.m_axis_tdata, @OUT@));
        if (top.m_axis_tlast) { done = true; decision = top.m_axis_tuser; }
      }
      const bool last = top.s_axis_tlast;
      tick();
      if (done && answered < 0) answered = cycles;
      if (taken) {
        offered = false;
        p++;
        if (last) { p = 0; frame++; }
      }
      if (start >= 0 && cycles - start > @STUCK@) { fputs("error: no answer\n", stderr); return 2; }
    }
    bool whole = logits.size() == (size_t)CLASSES;
    for (auto &layer : layers) whole = whole && layer.spikes.size() == layer.updates;
    if (!whole) { fputs("error: a layer updated too few or too many neurons\n", stderr); return 4; }
    const int64_t head[2] = {answered - start, decision};
    fwrite(head, 8, 2, out);
    fwrite(logits.data(), 8, logits.size(), out);
    for (auto &layer : layers) {
      fwrite(layer.spikes.data(), 1, layer.spikes.size(), out);
      fwrite(layer.values.data(), 4, layer.values.size(), out);
    }
  }
  return fclose(out);
}
"""


def bench(known: Manifest) -> str:
    """The program for a network."""
    shape = known.input.shape
    channels, height, width = shape if len(shape) == 3 else (*shape, 1, 1)
    layers, taps = [], []
    for k, tapped in enumerate(known.populations):
        updates = prod(tapped.shape) * known.time_steps
        layers.append(f"{{{updates}, {len(tapped.states)}, {{}}, {{}}}}")
        values = "".join(
            f" layers[{k}].values.push_back((int32_t)wide(top.tap{k}_{n}, {bits}));"
            for n, bits in enumerate(tapped.states.values())
        )
        taps.append(
            f"      if (top.tap{k}_valid) {{ layers[{k}].spikes.push_back(top.tap{k}_spike & 1);"
            f"{values} }}"
        )
    filled = {
        "TOP": TOP,
        "CLASSES": known.classes,
        "FRAMES": 1 if known.input.static else known.time_steps,
        "C": channels,
        "Y": height,
        "X": width,
        "V": VALUE_BITS,
        "YB": known.place[1],
        "XB": known.place[2],
        "OUT": known.out_bits,
        "LAYERS": ", ".join(layers),
        "TAPS": "\n".join(taps),
        "STUCK": STUCK,
    }
    text = BENCH
    for name, value in filled.items():
        text = text.replace(f"@{name}@", str(value))
    return text
