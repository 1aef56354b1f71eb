// What the engines ask for: changed programs. One core (draft.h), an interface for each engine.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The group of a target: its name without "fuzz_".
size_t mutator_mutate(uint8_t *data, size_t size, size_t room, uint64_t seed, const char *group);
size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t room,
                     uint64_t seed, const char *group);
// Nothing that only this kernel has.
size_t mutator_generate(uint8_t *out, size_t room, uint64_t seed, const char *group, int unprivileged);
