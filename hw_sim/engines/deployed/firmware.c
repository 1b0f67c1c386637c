/* An exported network.c in an emulator: what emulator.py writes and reads lies in arrays.

   Compiled with -DSOURCE, -DFACTS as runner.c is, and -DTIME_STEPS; -DCOUNTED leaves the recording
   out.  Linked with the export's port/runtime.c. */
#include <stddef.h>
#include <stdint.h>

#include FACTS

int8_t firmware_input[INPUTS * (STATIC ? 1 : TIME_STEPS)];
int64_t firmware_logits[CLASSES];

#ifndef COUNTED
int32_t firmware_counts[NEURONS + 1];
uint8_t firmware_spikes[TIME_STEPS * NEURONS + 1];
int32_t firmware_states[TIME_STEPS * STATES + 1];

static inline void firmware_record(int32_t step, int32_t population, int32_t neuron, int32_t spike,
                                   const int32_t *values) {
  const int32_t width = state_count[population], place = first_neuron[population] + neuron;
  int32_t *to = firmware_states + step * STATES + first_state[population] + neuron * width;
  firmware_counts[place] += spike;
  firmware_spikes[step * NEURONS + place] = (uint8_t)spike;
  for (int32_t k = 0; k < width; k++) to[k] = values[k];
}
#define ARLIF_RECORD firmware_record
#endif
#include SOURCE

NETWORK firmware_network;

void firmware_run(void) {
#if STEPWISE
  START(&firmware_network, firmware_input);
  for (int32_t t = 0; t < TIME_STEPS; t++)
    STEP(&firmware_network, STATIC ? NULL : firmware_input + t * INPUTS);
#else
  RUN(&firmware_network, firmware_input);
#endif
}

void firmware_main(void) {
#ifndef COUNTED
  for (int32_t k = 0; k < NEURONS; k++) firmware_counts[k] = 0;
#endif
  firmware_run();
  for (int32_t k = 0; k < CLASSES; k++) firmware_logits[k] = LOGITS(&firmware_network)[k];
}
