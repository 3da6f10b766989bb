/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines typed on a terminal: editing, history and completion, by GNU Readline,
 * which is given the bytes and writes to us. It leaves the terminal's modes and
 * all signals alone.
 *
 * Readline has one state for the whole program, so there is one editor at most.
 * It is set up at the first key, as that reads files. Only well-trodden keys are
 * bound: see editor.c.
 */
#ifndef MONITOR_EDITOR_H
#define MONITOR_EDITOR_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct EditorOps {
    void (*write)(void *opaque, const char *text, size_t len);
    /* The whole words that the one of @line that ends at byte @end may become,
     * char *, to be freed with g_ptr_array_unref(); it begins at *@start. */
    GPtrArray *(*complete)(void *opaque, const char *line, size_t end,
                           size_t *start);
} EditorOps;

typedef struct Editor Editor;

/* NULL: there is one already. @prompt is static; @line_max: bytes. */
Editor *editor_new(const EditorOps *ops, void *opaque, const char *prompt,
                   size_t line_max);
void editor_free(Editor *editor); /* NULL: nothing */

/* Write the prompt, and, after editor_feed() has returned a line, begin another
 * one. What was typed of the present one is written behind it. */
void editor_prompt(Editor *editor);

/* Take keys up to the end of a line. Returns how many; with a line *@line is
 * that, to be freed, and otherwise NULL. */
size_t editor_feed(Editor *editor, const uint8_t *keys, size_t len,
                   char **line);

#endif
