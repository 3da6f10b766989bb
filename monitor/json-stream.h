/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes, as they come in, to JSON values: one after the other, of bounded
 * length, number of tokens and depth. Nothing else of what comes in is kept.
 */
#ifndef MONITOR_JSON_STREAM_H
#define MONITOR_JSON_STREAM_H

#include <json-glib/json-glib.h>
#include <stdint.h>

/* Of one value; beyond, it is an error. */
#define JSON_BYTES_MAX (4 * 1024 * 1024)
#define JSON_TOKENS_MAX (64 * 1024)
#define JSON_DEPTH_MAX 1024

/* What came in: a value, or why it is none. Integers from 2^63 to 2^64-1 are the
 * negative number of the same 64 bits in json-glib's node. */
typedef struct JSONText {
    JsonNode *root; /* NULL: an error */
    char *id;       /* where the value is an object with a member "id": that one's
                     * value in JSON, as precise as it came; or NULL */
    char *error;    /* in the established words: "JSON parse error, ..." */
} JSONText;

/* Free what @text points to. */
void json_text_clear(JSONText *text);

typedef struct JSONStream JSONStream;

JSONStream *json_stream_new(void);
void json_stream_free(JSONStream *stream);

/* Forget what has come of a value. */
void json_stream_reset(JSONStream *stream);

/* Take bytes until one ends a value or makes an error, which is then in *@text,
 * else all. Returns how many. An error is told at once; what follows is left out
 * until the value that it is in ends, or until a byte 0xff, or one that cannot
 * be anything in JSON: then the next value begins. */
size_t json_stream_take(JSONStream *stream, const uint8_t *buf, size_t len,
                        JSONText *text);

#endif
