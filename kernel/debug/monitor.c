#include "kernel/debug/monitor.h"

#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/output.h"

#define LINE_MAX 256u
#define PROMPT "faultline> "

char *monitor_next_word(char **text)
{
    char *at = *text;
    while (*at == ' ') {
        at++;
    }
    if (*at == 0) {
        return NULL;
    }
    char *word = at;
    while (*at != 0 && *at != ' ') {
        at++;
    }
    *text = at;
    if (*at != 0) {
        *at = 0;
        *text = at + 1;
    }
    return word;
}

int monitor_execute(char *line)
{
    char *name = monitor_next_word(&line);
    if (name == NULL) {
        return 0;
    }
    for (const struct command *command = monitor_commands; command->name != NULL; command++) {
        if (text_equal(name, command->name)) {
            return command->run(line);
        }
    }
    output_line("no command '%.40s'; 'help' lists them", name);
    return -ENOENT;
}

void monitor_run_list(char *commands)
{
    while (*commands != 0) {
        char *end = commands;
        while (*end != 0 && *end != ';') {
            end++;
        }
        bool more = *end != 0;
        *end = 0;
        output_begin(0);
        (void)monitor_execute(commands); // it says itself what went wrong
        output_end(0);
        commands = more ? end + 1 : end;
    }
}

// "@ID COMMAND": the answer goes into records.
static void execute_for_program(char *line)
{
    char *rest = line + 1;
    char *word = monitor_next_word(&rest);
    uint64_t id;
    if (word == NULL || parse_u64(word, &id) != 0 || id == 0 || id > INT32_MAX) {
        console_print("'@' wants a number from 1 to 2147483647 and a command\n");
        return;
    }
    output_begin((uint32_t)id);
    output_end(monitor_execute(rest));
}

static void execute_for_people(char *line)
{
    output_begin(0);
    int status = monitor_execute(line);
    if (status < 0) {
        console_print("error %d\n", status);
    }
    output_end(status);
}

// Reads a line; true when it is whole. Printable bytes are echoed, unless a program is typing.
static bool read_line(char line[LINE_MAX])
{
    size_t length = 0;
    bool whole = true;
    for (;;) {
        char byte = console_read(CONSOLE_MONITOR);
        bool echo = length > 0 ? line[0] != '@' : byte != '@';
        if (byte == '\r' || byte == '\n') {
            line[length] = 0;
            if (echo || length == 0) {
                console_write("\n", 1);
            }
            return whole;
        }
        if (byte == 0x15 || byte == 0x03) { // ^U, ^C: start over
            length = 0;
            whole = true;
            console_print("\n" PROMPT);
        } else if (byte == 0x7f || byte == '\b') {
            if (length > 0) {
                length--;
                console_print("\b \b");
            }
        } else if (byte >= ' ' && byte < 0x7f) {
            if (length + 1 < LINE_MAX) {
                line[length++] = byte;
                if (echo) {
                    console_write(&byte, 1);
                }
            } else {
                whole = false;
            }
        }
    }
}

void monitor_main(void *unused)
{
    static char line[LINE_MAX];
    for (;;) {
        console_print(PROMPT);
        if (!read_line(line)) {
            console_print("line too long: at most %u characters\n", LINE_MAX - 1);
        } else if (line[0] == '@') {
            execute_for_program(line);
        } else {
            execute_for_people(line);
        }
    }
}
