#include "kernel/drivers/fdt.h"

#include <libfdt.h>

#include <hal/irq.h>

#include "kernel/base/format.h"
#include "kernel/drivers/fdt_walk.h"

#define ADDRESS_LIMIT (1UL << 48)
#define TREE_SIZE_MAX MIB(2) // Linux's booting.rst
#define INTERRUPT_SPI 0u
#define INTERRUPT_PPI 1u

struct reader {
    const void *fdt;
    struct machine_description *out;
    int stdout_node; // of /chosen stdout-path, or negative
};

static int fail(struct reader *reader, int error, const char *reason)
{
    reader->out->reason = reason;
    return error;
}

// One number of cells 32-bit words; cells is 1 or 2.
static uint64_t read_cells(const fdt32_t *at, int cells)
{
    uint64_t high = cells == 2 ? fdt32_ld(at) : 0;
    return high << 32 | fdt32_ld(at + cells - 1);
}

static bool cells_ok(int cells)
{
    return cells == 1 || cells == 2;
}

// Range number index of node's reg. False: there is none, or its form is wrong, or it wraps.
static bool read_range(const struct reader *reader, int parent, int node, int index, struct machine_range *out)
{
    int address = fdt_address_cells(reader->fdt, parent), size = fdt_size_cells(reader->fdt, parent), length;
    const fdt32_t *reg = fdt_getprop(reader->fdt, node, "reg", &length);
    if (reg == NULL || !cells_ok(address) || !cells_ok(size)) {
        return false;
    }
    int stride = address + size;
    if (length / 4 / stride <= index) {
        return false;
    }
    const fdt32_t *at = reg + index * stride;
    uint64_t end;
    *out = (struct machine_range){paddr(read_cells(at, address)), read_cells(at + address, size)};
    return add_fits(out->start.raw, out->size, &end) && end <= ADDRESS_LIMIT;
}

static bool text_property_is(const struct reader *reader, int node, const char *name, const char *value)
{
    int length;
    const char *text = fdt_getprop(reader->fdt, node, name, &length);
    size_t want = __builtin_strlen(value) + 1;
    return text != NULL && length >= 0 && (size_t)length == want && __builtin_memcmp(text, value, want) == 0;
}

static bool compatible(const struct reader *reader, int node, const char *with)
{
    return fdt_node_check_compatible(reader->fdt, node, with) == 0;
}

static bool usable(const struct reader *reader, int node)
{
    return fdt_getprop(reader->fdt, node, "status", NULL) == NULL || text_property_is(reader, node, "status", "okay") ||
           text_property_is(reader, node, "status", "ok");
}

// Interrupt number index of a node whose parent is a GIC with three cells: type, number, flags.
static bool read_interrupt(const struct reader *reader, int node, int index, uint32_t *out)
{
    int length;
    const fdt32_t *cells = fdt_getprop(reader->fdt, node, "interrupts", &length);
    if (cells == NULL || length / 12 <= index) {
        return false;
    }
    uint32_t type = fdt32_ld(cells + index * 3), number = fdt32_ld(cells + index * 3 + 1);
    if (type == INTERRUPT_SPI && number < INTID_MAX - INTID_SPI_FIRST) {
        *out = number + INTID_SPI_FIRST;
        return true;
    }
    if (type == INTERRUPT_PPI && number < INTID_SPI_FIRST - INTID_SGI_COUNT) {
        *out = number + INTID_SGI_COUNT;
        return true;
    }
    return false;
}

// --- memory --------------------------------------------------------------------------------------------------------

static int add_memory(struct reader *reader, struct machine_range range)
{
    struct machine_description *out = reader->out;
    uint64_t start = round_up(range.start.raw, PAGE_SIZE), end = round_down(range.start.raw + range.size, PAGE_SIZE);
    if (end <= start) {
        return 0; // less than a page: nothing we could use
    }
    if (out->memory_count == MACHINE_REGIONS_MAX) {
        return fail(reader, -E2BIG, "too many memory regions");
    }
    unsigned at = out->memory_count++;
    for (; at > 0 && out->memory[at - 1].start.raw > start; at--) {
        out->memory[at] = out->memory[at - 1];
    }
    out->memory[at] = (struct machine_range){paddr(start), end - start};
    return 0;
}

