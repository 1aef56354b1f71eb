// Keeps known values in every register that belongs to a program and looks at them again and again: run several at
// once and each switch between them must bring all of them back.
#include "faultline.h"

#define ROUNDS 6
#define SPINS 3000000ul // some milliseconds: longer than a slice, so that others are in the middle of theirs

struct registers {
    uint64_t vectors[64]; // v0 to v31
    uint64_t general[24]; // x4 to x27
    uint64_t fpcr, fpsr, thread;
};

// Loads everything, spins, stores everything.
void registers_spin(const struct registers *in, struct registers *out, uint64_t spins);

static struct registers wanted, found;

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state;
}

static void choose(uint64_t *state)
{
    for (unsigned i = 0; i < 64; i++) {
        wanted.vectors[i] = next(state);
    }
    for (unsigned i = 0; i < 24; i++) {
        wanted.general[i] = next(state);
    }
    wanted.fpcr = (*state >> 40 & 3) << 22;  // rounding mode
    wanted.fpsr = (*state >> 42 & 15) << 28; // no flag is set in between
    wanted.thread = next(state);
}

int main(int argc, char **argv, char **envp)
{
    uint64_t state = (uint64_t)sys_getpid() * 0x9e3779b97f4a7c15u;
    for (int round = 0; round < ROUNDS; round++) {
        choose(&state);
        registers_spin(&wanted, &found, SPINS);
        const char *a = (const char *)&wanted, *b = (const char *)&found;
        for (size_t i = 0; i < sizeof(wanted); i++) {
            if (a[i] != b[i]) {
                return 1;
            }
        }
        sys_sched_yield();
    }
    return 0;
}
