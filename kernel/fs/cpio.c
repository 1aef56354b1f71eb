#include "kernel/fs/cpio.h"

#include "kernel/fs/file.h"
#include "kernel/fs/gzip.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"

#define FIELDS 13u
#define TRAILER "TRAILER!!!"
#define CHUNK PAGE_SIZE
#define BUCKETS 32u
#define NS_PER_SECOND 1000000000ull

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

int cpio_parse(const char header[CPIO_HEADER_SIZE], struct cpio_entry *out)
{
    uint32_t fields[FIELDS];
    if (!read_fields(header, fields)) {
        return -EINVAL;
    }
    *out = (struct cpio_entry){
        .ino = fields[0],
        .mode = fields[1],
        .uid = fields[2],
        .gid = fields[3],
        .links = fields[4],
        .mtime = fields[5],
        .size = fields[6],
        .device_major = fields[7],
        .device_minor = fields[8],
        .special_major = fields[9],
        .special_minor = fields[10],
        .name_size = fields[11],
    };
    return out->name_size == 0 || out->name_size > PATH_MAX ? -EINVAL : 0;
}

// --- unpacking -----------------------------------------------------------------------------------------------------

// A file that has more than one name in the archive.
struct linked {
    struct linked *next;
    uint32_t ino, major, minor;
    struct vnode *node; // a reference
};

struct unpacking {
    struct cpio_source *source;
    uint64_t at; // in the archive: what headers and contents are aligned by
    struct path_start start;
    struct credentials as;
    struct linked *linked[BUCKETS];
    char *path;  // PATH_MAX bytes
    char *chunk; // CHUNK bytes
};

static int get(struct unpacking *unpacking, void *to, uint64_t size)
{
    int64_t got = unpacking->source->read(unpacking->source, to, size);
    unpacking->at += size;
    return got < 0 ? (int)got : (uint64_t)got < size ? -EINVAL : 0;
}

static int align(struct unpacking *unpacking)
{
    uint64_t rest = round_up(unpacking->at, 4) - unpacking->at;
    return rest > 0 ? get(unpacking, NULL, rest) : 0;
}

static struct linked **bucket_of(struct unpacking *unpacking, const struct cpio_entry *entry)
{
    return &unpacking->linked[(entry->ino ^ entry->device_minor) % BUCKETS];
}

static bool may_be_linked(const struct cpio_entry *entry)
{
    return entry->links > 1 && (entry->mode & S_IFMT) == S_IFREG;
}

// NULL: this is its first name.
static struct vnode *find_linked(struct unpacking *unpacking, const struct cpio_entry *entry)
{
    struct linked *at = may_be_linked(entry) ? *bucket_of(unpacking, entry) : NULL;
    while (at != NULL &&
           (at->ino != entry->ino || at->major != entry->device_major || at->minor != entry->device_minor)) {
        at = at->next;
    }
    return at != NULL ? at->node : NULL;
}

static int note_linked(struct unpacking *unpacking, const struct cpio_entry *entry, struct vnode *node)
{
    void *memory;
    int error = kmalloc(sizeof(struct linked), &memory);
    if (error == 0) {
        struct linked *linked = memory, **bucket = bucket_of(unpacking, entry);
        *linked = (struct linked){*bucket, entry->ino, entry->device_major, entry->device_minor, node};
        vnode_get(node);
        *bucket = linked;
    }
    return error;
}

static void forget_linked(struct unpacking *unpacking)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct linked *next;
        for (struct linked *at = unpacking->linked[i]; at != NULL; at = next) {
            next = at->next;
            vnode_put(at->node);
            kfree(at);
        }
    }
}

static int write_contents(struct unpacking *unpacking, struct vnode *node, uint32_t size)
{
    struct file *file;
    int error = file_create(NULL, node, O_WRONLY, &file);
    if (error != 0) {
        return error;
    }
    error = node->ops->open(node, file);
    for (uint64_t done = 0, part; done < size && error == 0; done += part) {
        part = min_u64(size - done, CHUNK);
        error = get(unpacking, unpacking->chunk, part);
        struct io io = {.kernel = unpacking->chunk, .left = part};
        int64_t put = error == 0 ? file_write_at(file, &io, done) : error;
        error = put < 0 ? (int)put : (uint64_t)put < part ? -ENOSPC : 0;
    }
    file_put(file);
    return error;
}

