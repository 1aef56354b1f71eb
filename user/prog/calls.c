// Tables: calls, paths, special values.
#include "user/prog/calls.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FD(name_) {PROG_ARG_FD, 0, #name_}
#define FD_OR_CWD(name_) {PROG_ARG_FD, 1, #name_}
#define INT(name_) {PROG_ARG_INT, 0, #name_}
#define UINT(name_) {PROG_ARG_UINT, 0, #name_}
#define SIZE(name_) {PROG_ARG_SIZE, 0, #name_}
#define FLAGS(name_, mask) {PROG_ARG_FLAGS, (mask), #name_}
#define ENUM(name_, last) {PROG_ARG_ENUM, (last), #name_}
#define PID(name_) {PROG_ARG_PID, 0, #name_}
#define SIGNAL(name_) {PROG_ARG_SIGNAL, 0, #name_}
#define PATH(name_) {PROG_ARG_PATH, 0, #name_}
#define BUF_IN(name_, length) {PROG_ARG_BUF_IN, (length), #name_}
#define BUF_OUT(name_, length) {PROG_ARG_BUF_OUT, (length), #name_}
#define STRUCT_IN(name_, size) {PROG_ARG_STRUCT_IN, (size), #name_}
#define STRUCT_OUT(name_, size) {PROG_ARG_STRUCT_OUT, (size), #name_}
#define STRUCT_IN_OPT(name_, size) {PROG_ARG_STRUCT_IN_OPT, (size), #name_}
#define STRUCT_OUT_OPT(name_, size) {PROG_ARG_STRUCT_OUT_OPT, (size), #name_}
#define VEC_IN(name_, count) {PROG_ARG_VEC_IN, (count), #name_}
#define ADDRESS(name_) {PROG_ARG_ADDRESS, 0, #name_}

#define ARGUMENTS(...)                                                                                                 \
    .argument_count = sizeof((struct prog_argument[]){__VA_ARGS__}) / sizeof(struct prog_argument),                    \
    .arguments = {__VA_ARGS__}
#define SYSCALL(number_, name_, ...) {.number = (number_), .name = #name_, ARGUMENTS(__VA_ARGS__)},

const struct prog_description prog_descriptions[] = {
#include "kernel/syscall/syscalls.def"
    SYSCALL(PROG_LOAD, load, ADDRESS(address), SIZE(size))                // no newlines' worth
    SYSCALL(PROG_STORE, store, ADDRESS(address), UINT(value), SIZE(size)) //
    SYSCALL(PROG_ADD, add, ADDRESS(address), UINT(value))};
const unsigned prog_description_count = COUNT(prog_descriptions);

// The place of each in the table.
#undef SYSCALL
#define SYSCALL(number_, name_, ...) PLACE_##name_,
enum place {
#include "kernel/syscall/syscalls.def"
    PLACE_LOAD,
    PLACE_STORE,
    PLACE_ADD,
};
#undef SYSCALL
#define SYSCALL(number_, name_, ...) [number_] = PLACE_##name_ + 1,
static const uint8_t places[512] = {
#include "kernel/syscall/syscalls.def"
};
_Static_assert(PLACE_ADD < 255, "a place is a byte");

const struct prog_description *prog_describe(uint64_t number)
{
    if (number >= PROG_LOAD && number <= PROG_ADD) {
        return &prog_descriptions[PLACE_LOAD + (number - PROG_LOAD)];
    }
    if (number >= COUNT(places) || places[number] == 0) {
        return NULL;
    }
    return &prog_descriptions[places[number] - 1];
}

// What syscalls.def only calls an address.
static uint64_t size_at_address(const struct prog_description *call, unsigned argument, const uint64_t arguments[],
                                uint64_t result)
{
    switch (call->number) {
    case CALL_epoll_pwait:
    case CALL_epoll_pwait2:
        return argument == 1 ? 16 * result : 0;
    case CALL_ppoll:
        return argument == 0 ? 8 * arguments[1] : 0;
    case CALL_pselect6:
        return argument <= 3 ? (((uint32_t)arguments[0] + 63) / 64) * 8ull : 0;
    case CALL_getxattr:
    case CALL_lgetxattr:
    case CALL_fgetxattr:
        return argument == 2 && arguments[3] != 0 ? result : 0;
    case CALL_listxattr:
    case CALL_llistxattr:
    case CALL_flistxattr:
        return argument == 1 && arguments[2] != 0 ? result : 0;
    case CALL_getgroups:
        return argument == 1 && arguments[0] != 0 ? 4 * result : 0;
    case CALL_mincore:
        return argument == 2 ? (arguments[1] + 4095) / 4096 : 0;
    case CALL_sched_getattr:
        return argument == 1 ? arguments[2] : 0;
    default:
        return 0;
    }
}

uint64_t prog_output_size(const struct prog_description *call, unsigned argument, const uint64_t arguments[],
                          int64_t result)
{
    const struct prog_argument *about = &call->arguments[argument];
    if (result < 0) {
        return 0;
    }
    switch (about->kind) {
    case PROG_ARG_BUF_OUT: {
        uint64_t length = arguments[about->param];
        return call->number == CALL_rt_sigpending || (uint64_t)result > length ? length : (uint64_t)result;
    }
    case PROG_ARG_STRUCT_OUT:
    case PROG_ARG_STRUCT_OUT_OPT:
        return about->param;
    case PROG_ARG_ADDRESS:
        return call->number < PROG_LOAD ? size_at_address(call, argument, arguments, (uint64_t)result) : 0;
    default:
        return 0;
    }
}

#undef PATH
#define PATH(text) text,
const char *const prog_paths[] = {
#include "user/prog/values.def"
};
const unsigned prog_path_count = COUNT(prog_paths);

#define SPECIAL(value) value,
const uint64_t prog_specials[] = {
#include "user/prog/values.def"
};
const unsigned prog_special_count = COUNT(prog_specials);
