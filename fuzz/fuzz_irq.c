// Interrupts nobody asked for, that no device owns up to, that never stop: all are counted where they belong, and a
// line that storms or is nobody's is masked within its bound. The model runs the controller and the counts by itself.
#include "harness/fuzz.h"

#include "harness/irqmodel.h"

#define OPS_MAX 2048u       // far from making a window pass by themselves
#define INTERRUPTS_MAX 700u // enough for two storms

static struct irq_model model;

static bool handler(uint32_t intid, void *argument)
{
    struct irq_model_line *line = argument;
    EXPECT_MODEL(line == &model.lines[intid], "interrupt %u went to another line's handler", intid);
    line->calls++;
    if (line->stuck) {
        machine_irq_raise(intid);
    }
    return line->how == CLAIMS_IT;
}

static void set_handler(uint32_t intid, enum irq_model_how how, bool stuck)
{
    struct irq_model_line *line = &model.lines[intid];
    int expected = how == NOBODYS ? (line->how == NOBODYS ? -EINVAL : 0) : line->how == NOBODYS ? 0 : -EBUSY;
    int error = how == NOBODYS ? irq_unregister(intid) : irq_register(intid, handler, line);
    OP("handler %u of line %u, stuck %d = %d", how, intid, stuck, error);
    EXPECT_MODEL(error == expected, "the handler of line %u: %d, not %d", intid, error, expected);
    if (error == 0) {
        line->how = how;
        line->stuck = stuck;
        if (how != NOBODYS) {
            irq_model_unmask(line);
        }
    }
}

static void unmask(uint32_t intid)
{
    struct irq_model_line *line = &model.lines[intid];
    int error = irq_unmask(intid);
    OP("unmask %u = %d", intid, error);
    EXPECT_MODEL(error == (line->want.masked ? 0 : -EINVAL), "unmask of line %u gave %d", intid, error);
    if (error == 0) {
        irq_model_unmask(line);
    }
}

static void pass_time(void)
{
    OP("a window passes");
    machine_pass_time(2 * IRQ_STORM_WINDOW_NS);
    for (uint32_t i = 0; i < IRQ_MODEL_LINES; i++) {
        model.lines[i].paused = true;
    }
}

static void run(struct input *input)
{
    uint32_t interrupts = 0;
    irq_watch_all();
    for (uint32_t i = 0; i < IRQ_MODEL_LINES; i++) {
        model.lines[i].enabled = true;
    }
    for (unsigned ops = 0; input_more(input) && ops < OPS_MAX; ops++) {
        uint8_t op = input_u8(input);
        uint32_t intid = input_u8(input) % IRQ_MODEL_LINES;
        if (op < 0x60) {
            OP("line %u", intid);
            machine_irq_raise(intid);
            model.lines[intid].pending = true;
        } else if (op < 0xc0) {
            uint32_t times = op < 0xb0 ? 1 : op < 0xb8 ? 20 : 320;
            OP("%u interrupts, special number %u", times, INTID_SPURIOUS - op % 4);
            for (; times > 0 && interrupts < INTERRUPTS_MAX; times--, interrupts++) {
                machine_interrupt(INTID_SPURIOUS - op % 4);
                irq_model_interrupt(&model);
            }
        } else if (op < 0xe0) {
            set_handler(intid, op % 3, (op & 16) != 0);
        } else if (op < 0xf0) {
            unmask(intid);
        } else {
            pass_time();
        }
        irq_model_check(&model, intid);
    }
}

static void finish(void)
{
    for (uint32_t i = 0; i < IRQ_MODEL_LINES; i++) {
        irq_model_check(&model, i);
    }
    EXPECT_CHECK(irq_check());
}

const struct fuzz_target fuzz_target = {.name = "fuzz_irq", .run = run, .finish = finish};
