/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to JSON values. See json-stream.h.
 *
 * The values are json-glib's, its parser is not used: that one wants a whole
 * text, whose end somebody would have to find first, recurses without a bound,
 * and takes duplicate keys and numbers that do not fit. Here each byte goes
 * through the lexer, each token through the grammar, which keeps the open
 * objects and arrays in an array of levels.
 *
 * There are two kinds of errors. After a byte that cannot be part of any token
 * nothing that came before is of use: the next token is the first of a value.
 * After a token in a wrong place the brackets are still counted, and the next
 * value begins where the wrong one ends.
 *
 * Specification: RFC 8259; QEMU docs/interop/qmp-spec (strings in single quotes,
 * the byte 0xff, surrogates).
 */
#include "monitor/json-stream.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "monitor/json-text.h"

/* What is between '{' or '[' and its end, and what may come next there. */
typedef struct Level {
    JsonNode *node;
    char *key; /* of the value to come */
    enum {
        FIRST_KEY,   /* or the end */
        NEXT_KEY,
        COLON,
        MEMBER,      /* the value */
        MEMBER_END,  /* a comma or the end */
        FIRST_ELEMENT, /* or the end */
        NEXT_ELEMENT,
        ELEMENT_END,
    } state;
} Level;

struct JSONStream {
    enum {
        BETWEEN,
        STRING,
        NUMBER,
        WORD,
        RECOVERY, /* after a stray byte: until white space or punctuation */
    } lexer;
    GString *token;  /* what has come of one: escapes as they are */
    char quote;      /* STRING: the one that ends it */
    bool escaped;    /* STRING: the next byte is no end */

    GArray *levels;  /* Level */
    size_t bytes, tokens; /* of this value */
    bool skipping;   /* the rest of this value, of which an error was told */
    size_t skip_depth;
    GString *id;     /* see JSONText; NULL: there is none */
    bool in_id;
};

void json_text_clear(JSONText *text)
{
    g_clear_pointer(&text->root, json_node_unref);
    g_clear_pointer(&text->id, g_free);
    g_clear_pointer(&text->error, g_free);
}

/* ---- life -------------------------------------------------------------------- */

static void level_clear(void *opaque)
{
    Level *level = opaque;

    json_node_unref(level->node);
    g_free(level->key);
}

JSONStream *json_stream_new(void)
{
    JSONStream *s = g_new0(JSONStream, 1);

    s->token = g_string_new(NULL);
    s->levels = g_array_new(FALSE, FALSE, sizeof(Level));
    g_array_set_clear_func(s->levels, level_clear);
    return s;
}

void json_stream_free(JSONStream *s)
{
    if (s) {
        json_stream_reset(s);
        g_array_free(s->levels, TRUE);
        g_string_free(s->token, TRUE);
        g_free(s);
    }
}

/* The next token is the first of a value. */
static void value_begin(JSONStream *s)
{
    g_array_set_size(s->levels, 0);
    s->bytes = s->tokens = 0;
    s->skipping = false;
    s->in_id = false;
    if (s->id) {
        g_string_free(s->id, TRUE);
        s->id = NULL;
    }
}

static void token_begin(JSONStream *s)
{
    s->lexer = BETWEEN;
    if (s->token->allocated_len > 4096) {
        g_string_free(s->token, TRUE);
        s->token = g_string_new(NULL);
    } else {
        g_string_truncate(s->token, 0);
    }
}

void json_stream_reset(JSONStream *s)
{
    value_begin(s);
    token_begin(s);
}

/* ---- errors ------------------------------------------------------------------- */

/* The value is wrong; what follows of it is left out. */
static void __attribute__((format(printf, 3, 4)))
    grammar_error(JSONStream *s, JSONText *text, const char *fmt, ...)
{
    size_t depth = s->levels->len;
    va_list args;

    va_start(args, fmt);
    text->error = g_strdup_vprintf(fmt, args);
    va_end(args);
    value_begin(s);
    s->skipping = true;
    s->skip_depth = depth;
}

