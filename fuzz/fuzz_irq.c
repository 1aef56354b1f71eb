// Interrupts nobody asked for, that no device owns up to, that never stop: all are counted where they belong, and a
// line that storms or is nobody's is masked within its bound. The model runs the controller and the counts by itself.
#include "harness/fuzz.h"

#include "kernel/irq/irq.h"

#define LINES 64u // private and shared ones; the rest is like the latter
#define CLAIMS 64u
#define OPS_MAX 2048u       // far from making a window pass by themselves
#define INTERRUPTS_MAX 700u // enough for two storms

enum how { NOBODYS, CLAIMS_IT, DENIES_IT };

static struct line {
    enum how how;
    bool stuck; // its device raises it again while it is handled
    bool enabled, pending, paused;
    uint32_t calls, calls_wanted;
    struct irq_line want;
} lines[LINES];
static struct irq_statistics want;

static bool handler(uint32_t intid, void *argument)
{
    struct line *line = argument;
    EXPECT_MODEL(line == &lines[intid], "interrupt %u went to another line's handler", intid);
    line->calls++;
    if (line->stuck) {
        machine_irq_raise(intid);
    }
    return line->how == CLAIMS_IT;
}

static void mask(struct line *line)
{
    line->enabled = false;
    line->want.masked = true;
}

static void expect_delivery(struct line *line)
{
    struct irq_line *irq = &line->want;
    irq->count++;
    if (line->how == NOBODYS) {
        irq->unhandled++;
        want.unexpected++;
        mask(line);
        return;
    }
    line->calls_wanted++;
    line->pending = line->stuck;
    irq->unclaimed_row = line->how == CLAIMS_IT ? 0 : irq->unclaimed_row + 1;
    irq->unhandled += line->how == DENIES_IT;
    want.spurious += line->how == DENIES_IT;
    irq->window_count = line->paused ? 1 : irq->window_count + 1;
    line->paused = false;
    if (irq->window_count > IRQ_STORM_LIMIT || irq->unclaimed_row > IRQ_UNCLAIMED_LIMIT) {
        want.storms++;
        irq->storms++;
        irq->resting = true;
        mask(line);
    }
}

// The lowest line first: private before shared.
static struct line *next_line(void)
{
    for (uint32_t i = 0; i < LINES; i++) {
        if (lines[i].pending && lines[i].enabled) {
            return &lines[i];
        }
    }
    return NULL;
}

static void interrupt(uint32_t nothing)
{
    machine_interrupt(nothing);
    unsigned claims = 0;
    for (struct line *line; claims < CLAIMS && (line = next_line()) != NULL; claims++) {
        line->pending = false;
        want.total++;
        expect_delivery(line);
    }
    want.spurious += claims == 0;
}

static void check_line(uint32_t intid)
{
    struct irq_line irq = irq_line(intid);
    const struct irq_line *model = &lines[intid].want;
    EXPECT_MODEL(irq.count == model->count && irq.unhandled == model->unhandled,
                 "interrupt %u: %llu arrivals, %u unhandled, not %llu and %u", intid, (unsigned long long)irq.count,
                 irq.unhandled, (unsigned long long)model->count, model->unhandled);
    EXPECT_MODEL(irq.masked == model->masked && irq.storms == model->storms && irq.resting == model->resting,
                 "interrupt %u: masked %d after %u storms, not %d after %u", intid, irq.masked, irq.storms,
                 model->masked, model->storms);
    EXPECT_MODEL((irq.handler != NULL) == (lines[intid].how != NOBODYS), "interrupt %u: a handler is lost", intid);
    EXPECT_MODEL(lines[intid].calls == lines[intid].calls_wanted,
                 "interrupt %u: the handler was called %u times, not %u", intid, lines[intid].calls,
                 lines[intid].calls_wanted);
}

static void check_statistics(void)
{
    struct irq_statistics is = irq_statistics();
    EXPECT_MODEL(is.total == want.total && is.spurious == want.spurious && is.unexpected == want.unexpected &&
                     is.storms == want.storms,
                 "%llu total, %llu spurious, %llu unexpected, %llu storms; not %llu, %llu, %llu, %llu",
                 (unsigned long long)is.total, (unsigned long long)is.spurious, (unsigned long long)is.unexpected,
                 (unsigned long long)is.storms, (unsigned long long)want.total, (unsigned long long)want.spurious,
                 (unsigned long long)want.unexpected, (unsigned long long)want.storms);
}

static void set_handler(uint32_t intid, enum how how, bool stuck)
{
    struct line *line = &lines[intid];
    int expected = how == NOBODYS ? (line->how == NOBODYS ? -EINVAL : 0) : line->how == NOBODYS ? 0 : -EBUSY;
    int error = how == NOBODYS ? irq_unregister(intid) : irq_register(intid, handler, line);
    OP("handler %u of line %u, stuck %d = %d", how, intid, stuck, error);
    EXPECT_MODEL(error == expected, "the handler of line %u: %d, not %d", intid, error, expected);
    if (error == 0) {
        line->how = how;
        line->stuck = stuck;
        line->want.masked = line->want.masked && how == NOBODYS;
        line->enabled = line->enabled || how != NOBODYS;
    }
}

static void unmask(uint32_t intid)
{
    struct line *line = &lines[intid];
    int error = irq_unmask(intid);
    OP("unmask %u = %d", intid, error);
    EXPECT_MODEL(error == (line->want.masked ? 0 : -EINVAL), "unmask of line %u gave %d", intid, error);
    if (error == 0) {
        line->enabled = true;
        line->want.masked = line->want.resting = false;
        line->want.window_count = line->want.unclaimed_row = 0;
    }
}

static void pass_time(void)
{
    OP("a window passes");
    machine_pass_time(2 * IRQ_STORM_WINDOW_NS);
    for (uint32_t i = 0; i < LINES; i++) {
        lines[i].paused = true;
    }
}

static void run(struct input *input)
{
    uint32_t interrupts = 0;
    irq_watch_all();
    for (uint32_t i = 0; i < LINES; i++) {
        lines[i].enabled = true;
    }
    for (unsigned ops = 0; input_more(input) && ops < OPS_MAX; ops++) {
        uint8_t op = input_u8(input);
        uint32_t intid = input_u8(input) % LINES;
        if (op < 0x60) {
            OP("line %u", intid);
            machine_irq_raise(intid);
            lines[intid].pending = true;
        } else if (op < 0xc0) {
            uint32_t times = op < 0xb0 ? 1 : op < 0xb8 ? 20 : 320;
            OP("%u interrupts, special number %u", times, INTID_SPURIOUS - op % 4);
            for (; times > 0 && interrupts < INTERRUPTS_MAX; times--, interrupts++) {
                interrupt(INTID_SPURIOUS - op % 4);
            }
        } else if (op < 0xe0) {
            set_handler(intid, op % 3, (op & 16) != 0);
        } else if (op < 0xf0) {
            unmask(intid);
        } else {
            pass_time();
        }
        check_line(intid);
        check_statistics();
    }
}

static void finish(void)
{
    for (uint32_t i = 0; i < LINES; i++) {
        check_line(i);
    }
    EXPECT_CHECK(irq_check());
}

const struct fuzz_target fuzz_target = {.name = "fuzz_irq", .run = run, .finish = finish};