static int read_memory(struct reader *reader, int root, int node)
{
    struct machine_range range;
    if (!read_range(reader, root, node, 0, &range)) {
        return fail(reader, -EINVAL, "a memory node without a sound reg");
    }
    int length;
    (void)fdt_getprop(reader->fdt, node, "reg", &length);
    int ranges = length / 4 / (fdt_address_cells(reader->fdt, root) + fdt_size_cells(reader->fdt, root));
    for (int i = 0; i < ranges; i++) {
        if (!read_range(reader, root, node, i, &range)) {
            return fail(reader, -EINVAL, "a memory region outside the address space");
        }
        int error = add_memory(reader, range);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// Sorted already: joins neighbours, refuses overlap.
static int finish_memory(struct reader *reader)
{
    struct machine_description *out = reader->out;
    unsigned kept = 0;
    for (unsigned i = 0; i < out->memory_count; i++) {
        struct machine_range *last = kept > 0 ? &out->memory[kept - 1] : NULL;
        uint64_t last_end = last != NULL ? last->start.raw + last->size : 0;
        if (last != NULL && out->memory[i].start.raw < last_end) {
            return fail(reader, -EINVAL, "memory regions overlap");
        }
        out->memory_size += out->memory[i].size;
        if (last != NULL && out->memory[i].start.raw == last_end) {
            last->size += out->memory[i].size;
        } else {
            out->memory[kept++] = out->memory[i];
        }
    }
    out->memory_count = kept;
    return kept > 0 ? 0 : fail(reader, -ENODEV, "no memory");
}

static int add_reserved(struct reader *reader, uint64_t start, uint64_t size)
{
    struct machine_description *out = reader->out;
    uint64_t end;
    if (!add_fits(start, size, &end) || end > ADDRESS_LIMIT) {
        return fail(reader, -EINVAL, "a reservation outside the address space");
    }
    if (size == 0) {
        return 0;
    }
    if (out->reserved_count == MACHINE_RESERVED_MAX) {
        return fail(reader, -E2BIG, "too many reservations");
    }
    start = round_down(start, PAGE_SIZE);
    out->reserved[out->reserved_count++] = (struct machine_range){paddr(start), round_up(end, PAGE_SIZE) - start};
    return 0;
}

static int read_reservations(struct reader *reader)
{
    int count = fdt_num_mem_rsv(reader->fdt);
    if (count < 0) {
        return fail(reader, -EINVAL, "the memory reservation block has no end");
    }
    int error = 0;
    for (int i = 0; i < count && error == 0; i++) {
        uint64_t start = 0, size = 0;
        if (fdt_get_mem_rsv(reader->fdt, i, &start, &size) != 0) {
            return fail(reader, -EINVAL, "a bad memory reservation");
        }
        error = add_reserved(reader, start, size);
    }
    return error;
}

static int read_reserved_memory(struct reader *reader, int node)
{
    int child;
    fdt_for_each_subnode(child, reader->fdt, node)
    {
        struct machine_range range;
        for (int i = 0; read_range(reader, node, child, i, &range); i++) {
            int error = add_reserved(reader, range.start.raw, range.size);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

// --- processors ----------------------------------------------------------------------------------------------------

static int add_cpu(struct reader *reader, int parent, int node)
{
    struct machine_description *out = reader->out;
    int cells = fdt_address_cells(reader->fdt, parent), length;
    const fdt32_t *reg = fdt_getprop(reader->fdt, node, "reg", &length);
    if (reg == NULL || !cells_ok(cells) || length < cells * 4) {
        return fail(reader, -EINVAL, "a CPU without a sound reg");
    }
    uint64_t id = read_cells(reg, cells);
    for (unsigned i = 0; i < out->cpu_count; i++) {
        if (out->cpus[i] == id) {
            return fail(reader, -EINVAL, "two CPUs with one id");
        }
    }
    bool boot = id == fdt_boot_cpuid_phys(reader->fdt);
    if (out->cpu_count == MAX_CPUS) {
        out->cpus_ignored++;
        if (boot) {
            out->cpus[MAX_CPUS - 1] = out->cpus[0]; // the one we run on is always kept
            out->cpus[0] = id;
        }
        return 0;
    }
    out->cpus[out->cpu_count++] = id;
    if (boot) {
        out->cpus[out->cpu_count - 1] = out->cpus[0];
        out->cpus[0] = id;
    }
    return 0;
}

static int read_cpus(struct reader *reader, int node)
{
    int child;
    fdt_for_each_subnode(child, reader->fdt, node)
    {
        if (!text_property_is(reader, child, "device_type", "cpu") || !usable(reader, child)) {
            continue;
        }
        int error = add_cpu(reader, node, child);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// --- devices -------------------------------------------------------------------------------------------------------

static int read_gic(struct reader *reader, int parent, int node)
{
    if (!read_range(reader, parent, node, 0, &reader->out->distributor) ||
        !read_range(reader, parent, node, 1, &reader->out->redistributors)) {
        return fail(reader, -EINVAL, "the interrupt controller's reg is not sound");
    }
    return 0;
}

// The console of /chosen if it is a PL011, else the first one.
static int read_uart(struct reader *reader, int parent, int node)
{
    if (!usable(reader, node) || (reader->out->uart.size != 0 && node != reader->stdout_node)) {
        return 0;
    }
    struct machine_range range;
    uint32_t intid;
    if (!read_range(reader, parent, node, 0, &range) || range.size < PAGE_SIZE ||
        !read_interrupt(reader, node, 0, &intid)) {
        return fail(reader, -EINVAL, "a PL011 without a sound reg or interrupt");
    }
    reader->out->uart = range;
    reader->out->uart_intid = intid;
    return 0;
}

static int read_timer(struct reader *reader, int node)
{
    // Secure, non-secure, virtual, hypervisor.
    if (!read_interrupt(reader, node, 2, &reader->out->timer_intid) || reader->out->timer_intid >= INTID_SPI_FIRST) {
        return fail(reader, -EINVAL, "the timer's interrupts are not sound");
    }
    return 0;
}

static int read_psci(struct reader *reader, int node)
{
    if (text_property_is(reader, node, "method", "hvc")) {
        reader->out->psci = PSCI_HVC;
    } else if (text_property_is(reader, node, "method", "smc")) {
        reader->out->psci = PSCI_SMC;
    } else {
        return fail(reader, -EINVAL, "the PSCI method is neither hvc nor smc");
    }
    return 0;
}

// One number of one or two cells. False: there is none.
static bool read_number(const struct reader *reader, int node, const char *name, uint64_t *out)
{
    int length;
    const fdt32_t *cells = fdt_getprop(reader->fdt, node, name, &length);
    if (cells == NULL || (length != 4 && length != 8)) {
        return false;
    }
    *out = fdt32_ld(cells);
    if (length == 8) {
        *out = *out << 32 | fdt32_ld(cells + 1);
    }
    return true;
}

static int read_initrd(struct reader *reader, int chosen)
{
    uint64_t start, end;
    if (!read_number(reader, chosen, "linux,initrd-start", &start) ||
        !read_number(reader, chosen, "linux,initrd-end", &end)) {
        return 0;
    }
    uint64_t pages_end = round_up(end, PAGE_SIZE);
    if (end <= start || pages_end < end || !is_aligned(start, PAGE_SIZE)) {
        return fail(reader, -EINVAL, "the initrd is not a sound range");
    }
    reader->out->initrd = (struct machine_range){paddr(start), end - start};
    return add_reserved(reader, start, pages_end - start);
}

static int read_chosen(struct reader *reader)
{
    int chosen = fdt_path_offset(reader->fdt, "/chosen"), length;
    reader->stdout_node = -1;
    if (chosen < 0) {
        return 0;
    }
    const char *path = fdt_getprop(reader->fdt, chosen, "stdout-path", &length);
    if (path != NULL && length > 1 && path[length - 1] == 0) {
        int end = 0;
        while (path[end] != 0 && path[end] != ':') {
            end++;
        }
        reader->stdout_node = fdt_path_offset_namelen(reader->fdt, path, end);
    }
    int error = read_initrd(reader, chosen);
    if (error != 0) {
        return error;
    }
    const char *arguments = fdt_getprop(reader->fdt, chosen, "bootargs", &length);
    if (arguments == NULL) {
        return 0;
    }
    if (length <= 0 || length > (int)MACHINE_BOOTARGS_MAX || arguments[length - 1] != 0) {
        return fail(reader, -EINVAL, "bootargs is too long or does not end");
    }
    __builtin_memcpy(reader->out->bootargs, arguments, (size_t)length);
    return 0;
}

static int read_node(struct reader *reader, int parent, int node)
{
    int length = 0;
    const char *name = fdt_get_name(reader->fdt, node, &length);
    if (name == NULL) {
        return fail(reader, -EINVAL, "a node without a name");
    }
    if (text_equal(name, "cpus")) {
        return read_cpus(reader, node);
    }
    if (text_equal(name, "reserved-memory")) {
        return read_reserved_memory(reader, node);
    }
    if (text_property_is(reader, node, "device_type", "memory")) {
        return usable(reader, node) ? read_memory(reader, parent, node) : 0;
    }
    if (fdt_getprop(reader->fdt, node, "compatible", NULL) == NULL) {
        return 0;
    }
    if (compatible(reader, node, "arm,gic-v3")) {
        return read_gic(reader, parent, node);
    }
    if (compatible(reader, node, "arm,pl011")) {
        return read_uart(reader, parent, node);
    }
    if (compatible(reader, node, "arm,pl031")) {
        struct machine_range range; // nothing depends on it: a bad one is none
        if (usable(reader, node) && read_range(reader, parent, node, 0, &range) && range.size >= PAGE_SIZE) {
            reader->out->rtc = range;
        }
        return 0;
    }
    if (compatible(reader, node, "arm,armv8-timer")) {
        return read_timer(reader, node);
    }
    if (compatible(reader, node, "arm,psci-0.2") || compatible(reader, node, "arm,psci-1.0")) {
        return read_psci(reader, node);
    }
    return 0;
}

// Everything that is not in the tree's blocks is padding: only what they cover needs keeping.
static uint64_t used_size(const void *fdt)
{
    uint64_t structure = (uint64_t)fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt);
    uint64_t strings = (uint64_t)fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);
    return max_u64(structure, strings);
}

static int check_tree(struct reader *reader, size_t size_limit)
{
    const void *fdt = reader->fdt;
    if (!is_aligned((uint64_t)fdt, 8) || size_limit < sizeof(struct fdt_header) || fdt_magic(fdt) != FDT_MAGIC) {
        return fail(reader, -EINVAL, "no device tree");
    }
    uint32_t size = fdt_totalsize(fdt);
    if (size > size_limit || size > TREE_SIZE_MAX || fdt_version(fdt) < 17) {
        return fail(reader, -EINVAL, "the device tree is cut off, larger than 2 MiB, or older than version 17");
    }
    if (fdt_check_header(fdt) != 0 || used_size(fdt) > size) {
        return fail(reader, -EINVAL, "the device tree's header is not sound");
    }
    if (!fdt_walk_ends(fdt) || fdt_check_full(fdt, size) != 0) {
        return fail(reader, -EINVAL, "the device tree's structure is not sound");
    }
    return 0;
}

static int check_complete(struct reader *reader)
{
    const struct machine_description *out = reader->out;
    int error = finish_memory(reader);
    if (error != 0) {
        return error;
    }
    if (out->cpu_count == 0) {
        return fail(reader, -ENODEV, "no CPU");
    }
    if (out->distributor.size == 0 || out->redistributors.size == 0) {
        return fail(reader, -ENODEV, "no GICv3 interrupt controller");
    }
    return out->timer_intid != 0 ? 0 : fail(reader, -ENODEV, "no generic timer");
}

int fdt_describe(const void *fdt, size_t size_limit, struct machine_description *out)
{
    *out = (struct machine_description){0};
    struct reader reader = {.fdt = fdt, .out = out};
    int error = check_tree(&reader, size_limit);
    if (error == 0) {
        error = read_reservations(&reader);
    }
    if (error == 0) {
        error = read_chosen(&reader);
    }
    if (error != 0) {
        return error;
    }
    int node;
    fdt_for_each_subnode(node, fdt, 0)
    {
        error = read_node(&reader, 0, node);
        if (error != 0) {
            return error;
        }
    }
    out->tree_size = used_size(fdt);
    return check_complete(&reader);
}