#define PARSE_ERROR "JSON parse error, "

/* The start of the token, as a message may show it; to be freed. */
static char *token_shown(JSONStream *s)
{
    return g_utf8_make_valid(s->token->str, MIN(s->token->len, 64));
}

/* @byte cannot come here: it, and the value, are dropped. */
static void stray(JSONStream *s, uint8_t byte, JSONText *text)
{
    bool was_told = s->skipping && byte != 0xff;
    char *shown;

    g_string_append_c(s->token, byte);
    shown = token_shown(s);
    if (!was_told) {
        text->error = g_strdup_printf(PARSE_ERROR "stray '%s'", shown);
    }
    g_free(shown);
    json_stream_reset(s);
    s->lexer = byte == 0xff ? BETWEEN : RECOVERY;
}

/* ---- the grammar ----------------------------------------------------------------- */

static Level *level_top(JSONStream *s)
{
    return s->levels->len
           ? &g_array_index(s->levels, Level, s->levels->len - 1) : NULL;
}

static void id_add(JSONStream *s, const char *text)
{
    if (s->in_id) {
        g_string_append(s->id, text);
    }
}

/* Where a value may come, @node does: it is kept by what it is a part of. */
static void value_put(JSONStream *s, JsonNode *node)
{
    Level *level = level_top(s);

    if (level->state == MEMBER) {
        json_object_set_member(json_node_get_object(level->node), level->key,
                               node);
        g_clear_pointer(&level->key, g_free);
        level->state = MEMBER_END;
    } else {
        json_array_add_element(json_node_get_array(level->node), node);
        level->state = ELEMENT_END;
    }
    if (s->levels->len == 1) {
        s->in_id = false;
    }
}

/* Why no value may come now, or NULL. */
static const char *value_refused(JSONStream *s)
{
    Level *level = level_top(s);

    switch (level ? (int)level->state : -1) {
    case FIRST_KEY:
    case NEXT_KEY:
        return PARSE_ERROR "key is not a string in object";
    case COLON:
        return PARSE_ERROR "missing : in object pair";
    case MEMBER_END:
        return PARSE_ERROR "expected separator in dict";
    case ELEMENT_END:
        return PARSE_ERROR "expected separator in list";
    }
    return NULL;
}

static bool token_allowed(JSONStream *s, JSONText *text)
{
    if (++s->tokens > JSON_TOKENS_MAX) {
        grammar_error(s, text, "JSON token count limit exceeded");
        return false;
    }
    return true;
}

/* A string, number or word, whose text in JSON is @source. Takes @node. */
static void scalar_token(JSONStream *s, JsonNode *node, const char *source,
                         JSONText *text)
{
    Level *level = level_top(s);
    const char *why;

    if (!token_allowed(s, text)) {
        json_node_unref(node);
        return;
    }
    if (level && (level->state == FIRST_KEY || level->state == NEXT_KEY) &&
        json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *key = json_node_get_string(node);

        if (json_object_has_member(json_node_get_object(level->node), key)) {
            grammar_error(s, text, PARSE_ERROR "duplicate key");
        } else {
            level->key = g_strdup(key);
            level->state = COLON;
            id_add(s, source);
        }
        json_node_unref(node);
        return;
    }
    why = value_refused(s);
    if (why) {
        json_node_unref(node);
        grammar_error(s, text, "%s", why);
    } else if (level) {
        id_add(s, source);
        value_put(s, node);
    } else {
        text->root = node;
        value_begin(s);
    }
}