static int make_node(struct unpacking *unpacking, const struct path_end *end, const struct cpio_entry *entry,
                     const char *target, struct vnode **out)
{
    uint64_t device = (uint64_t)entry->special_major << 8 | entry->special_minor;
    int error = end->directory->ops->create == NULL
                    ? -EROFS
                    : end->directory->ops->create(end->directory, end->name, end->name_length, entry->mode, device,
                                                  target, &unpacking->as, out);
    if (error == 0) { // nobody sees it yet
        (*out)->uid = entry->uid;
        (*out)->gid = entry->gid;
    }
    return error;
}

static int make_symlink(struct unpacking *unpacking, struct path_end *end, const struct cpio_entry *entry)
{
    if (entry->size == 0 || entry->size >= CHUNK) {
        return -EINVAL;
    }
    int error = get(unpacking, unpacking->chunk, entry->size);
    unpacking->chunk[entry->size] = 0;
    return error != 0 ? error : make_node(unpacking, end, entry, unpacking->chunk, &end->node);
}

static int make_file(struct unpacking *unpacking, struct path_end *end, const struct cpio_entry *entry)
{
    struct vnode *first = find_linked(unpacking, entry);
    int error;
    if (first != NULL) {
        error =
            first->mount != end->directory->mount
                ? -EXDEV
                : end->directory->ops->link(end->directory, end->name, end->name_length, first, unpacking->start.as);
        if (error == 0) {
            end->node = first;
            vnode_get(first);
        }
    } else {
        error = make_node(unpacking, end, entry, NULL, &end->node);
        if (error == 0 && may_be_linked(entry)) {
            error = note_linked(unpacking, entry, end->node);
        }
    }
    if (error == 0 && end->node != NULL && vnode_is(end->node, S_IFREG) && entry->size > 0) {
        error = write_contents(unpacking, end->node, entry->size);
    }
    return error;
}

// What another archive, or an earlier entry, has left in the way. Directories stay: *there.
static int make_way(const struct unpacking *unpacking, struct path_end *end, const struct cpio_entry *entry,
                    bool *there)
{
    *there = end->node != NULL && vnode_is(end->node, S_IFDIR) && (entry->mode & S_IFMT) == S_IFDIR;
    if (end->node == NULL || *there) {
        return 0;
    }
    if (end->directory == NULL || vnode_is(end->node, S_IFDIR) || end->directory->ops->unlink == NULL) {
        return -EEXIST;
    }
    int error = end->directory->ops->unlink(end->directory, end->name, end->name_length, false, unpacking->start.as);
    vnode_put(end->node);
    end->node = NULL;
    return error;
}

static int unpack_one(struct unpacking *unpacking, const struct cpio_entry *entry)
{
    struct path_end end;
    bool there;
    int error = path_walk(&unpacking->start, unpacking->path, PATH_MAY_MISS, &end);
    if (error != 0) {
        return error;
    }
    uint64_t contents = unpacking->at;
    error = make_way(unpacking, &end, entry, &there);
    if (error == 0 && !there) {
        error = (entry->mode & S_IFMT) == S_IFLNK ? make_symlink(unpacking, &end, entry)
                                                  : make_file(unpacking, &end, entry);
    }
    if (error == 0 && end.node != NULL) {
        end.node->modified_ns = entry->mtime * NS_PER_SECOND;
    }
    path_end_put(&end);
    uint64_t left = entry->size - (unpacking->at - contents); // what this kind of file has no use for
    if (error == 0 && left > 0) {
        error = get(unpacking, NULL, left);
    }
    return error != 0 ? error : align(unpacking);
}

