/* An exported network.c in an emulator: what emulator.py writes and reads lies in arrays.

   Compiled with -DSOURCE, -DFACTS as runner.c is, and -DTIME_STEPS; -DCOUNTED leaves the recording
   out. The functions that compilers call by themselves are here, since there is no library. */
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

void *memset(void *to, int value, size_t size) {
  volatile uint8_t *bytes = to;
  while (size--) *bytes++ = (uint8_t)value;
  return to;
}

void *memcpy(void *to, const void *from, size_t size) {
  volatile uint8_t *bytes = to;
  const uint8_t *source = from;
  while (size--) *bytes++ = *source++;
  return to;
}

#ifdef __ARM_ARCH_6M__
/* The Cortex-M0 multiplies 32 bits by 32 bits into 32. */
uint64_t __aeabi_lmul(uint64_t a, uint64_t b) {
  const uint32_t a0 = (uint32_t)a & 0xFFFFu, a1 = (uint32_t)a >> 16;
  const uint32_t b0 = (uint32_t)b & 0xFFFFu, b1 = (uint32_t)b >> 16;
  const uint32_t low = a0 * b0, left = a1 * b0, right = a0 * b1;
  const uint32_t middle = (low >> 16) + (left & 0xFFFFu) + (right & 0xFFFFu);
  const uint32_t high = a1 * b1 + (left >> 16) + (right >> 16) + (middle >> 16) +
                        (uint32_t)(a >> 32) * (uint32_t)b + (uint32_t)a * (uint32_t)(b >> 32);
  return ((uint64_t)high << 32) | (low & 0xFFFFu) | (middle << 16);
}
#endif