static void open_token(JSONStream *s, char c, JSONText *text)
{
    const char *why;
    Level level = { 0 };

    if (s->skipping) {
        s->skip_depth++;
        return;
    }
    if (token_allowed(s, text)) {
        why = value_refused(s);
        if (why) {
            grammar_error(s, text, "%s", why);
        } else if (s->levels->len == JSON_DEPTH_MAX) {
            grammar_error(s, text, "JSON nesting depth limit exceeded");
        }
    }
    if (s->skipping) {
        s->skip_depth++;
        return;
    }
    level.node = json_node_new(c == '{' ? JSON_NODE_OBJECT : JSON_NODE_ARRAY);
    if (c == '{') {
        json_node_take_object(level.node, json_object_new());
        level.state = FIRST_KEY;
    } else {
        json_node_take_array(level.node, json_array_new());
        level.state = FIRST_ELEMENT;
    }
    id_add(s, c == '{' ? "{" : "[");
    g_array_append_val(s->levels, level);
}

static void close_token(JSONStream *s, char c, JSONText *text)
{
    Level *level = level_top(s);
    JsonNode *node;
    bool is_object;

    if (s->skipping) {
        if (--s->skip_depth == 0) {
            s->skipping = false;
        }
        return;
    }
    is_object = level && JSON_NODE_HOLDS_OBJECT(level->node);
    if (!level || is_object != (c == '}')) {
        text->error = g_strdup(PARSE_ERROR "expecting value");
        value_begin(s);
        return;
    }
    switch (level->state) {
    case FIRST_KEY:
    case MEMBER_END:
    case FIRST_ELEMENT:
    case ELEMENT_END:
        break;
    case COLON:
        grammar_error(s, text, "%s", value_refused(s));
        close_token(s, c, text);
        return;
    default:
        grammar_error(s, text, PARSE_ERROR "expecting value");
        close_token(s, c, text);
        return;
    }
    id_add(s, is_object ? "}" : "]");
    node = level->node;
    level->node = NULL;
    if (s->levels->len > 1) {
        s->levels->len--; /* its node lives on, and there is no key */
        value_put(s, node);
        return;
    }
    s->levels->len = 0;
    text->root = node;
    if (s->id) {
        text->id = g_string_free(s->id, FALSE);
        s->id = NULL;
    }
    value_begin(s);
}

static void separator_token(JSONStream *s, char c, JSONText *text)
{
    Level *level = level_top(s);

    if (s->skipping || !token_allowed(s, text)) {
        return;
    }
    if (!level) {
        text->error = g_strdup(PARSE_ERROR "expecting value");
        value_begin(s);
    } else if (c == ':' && level->state == COLON) {
        id_add(s, ": ");
        level->state = MEMBER;
        if (s->levels->len == 1 && strcmp(level->key, "id") == 0) {
            s->id = g_string_new(NULL);
            s->in_id = true;
        }
    } else if (c == ',' && level->state == MEMBER_END) {
        id_add(s, ", ");
        level->state = NEXT_KEY;
    } else if (c == ',' && level->state == ELEMENT_END) {
        id_add(s, ", ");
        level->state = NEXT_ELEMENT;
    } else if (level->state == COLON || level->state == MEMBER_END ||
               level->state == ELEMENT_END) {
        grammar_error(s, text, "%s", value_refused(s));
    } else {
        grammar_error(s, text, PARSE_ERROR "expecting value");
    }
}

/* ---- tokens ---------------------------------------------------------------------- */

/* A token that neither opens nor closes anything has ended, and is left out: if
 * it was all of the value, that has ended, too. */
static void scalar_skip(JSONStream *s)
{
    s->skipping = s->skip_depth > 0;
}

/* The number of four hexadecimal digits, or -1. */
static int hex4(const char *p)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(p[i]); /* -1 at the end, too */

        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* What "\uXXXX" at *@p stands for, perhaps with the next one, which then is
 * passed over, too; 0: nothing that a string may hold. */
static gunichar unicode_escape(const char **p)
{
    int first = hex4(*p + 2), second;

    if (first <= 0) {
        return 0; /* no digits, or what ends a string in C */
    }
    if (first < 0xd800 || first > 0xdfff) {
        *p += 6;
        return first;
    }
    if (first > 0xdbff || (*p)[6] != '\\' || (*p)[7] != 'u') {
        return 0;
    }
    second = hex4(*p + 8);
    if (second < 0xdc00 || second > 0xdfff) {
        return 0;
    }
    *p += 12;
    return 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
}

