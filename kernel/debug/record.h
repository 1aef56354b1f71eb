// Records: what a program reads on a noisy serial line. One line each:
//   0x1e "FL " ID " " SEQ " " KIND " " LENGTH " " CRC32 " " PAYLOAD "\n"
// CRC32 (IEEE 802.3) over "ID SEQ KIND LENGTH PAYLOAD". SEQ counts all records of a boot from 1, so that a gap shows a
// loss. Any context; never allocates.
#pragma once

#include "kernel/base/types.h"

#define RECORD_PAYLOAD_MAX 960u

enum record_kind { RECORD_LINE = 'l', RECORD_JSON = 'j', RECORD_STATUS = 's', RECORD_EVENT = 'e' };

// payload is cut at RECORD_PAYLOAD_MAX; control characters become '?'.
void record_send(uint32_t id, enum record_kind kind, const char *payload);
void debug_event(const char *json, ...) __attribute__((format(printf, 1, 2))); // RECORD_EVENT with ID 0

uint32_t crc32(uint32_t crc, const void *data, size_t size); // start with 0

// Text as a JSON string with its quotes, cut to fit.
size_t json_quote(char *out, size_t size, const char *text);
