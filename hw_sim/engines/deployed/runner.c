/* Runs an exported network.c over many inputs and writes what it did.

   Compiled with -DSOURCE="network.c" and -DFACTS="facts.h", which defines what c_engine.py knows of the network:
   START(n, input), STEP(n, frame) or RUN(n, input); NETWORK, LOGITS(n), INPUTS, CLASSES, STATIC,
   STEPWISE, NEURONS, STATES (values of all neurons), POPULATIONS, FIRST_NEURON and FIRST_STATE
   (of every population, [POPULATIONS]), STATE_COUNT (of one of its neurons). -DAS_EVENTS tells
   frames by EVENT(n, c, y, x, value), CHANNELS and WIDTH.

   runner INPUTS OUTPUTS SAMPLES TRACED STEPS: raw bytes in, by sample; out, by sample: logits as
   int64, counts as int32, and of the first TRACED at every step spikes as bytes, then states as
   int32. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include FACTS

static int32_t *counts;
static uint8_t *spikes;
static int32_t *states;
static int tracing;

static inline void runner_record(int32_t step, int32_t population, int32_t neuron, int32_t spike,
                                 const int32_t *values) {
  const int32_t place = first_neuron[population] + neuron;
  counts[place] += spike;
  if (tracing) {
    const int32_t width = state_count[population];
    int32_t *to = states + (int64_t)step * STATES + first_state[population] + neuron * width;
    spikes[(int64_t)step * NEURONS + place] = (uint8_t)spike;
    for (int32_t k = 0; k < width; k++) to[k] = values[k];
  }
}

#define ARLIF_RECORD runner_record
#include SOURCE

static NETWORK network;

static void *room(size_t count, size_t size) {
  void *found = calloc(count ? count : 1, size);
  if (!found) exit(3);
  return found;
}

#if STEPWISE
static void show(const int8_t *frame) {
#ifdef AS_EVENTS
  for (uint32_t k = 0; k < INPUTS; k++) {
    const uint32_t place = k / CHANNELS;
    if (frame[k])
      EVENT(&network, (uint16_t)(k % CHANNELS), (uint16_t)(place / WIDTH),
            (uint16_t)(place % WIDTH), frame[k]);
  }
  STEP(&network, NULL);
#else
  STEP(&network, STATIC ? NULL : frame);
#endif
}
#endif

static void put(const void *from, size_t size, size_t count, FILE *to) {
  if (fwrite(from, size, count, to) != count) exit(4);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  const long samples = atol(argv[3]), traced = atol(argv[4]), steps = atol(argv[5]);
  if (!in || !out) return 2;
  const size_t length = (size_t)INPUTS * (STATIC ? 1 : (size_t)steps);
  int8_t *input = room(length, 1);
  counts = room(NEURONS, sizeof *counts);
  spikes = room(traced ? (size_t)steps * NEURONS : 0, 1);
  states = room(traced ? (size_t)steps * STATES : 0, sizeof *states);
  for (long sample = 0; sample < samples; sample++) {
    if (fread(input, 1, length, in) != length) return 5;
    for (size_t k = 0; k < NEURONS; k++) counts[k] = 0;
    tracing = sample < traced;
#if STEPWISE
    START(&network, input);
    for (long t = 0; t < steps; t++) show(input + (STATIC ? 0 : t * INPUTS));
#else
    RUN(&network, input);
#endif
    for (long k = 0; k < CLASSES; k++) {
      const int64_t logit = LOGITS(&network)[k];
      put(&logit, sizeof logit, 1, out);
    }
    put(counts, sizeof *counts, NEURONS, out);
    if (tracing) {
      put(spikes, 1, (size_t)steps * NEURONS, out);
      put(states, sizeof *states, (size_t)steps * STATES, out);
    }
  }
  free(input);
  return fclose(in) | fclose(out) ? 4 : 0;
}