/* Append what the escape sequence at *@p means, and pass over it. */
static void escape_add(JSONStream *s, GString *value, const char **p,
                       JSONText *text)
{
    static const char letters[] = "\"'\\/bfnrt", values[] = "\"'\\/\b\f\n\r\t";
    const char *letter;
    gunichar c;
    char *shown;

    if ((*p)[1] == 'u') {
        c = unicode_escape(p);
        if (c) {
            g_string_append_unichar(value, c);
            return;
        }
        shown = g_utf8_make_valid(*p, strnlen(*p, 6));
        grammar_error(s, text, PARSE_ERROR
                      "%s is not a valid Unicode character", shown);
        g_free(shown);
        return;
    }
    letter = strchr(letters, (*p)[1]);
    if (!letter) {
        grammar_error(s, text, PARSE_ERROR "invalid escape sequence in string");
        return;
    }
    g_string_append_c(value, values[letter - letters]);
    *p += 2;
}

static void string_end(JSONStream *s, JSONText *text)
{
    const char *p = s->token->str;
    GString *value = g_string_sized_new(s->token->len);
    GString *source = g_string_new(NULL);
    JsonNode *node;

    while (*p && !s->skipping) {
        if (*p != '\\') {
            g_string_append_c(value, *p++);
        } else {
            escape_add(s, value, &p, text);
        }
    }
    if (!s->skipping && !g_utf8_validate(value->str, value->len, NULL)) {
        grammar_error(s, text, PARSE_ERROR "invalid UTF-8 sequence in string");
    }
    if (s->skipping) {
        scalar_skip(s);
    } else {
        node = json_node_init_string(json_node_alloc(), value->str);
        if (s->in_id) {
            json_text_append_string(source, value->str);
        }
        scalar_token(s, node, source->str, text);
    }
    g_string_free(value, TRUE);
    g_string_free(source, TRUE);
}

/* Whether the token is a number; *@is_integer: without fraction and exponent. */
static bool number_is_valid(const char *p, bool *is_integer)
{
    *is_integer = true;
    p += *p == '-';
    if (*p == '0') {
        p++;
    } else {
        if (!g_ascii_isdigit(*p)) {
            return false;
        }
        p += strspn(p, "0123456789");
    }
    if (*p == '.') {
        *is_integer = false;
        p++;
        if (!g_ascii_isdigit(*p)) {
            return false;
        }
        p += strspn(p, "0123456789");
    }
    if (*p == 'e' || *p == 'E') {
        *is_integer = false;
        p++;
        p += *p == '+' || *p == '-';
        if (!g_ascii_isdigit(*p)) {
            return false;
        }
        p += strspn(p, "0123456789");
    }
    return !*p;
}

static void number_end(JSONStream *s, JSONText *text)
{
    const char *token = s->token->str;
    JsonNode *node = json_node_alloc();
    bool is_integer;
    int64_t value;
    double real;

    if (!number_is_valid(token, &is_integer)) {
        char *shown = token_shown(s);

        json_node_unref(node);
        text->error = g_strdup_printf(PARSE_ERROR "stray '%s'", shown);
        g_free(shown);
        value_begin(s);
        return;
    }
    errno = 0;
    if (is_integer) {
        value = g_ascii_strtoll(token, NULL, 10);
        if (errno == ERANGE && *token != '-') {
            errno = 0;
            value = g_ascii_strtoull(token, NULL, 10);
        }
        if (errno == 0) {
            scalar_token(s, json_node_init_int(node, value), token, text);
            return;
        }
    }
    real = g_ascii_strtod(token, NULL);
    if (!isfinite(real)) {
        json_node_unref(node);
        grammar_error(s, text, PARSE_ERROR "number out of range");
        scalar_skip(s);
        return;
    }
    scalar_token(s, json_node_init_double(node, real), token, text);
}

