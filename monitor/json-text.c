/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as QEMU writes it. See json-text.h.
 *
 * Specification: RFC 8259.
 */
#include "monitor/json-text.h"

#include <string.h>

static void append_unicode(GString *text, gunichar c)
{
    if (c >= 0x10000) {
        append_unicode(text, 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + (c & 0x3ff);
    }
    g_string_append_printf(text, "\\u%04X", c);
}

void json_text_append_string(GString *text, const char *string)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found;

    g_string_append_c(text, '"');
    while (*string) {
        gunichar c = g_utf8_get_char_validated(string, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            append_unicode(text, 0xfffd);
            string++;
            continue;
        }
        found = c < 0x80 ? strchr(special, c) : NULL;
        if (found) {
            g_string_append_c(text, '\\');
            g_string_append_c(text, letters[found - special]);
        } else if (c < ' ' || c >= 0x7f) {
            append_unicode(text, c);
        } else {
            g_string_append_c(text, c);
        }
        string = g_utf8_next_char(string);
    }
    g_string_append_c(text, '"');
}

static void append_value(GString *text, JsonNode *node)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    switch (json_node_get_value_type(node)) {
    case G_TYPE_STRING:
        json_text_append_string(text, json_node_get_string(node));
        break;
    case G_TYPE_BOOLEAN:
        g_string_append(text, json_node_get_boolean(node) ? "true" : "false");
        break;
    case G_TYPE_DOUBLE:
        g_string_append(text, g_ascii_dtostr(number, sizeof(number),
                                             json_node_get_double(node)));
        break;
    default:
        g_string_append_printf(text, "%" G_GINT64_FORMAT,
                               json_node_get_int(node));
    }
}

/* To the next of the members, or to the end of them. */
static void append_break(GString *text, const char *separator, bool pretty,
                         unsigned level)
{
    g_string_append(text, separator);
    if (pretty) {
        g_string_append_printf(text, "\r\n%*s", level * 4, "");
    } else if (*separator) {
        g_string_append_c(text, ' ');
    }
}

static void append_object(GString *text, JsonObject *object, bool pretty,
                          unsigned level)
{
    JsonObjectIter iter;
    const char *name, *separator = "";
    JsonNode *member;

    g_string_append_c(text, '{');
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &member)) {
        append_break(text, separator, pretty, level + 1);
        json_text_append_string(text, name);
        g_string_append(text, ": ");
        json_text_append(text, member, pretty, level + 1);
        separator = ",";
    }
    if (*separator) {
        append_break(text, "", pretty, level);
    }
    g_string_append_c(text, '}');
}

static void append_array(GString *text, JsonArray *array, bool pretty,
                         unsigned level)
{
    unsigned len = json_array_get_length(array);

    g_string_append_c(text, '[');
    for (unsigned i = 0; i < len; i++) {
        append_break(text, i ? "," : "", pretty, level + 1);
        json_text_append(text, json_array_get_element(array, i), pretty,
                         level + 1);
    }
    if (len) {
        append_break(text, "", pretty, level);
    }
    g_string_append_c(text, ']');
}

void json_text_append(GString *text, JsonNode *node, bool pretty,
                      unsigned level)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        append_object(text, json_node_get_object(node), pretty, level);
        break;
    case JSON_NODE_ARRAY:
        append_array(text, json_node_get_array(node), pretty, level);
        break;
    case JSON_NODE_VALUE:
        append_value(text, node);
        break;
    default:
        g_string_append(text, "null");
    }
}
