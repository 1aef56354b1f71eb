// How much a mount of files in memory may take: options, and accounts. Source: tmpfs(5).
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/fs/tmpfs_internal.h"
#include "kernel/mm/user_page.h"

// --- accounts ------------------------------------------------------------------------------------------------------

static int take(uint64_t *used, uint64_t count, const uint64_t *limit)
{
    uint64_t before = READ_ONCE(*used);
    do {
        uint64_t most = READ_ONCE(*limit);
        if (most != 0 && (before > most || count > most - before)) {
            return -ENOSPC;
        }
    } while (!__atomic_compare_exchange_n(used, &before, before + count, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 0;
}

int tmpfs_take_pages(const struct mount *mount, uint64_t count)
{
    struct tmpfs_use *use = tmpfs_use(mount);
    return take(&use->pages, count, &use->limits.pages_max);
}

void tmpfs_give_pages(const struct mount *mount, uint64_t count)
{
    (void)__atomic_fetch_sub(&tmpfs_use(mount)->pages, count, __ATOMIC_RELAXED);
}

int tmpfs_take_inode(const struct mount *mount)
{
    struct tmpfs_use *use = tmpfs_use(mount);
    // Names outlive whoever made them, as contents do: a part of the memory is for processes.
    bool full = READ_ONCE(kernel_pages.buddy.free_frames) < page_pool_total(&kernel_pages) / 16;
    return full ? -ENOSPC : take(&use->inodes, 1, &use->limits.inodes_max);
}

void tmpfs_give_inode(const struct mount *mount)
{
    (void)__atomic_fetch_sub(&tmpfs_use(mount)->inodes, 1, __ATOMIC_RELAXED);
}

// --- options -------------------------------------------------------------------------------------------------------

// A number with k, m, g, t, p or e behind it. *at moves along.
static int take_size(const char **at, uint64_t *out)
{
    static const char suffixes[] = "kmgtpe";
    uint64_t value = 0;
    const char *from = *at;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (!mul_fits(value, 10, &value) || !add_fits(value, (uint64_t)(**at - '0'), &value)) {
            return -EINVAL;
        }
    }
    for (unsigned i = 0; suffixes[i] != 0 && **at != 0; i++) {
        if ((**at | 0x20) == suffixes[i]) {
            (*at)++;
            *out = value << (10 * (i + 1));
            return value << (10 * (i + 1)) >> (10 * (i + 1)) == value ? 0 : -EINVAL;
        }
    }
    *out = value;
    return *at != from ? 0 : -EINVAL;
}

static int parse_size(const char *text, uint64_t *pages)
{
    uint64_t size;
    int error = take_size(&text, &size);
    if (error == 0 && *text == '%') {
        text++;
        error = mul_fits(size, page_pool_total(&kernel_pages), pages) ? 0 : -EINVAL;
        *pages /= 100;
    } else if (error == 0) {
        *pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
    }
    return error == 0 && *text == 0 ? 0 : -EINVAL;
}

static int parse_count(const char *text, uint64_t *out)
{
    int error = take_size(&text, out);
    return error == 0 && *text == 0 ? 0 : -EINVAL;
}

static int parse_octal(const char *text, uint32_t *out)
{
    uint32_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '7' && value < 1u << 29; at++) {
        value = value * 8 + (uint32_t)(*at - '0');
    }
    *out = value & 07777;
    return at != text && *at == 0 ? 0 : -EINVAL;
}

static int parse_id(const char *text, uint32_t *out)
{
    uint64_t value;
    int error = parse_u64(text, &value);
    *out = (uint32_t)value;
    return error == 0 && value < UINT32_MAX ? 0 : -EINVAL;
}

static int parse_one(const char *name, const char *value, struct tmpfs_options *options)
{
    static const char *const plain[] = {"rw",   "ro",     "sync",     "async",      "dirsync",
                                        "mand", "nomand", "lazytime", "nolazytime", "inode64"};
    for (unsigned i = 0; i < ARRAY_SIZE(plain); i++) {
        if (text_equal(name, plain[i])) {
            return value == NULL ? 0 : -EINVAL;
        }
    }
    if (value == NULL) {
        return -EINVAL;
    }
    if (text_equal(name, "size")) {
        options->pages_given = true;
        return parse_size(value, &options->limits.pages_max);
    }
    if (text_equal(name, "nr_blocks")) {
        options->pages_given = true;
        return parse_count(value, &options->limits.pages_max);
    }
    if (text_equal(name, "nr_inodes")) {
        options->inodes_given = true;
        return parse_count(value, &options->limits.inodes_max);
    }
    return text_equal(name, "mode")  ? parse_octal(value, &options->mode)
           : text_equal(name, "uid") ? parse_id(value, &options->uid)
           : text_equal(name, "gid") ? parse_id(value, &options->gid)
                                     : -EINVAL;
}

#define OPTION_MAX 64u

int tmpfs_parse_options(const char *text, struct tmpfs_options *options)
{
    int error = 0;
    while (*text != 0 && error == 0) {
        char option[OPTION_MAX], *value = NULL;
        size_t length = 0;
        for (; *text != 0 && *text != ','; text++) {
            if (length == OPTION_MAX - 1) {
                return -EINVAL; // none is that long
            }
            option[length] = *text;
            if (value == NULL && *text == '=') {
                option[length] = 0;
                value = option + length + 1;
            }
            length++;
        }
        option[length] = 0;
        text += *text == ',';
        error = length > 0 ? parse_one(option, value, options) : 0;
    }
    return error;
}

static int may_change(uint64_t used, uint64_t before, uint64_t wanted)
{
    return wanted != 0 && (before == 0 || used > wanted) ? -EINVAL : 0;
}

int tmpfs_change(struct mount *mount, const char *text)
{
    struct tmpfs_use *use = tmpfs_use(mount);
    struct tmpfs_options options = {.limits = use->limits};
    int error = tmpfs_parse_options(text, &options);
    if (error == 0) {
        error = may_change(READ_ONCE(use->pages), use->limits.pages_max,
                           options.pages_given ? options.limits.pages_max : 0);
    }
    if (error == 0) {
        error = may_change(READ_ONCE(use->inodes), use->limits.inodes_max,
                           options.inodes_given ? options.limits.inodes_max : 0);
    }
    if (error == 0) {
        WRITE_ONCE(use->limits.pages_max, options.limits.pages_max);
        WRITE_ONCE(use->limits.inodes_max, options.limits.inodes_max);
    }
    return error;
}
