/* Functions that compilers call by themselves where there is no library. */
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);

void *memset(void *to, int value, size_t size)
{
    volatile uint8_t *bytes = to;
    while (size-- > 0) {
        *bytes++ = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    volatile uint8_t *bytes = to;
    const uint8_t *source = from;
    while (size-- > 0) {
        *bytes++ = *source++;
    }
    return to;
}

#ifdef __ARM_ARCH_6M__
/* The Cortex-M0 multiplies 32 bits by 32 bits into 32. */
uint64_t __aeabi_lmul(uint64_t a, uint64_t b);

uint64_t __aeabi_lmul(uint64_t a, uint64_t b)
{
    const uint32_t a0 = (uint32_t)a & 0xFFFFu, a1 = (uint32_t)a >> 16;
    const uint32_t b0 = (uint32_t)b & 0xFFFFu, b1 = (uint32_t)b >> 16;
    const uint32_t low = a0 * b0, left = a1 * b0, right = a0 * b1;
    const uint32_t middle = (low >> 16) + (left & 0xFFFFu) + (right & 0xFFFFu);
    const uint32_t high = a1 * b1 + (left >> 16) + (right >> 16) + (middle >> 16) +
                          (uint32_t)(a >> 32) * (uint32_t)b + (uint32_t)a * (uint32_t)(b >> 32);
    return ((uint64_t)high << 32) | (low & 0xFFFFu) | (uint64_t)(uint32_t)(middle << 16);
}
#endif
