// syscalls.def as a table.
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/syscall.h"

#define FD(name_) {ARG_FD, #name_, 0}
#define FD_OR_CWD(name_) {ARG_FD, #name_, 1}
#define INT(name_) {ARG_INT, #name_, 0}
#define UINT(name_) {ARG_UINT, #name_, 0}
#define SIZE(name_) {ARG_SIZE, #name_, 0}
#define FLAGS(name_, mask) {ARG_FLAGS, #name_, (mask)}
#define ENUM(name_, last) {ARG_ENUM, #name_, (last)}
#define PID(name_) {ARG_PID, #name_, 0}
#define SIGNAL(name_) {ARG_SIGNAL, #name_, 0}
#define PATH(name_) {ARG_PATH, #name_, 0}
#define BUF_IN(name_, length) {ARG_BUF_IN, #name_, (length)}
#define BUF_OUT(name_, length) {ARG_BUF_OUT, #name_, (length)}
#define STRUCT_IN(name_, size) {ARG_STRUCT_IN, #name_, (size)}
#define STRUCT_OUT(name_, size) {ARG_STRUCT_OUT, #name_, (size)}
#define STRUCT_IN_OPT(name_, size) {ARG_STRUCT_IN_OPT, #name_, (size)}
#define STRUCT_OUT_OPT(name_, size) {ARG_STRUCT_OUT_OPT, #name_, (size)}
#define VEC_IN(name_, count) {ARG_VEC_IN, #name_, (count)}
#define ADDRESS(name_) {ARG_ADDRESS, #name_, 0}

#define SYSCALL(number_, name_, ...)                                                                                   \
    {.number = (number_), .name = #name_, .body = sys_##name_, .arguments = {__VA_ARGS__}},

const struct syscall_description syscall_table[] = {
#include "kernel/syscall/syscalls.def"
};
const size_t syscall_table_size = ARRAY_SIZE(syscall_table);

// The place of each in the table, for the one by number.
#undef SYSCALL
#define SYSCALL(number_, name_, ...) PLACE_##name_,
enum place {
#include "kernel/syscall/syscalls.def"
};
#undef SYSCALL
#define SYSCALL(number_, name_, ...) [number_] = &syscall_table[PLACE_##name_],
const struct syscall_description *const syscall_by_number[SYSCALL_NUMBERS] = {
#include "kernel/syscall/syscalls.def"
};