static int unpack_all(struct unpacking *unpacking, uint32_t *count)
{
    char header[CPIO_HEADER_SIZE];
    struct cpio_entry entry;
    for (;;) {
        int error = get(unpacking, header, sizeof(header));
        error = error != 0 ? error : cpio_parse(header, &entry);
        error = error != 0 ? error : get(unpacking, unpacking->path, entry.name_size);
        if (error != 0) {
            return error;
        }
        size_t length = 0;
        while (length < entry.name_size && unpacking->path[length] != 0) {
            length++;
        }
        if (length + 1 != entry.name_size || length == 0) {
            return -EINVAL;
        }
        if (length == sizeof(TRAILER) - 1 && __builtin_memcmp(unpacking->path, TRAILER, length) == 0) {
            return 0;
        }
        error = align(unpacking);
        error = error != 0 ? error : unpack_one(unpacking, &entry);
        if (error != 0) {
            return error;
        }
        (*count)++;
    }
}

int cpio_unpack(struct cpio_source *source, uint32_t *count)
{
    struct unpacking unpacking = {.source = source};
    void *path, *chunk;
    int error = kmalloc(PATH_MAX, &path);
    if (error != 0) {
        return error;
    }
    error = kmalloc(CHUNK, &chunk);
    if (error == 0) {
        unpacking.path = path;
        unpacking.chunk = chunk;
        unpacking.start.root = unpacking.start.directory = mount_root_node();
        unpacking.as = credentials_kernel;
        unpacking.start.as = &unpacking.as;
        error = unpack_all(&unpacking, count);
        forget_linked(&unpacking);
        vnode_put(unpacking.start.root);
        kfree(chunk);
    }
    kfree(path);
    return error;
}

// --- images --------------------------------------------------------------------------------------------------------

struct plain_source {
    struct cpio_source source;
    const char *bytes;
    uint64_t left;
};

static int64_t read_plain(struct cpio_source *source, void *to, uint64_t size)
{
    struct plain_source *plain = container_of(source, struct plain_source, source);
    uint64_t part = min_u64(size, plain->left);
    if (to != NULL) {
        __builtin_memcpy(to, plain->bytes, part);
    }
    plain->bytes += part;
    plain->left -= part;
    return (int64_t)part;
}

struct gzip_source {
    struct cpio_source source;
    struct gzip *gzip;
};

static int64_t read_gzip(struct cpio_source *source, void *to, uint64_t size)
{
    struct gzip_source *compressed = container_of(source, struct gzip_source, source);
    char skipped[128];
    int64_t total = 0;
    if (to != NULL) {
        return gzip_read(compressed->gzip, to, size);
    }
    while ((uint64_t)total < size) {
        int64_t got = gzip_read(compressed->gzip, skipped, min_u64(sizeof(skipped), size - (uint64_t)total));
        if (got <= 0) {
            return got < 0 ? got : total;
        }
        total += got;
    }
    return total;
}

// Also what follows the archive in the same stream, so that the next one is found.
static int unpack_gzip(const char *image, size_t size, size_t *used, uint32_t *count)
{
    struct gzip_source compressed = {.source = {read_gzip}};
    int error = gzip_open(image, size, &compressed.gzip);
    if (error != 0) {
        return error;
    }
    error = cpio_unpack(&compressed.source, count);
    int64_t more = error == 0 ? read_gzip(&compressed.source, NULL, GIB(1)) : 0;
    *used = gzip_close(compressed.gzip);
    return error != 0 ? error : more < 0 ? (int)more : 0;
}

int cpio_unpack_image(const void *image, size_t size, uint32_t *count)
{
    const char *bytes = image;
    size_t at = 0;
    int error = 0;
    *count = 0;
    while (error == 0) {
        while (at < size && bytes[at] == 0) {
            at++;
        }
        if (at == size) {
            break;
        }
        size_t used = 0;
        if (size - at > 2 && bytes[at] == '\x1f' && bytes[at + 1] == '\x8b') {
            error = unpack_gzip(bytes + at, size - at, &used, count);
        } else {
            struct plain_source plain = {.source = {read_plain}, .bytes = bytes + at, .left = size - at};
            error = cpio_unpack(&plain.source, count);
            used = size - at - plain.left;
        }
        at += used;
    }
    return error;
}
