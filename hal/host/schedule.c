// Who runs next. At each switch point the machine decides, in one of three ways that the driver chooses.
#include "hal/host/internal.h"

#define POINTS_MAX 4000000u // switch points of one run
#define POINT_NS 1000u
#define JUMP_NS 700000u
#define TURN_POINTS 64u // of a turn that nothing ends before
#define FAIR_POINTS 8192u
#define GAP_BITS 8u // between two changes of priority lie up to 2 << (GAP_BITS + 4) points

static void (*overrun_hook)(void);
static uint64_t overrun_points;

void machine_on_overrun(uint64_t points, void (*hook)(void))
{
    overrun_points = points;
    overrun_hook = hook;
}

static bool runnable(unsigned index)
{
    enum machine_cpu_state state = machine.cpus[index].state;
    return state == MACHINE_CPU_RUNNING || (state == MACHINE_CPU_IDLE && machine_interrupt_waiting(index));
}

// The next CPU after this one that can run; this one when there is none.
static unsigned next_in_turn(void)
{
    for (unsigned step = 1; step < machine.cpu_high; step++) {
        unsigned index = (machine.self + step) % machine.cpu_high;
        if (runnable(index)) {
            return index;
        }
    }
    return machine.self;
}

static unsigned first_in_rank(void)
{
    unsigned best = machine.self;
    bool found = runnable(best);
    for (unsigned index = 0; index < machine.cpu_high; index++) {
        if (runnable(index) && (!found || machine.cpus[index].rank > machine.cpus[best].rank)) {
            best = index;
            found = true;
        }
    }
    return best;
}

unsigned machine_next_cpu(void)
{
    return machine.schedule == MACHINE_PRIORITIES ? first_in_rank() : next_in_turn();
}

static void hop(uint32_t times)
{
    for (; times > 0; times--) {
        machine_go_to_cpu(next_in_turn());
    }
}

// --- round-robin unless told --------------------------------------------------------------------------------------

static void something_happens(uint32_t choice)
{
    uint32_t how = choice >> 3;
    switch (choice & 7) {
    case 4:
        machine.now += (uint64_t)how * JUMP_NS;
        break;
    case 5: // an early, late or doubled timer interrupt
        machine_self()->pending |= 1u << MACHINE_TIMER_INTID;
        break;
    case 6: // its slice is over, and it comes last
        machine.now += (uint64_t)(how & 7) * JUMP_NS;
        machine_self()->pending |= 1u << MACHINE_TIMER_INTID;
        hop(1);
        break;
    case 7:
        machine.spurious = true;
        break;
    default:
        hop(1 + how % 3);
        break;
    }
}

static void end_turn(void)
{
    if (machine.choices_left == 0) {
        machine_quiet = TURN_POINTS;
        hop(1);
        return;
    }
    uint32_t gap = machine_choose(256);
    machine_quiet = gap < 128 ? gap : (gap - 127) * 32;
    something_happens(machine_choose(256));
}

// --- priorities that change a few times (PCT: Burckhardt et al., "A randomized scheduler with probabilistic guarantees
// of finding bugs", 2010) -------------------------------------------------------------------------------------------

static void comes_last(unsigned index)
{
    machine.cpus[index].rank = --machine.rank_low;
}

static uint32_t gap_to_change(void)
{
    if (machine.changes_left == 0) {
        return FAIR_POINTS;
    }
    uint32_t bits = 4 + machine_choose(GAP_BITS + 1);
    return (1u << bits) + machine_choose(1u << bits);
}

static void change_priority(void)
{
    if (machine.changes_left == 0) { // who waits for another without a word shall not wait for ever
        comes_last(machine.self);
        machine_quiet = FAIR_POINTS;
        machine_go_to_cpu(first_in_rank());
        return;
    }
    machine.changes_left--;
    if ((machine_choose(256) & 1) != 0) { // of the CPU's threads, too
        machine.now += 8ull * JUMP_NS;
        machine_self()->pending |= 1u << MACHINE_TIMER_INTID;
    }
    comes_last(machine.self);
    machine_quiet = gap_to_change();
    machine_go_to_cpu(first_in_rank());
}

