/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces of the memory map (-d, -D): a listener like any other.
 */
#ifndef TRACE_H
#define TRACE_H

#include "memory.h"

typedef struct Trace Trace;

/* The items of -d, for help. */
void trace_print_items(FILE *out);

/* Parse the comma-separated @items of -d into bits; false and @err for an
 * unknown one. */
bool trace_parse(const char *items, unsigned *mask, GError **err);

/* Trace @mask to @path (NULL: standard error), from now on. NULL with @err. */
Trace *trace_new(unsigned mask, const char *path, GError **err);

/* Print what is printed at the end, and stop. NULL: nothing. */
void trace_free(Trace *trace);

#endif
