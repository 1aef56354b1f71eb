// What a C library does with the kernel: memory, streams, numbers, time, threads, jumps. Built with glibc and with
// musl.
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <semaphore.h>
#include <setjmp.h>
#include <spawn.h>
#include <sys/stat.h>
#include <time.h>

#include "facts.h"

static void memory(void)
{
    unsigned sum = 0;
    void *blocks[200];
    for (int i = 0; i < 200; i++) {
        size_t size = (size_t)(i * 977 % 70000) + 1;
        blocks[i] = malloc(size);
        memset(blocks[i], i, size);
    }
    for (int i = 0; i < 200; i += 2) {
        blocks[i] = realloc(blocks[i], 100000);
        sum += ((unsigned char *)blocks[i])[0];
    }
    for (int i = 0; i < 200; i++) {
        free(blocks[i]);
    }
    fact("realloc keeps", "%u", sum);
    char *big = malloc(40 << 20);
    big[0] = 1, big[(40 << 20) - 1] = 2;
    fact("a large block", "%d", big[0] + big[(40 << 20) - 1]);
    free(big);
    void *aligned = NULL;
    FACT(posix_memalign(&aligned, 4096, 100));
    fact("aligned", "%d", (int)((uintptr_t)aligned % 4096));
    fact("too much", "%d", malloc((size_t)1 << 60) == NULL);
}

static void streams(void)
{
    FILE *file = fopen("stream", "w+");
    for (int i = 0; i < 5000; i++) {
        fprintf(file, "%d %s\n", i, i % 2 ? "odd" : "even");
    }
    rewind(file);
    int number, lines = 0;
    char word[16];
    while (fscanf(file, "%d %15s", &number, word) == 2) {
        lines++;
    }
    fact("lines", "%d, the last %d %s", lines, number, word);
    fseek(file, -5, SEEK_END);
    fact("the end", "%d %ld", fgetc(file), ftell(file));
    ungetc('x', file);
    fact("pushed back", "%c", fgetc(file));
    fclose(file);
    char *text = NULL;
    size_t size = 0;
    file = open_memstream(&text, &size);
    fprintf(file, "%08.3f|%-5d|%+d|%x|%s", 3.14159, 42, 7, 255u, "text");
    fclose(file);
    fact("in memory", "%s %zu", text, size);
    free(text);
    file = popen("/bin/busybox echo through popen; exit 3", "r");
    fact("popen", "%d", file != NULL);
    if (file != NULL) {
        char line[64] = "";
        fgets(line, sizeof(line), file);
        fact("pclose", "%d", pclose(file) >> 8 == 127 || strlen(line) > 0); // there may be no /bin/sh
    }
    file = tmpfile();
    fact("tmpfile", "%d %d", file != NULL, file != NULL && fputs("x", file) >= 0);
    FACT(remove("stream"));
}

static void numbers(void)
{
    fact("strtol", "%ld %ld %ld", strtol("-0x1f", NULL, 0), strtol("777", NULL, 8), strtol("zz", NULL, 36));
    errno = 0;
    fact("overflow", "%lu %d", strtoul("99999999999999999999", NULL, 10), errno == ERANGE);
    fact("strtod", "%.17g %.10g %d", strtod("0.1", NULL), strtod("1e-300", NULL), isinf(strtod("1e999", NULL)) != 0);
    fact("printf", "%g %e %.0f %5.1f %a", 1e10, 12345.678, 2.5, 3.14159, 1.0);
    fact("functions", "%.10f %.10f %.10f", sin(1), pow(2, 0.5), exp(1));
    fact("long double", "%.20Lg", 1.0L / 3);
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void algorithms(void)
{
    int numbers[1000];
    for (int i = 0; i < 1000; i++) {
        numbers[i] = i * 7919 % 1009;
    }
    qsort(numbers, 1000, sizeof(int), ascending);
    int key = 500, *found = bsearch(&key, numbers, 1000, sizeof(int), ascending);
    fact("sorted", "%d %d %d", numbers[0], numbers[999], found != NULL ? *found : -1);
    regex_t pattern;
    regmatch_t match[2];
    regcomp(&pattern, "([a-z]+)[0-9]", REG_EXTENDED);
    fact("regexec", "%d %d %d", regexec(&pattern, "..abc5", 2, match, 0), match[1].rm_so, match[1].rm_eo);
    regfree(&pattern);
    glob_t names;
    close(open("g1", O_CREAT | O_WRONLY, 0600)), close(open("g2", O_CREAT | O_WRONLY, 0600));
    fact("glob", "%d", glob("g?", 0, NULL, &names));
    fact("names", "%zu %s", names.gl_pathc, names.gl_pathv[0]);
    globfree(&names);
}

static void times(void)
{
    time_t when = 1000000000;
    struct tm parts;
    char text[64];
    gmtime_r(&when, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %j %a", &parts);
    fact("a date", "%s", text);
    fact("and back", "%ld", (long)timegm(&parts));
    fact("now", "%d", time(NULL) > 1500000000);
    clock_t before = clock();
    for (volatile int i = 0; i < 3000000; i++) {
    }
    fact("processor time passes", "%d", clock() > before);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t together;
static sem_t tokens;
static int counter, turns;
static _Thread_local int own = 5;

static void *count(void *argument)
{
    pthread_barrier_wait(&together);
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    own += (int)(intptr_t)argument;
    sem_post(&tokens);
    return (void *)(intptr_t)own;
}

static void *alternate(void *argument)
{
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turns % 2 != (int)(intptr_t)argument) {
            pthread_cond_wait(&changed, &mutex);
        }
        turns++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t all[8];
    void *result;
    long sum = 0;
    pthread_barrier_init(&together, NULL, 8);
    sem_init(&tokens, 0, 0);
    for (long i = 0; i < 8; i++) {
        fact("pthread_create", "%d", pthread_create(&all[i], NULL, count, (void *)i));
    }
    for (int i = 0; i < 8; i++) {
        sem_wait(&tokens);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(all[i], &result);
        sum += (intptr_t)result;
    }
    fact("counted", "%d, thread-local %ld", counter, sum);
    for (long i = 0; i < 2; i++) {
        pthread_create(&all[i], NULL, alternate, (void *)i);
    }
    pthread_join(all[0], NULL), pthread_join(all[1], NULL);
    fact("turns", "%d", turns);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 10000000;
    soon.tv_sec += soon.tv_nsec / 1000000000, soon.tv_nsec %= 1000000000;
    pthread_mutex_lock(&mutex);
    fact("timed wait", "%d", pthread_cond_timedwait(&changed, &mutex, &soon) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static jmp_buf back;

static void jumps(void)
{
    volatile int times_here = 0;
    int value = setjmp(back);
    if (++times_here < 3) {
        longjmp(back, times_here);
    }
    fact("setjmp", "%d %d", value, times_here);
    char *argv[] = {"busybox", "false", NULL}, *environment[] = {NULL};
    pid_t pid;
    int status;
    fact("posix_spawn", "%d", posix_spawn(&pid, "/bin/busybox", NULL, NULL, argv, environment));
    waitpid(pid, &status, 0);
    fact_status("spawned", status);
    fact("posix_spawn of nothing", "%d", posix_spawn(&pid, "/none", NULL, NULL, argv, environment) == ENOENT);
}

int main(void)
{
    memory();
    streams();
    numbers();
    algorithms();
    times();
    threads();
    jumps();
    return 0;
}
