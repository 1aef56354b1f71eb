// The text form of fault plans.
#include <fault/fault.h>

#include "kernel/base/format.h"

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_BOOT_ALLOC] = "boot_alloc",
    [FAULT_PAGE_ALLOC] = "page_alloc",
    [FAULT_SLAB_ALLOC] = "slab_alloc",
    [FAULT_USER_COPY] = "user_copy",
};

const char *fault_kind_name(enum fault_kind kind)
{
    return kind_names[kind];
}

// The length of name when text begins with it and a separator follows; else 0.
static size_t word(const char *text, const char *name)
{
    if (!text_starts_with(text, name)) {
        return 0;
    }
    size_t length = 0;
    while (name[length] != 0) {
        length++;
    }
    char after = text[length];
    return after == 0 || after == ',' || after == '+' || after == '=' ? length : 0;
}

static size_t parse_kind(const char *text, uint32_t *kinds)
{
    size_t length = word(text, "all");
    if (length > 0) {
        *kinds |= (1u << FAULT_KINDS) - 1;
        return length;
    }
    for (unsigned kind = 0; kind < FAULT_KINDS; kind++) {
        length = word(text, kind_names[kind]);
        if (length > 0) {
            *kinds |= 1u << kind;
            return length;
        }
    }
    return 0;
}

// Digits from *text on, which is moved behind them. False: none, or too large.
static bool parse_number(const char **text, uint64_t *out)
{
    char digits[24];
    size_t length = 0;
    while ((*text)[length] >= '0' && (*text)[length] <= '9' && length + 1 < sizeof(digits)) {
        digits[length] = (*text)[length];
        length++;
    }
    digits[length] = 0;
    if (parse_u64(digits, out) != 0) {
        return false;
    }
    *text += length;
    return true;
}

static bool parse_option(const char **text, struct fault_plan *plan)
{
    if (word(*text, "persistent") > 0) {
        *text += word(*text, "persistent");
        plan->times = 0;
        return true;
    }
    uint64_t percent = 0;
    const struct {
        const char *name;
        uint64_t *value;
    } options[] = {
        {"nth", &plan->nth},   {"interval", &plan->interval}, {"times", &plan->times},
        {"seed", &plan->seed}, {"task", &plan->task},         {"probability", &percent},
    };
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        size_t length = word(*text, options[i].name);
        if (length == 0 || (*text)[length] != '=') {
            continue;
        }
        const char *value = *text + length + 1;
        const char *number = value;
        if (!parse_number(&number, options[i].value)) {
            *text = value;
            return false;
        }
        bool in_range = options[i].value == &percent ? percent >= 1 && percent <= 100
                                                     : options[i].value != &plan->times || plan->times > 0;
        *text = in_range ? number : value;
        plan->probability = percent > 0 ? (uint32_t)percent : plan->probability;
        return in_range;
    }
    return false;
}

int fault_plan_parse(const char *text, struct fault_plan *out, const char **error)
{
    struct fault_plan plan = {.times = 1};
    *error = text;
    do {
        *error += *error != text; // the + between two kinds
        size_t length = parse_kind(*error, &plan.kinds);
        if (length == 0) {
            return -EINVAL;
        }
        *error += length;
    } while (**error == '+');
    while (**error == ',') {
        (*error)++;
        if (!parse_option(error, &plan)) {
            return -EINVAL;
        }
    }
    if (**error != 0) {
        return -EINVAL;
    }
    *out = plan;
    return 0;
}

size_t fault_plan_format(const struct fault_plan *plan, char *out, size_t size)
{
    size_t length = 0;
    uint32_t all = (1u << FAULT_KINDS) - 1;
#define ADD(...) length += format(length < size ? out + length : NULL, length < size ? size - length : 0, __VA_ARGS__)
    if (plan->kinds == 0 || plan->kinds == all) {
        ADD("all");
    } else {
        for (unsigned kind = 0; kind < FAULT_KINDS; kind++) {
            if ((plan->kinds >> kind & 1) != 0) {
                ADD("%s%s", length > 0 ? "+" : "", kind_names[kind]);
            }
        }
    }
    if (plan->nth > 1) {
        ADD(",nth=%lu", plan->nth);
    }
    if (plan->interval > 1) {
        ADD(",interval=%lu", plan->interval);
    }
    if (plan->times == 0) {
        ADD(",persistent");
    } else if (plan->times > 1) {
        ADD(",times=%lu", plan->times);
    }
    if (plan->probability > 0 && plan->probability < 100) {
        ADD(",probability=%u,seed=%lu", plan->probability, plan->seed);
    }
    if (plan->task != 0) {
        ADD(",task=%lu", plan->task);
    }
#undef ADD
    return length;
}
