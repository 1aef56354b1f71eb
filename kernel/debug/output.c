#include "kernel/debug/output.h"

#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/record.h"

static uint32_t record_id;

void output_begin(uint32_t id)
{
    record_id = id;
}

void output_end(int status)
{
    if (record_id != 0) {
        char text[16];
        format(text, sizeof(text), "%d", status);
        record_send(record_id, RECORD_STATUS, text);
    }
    record_id = 0;
}

bool output_for_program(void)
{
    return record_id != 0;
}

static void emit(enum record_kind kind, const char *text, va_list args)
{
    static char line[RECORD_PAYLOAD_MAX + 2]; // one command at a time
    size_t length = min_u64(vformat(line, RECORD_PAYLOAD_MAX + 1, text, args), RECORD_PAYLOAD_MAX);
    if (record_id != 0) {
        record_send(record_id, kind, line);
        return;
    }
    line[length] = '\n';
    console_write(line, length + 1);
}

void output_line(const char *text, ...)
{
    va_list args;
    va_start(args, text);
    emit(RECORD_LINE, text, args);
    va_end(args);
}

void output_json(const char *text, ...)
{
    if (record_id == 0) {
        return;
    }
    va_list args;
    va_start(args, text);
    emit(RECORD_JSON, text, args);
    va_end(args);
}
