// scripts/prog: programs from files to text and back.
#include "user/prog/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

static void usage(FILE *to)
{
    fputs("usage: prog text FILE...             programs as text\n"
          "       prog encode TEXT OUT          text as a program; - is standard input or output\n"
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

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "text") == 0) {
        return to_text(argc - 2, argv + 2);
    }
    if (argc == 4 && strcmp(argv[1], "encode") == 0) {
        return encode(argv[2], argv[3]);
    }
    usage(stderr);
    return 2;
}
