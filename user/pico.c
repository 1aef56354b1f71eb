// A program with picolibc on our own runtime: what a C program may expect of both.
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed, constructed;
static _Thread_local int own = 7;
static jmp_buf back;

static void expect(int condition, const char *what)
{
    if (!condition) {
        failed++;
        printf("FAILED: %s\n", what);
    }
}

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

__attribute__((destructor)) static void destruct(void)
{
    printf("destructor\n");
}

static void at_exit(void)
{
    printf("atexit\n");
}

static int descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static void memory(void)
{
    char *blocks[50];
    for (int i = 0; i < 50; i++) {
        blocks[i] = malloc((size_t)(i + 1) * 1000);
        expect(blocks[i] != NULL, "malloc");
        memset(blocks[i], i, (size_t)(i + 1) * 1000);
    }
    expect(blocks[49][49999] == 49 && blocks[0][999] == 0, "blocks are apart");
    for (int i = 0; i < 50; i++) {
        free(blocks[i]);
    }
    expect(malloc((size_t)1 << 40) == NULL && errno == ENOMEM, "too much memory");
}

static void files(void)
{
    char text[32] = "";
    FILE *file = fopen("/pico.text", "w");
    expect(file != NULL && fprintf(file, "%d lines\n", 3) > 0 && fclose(file) == 0, "a file is written");
    file = fopen("/pico.text", "r");
    expect(file != NULL && fgets(text, sizeof(text), file) != NULL && strcmp(text, "3 lines\n") == 0, "and read");
    expect(file != NULL && fclose(file) == 0 && unlink("/pico.text") == 0, "and removed");
    expect(fopen("/none/such", "r") == NULL && errno == ENOENT, "errno");
}

int main(int argc, char **argv)
{
    int numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};
    char text[64];
    atexit(at_exit);
    expect(argc == 1 && constructed == 1 && own == 7, "arguments, constructors, thread-local storage");
    qsort(numbers, 8, sizeof(int), descending);
    expect(numbers[0] == 9 && numbers[7] == 1, "qsort");
    snprintf(text, sizeof(text), "%s %5.2f %x %ld", "text", 3.14159, 255u, -5l);
    expect(strcmp(text, "text  3.14 ff -5") == 0, text);
    expect(strtod("2.5e3", NULL) > 2499.9 && strtol("0x1f", NULL, 0) == 31, "numbers");
    memory();
    files();
    if (setjmp(back) == 0) {
        longjmp(back, 1);
    }
    printf("hello from picolibc, %d failures\n", failed);
    return failed;
}
