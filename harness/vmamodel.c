#include "harness/vmamodel.h"

#include <hal/memory.h>

#include "kernel/mm/user_page.h"

#include <string.h>

struct vma_page vma_models[2][VMA_PAGES];
static paddr_t file_pages[VMA_FILE_PAGES];
static unsigned references;

static int file_page(struct backing *backing, uint64_t offset, paddr_t *out)
{
    uint64_t index = offset >> PAGE_SHIFT;
    if (index >= VMA_FILE_PAGES) {
        return -ENXIO;
    }
    int error = file_pages[index].raw == 0 ? user_page_alloc(&kernel_pages, &file_pages[index]) : 0;
    if (error == 0) {
        user_page_get(&kernel_pages, file_pages[index]);
        *out = file_pages[index];
    }
    return error;
}

static void file_get(struct backing *backing)
{
    references++;
}

static void file_put(struct backing *backing)
{
    references--;
}

static const struct backing_ops file_ops = {file_page, file_get, file_put, NULL};
struct backing vma_file = {.ops = &file_ops};

void vma_reset(void)
{
    memset(vma_models, 0, sizeof(vma_models));
    memset(file_pages, 0, sizeof(file_pages));
    references = 0;
}

struct space_request vma_request(unsigned first, unsigned count, uint8_t how, uint8_t index)
{
    bool file = (how & 16) != 0;
    return (struct space_request){
        .address = vma_address(first),
        .size = count * PAGE_SIZE,
        .flags = (how & AREA_RIGHTS) | (file && (how & 32) != 0 ? AREA_SHARED : 0),
        .fixed = true,
        .replace = (how & 64) != 0,
        .backing = file ? &vma_file : NULL,
        .offset = (uint64_t)(index % 8) * PAGE_SIZE,
    };
}

static bool any_mapped(unsigned which, unsigned first, unsigned count)
{
    bool any = false;
    for (unsigned i = first; i < first + count; i++) {
        any |= vma_models[which][i].mapped;
    }
    return any;
}

int vma_expect_map(unsigned which, unsigned first, unsigned count, const struct space_request *request)
{
    return !request->replace && any_mapped(which, first, count) ? -EEXIST : 0;
}

void vma_note_map(unsigned which, unsigned first, unsigned count, const struct space_request *request)
{
    for (unsigned i = 0; i < count; i++) {
        vma_models[which][first + i] = (struct vma_page){.mapped = true,
                                                         .flags = (uint8_t)request->flags,
                                                         .file = request->backing != NULL,
                                                         .index = (uint16_t)((request->offset >> PAGE_SHIFT) + i)};
    }
}

unsigned vma_covered(unsigned which, unsigned first, unsigned count)
{
    unsigned covered = 0;
    while (covered < count && vma_models[which][first + covered].mapped) {
        covered++;
    }
    return covered;
}

void vma_note_rights(unsigned which, unsigned first, unsigned count, unsigned rights)
{
    for (unsigned i = first; i < first + count; i++) {
        struct vma_page *page = &vma_models[which][i];
        page->flags = (uint8_t)((page->flags & ~AREA_RIGHTS) | rights);
    }
}

void vma_note_forget(unsigned which, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        vma_models[which][i].own = false;
        vma_models[which][i].value = 0;
    }
}

int vma_expect_access(unsigned which, unsigned at, bool write)
{
    const struct vma_page *page = &vma_models[which][at];
    if (!page->mapped) {
        return -EFAULT;
    }
    if ((page->flags & (write ? AREA_WRITE : AREA_RIGHTS)) == 0) {
        return -EACCES;
    }
    return page->file && page->index >= VMA_FILE_PAGES ? -ENXIO : 0;
}

void vma_verify_byte(unsigned which, unsigned at, uint8_t *byte, bool write, uint8_t value)
{
    struct vma_page *page = &vma_models[which][at];
    bool from_file = page->file && ((page->flags & AREA_SHARED) != 0 || !page->own);
    uint8_t wanted = from_file ? *(uint8_t *)phys_to_virt(file_pages[page->index]) : page->value;
    EXPECT_MODEL(*byte == wanted, "page %u holds %u, not %u", at, *byte, wanted);
    if (write) {
        *byte = value;
        page->own = true;
        page->value = value;
    }
}

void vma_finish(void)
{
    EXPECT_MODEL(references == 0, "%u references to the file are left", references);
    for (unsigned i = 0; i < VMA_FILE_PAGES; i++) {
        if (file_pages[i].raw != 0) {
            EXPECT_MODEL(user_page_references(&kernel_pages, file_pages[i]) == 1, "page %u of the file is still used",
                         i);
            user_page_put(&kernel_pages, file_pages[i]);
        }
    }
}
