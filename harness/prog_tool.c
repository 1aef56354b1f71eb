// scripts/prog: programs from files to text and back.
#include "harness/mutator.h"
#include "user/prog/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1u << 20)

static void usage(FILE *to)
{
    fputs("usage: prog text FILE...             programs as text\n"
          "       prog encode TEXT OUT          text as a program; - is standard input or output\n"
          "       prog encode TEXT... FOLDER    each as a file there, named as it is without its ending\n"
          "       prog mutate SEED FILE OUT     a changed program\n"
          "       prog generate SEED [--group GROUP] [--unprivileged] [--count N] OUT\n"
          "                                     a new program; with --count OUT is a folder, and the names are the "
          "seeds\n"
          "GROUP: vm process files ipc signals threads, or any other word for all calls\n"
          "exit: 0 done, 1 the text is wrong, 2 cannot be done\n",
          to);
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX + 1);
    if (file == NULL || data == NULL) {
        fprintf(stderr, "prog: cannot read %s: %m\n", path);
        exit(2);
    }
    *size = fread(data, 1, FILE_MAX, file);
    if (ferror(file)) {
        fprintf(stderr, "prog: cannot read %s: %m\n", path);
        exit(2);
    }
    fclose(file);
    data[*size] = 0;
    return data;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        fprintf(stderr, "prog: cannot write %s: %m\n", path);
        exit(2);
    }
}

static int to_text(int count, char **files)
{
    static char text[PROG_TEXT_MAX];
    static struct program program;
    for (int i = 0; i < count; i++) {
        size_t size;
        uint8_t *data = read_file(files[i], &size);
        prog_decode(data, size, &program);
        prog_print(&program, text, sizeof(text));
        printf(count > 1 ? "# %s\n%s" : "%.0s%s", files[i], text);
        free(data);
    }
    return 0;
}

static int encode(const char *from, const char *to)
{
    static struct prog_parsed parsed;
    size_t size;
    uint8_t *text = read_file(from, &size);
    bool is_text = strlen((const char *)text) == size;
    snprintf(parsed.wrong, sizeof(parsed.wrong), "is no text");
    bool good = is_text && prog_parse((const char *)text, &parsed);
    free(text);
    if (!good) {
        fprintf(stderr, "prog: %s: %s\n", from, parsed.wrong);
        return 1;
    }
    write_file(to, parsed.file, parsed.size);
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int encode_all(int count, char **files, const char *folder)
{
    int status = 0;
    for (int i = 0; i < count; i++) {
        const char *slash = strrchr(files[i], '/'), *name = slash != NULL ? slash + 1 : files[i];
        const char *dot = strrchr(name, '.');
        char path[4096];
        snprintf(path, sizeof(path), "%s/%.*s", folder, (int)(dot != NULL ? (size_t)(dot - name) : strlen(name)), name);
        int one = encode(files[i], path);
        status = one != 0 ? one : status;
    }
    return status;
}

static int mutate(const char *seed, const char *from, const char *to)
{
    static uint8_t data[PROG_FILE_MAX];
    size_t size;
    uint8_t *original = read_file(from, &size);
    size = size < sizeof(data) ? size : sizeof(data);
    memcpy(data, original, size);
    free(original);
    size = mutator_mutate(data, size, sizeof(data), strtoull(seed, NULL, 0), NULL);
    write_file(to, data, size);
    return 0;
}

static int generate(int count, char **options)
{
    static uint8_t data[PROG_FILE_MAX];
    const char *group = NULL, *to = NULL;
    uint64_t seed = strtoull(options[0], NULL, 0), programs = 0;
    int unprivileged = 0;
    for (int i = 1; i < count; i++) {
        if (strcmp(options[i], "--unprivileged") == 0) {
            unprivileged = 1;
        } else if (strcmp(options[i], "--group") == 0 && i + 1 < count) {
            group = options[++i];
        } else if (strcmp(options[i], "--count") == 0 && i + 1 < count) {
            programs = strtoull(options[++i], NULL, 0);
        } else if (to == NULL && strncmp(options[i], "--", 2) != 0) {
            to = options[i];
        } else {
            fprintf(stderr, "prog: unknown option %s (--group --unprivileged --count)\n", options[i]);
            return 2;
        }
    }
    if (to == NULL) {
        usage(stderr);
        return 2;
    }
    for (uint64_t i = 0; i < (programs == 0 ? 1 : programs); i++) {
        char path[4096];
        unsigned long long name = seed + i;
        snprintf(path, sizeof(path), programs == 0 ? "%s" : "%s/%llu", to, name);
        write_file(path, data, mutator_generate(data, sizeof(data), seed + i, group, unprivileged));
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "text") == 0) {
        return to_text(argc - 2, argv + 2);
    }
    if (argc >= 4 && strcmp(argv[1], "encode") == 0 && is_folder(argv[argc - 1])) {
        return encode_all(argc - 3, argv + 2, argv[argc - 1]);
    }
    if (argc == 4 && strcmp(argv[1], "encode") == 0) {
        return encode(argv[2], argv[3]);
    }
    if (argc == 5 && strcmp(argv[1], "mutate") == 0) {
        return mutate(argv[2], argv[3], argv[4]);
    }
    if (argc >= 4 && strcmp(argv[1], "generate") == 0) {
        return generate(argc - 2, argv + 2);
    }
    usage(stderr);
    return 2;
}
