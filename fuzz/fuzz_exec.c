// Programs with interpreters, loaded into a space: what is mapped is what the two files say, and nothing else; a
// failure leaves nothing behind. Input: two sizes, the program /p, the interpreter /i.
#include "harness/execmodel.h"
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "kernel/fs/mount.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/exec.h"
#include "kernel/sched/thread.h"
#include <stdio.h>
#include <string.h>

#define FRAMES 768u
#define FILE_MAX 16384u

static struct page pages[FRAMES];
static struct thread me;
static struct space space;
static struct elf_image elves[2];
static uint64_t objects_before, pages_before;

static void setup(void)
{
    harness_pool(&kernel_pages, pages, FRAMES);
    this_cpu()->queue.current = &me; // mutexes ask who takes them
    if (heap_init(&kernel_heap, &kernel_pages) != 0) {
        machine_finding("model", "set-up failed");
    }
}

static void write_file(const struct path_start *start, const char *name, const uint8_t *bytes, size_t size)
{
    static char path[PATH_MAX];
    struct file *file;
    snprintf(path, sizeof(path), "%s", name);
    if (file_open(start, path, O_RDWR | O_CREAT, 0755, &file) != 0) {
        machine_finding("model", "no file can be made");
    }
    struct io io = {.kernel = (char *)bytes, .left = size};
    if (size > 0 && file_write_at(file, &io, 0) != (int64_t)size) {
        machine_finding("model", "a file cannot be written");
    }
    file_put(file);
}

static bool is_possible(int error)
{
    static const int known[] = {-ENOEXEC, -ENOMEM, -ENOENT, -EACCES, -ELOOP, -ENOTDIR, -EISDIR, -ENAMETOOLONG, -E2BIG};
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (error == known[i]) {
            return true;
        }
    }
    return false;
}

static void verify(const struct exec_strings *strings, const struct program *program, const struct exec_image *images)
{
    struct exec_image all[2] = {images[0], images[1]};
    bool interpreted = images[0].elf->interpreter_size != 0;
    if (images[0].elf->moves) { // its lowest page gives its place away
        const struct area *first = areas_find(&space.areas, 0x555555550000);
        all[0].bias = first->start - round_down(images[0].elf->segments[0].va, PAGE_SIZE);
    }
    all[1].bias = interpreted ? program->entry - images[1].elf->entry : 0;
    EXPECT_MODEL(interpreted || program->entry == images[0].elf->entry + all[0].bias, "the entry is 0x%llx",
                 (unsigned long long)program->entry);
    for (unsigned i = 0; i < 1u + interpreted; i++) {
        exec_verify_image(&space, &all[i]);
    }
    exec_verify_areas(&space, all, 1u + interpreted);
    exec_verify_stack(&space, program->sp, strings->argc, &all[0], all[1].bias);
}

static void load(const struct path_start *start, struct exec_image *images)
{
    struct exec_strings strings;
    struct program program;
    struct file *file;
    static char path[PATH_MAX];
    strcpy(path, "/p");
    int error = program_open(start, path, &file);
    if (error != 0) {
        EXPECT_MODEL(error == -ENOMEM, "opening the program gave %d", error);
        return;
    }
    error = exec_strings_init(&strings);
    error = error != 0 ? error : exec_strings_add(&strings, "one");
    error = error != 0 ? error : exec_strings_add(&strings, "");
    strings.argc = 2;
    if (error == 0 && space_init(&space, &kernel_pages) == 0) {
        error = program_load(&space, start, file, "/p", &strings, false, &program);
        OP("load = %d", error);
        if (error == 0) {
            credentials_put(program.as);
        }
        EXPECT_MODEL(error == 0 || is_possible(error), "loading gave %d", error);
        bool script = images[0].size > 2 && images[0].bytes[0] == '#';
        if (error == 0 && !script) {
            size_t head = min_u64(images[0].size, PAGE_SIZE);
            int parsed = elf_parse(images[0].bytes, head, images[0].size, &elves[0]);
            EXPECT_MODEL(parsed == 0, "what was loaded is no image");
            const char *name = (const char *)images[0].bytes + elves[0].interpreter_offset;
            bool ours = elves[0].interpreter_size == 0 || strcmp(name, "/i") == 0;
            if (elves[0].interpreter_size != 0 && ours) {
                head = min_u64(images[1].size, PAGE_SIZE);
                parsed = elf_parse(images[1].bytes, head, images[1].size, &elves[1]);
                EXPECT_MODEL(parsed == 0 && elves[1].moves, "the interpreter that was loaded is none");
            }
            if (ours) {
                verify(&strings, &program, images);
            }
        }
        EXPECT_CHECK(space_check(&space));
        space_destroy(&space);
    }
    exec_strings_free(&strings);
    file_put(file);
}

static void run(struct input *input)
{
    struct exec_image images[2] = {{.elf = &elves[0]}, {.elf = &elves[1]}};
    size_t sizes[2] = {input_u16(input) % FILE_MAX, input_u16(input) % FILE_MAX};
    struct fault_status faults = fault_status();
    fault_disarm(); // what the input makes fail is the loading
    if (mount_root(&tmpfs) != 0) {
        machine_finding("model", "no root");
    }
    struct vnode *root = mount_root_node();
    struct path_start start = {root, root, &credentials_kernel};
    for (unsigned i = 0; i < 2; i++) {
        size_t left = input->size - min_u64(input->at, input->size);
        images[i].size = min_u64(sizes[i], left);
        images[i].bytes = input->data + min_u64(input->at, input->size);
        input->at += images[i].size;
    }
    write_file(&start, "/p", images[0].bytes, images[0].size);
    write_file(&start, "/i", images[1].bytes, images[1].size);
    heap_trim(&kernel_heap);
    objects_before = heap_used_objects(&kernel_heap);
    pages_before = page_pool_free_pages(&kernel_pages);
    if (faults.armed) {
        fault_arm(&faults.plan);
    }
    load(&start, images);
    vnode_put(root); // the files stay
}

static void finish(void)
{
    heap_trim(&kernel_heap);
    uint64_t pages_left = page_pool_free_pages(&kernel_pages);
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == objects_before, "heap objects are left");
    EXPECT_NO_LEAK(pages_left == pages_before, "%lld pages are left", (long long)(pages_before - pages_left));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_exec", .setup = setup, .run = run, .finish = finish};
