// First files: an image against a reader that was written apart from it; whatever it holds, nothing is left behind.
#include "harness/fuzz.h"

#include <fault/fault.h>
#include <hal/memory.h>

#include "kernel/fs/cpio.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include <stdlib.h>
#include <string.h>

#define FRAMES 512u
#if defined(__has_feature) && !defined(UNSEEN)
#if __has_feature(memory_sanitizer)
#define UNSEEN true // MSan does not see what zlib writes
#endif
#endif
#ifndef UNSEEN
#define UNSEEN false
#endif
#define FILES_MAX 64u
#define HEADER 110u

static struct page pages[FRAMES];
static struct thread me;

// What an image of plain files with plain names holds.
static struct {
    struct kept {
        const uint8_t *name, *data;
        uint32_t name_length, size, mode, mtime, uid;
    } files[FILES_MAX];
    unsigned count;   // of different names
    unsigned entries; // of all
} model;

static void setup(void)
{
    harness_pool(&kernel_pages, pages, FRAMES);
    if (heap_init(&kernel_heap, &kernel_pages) != 0) {
        machine_finding("model", "set-up failed");
    }
    this_cpu()->queue.current = &me; // mutexes ask who takes them
}

// --- the model -----------------------------------------------------------------------------------------------------

static bool number(const uint8_t *text, uint32_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 8; i++) {
        const char *digits = "0123456789abcdef",
                   *at = strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
        if (text[i] == 0 || at == NULL) {
            return false;
        }
        *out = *out << 4 | (uint32_t)(at - digits);
    }
    return true;
}

static void keep(const struct kept *file)
{
    model.entries++;
    for (unsigned i = 0; i < model.count; i++) {
        struct kept *other = &model.files[i];
        if (other->name_length == file->name_length && memcmp(other->name, file->name, file->name_length) == 0) {
            *other = *file; // the later one counts
            return;
        }
    }
    model.files[model.count++] = *file;
}

enum verdict { GOOD, BROKEN, UNKNOWN };

// One entry at *at, of size bytes in all. UNKNOWN: of a kind that the model does not follow.
static enum verdict read_entry(const uint8_t *image, uint64_t size, uint64_t start, uint64_t *at, bool *trailer)
{
    uint32_t field[13];
    if (size - *at < HEADER || (memcmp(image + *at, "070701", 6) != 0 && memcmp(image + *at, "070702", 6) != 0)) {
        return BROKEN;
    }
    for (unsigned i = 0; i < 13; i++) {
        if (!number(image + *at + 6 + i * 8, &field[i])) {
            return BROKEN;
        }
    }
    uint64_t name = *at + HEADER, name_size = field[11], data = name + name_size;
    if (name_size == 0 || name_size > 4096 || name_size > size - name ||
        memchr(image + name, 0, name_size) != image + name + name_size - 1 || name_size == 1) {
        return BROKEN;
    }
    *trailer = name_size == 11 && memcmp(image + name, "TRAILER!!!", 10) == 0;
    if (*trailer) {
        *at = data;
        return GOOD;
    }
    data += (4 - (data - start) % 4) % 4;
    uint64_t end = data + field[6], next = end + (4 - (end - start) % 4) % 4;
    for (uint64_t i = 0; i < name_size - 1; i++) {
        if (image[name + i] < 'a' || image[name + i] > 'z') {
            return UNKNOWN;
        }
    }
    if ((field[1] & 0170000) != 0100000 || field[4] > 1 || name_size > 200 || model.count == FILES_MAX) {
        return UNKNOWN;
    }
    if (next > size) {
        return BROKEN;
    }
    keep(&(struct kept){image + name, image + data, (uint32_t)name_size - 1, field[6], field[1], field[5], field[2]});
    *at = next;
    return GOOD;
}

static enum verdict read_image(const uint8_t *image, uint64_t size)
{
    enum verdict verdict = GOOD;
    model.count = model.entries = 0;
    for (uint64_t at = 0; verdict == GOOD;) {
        bool trailer = false;
        while (at < size && image[at] == 0) {
            at++;
        }
        if (at == size) {
            break;
        }
        if (size - at > 2 && image[at] == 0x1f && image[at + 1] == 0x8b) {
            return UNKNOWN;
        }
        for (uint64_t start = at; verdict == GOOD && !trailer;) {
            verdict = read_entry(image, size, start, &at, &trailer);
        }
    }
    return verdict;
}

static void compare_file(struct vnode *root, const struct kept *file)
{
    static uint8_t bytes[4096];
    struct vnode *node;
    int error = root->ops->lookup(root, (const char *)file->name, file->name_length, &node);
    EXPECT_MODEL(error == 0, "a file is missing: %d", error);
    if (error != 0) {
        return;
    }
    EXPECT_MODEL(node->mode == file->mode && node->uid == file->uid && node->size == file->size && node->links == 1,
                 "a file has mode %o, uid %u, %llu bytes", node->mode, node->uid, (unsigned long long)node->size);
    EXPECT_MODEL(node->modified_ns == file->mtime * 1000000000ull, "a file has another time");
    struct file *open;
    fault_disarm();
    if (file_create(NULL, node, 0, &open) == 0) {
        struct io io = {.kernel = (char *)bytes, .left = sizeof(bytes)};
        int64_t got = node->ops->open(node, open) == 0 ? file_read_at(open, &io, 0) : -1;
        uint64_t wanted = file->size < sizeof(bytes) ? file->size : sizeof(bytes);
        EXPECT_MODEL(got == (int64_t)wanted && memcmp(bytes, file->data, wanted) == 0, "a file holds something else");
        file_put(open);
    }
    vnode_put(node);
}

static void run(struct input *input)
{
    size_t size = input->size - input->at;
    bool compressed = memchr(input->data + input->at, 0x1f, size) != NULL;
    if (size > KIB(64) || (compressed && UNSEEN)) {
        return;
    }
    uint8_t *image = malloc(size + 1); // one byte too far is seen
    memcpy(image, input->data + input->at, size);
    enum verdict verdict = read_image(image, size);
    if (mount_root(&tmpfs) == 0) {
        uint32_t count = 0;
        int error = cpio_unpack_image(image, size, &count);
        OP("unpack %zu bytes = %d after %u entries", size, error, count);
        bool excused = harness_faulted() || error == -ENOMEM || error == -ENOSPC;
        EXPECT_MODEL(verdict == UNKNOWN || excused || (error == 0) == (verdict == GOOD), "unpacking gave %d", error);
        EXPECT_MODEL(error == 0 || (error < 0 && error >= -133), "unpacking gave %d", error);
        struct vnode *root = mount_root_node();
        if (verdict == GOOD && error == 0) {
            EXPECT_MODEL(count == model.entries, "%u entries, not %u", count, model.entries);
            for (unsigned i = 0; i < model.count; i++) {
                compare_file(root, &model.files[i]);
            }
        }
        struct mount *mount = root->mount;
        EXPECT_MODEL(!tmpfs.busy(mount), "somebody still uses a file");
        vnode_put(root);
        tmpfs.unmount(mount);
        kfree(mount);
    }
    free(image);
}

static void finish(void)
{
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == 0, "%llu objects are left",
                   (unsigned long long)heap_used_objects(&kernel_heap));
    heap_trim(&kernel_heap);
    page_pool_drain(&kernel_pages);
    EXPECT_NO_LEAK(kernel_pages.buddy.free_frames == FRAMES, "%u of %u pages came back", kernel_pages.buddy.free_frames,
                   FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_cpio", .setup = setup, .run = run, .finish = finish};
