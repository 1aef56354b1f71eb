#include "harness/report.h"

#include "harness/harness.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SITES_MAX 256u

static struct shared {
    unsigned operations, runs;
    uint64_t fired, arrivals;
    char plan[256];
    uint8_t plan_bytes[HARNESS_PLAN_SIZE];
    bool has_plan, plan_in_bytes;
    const struct fault_site *last;
    struct {
        uint32_t reached, transient, persistent;
    } sites[SITES_MAX];
} *shared;

void report_plan(const struct fault_plan *plan)
{
    fault_plan_format(plan, shared->plan, sizeof(shared->plan));
    shared->has_plan = true;
    shared->plan_in_bytes = harness_plan_bytes(plan, shared->plan_bytes);
}

void report_run(void)
{
    __atomic_fetch_add(&shared->runs, 1, __ATOMIC_RELAXED);
}

unsigned report_runs(void)
{
    return __atomic_load_n(&shared->runs, __ATOMIC_RELAXED);
}

bool report_persistent(void)
{
    bool any = false;
    for (size_t i = 0; i < fault_site_count(); i++) {
        any |= fault_site_at(i)->failed_persistent > 0;
    }
    return any;
}

static void collect_status(void)
{
    struct fault_status status = fault_status();
    shared->operations = harness_operations;
    shared->fired += status.fired;
    shared->arrivals += status.arrivals;
    if (status.last_site != NULL) {
        shared->last = status.last_site;
    }
    if (status.armed || status.arrivals > 0) {
        report_plan(&status.plan);
    }
}

void report_collect(void)
{
    collect_status();
    for (size_t i = 0; i < fault_site_count() && i < SITES_MAX; i++) {
        const struct fault_site *site = fault_site_at(i);
        shared->sites[i].reached += site->reached;
        shared->sites[i].transient += site->failed_transient;
        shared->sites[i].persistent += site->failed_persistent;
    }
}

void report_init(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    harness_on_finding = report_collect;
}

void report_clear(void)
{
    memset(shared, 0, sizeof(*shared));
}

static void put_text(const char *text, size_t length)
{
    putchar('"');
    for (size_t i = 0; i < length && text[i] != 0; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void put_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    put_text(text, strlen(text));
}

// "FAULTLINE: kind: sentence", or the line in which a sanitizer says what it found.
static void put_finding(const char *text)
{
    const char *line = strstr(text, "FAULTLINE: ");
    const char *kind = "signal", *said = "";
    size_t kind_length = 6;
    if (line != NULL) {
        kind = line + strlen("FAULTLINE: ");
        kind_length = strcspn(kind, ":\n");
        said = kind[kind_length] == ':' ? kind + kind_length + 2 : "";
    } else if ((line = strstr(text, "Sanitizer: ")) != NULL) {
        kind = line + strlen("Sanitizer: ");
        kind_length = strcspn(kind, " \n");
        said = kind;
    } else if ((line = strstr(text, "runtime error: ")) != NULL) {
        kind = "undefined";
        kind_length = 9;
        said = line + strlen("runtime error: ");
    }
    printf(", \"kind\": ");
    put_text(kind, kind_length);
    printf(", \"text\": ");
    put_text(said, strcspn(said, "\n"));
}

// Functions of the first stack in the report.
static void put_frames(const char *text)
{
    printf(", \"frames\": [");
    unsigned expected = 0;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        unsigned number;
        int used = 0;
        if (sscanf(line, " #%u 0x%*x in %n", &number, &used) == 1 && used > 0) {
            if (number != expected) {
                break;
            }
            printf("%s", expected++ > 0 ? ", " : "");
            put_text(line + used, strcspn(line + used, " \n"));
        }
    }
    printf("]");
}

static void put_sites(void)
{
    printf(", \"sites\": [");
    for (size_t i = 0; i < fault_site_count() && i < SITES_MAX; i++) {
        const struct fault_site *site = fault_site_at(i);
        printf("%s{\"kind\": \"%s\", \"function\": \"%s\", \"file\": \"%s\", \"line\": %d, \"reached\": %u, "
               "\"failed_transient\": %u, \"failed_persistent\": %u}",
               i > 0 ? ", " : "", fault_kind_name(site->kind), site->function, site->file, site->line,
               shared->sites[i].reached, shared->sites[i].transient, shared->sites[i].persistent);
    }
    printf("]");
}

// What to put in the place of the input's first bytes, so that the file alone fails the same way; null: nothing does.
static void put_plan_bytes(void)
{
    if (!shared->has_plan || !shared->plan_in_bytes) {
        printf("null");
        return;
    }
    putchar('"');
    for (size_t i = 0; i < HARNESS_PLAN_SIZE; i++) {
        printf("%02x", shared->plan_bytes[i]);
    }
    putchar('"');
}

void report_json(const char *path, const char *verdict, const char *text, double seconds)
{
    printf("{\"target\": \"%s\"", fuzz_target.name);
    put_field("file", path);
    put_field("verdict", verdict);
    if (strcmp(verdict, "pass") != 0) {
        put_finding(text);
        put_frames(text);
    }
    printf(", \"operations\": %u, \"seconds\": %.3f", shared->operations, seconds);
    printf(", \"faults\": {\"plan\": ");
    put_text(shared->plan, strlen(shared->plan));
    printf(", \"bytes\": ");
    put_plan_bytes();
    printf(", \"arrivals\": %llu, \"fired\": %llu", (unsigned long long)shared->arrivals,
           (unsigned long long)shared->fired);
    if (shared->last != NULL) {
        put_field("last_function", shared->last->function);
        put_field("last_file", shared->last->file);
        printf(", \"last_line\": %d", shared->last->line);
    }
    printf("}");
    put_sites();
    printf("}\n");
    fflush(stdout);
}
