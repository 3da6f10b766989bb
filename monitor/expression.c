/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions: one function for each level of operators, lowest first.
 */
#include "monitor/expression.h"

#include <string.h>

#include "hw/core/device.h"

/* Wide enough for every sum and difference of what is allowed. */
typedef __int128 Value;

#define VALUE_MIN (-((Value)1 << 63))
#define VALUE_MAX (((Value)1 << 64) - 1)

/* Parentheses and signs inside each other. */
#define DEPTH_MAX 100

typedef struct Parser {
    const char *start, *p;
    ExpressionRegister *reg;
    void *opaque;
    unsigned depth;
    GError **err;
} Parser;

static bool fail(Parser *parser, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(Parser *parser, const char *fmt, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, fmt);
    message = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error_literal(parser->err, FLATVIEW_ERROR, 0, message);
    return false;
}

static void skip_spaces(Parser *parser)
{
    parser->p += strspn(parser->p, " \t");
}

static bool check_range(Parser *parser, Value value)
{
    return (value >= VALUE_MIN && value <= VALUE_MAX) ||
           fail(parser, "the result does not fit in 64 bits");
}

static bool parse_number(Parser *parser, Value *value)
{
    unsigned base = 10;
    const char *start;
    Value sum = 0;

    if (parser->p[0] == '0' && (parser->p[1] | 0x20) == 'x') {
        base = 16;
        parser->p += 2;
    }
    for (start = parser->p; ; parser->p++) {
        int digit = g_ascii_xdigit_value(*parser->p);

        if (digit < 0 || digit >= (int)base) {
            break;
        }
        sum = sum * base + digit;
        if (sum > VALUE_MAX) {
            return fail(parser, "number too large");
        }
    }
    if (parser->p == start) {
        return fail(parser, "digits are missing after 0x");
    }
    *value = sum;
    return true;
}

static bool parse_register(Parser *parser, Value *value)
{
    const char *name = ++parser->p;
    uint64_t content;
    size_t len = 0;

    while (g_ascii_isalnum(name[len]) || name[len] == '_') {
        len++;
    }
    if (!parser->reg || !parser->reg(parser->opaque, name, len, &content)) {
        return fail(parser, "there is no register '$%.*s'", (int)MIN(len, 32),
                    name);
    }
    parser->p = name + len;
    *value = content;
    return true;
}

static bool parse_or(Parser *parser, Value *value);

static bool parse_primary(Parser *parser, Value *value)
{
    const char *p = parser->p;

    if (g_ascii_isdigit(*p)) {
        return parse_number(parser, value);
    }
    switch (*p) {
    case '(':
        parser->p++;
        if (!parse_or(parser, value)) {
            return false;
        }
        if (*parser->p != ')') {
            return fail(parser, "')' expected");
        }
        parser->p++;
        return true;
    case '\'':
        if (p[1] && p[2] == '\'') {
            *value = (unsigned char)p[1];
            parser->p += 3;
            return true;
        }
        return fail(parser, "one character between ' and ' expected");
    case '$':
        return parse_register(parser, value);
    case 0:
        return fail(parser, "unexpected end of the expression");
    default:
        return fail(parser, "'%.*s' is no number",
                    (int)MIN(strcspn(p, " \t"), 32), p);
    }
}

static bool parse_sign(Parser *parser, Value *value)
{
    char sign;
    bool ok;

    skip_spaces(parser);
    if (++parser->depth > DEPTH_MAX) {
        return fail(parser, "more than %u levels of signs and parentheses",
                    DEPTH_MAX);
    }
    sign = *parser->p;
    if (sign == '-' || sign == '+' || sign == '~') {
        parser->p++;
        ok = parse_sign(parser, value);
        if (ok && sign == '-') {
            *value = -*value;
            ok = check_range(parser, *value);
        } else if (ok && sign == '~') {
            *value = (uint64_t)~*value;
        }
    } else {
        ok = parse_primary(parser, value);
    }
    parser->depth--;
    skip_spaces(parser);
    return ok;
}

/* Whether the / here begins the name of a file, as in "16 /tmp/dump". */
static bool is_path(const Parser *parser)
{
    const char *p = parser->p;

    return p > parser->start && strchr(" \t", p[-1]) &&
           (g_ascii_isalpha(p[1]) || (p[1] && strchr("._/", p[1])));
}

static bool parse_product(Parser *parser, Value *value)
{
    Value right;

    if (!parse_sign(parser, value)) {
        return false;
    }
    for (;;) {
        char op = *parser->p;

        if ((op != '*' && op != '/' && op != '%') ||
            (op == '/' && is_path(parser))) {
            return true;
        }
        parser->p++;
        if (!parse_sign(parser, &right)) {
            return false;
        }
        if (op == '*') {
            if (__builtin_mul_overflow(*value, right, value)) {
                *value = VALUE_MAX + 1;
            }
        } else if (right == 0) {
            return fail(parser, "division by zero");
        } else {
            *value = op == '/' ? *value / right : *value % right;
        }
        if (!check_range(parser, *value)) {
            return false;
        }
    }
}

static bool parse_sum(Parser *parser, Value *value)
{
    Value right;

    if (!parse_product(parser, value)) {
        return false;
    }
    for (;;) {
        char op = *parser->p;

        if (op != '+' && op != '-') {
            return true;
        }
        parser->p++;
        if (!parse_product(parser, &right)) {
            return false;
        }
        *value += op == '+' ? right : -right;
        if (!check_range(parser, *value)) {
            return false;
        }
    }
}

static bool parse_and(Parser *parser, Value *value)
{
    Value right;

    if (!parse_sum(parser, value)) {
        return false;
    }
    while (*parser->p == '&') {
        parser->p++;
        if (!parse_sum(parser, &right)) {
            return false;
        }
        *value = (uint64_t)(*value & right);
    }
    return true;
}

static bool parse_xor(Parser *parser, Value *value)
{
    Value right;

    if (!parse_and(parser, value)) {
        return false;
    }
    while (*parser->p == '^') {
        parser->p++;
        if (!parse_and(parser, &right)) {
            return false;
        }
        *value = (uint64_t)(*value ^ right);
    }
    return true;
}

static bool parse_or(Parser *parser, Value *value)
{
    Value right;

    if (!parse_xor(parser, value)) {
        return false;
    }
    while (*parser->p == '|') {
        parser->p++;
        if (!parse_xor(parser, &right)) {
            return false;
        }
        *value = (uint64_t)(*value | right);
    }
    return true;
}

bool expression_parse(const char **text, ExpressionRegister *reg, void *opaque,
                      uint64_t *value, GError **err)
{
    Parser parser = {
        .start = *text, .p = *text, .reg = reg, .opaque = opaque, .err = err,
    };
    Value result;

    if (!parse_or(&parser, &result)) {
        return false;
    }
    *text = parser.p;
    *value = (uint64_t)result;
    return true;
}
