// How many ways there may be from a file through sets of sets: as many as are heard of at once.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "facts.h"

static int add(int set, int file)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(set, EPOLL_CTL_ADD, file, &event);
}

static void end(const char *what, int count)
{
    fact(what, "%d, then %s", count, errno != 0 ? strerrorname_np(errno) : "no more");
}

static void apart(void (*body)(void)) // its descriptors go with it
{
    fflush(stdout);
    if (fork() == 0) {
        errno = 0;
        body();
        _exit(0);
    }
    wait(NULL);
}

static int below;

// A chain of sets over an event, and as many as go over its end.
static void chain_and_many(void)
{
    char what[64];
    int end_of_chain = eventfd(0, 0), count = 0;
    for (int i = 0; i < below; i++) {
        int set = epoll_create1(0);
        if (add(set, end_of_chain) != 0) {
            break;
        }
        end_of_chain = set;
    }
    while (count < 1200 && errno == 0 && add(epoll_create1(0), end_of_chain) == 0) {
        count++;
    }
    snprintf(what, sizeof(what), "sets over %d", below);
    end(what, count);
}

static int width;

// Layers, each set watching all of the layer below.
static void layers(void)
{
    char what[64];
    int event = eventfd(0, EFD_NONBLOCK), sets[5][32], made = 0;
    for (int d = 0; d < 5 && errno == 0; d++) {
        for (int i = 0; i < width && errno == 0; i++) {
            sets[d][i] = epoll_create1(0);
            for (int k = 0; k < (d == 0 ? 1 : width) && errno == 0; k++) {
                made += add(sets[d][i], d == 0 ? event : sets[d - 1][k]) == 0;
            }
        }
    }
    snprintf(what, sizeof(what), "layers of %d", width);
    end(what, made);
    eventfd_write(event, 1);
    struct epoll_event got[40];
    fact("heard of in the first", "%d", epoll_wait(sets[0][width - 1], got, 40, 0));
}

static void late_ways(void)
{
    int event = eventfd(0, 0), inner = epoll_create1(0), middle[40], count = 0;
    for (int i = 0; i < 40; i++) {
        middle[i] = epoll_create1(0);
        add(middle[i], inner);
    }
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 40; k++) {
            count += add(epoll_create1(0), middle[k]) == 0; // nothing is below yet
        }
    }
    end("ways from no file", count);
    FACT(add(inner, event));
    FACT(epoll_ctl(inner, EPOLL_CTL_DEL, event, NULL));
    struct epoll_event in = {.events = EPOLLIN};
    FACT(epoll_ctl(inner, EPOLL_CTL_MOD, event, &in));
}

static void circles(void)
{
    int a = epoll_create1(0), b = epoll_create1(0), c = epoll_create1(0);
    FACT(add(a, a));
    FACT(add(a, b));
    FACT(add(b, c));
    FACT(add(c, a));
    FACT(add(b, a));
    FACT(add(a, c));
    FACT(add(a, c));
}

int main(void)
{
    struct rlimit many = {4096, 4096};
    setrlimit(RLIMIT_NOFILE, &many);
    for (below = 0; below < 5; below++) {
        apart(chain_and_many);
    }
    for (width = 1; width < 32; width += width < 12 ? 1 : 5) {
        apart(layers);
    }
    apart(late_ways);
    apart(circles);
    return 0;
}
