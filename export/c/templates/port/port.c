/* Startup and output of the self-test on a Cortex-M or on RV32, without a library or a board's
 * files: text and the verdict go to a debugger or an emulator by semihosting
 * (github.com/ARM-software/abi-aa/blob/main/semihosting/semihosting.rst, and for RISC-V
 * github.com/riscv-non-isa/riscv-semihosting). Your own program has its board's startup instead. */
#include <stddef.h>
#include <stdint.h>

#define SYS_WRITE0 0x04
#define SYS_EXIT 0x18
#define APPLICATION_EXIT 0x20026u
#define RUN_TIME_ERROR 0x20023u

extern uint32_t port_bss[], port_bss_end[], port_stack_top[];

int main(void);
void port_write(const char *text);
void port_reset(void);

#ifdef __riscv
void semihosting(uintptr_t operation, uintptr_t argument);

__asm__(".text\n.balign 16\n.option push\n.option norvc\nsemihosting:\nslli x0, x0, 0x1f\nebreak\n"
        "srai x0, x0, 7\nret\n.option pop");
#else
static void semihosting(uintptr_t operation, uintptr_t argument)
{
    register uintptr_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
#endif

void port_write(const char *text)
{
    semihosting(SYS_WRITE0, (uintptr_t)text);
}

void port_reset(void)
{
    for (volatile uint32_t *word = port_bss; word != port_bss_end; word++) {
        *word = 0;
    }
    semihosting(SYS_EXIT, (main() == 0) ? APPLICATION_EXIT : RUN_TIME_ERROR);
    for (;;) {
    }
}

#ifdef __riscv
__asm__(".section .port_start, \"ax\"\n.globl port_start\nport_start:\nla sp, port_stack_top\n"
        "j port_reset\n.text");
#else
__attribute__((section(".port_start"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)port_stack_top,
    (uintptr_t)port_reset,
};
#endif
