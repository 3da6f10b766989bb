/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as QEMU writes it, which scripts look for with grep: a blank after each
 * colon and comma, or four for each level; ASCII only.
 */
#ifndef MONITOR_JSON_TEXT_H
#define MONITOR_JSON_TEXT_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* Append @node to @text; @pretty: in many lines, the first one at @level. What
 * is no UTF-8 in a string becomes U+FFFD. */
void json_text_append(GString *text, JsonNode *node, bool pretty,
                      unsigned level);

/* @string in quotes. */
void json_text_append_string(GString *text, const char *string);

#endif
