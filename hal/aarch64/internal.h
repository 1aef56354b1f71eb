// What the files of this folder tell each other.
#pragma once

#include <hal/context.h>
#include <hal/cpu.h>

#include "kernel/base/types.h"

#include "asm.inc"

// kernel.ld
extern char image_start[], text_start[], text_end[], rodata_end[], image_end[];

// An exception from EL1: the registers, then what the CPU says of it.
struct frame {
    struct user_regs regs;
    uint64_t esr, far;
    uint64_t record[2];
};

#define read_sysreg(name)                                                                                              \
    ({                                                                                                                 \
        uint64_t value_;                                                                                               \
        asm volatile("mrs %0, " #name : "=r"(value_));                                                                 \
        value_;                                                                                                        \
    })
#define write_sysreg(name, value) asm volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define isb() asm volatile("isb" ::: "memory")
#define dsb(domain) asm volatile("dsb " #domain ::: "memory")

extern uint64_t image_offset; // virtual minus physical address of the image

static inline paddr_t image_to_phys(const void *pointer)
{
    return paddr((uint64_t)pointer - image_offset);
}

int psci_init(const void *fdt);
void timer_set_zero(uint64_t zero); // boot CPU, first: the counter at power-on or reset
void timer_cpu_init(void);          // each CPU
void report_text(const char *text, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void start_primary(uint64_t fdt, uint64_t level, uint64_t counter);
_Noreturn void start_secondary(struct cpu_local *local);
void mmu_start(void);                      // leaves the identity map
uint64_t mmu_map_device_tree(paddr_t fdt); // readable bytes from there, before memory_map_ram()
void early_tables(uint64_t image);
void stop_if_told(void); // in each interrupt: does not return when another CPU has called cpu_stop_others()
uint32_t irq_cpus(void); // bit per CPU that ipi_send() reaches