void machine_schedule(enum machine_schedule mode, unsigned depth)
{
    machine.scheduled = true;
    machine.schedule = mode;
    machine.points = machine.relaxes = machine.idle_steps = 0;
    machine.race_skip = 0;
    machine.spurious = machine.overrun = false;
    machine_quiet = 0;
    if (mode == MACHINE_TURNS) {
        machine_quiet = machine.choices_left == 0 ? TURN_POINTS : machine_choose(256);
    } else if (mode == MACHINE_PRIORITIES) {
        machine.rank_low = 0;
        for (unsigned i = 0; i < MAX_CPUS; i++) {
            machine.cpus[i].rank = i < machine.cpu_high ? (int32_t)machine_choose(256) + 1 : 1;
        }
        machine.changes_left = depth;
        machine_quiet = gap_to_change();
    }
}

// --- points --------------------------------------------------------------------------------------------------------

static void count_point(void)
{
    machine.now += POINT_NS;
    if (++machine.points > POINTS_MAX) {
        machine_finding("livelock", "%u switch points and the run has not ended", POINTS_MAX);
    }
}

static void end_overrun(void)
{
    if (overrun_hook != NULL && machine.points > overrun_points && !machine.overrun && machine.scheduled &&
        machine_irq_depth == 0) {
        machine.overrun = true;
        overrun_hook();
    }
}

static void choose_each(void)
{
    uint32_t choice = machine_choose(256);
    switch (choice & 7) {
    case 4:
    case 5:
        hop((choice >> 3 & 3) + 1);
        break;
    case 6:
        machine.now += (uint64_t)(choice >> 3) * JUMP_NS;
        break;
    case 7: // an early, late or doubled timer interrupt
        machine_self()->pending |= 1u << MACHINE_TIMER_INTID;
        break;
    }
}

static void pass_point(void)
{
    if (machine_quiet > 0) {
        machine_quiet--;
    } else if (machine.schedule == MACHINE_TURNS) {
        end_turn();
    } else {
        change_priority();
    }
}

void machine_switch_point(void)
{
    if (!machine.concurrent) {
        return;
    }
    count_point();
    if (machine.schedule == MACHINE_CHOICES && machine.scheduled && machine.choices_left == 0) {
        machine.schedule = MACHINE_TURNS; // there is nothing left to choose by
        machine_quiet = TURN_POINTS;
    }
    if (machine.schedule == MACHINE_CHOICES) {
        choose_each();
    } else {
        pass_point();
        if (machine.schedule == MACHINE_PRIORITIES) {
            machine_go_to_cpu(first_in_rank());
        }
    }
    machine_deliver();
    end_overrun();
}

// Frequent: a choice says how many of these points pass before something happens, and how far the turn goes then.
void machine_race_point(void)
{
    if (!machine.concurrent || machine.cpu_high < 2 || !machine.running) {
        return;
    }
    if (machine.schedule != MACHINE_CHOICES) {
        pass_point();
        return;
    }
    if (machine.race_skip > 0) {
        machine.race_skip--;
        return;
    }
    if (machine.choices_left == 0) {
        return;
    }
    uint32_t choice = machine_choose(256);
    machine.race_skip = choice >> 2;
    hop(choice & 3);
}

void machine_atomic_point(void)
{
    if (machine.scheduled) { // saved inputs of drivers that choose no schedule do not know these points
        machine_race_point();
    }
}

void machine_unmasked(void)
{
    machine_switch_point();
}

void machine_relax(void)
{
    machine.concurrent = machine.concurrent || machine.cpu_high > 1;
    count_point();
    if (++machine.relaxes > RELAXES_MAX) {
        machine_finding("livelock", "CPU %u spins and nobody lets it go on", machine.self);
    }
    if (machine.schedule == MACHINE_CHOICES) {
        uint32_t choice = machine_choose(256) & 3;
        hop(choice < 2 ? 1 - choice : choice);
    } else if (machine.schedule == MACHINE_PRIORITIES) {
        comes_last(machine.self);
        machine_go_to_cpu(first_in_rank());
    } else {
        hop(1);
    }
    machine_deliver();
}
