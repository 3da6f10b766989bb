/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as people type them: 0x10 + 8, (3 * 4) & ~1, $pc - 16.
 *
 * Lowest first: | then ^ then & then + - then * / %, then one-sided - + ~, each
 * from left to right; parentheses. Decimal, hexadecimal after 0x, a character
 * between ' '; registers after $. What comes out fits in 64 bits, with a sign or
 * without, at every step, or it is an error. A / after a space and before a
 * letter, '.', '_' or '/' divides nothing: it begins the name of a file.
 */
#ifndef MONITOR_EXPRESSION_H
#define MONITOR_EXPRESSION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The value of register @name, @len characters; false: there is none. */
typedef bool ExpressionRegister(void *opaque, const char *name, size_t len,
                                uint64_t *value);

/*
 * Take an expression from the start of *@text, as much as belongs to it, and
 * leave *@text behind it and the spaces that follow. A negative value comes as
 * its two's complement. @reg may be NULL. False with @err.
 */
bool expression_parse(const char **text, ExpressionRegister *reg, void *opaque,
                      uint64_t *value, GError **err);

#endif
