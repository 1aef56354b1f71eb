#include "kernel/debug/record.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/console.h"

static uint32_t sequence;

uint32_t crc32(uint32_t crc, const void *data, size_t size)
{
    // Four bits at a time: a small table, and still quick enough for a serial line.
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const unsigned char *at = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}

void record_send(uint32_t id, enum record_kind kind, const char *payload)
{
    char line[RECORD_PAYLOAD_MAX + 80], clean[RECORD_PAYLOAD_MAX + 1];
    size_t length = 0;
    for (; length < RECORD_PAYLOAD_MAX && payload[length] != 0; length++) {
        clean[length] = (unsigned char)payload[length] < ' ' ? '?' : payload[length];
    }
    clean[length] = 0;
    uint32_t number = atomic_add(&sequence, 1) + 1;
    size_t covered = format(line, sizeof(line), "%u %u %c %lu %s", id, number, (char)kind, (uint64_t)length, clean);
    uint32_t crc = crc32(0, line, covered);
    size_t size = format(line, sizeof(line),
                         "\x1e"
                         "FL %u %u %c %lu %08x %s\n",
                         id, number, (char)kind, (uint64_t)length, crc, clean);
    console_write(line, size); // one write: nothing of the log comes between
}

void debug_event(const char *json, ...)
{
    char payload[RECORD_PAYLOAD_MAX + 1];
    va_list args;
    va_start(args, json);
    (void)vformat(payload, sizeof(payload), json, args);
    va_end(args);
    record_send(0, RECORD_EVENT, payload);
}

size_t json_quote(char *out, size_t size, const char *text)
{
    size_t length = 0;
    if (size < 3) {
        return 0;
    }
    out[length++] = '"';
    for (; *text != 0 && length + 4 < size; text++) {
        if (*text == '"' || *text == '\\') {
            out[length++] = '\\';
        }
        out[length++] = (unsigned char)*text < ' ' ? '?' : *text;
    }
    out[length++] = '"';
    out[length] = 0;
    return length;
}
