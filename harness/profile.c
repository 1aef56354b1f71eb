#include "harness/profile.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>

#define SLOTS 65536u // a power of two
#define INTERVAL_US 1000
#define RAW __attribute__((no_sanitize("address", "memory", "thread", "undefined")))

static struct {
    uintptr_t pc;
    uint32_t count;
} samples[SLOTS];
static uint32_t lost;
static const char *path;

RAW static void on_sample(int number, siginfo_t *info, void *context)
{
    uintptr_t pc = (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    uint32_t at = (uint32_t)(pc * 0x9e3779b97f4a7c15ull >> 32) % SLOTS;
    for (unsigned tries = 0; tries < 64; tries++, at = (at + 1) % SLOTS) {
        if (samples[at].count == 0 || samples[at].pc == pc) {
            samples[at].pc = pc;
            samples[at].count++;
            return;
        }
    }
    lost++;
}

static void write_samples(void)
{
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_PROF, &off, NULL);
    FILE *to = fopen(path, "w");
    if (to == NULL) {
        fprintf(stderr, "cannot write %s: %m\n", path);
        return;
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (samples[i].count > 0) {
            fprintf(to, "0x%lx %u\n", (unsigned long)samples[i].pc, samples[i].count);
        }
    }
    fprintf(to, "lost %u\n", lost);
    fclose(to);
}

void profile_start(void)
{
    path = getenv("FAULTLINE_PROFILE");
    if (path == NULL) {
        return;
    }
    struct sigaction action = {.sa_sigaction = on_sample, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    struct itimerval often = {{0, INTERVAL_US}, {0, INTERVAL_US}};
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    atexit(write_samples);
}
