// The validators of syscalls.def against the same rules in wider integers. Numbers and words are the input; no assert
// may be met.
#include "harness/fuzz.h"

#include "kernel/mm/usercopy.h"
#include "kernel/syscall/syscall.h"

#define WIDE unsigned __int128
#define LIMIT ((WIDE)1 << 48)

static int range(uint64_t start, WIDE size)
{
    return (WIDE)start + size <= LIMIT ? 0 : -EFAULT;
}

static int expected(const struct syscall_argument *argument, const uint64_t *words, unsigned index)
{
    uint64_t value = words[index];
    int32_t small = (int32_t)(value & 0xffffffff);
    switch (argument->kind) {
    case ARG_FD:
        return small >= 0 || argument->param == 1 ? 0 : -EBADF;
    case ARG_SIZE:
        return (WIDE)value >= (WIDE)1 << 63 ? -EINVAL : 0;
    case ARG_FLAGS:
        return ((uint32_t)value | argument->param) != argument->param ? -EINVAL : 0;
    case ARG_ENUM:
        return (uint32_t)value > argument->param ? -EINVAL : 0;
    case ARG_SIGNAL:
        return small < 1 || small > 64 ? -EINVAL : 0;
    case ARG_PATH:
        return range(value, 1);
    case ARG_BUF_IN:
    case ARG_BUF_OUT:
        return range(value, words[argument->param]);
    case ARG_STRUCT_IN_OPT:
        return value == 0 ? 0 : range(value, argument->param);
    case ARG_STRUCT_IN:
    case ARG_STRUCT_OUT:
        return range(value, argument->param);
    case ARG_VEC_IN:
        return words[argument->param] > 1024 ? -EINVAL : range(value, (WIDE)words[argument->param] * 16);
    default:
        return 0;
    }
}

static uint64_t word(struct input *input)
{
    static const uint64_t edges[] = {0, 1, 1ull << 31, UINT32_MAX, 1ull << 48, 1ull << 63, UINT64_MAX, 1024, 64, 390};
    uint8_t how = input_u8(input);
    if (how < 0x60) {
        return edges[how % ARRAY_SIZE(edges)] + (uint64_t)(int64_t)(int8_t)input_u8(input);
    }
    if (how < 0x90) {
        return (1ull << 48) - input_u16(input);
    }
    if (how < 0xc0) {
        return (1ull << (how & 63)) - 1 + (input_u8(input) & 3);
    }
    return how < 0xe0 ? input_u16(input) : input_u64(input);
}

static void run(struct input *input)
{
    while (input_more(input)) {
        const struct syscall_description *call = &syscall_table[input_range(input, (uint32_t)syscall_table_size)];
        uint64_t words[6];
        for (unsigned i = 0; i < 6; i++) {
            words[i] = word(input);
        }
        int want = 0;
        for (unsigned i = 0; i < 6 && call->arguments[i].kind != ARG_END && want == 0; i++) {
            want = expected(&call->arguments[i], words, i);
        }
        int error = syscall_validate(call, words);
        OP("%s(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx) = %d", call->name, (unsigned long long)words[0],
           (unsigned long long)words[1], (unsigned long long)words[2], (unsigned long long)words[3],
           (unsigned long long)words[4], (unsigned long long)words[5], error);
        EXPECT_MODEL(error == want, "%s: the validator says %d, arithmetic says %d", call->name, error, want);
        EXPECT_MODEL(syscall_find(call->number) == call, "number %u does not find %s", call->number, call->name);
        uint64_t number = word(input);
        const struct syscall_description *found = syscall_find(number);
        EXPECT_MODEL(found == NULL || found->number == number, "number %llu finds another call",
                     (unsigned long long)number);
        EXPECT_MODEL(found != NULL || syscall_dispatch(number, words) == -ENOSYS, "an unknown number is not -ENOSYS");
        uint64_t start = words[0], size = words[1];
        EXPECT_MODEL(user_range_ok(uaddr(start), size) == (range(start, size) == 0), "user_range_ok(0x%llx, 0x%llx)",
                     (unsigned long long)start, (unsigned long long)size);
    }
}

const struct fuzz_target fuzz_target = {.name = "fuzz_syscall_args", .run = run};
