#include "kernel/fs/cpio.h"

#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"

#define HEADER_SIZE 110u
#define FIELDS 13u
#define TRAILER "TRAILER!!!"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_fields(const char *header, uint32_t fields[FIELDS])
{
    if (__builtin_memcmp(header, "070701", 6) != 0 && __builtin_memcmp(header, "070702", 6) != 0) {
        return false;
    }
    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = 0;
        for (unsigned k = 0; k < 8; k++) {
            int digit = hex_digit(header[6 + i * 8 + k]);
            if (digit < 0) {
                return false;
            }
            fields[i] = fields[i] << 4 | (uint32_t)digit;
        }
    }
    return true;
}

int cpio_next(const void *image, size_t size, size_t *offset, struct cpio_entry *out)
{
    const char *bytes = image;
    uint32_t fields[FIELDS];
    size_t at = *offset;
    while (at < size && bytes[at] == 0) { // archives may be padded, and follow one another
        at++;
    }
    if (at == size) {
        return -ENOENT;
    }
    if (size - at < HEADER_SIZE || !is_aligned(at, 4) || !read_fields(bytes + at, fields)) {
        return -EINVAL;
    }
    size_t name = at + HEADER_SIZE, name_size = fields[11], data_size = fields[6];
    if (name_size == 0 || name_size > size - name || bytes[name + name_size - 1] != 0) {
        return -EINVAL;
    }
    size_t data = round_up(name + name_size, 4);
    if (data > size || data_size > size - data) {
        return -EINVAL;
    }
    *out = (struct cpio_entry){
        .name = bytes + name,
        .name_length = name_size - 1,
        .data = bytes + data,
        .size = data_size,
        .ino = fields[0],
        .mode = fields[1],
        .uid = fields[2],
        .gid = fields[3],
        .links = fields[4],
        .mtime = fields[5],
        .device_major = fields[9],
        .device_minor = fields[10],
    };
    *offset = min_u64(round_up(data + data_size, 4), size);
    bool trailer =
        out->name_length == sizeof(TRAILER) - 1 && __builtin_memcmp(out->name, TRAILER, sizeof(TRAILER) - 1) == 0;
    return trailer ? -ENOENT : 0;
}

// --- unpacking -----------------------------------------------------------------------------------------------------

struct unpacking {
    struct path_start start;
    struct credentials as;
    char *path; // PATH_MAX bytes
};

static int write_contents(struct vnode *node, const struct cpio_entry *entry)
{
    struct file *file;
    int error = file_create(NULL, node, O_WRONLY, &file);
    if (error != 0) {
        return error;
    }
    error = node->ops->open(node, file);
    struct io io = {.kernel = (char *)entry->data, .left = entry->size};
    if (error == 0) {
        int64_t done = file_write_at(file, &io, 0);
        error = done < 0 ? (int)done : (uint64_t)done < entry->size ? -ENOSPC : 0;
    }
    file_put(file);
    return error;
}

static int make(struct unpacking *unpacking, const struct path_end *end, const struct cpio_entry *entry,
                struct vnode **out)
{
    char *target = NULL;
    if ((entry->mode & S_IFMT) == S_IFLNK) {
        if (entry->size == 0 || entry->size >= PATH_MAX) {
            return -EINVAL;
        }
        void *memory;
        int error = kmalloc(entry->size + 1, &memory);
        if (error != 0) {
            return error;
        }
        target = memory;
        __builtin_memcpy(target, entry->data, entry->size);
        target[entry->size] = 0;
    }
    uint64_t device = (uint64_t)entry->device_major << 8 | entry->device_minor;
    unpacking->as.uid = entry->uid;
    unpacking->as.gid = entry->gid;
    int error = end->directory->ops->create(end->directory, end->name, end->name_length, entry->mode, device, target,
                                            &unpacking->as, out);
    unpacking->as.uid = unpacking->as.gid = 0;
    kfree(target);
    return error;
}

static int unpack_one(struct unpacking *unpacking, const struct cpio_entry *entry)
{
    if (entry->name_length == 0 || entry->name_length >= PATH_MAX) {
        return -EINVAL;
    }
    __builtin_memcpy(unpacking->path, entry->name, entry->name_length);
    unpacking->path[entry->name_length] = 0;
    struct path_end end;
    int error = path_walk(&unpacking->start, unpacking->path, PATH_MAY_MISS, &end);
    if (error != 0) {
        return error;
    }
    if (end.node != NULL) { // "." and directories that are there already
        error = vnode_is(end.node, S_IFDIR) && (entry->mode & S_IFMT) == S_IFDIR ? 0 : -EEXIST;
    } else {
        error = make(unpacking, &end, entry, &end.node);
        if (error == 0 && vnode_is(end.node, S_IFREG) && entry->size > 0) {
            error = write_contents(end.node, entry);
        }
    }
    path_end_put(&end);
    return error;
}

int cpio_unpack(const void *image, size_t size, uint32_t *count)
{
    struct unpacking unpacking = {.as = {0}};
    void *memory;
    int error = kmalloc(PATH_MAX, &memory);
    if (error != 0) {
        return error;
    }
    unpacking.path = memory;
    unpacking.start.root = unpacking.start.directory = mount_root_node();
    unpacking.start.as = &unpacking.as;
    struct cpio_entry entry;
    *count = 0;
    for (size_t offset = 0; error == 0;) {
        error = cpio_next(image, size, &offset, &entry);
        if (error == 0) {
            error = unpack_one(&unpacking, &entry);
            *count += error == 0;
        }
    }
    vnode_put(unpacking.start.root);
    kfree(unpacking.path);
    return error == -ENOENT ? 0 : error;
}