static void word_end(JSONStream *s, JSONText *text)
{
    const char *token = s->token->str;
    JsonNode *node = json_node_alloc();

    if (strcmp(token, "null") == 0) {
        json_node_init_null(node);
    } else if (strcmp(token, "true") == 0 || strcmp(token, "false") == 0) {
        json_node_init_boolean(node, *token == 't');
    } else {
        char *shown = token_shown(s);

        json_node_unref(node);
        grammar_error(s, text, PARSE_ERROR "invalid keyword '%s'", shown);
        scalar_skip(s);
        g_free(shown);
        return;
    }
    scalar_token(s, node, token, text);
}

static void scalar_end(JSONStream *s, JSONText *text)
{
    if (s->skipping) {
        scalar_skip(s);
    } else if (s->lexer == STRING) {
        string_end(s, text);
    } else if (s->lexer == NUMBER) {
        number_end(s, text);
    } else {
        word_end(s, text);
    }
    token_begin(s);
}

/* ---- the lexer --------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_punctuation(uint8_t c)
{
    return c && strchr("{}[],:", c);
}

static bool is_number(uint8_t c)
{
    return g_ascii_isdigit(c) || (c && strchr("+-.eE", c));
}

static void token_add(JSONStream *s, uint8_t c)
{
    if (!s->skipping) {
        g_string_append_c(s->token, c);
    }
}

/* The first byte of a token. */
static void token_start(JSONStream *s, uint8_t c, JSONText *text)
{
    if (is_space(c)) {
        return;
    }
    if (c == '{' || c == '[') {
        open_token(s, c, text);
    } else if (c == '}' || c == ']') {
        close_token(s, c, text);
    } else if (is_punctuation(c)) {
        separator_token(s, c, text);
    } else if (c == '"' || c == '\'') {
        s->lexer = STRING;
        s->quote = c;
        s->escaped = false;
    } else if (c == '-' || g_ascii_isdigit(c)) {
        s->lexer = NUMBER;
        token_add(s, c);
    } else if (g_ascii_islower(c)) {
        s->lexer = WORD;
        token_add(s, c);
    } else {
        stray(s, c, text);
    }
}

static void string_byte(JSONStream *s, uint8_t c, JSONText *text)
{
    if (c < ' ' || c == 0xff) {
        g_string_prepend_c(s->token, s->quote);
        stray(s, c, text);
    } else if (c == s->quote && !s->escaped) {
        scalar_end(s, text);
    } else {
        s->escaped = c == '\\' && !s->escaped;
        token_add(s, c);
    }
}

/* Returns whether @c is done with: not where it only ends what came before. */
static bool lexer_byte(JSONStream *s, uint8_t c, JSONText *text)
{
    switch (s->lexer) {
    case STRING:
        string_byte(s, c, text);
        return true;
    case NUMBER:
        if (!is_number(c)) {
            scalar_end(s, text);
            return false;
        }
        token_add(s, c);
        return true;
    case WORD:
        if (!g_ascii_islower(c)) {
            scalar_end(s, text);
            return false;
        }
        token_add(s, c);
        return true;
    case RECOVERY:
        if (c != 0xff && !is_space(c) && !is_punctuation(c)) {
            return true;
        }
        s->lexer = BETWEEN;
        return false;
    default:
        token_start(s, c, text);
        return true;
    }
}

size_t json_stream_take(JSONStream *s, const uint8_t *buf, size_t len,
                        JSONText *text)
{
    size_t i = 0;

    *text = (JSONText){ 0 };
    while (i < len && !text->root && !text->error) {
        bool inside = s->lexer != BETWEEN || s->levels->len;

        if (inside && !s->skipping && s->lexer != RECOVERY &&
            ++s->bytes > JSON_BYTES_MAX) {
            grammar_error(s, text, "JSON token size limit exceeded");
            g_string_truncate(s->token, 0);
            break;
        }
        i += lexer_byte(s, buf[i], text);
    }
    return i;
}
