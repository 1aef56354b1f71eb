// What interrupts must leave behind: which lines stay enabled, and every count. Runs the controller by itself.
#pragma once

#include "kernel/irq/irq.h"

#define IRQ_MODEL_LINES 64u // private and shared ones; the rest is like the latter

enum irq_model_how { NOBODYS, CLAIMS_IT, DENIES_IT };

struct irq_model_line {
    enum irq_model_how how;
    bool stuck; // its device raises it again while it is handled
    bool enabled, pending, paused;
    uint32_t calls, calls_wanted;
    struct irq_line want;
};
struct irq_model {
    struct irq_model_line lines[IRQ_MODEL_LINES];
    struct irq_statistics want;
};

void irq_model_unmask(struct irq_model_line *line);
void irq_model_interrupt(struct irq_model *model);                   // one has come
void irq_model_check(const struct irq_model *model, uint32_t intid); // that line, and the sums
