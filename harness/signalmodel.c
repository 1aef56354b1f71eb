#include "harness/signalmodel.h"

#include "harness/fuzz.h"
#include "kernel/proc/signal.h"

#define SYS_FCNTL 25u
#define SYS_TIMER_CREATE 107u
#define SYS_KILL 129u
#define SYS_TKILL 130u
#define SYS_TGKILL 131u
#define SYS_RT_SIGQUEUEINFO 138u
#define SYS_PRCTL 167u
#define SYS_RT_TGSIGQUEUEINFO 240u
#define F_SETSIG 10u
#define PR_SET_PDEATHSIG 1u
#define SIGUSR1 10
#define SIGUSR2 12
#define EVERYBODY 256u // processes, at most

static struct {
    uint32_t sent[SIGNAL_MAX + 1], handled[SIGNAL_MAX + 1];
    bool others;                                 // send signals of any number at any time
} model __attribute__((section("kernel_data"))); // a reset restores it

static void add(uint64_t signal, uint32_t times)
{
    if ((uint32_t)signal <= SIGNAL_MAX) {
        model.sent[(uint32_t)signal] += times;
    }
}

void signalmodel_called(uint64_t number, const uint64_t arguments[6])
{
    switch (number) {
    case SYS_KILL:
        add(arguments[1], (int32_t)arguments[0] > 0 ? 1 : EVERYBODY);
        break;
    case SYS_TKILL:
    case SYS_RT_SIGQUEUEINFO:
        add(arguments[1], 1);
        break;
    case SYS_TGKILL:
    case SYS_RT_TGSIGQUEUEINFO:
        add(arguments[2], 1);
        break;
    case SYS_TIMER_CREATE:
        model.others = true;
        break;
    case SYS_FCNTL:
        model.others |= (uint32_t)arguments[1] == F_SETSIG;
        break;
    case SYS_PRCTL:
        model.others |= (uint32_t)arguments[0] == PR_SET_PDEATHSIG;
        break;
    default:
        break;
    }
}

void signalmodel_cloned(unsigned exit_signal)
{
    add(exit_signal, 1);
}

void signalmodel_handled(int signal)
{
    bool counted = signal == SIGUSR1 || signal == SIGUSR2 || (signal >= SIGRTMIN && signal <= SIGNAL_MAX);
    if (!counted || model.others) {
        return;
    }
    model.handled[signal]++;
    EXPECT_MODEL(model.handled[signal] <= model.sent[signal], "signal %d was sent %u times and handled %u times",
                 signal, model.sent[signal], model.handled[signal]);
}
