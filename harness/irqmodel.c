#include "harness/irqmodel.h"

#include "harness/fuzz.h"

#define CLAIMS 64u // of one interrupt
#define PRIVATE_LINES 32

static void mask(struct irq_model_line *line)
{
    line->enabled = false;
    line->want.masked = true;
}

static void expect_delivery(struct irq_model *model, struct irq_model_line *line)
{
    struct irq_line *irq = &line->want;
    irq->count++;
    if (line->how == NOBODYS) {
        irq->unhandled++;
        model->want.unexpected++;
        irq->resting = false;
        mask(line);
        return;
    }
    line->calls_wanted++;
    line->pending = line->stuck;
    irq->unclaimed_row = line->how == CLAIMS_IT ? 0 : irq->unclaimed_row + 1;
    irq->unhandled += line->how == DENIES_IT;
    model->want.spurious += line->how == DENIES_IT;
    irq->window_count = line->paused ? 1 : irq->window_count + 1;
    line->paused = false;
    bool private = line - model->lines < PRIVATE_LINES; // those may come as often as they like
    if ((irq->window_count > IRQ_STORM_LIMIT && !private) || irq->unclaimed_row > IRQ_UNCLAIMED_LIMIT) {
        model->want.storms++;
        irq->storms++;
        irq->resting = true;
        mask(line);
    }
}

// The lowest line first: private before shared.
static struct irq_model_line *next_line(struct irq_model *model)
{
    for (uint32_t i = 0; i < IRQ_MODEL_LINES; i++) {
        if (model->lines[i].pending && model->lines[i].enabled) {
            return &model->lines[i];
        }
    }
    return NULL;
}

void irq_model_unmask(struct irq_model_line *line)
{
    line->enabled = true;
    if (line->want.masked) {
        line->want.masked = line->want.resting = false;
        line->want.window_count = line->want.unclaimed_row = 0;
    }
}

void irq_model_interrupt(struct irq_model *model)
{
    unsigned claims = 0;
    for (struct irq_model_line *line; claims < CLAIMS && (line = next_line(model)) != NULL; claims++) {
        line->pending = false;
        model->want.total++;
        expect_delivery(model, line);
    }
    model->want.spurious += claims == 0;
}

static void check_line(const struct irq_model_line *line, uint32_t intid)
{
    struct irq_line irq = irq_line(intid);
    const struct irq_line *want = &line->want;
    EXPECT_MODEL(irq.count == want->count && irq.unhandled == want->unhandled,
                 "interrupt %u: %llu arrivals, %u unhandled, not %llu and %u", intid, (unsigned long long)irq.count,
                 irq.unhandled, (unsigned long long)want->count, want->unhandled);
    EXPECT_MODEL(irq.masked == want->masked && irq.storms == want->storms && irq.resting == want->resting,
                 "interrupt %u: masked %d after %u storms, not %d after %u", intid, irq.masked, irq.storms,
                 want->masked, want->storms);
    EXPECT_MODEL(irq.handled == (line->how != NOBODYS), "interrupt %u: a handler is lost", intid);
    EXPECT_MODEL(line->calls == line->calls_wanted, "interrupt %u: the handler was called %u times, not %u", intid,
                 line->calls, line->calls_wanted);
}

static void check_statistics(const struct irq_statistics *want)
{
    struct irq_statistics is = irq_statistics();
    EXPECT_MODEL(is.total == want->total && is.spurious == want->spurious && is.unexpected == want->unexpected &&
                     is.storms == want->storms,
                 "%llu total, %llu spurious, %llu unexpected, %llu storms; not %llu, %llu, %llu, %llu",
                 (unsigned long long)is.total, (unsigned long long)is.spurious, (unsigned long long)is.unexpected,
                 (unsigned long long)is.storms, (unsigned long long)want->total, (unsigned long long)want->spurious,
                 (unsigned long long)want->unexpected, (unsigned long long)want->storms);
}

void irq_model_check(const struct irq_model *model, uint32_t intid)
{
    check_line(&model->lines[intid], intid);
    check_statistics(&model->want);
}
