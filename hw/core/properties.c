/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties: settings of devices and machines, written as text by a user and
 * stored in a field of the object's state.
 */
#include "hw/core/machine.h"

#include <assert.h>
#include <string.h>

G_DEFINE_QUARK(flatview-error-quark, flatview_error)

static void *property_field(const Property *prop, void *object)
{
    return (char *)object + prop->offset;
}

static uint64_t property_max(const Property *prop)
{
    uint64_t kind_max;

    switch (prop->kind) {
    case PROP_UINT8:
        kind_max = UINT8_MAX;
        break;
    case PROP_UINT16:
        kind_max = UINT16_MAX;
        break;
    case PROP_UINT32:
        kind_max = UINT32_MAX;
        break;
    default:
        kind_max = UINT64_MAX;
        break;
    }
    return prop->max ? MIN(prop->max, kind_max) : kind_max;
}

/* The power of two that a size's suffix stands for; -1 if it is none. */
static int suffix_shift(const char *suffix)
{
    static const char units[] = "KMGT";
    const char *unit;

    if (!*suffix) {
        return 0;
    }
    unit = strchr(units, g_ascii_toupper(*suffix));
    return unit && !suffix[1] ? 10 * (int)(unit - units + 1) : -1;
}

/* Digits only, unlike strtoull(), which also takes spaces and signs. */
static bool parse_number(const char *text, bool size, uint64_t *number)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned base = hex ? 16 : 10;
    const char *digits = hex ? text + 2 : text;
    const char *p;
    uint64_t value = 0;
    int shift;

    for (p = digits; g_ascii_isxdigit(*p); p++) {
        unsigned digit = g_ascii_xdigit_value(*p);

        if (digit >= base) {
            break;
        }
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    shift = size ? suffix_shift(p) : *p ? -1 : 0;
    if (p == digits || shift < 0 || value > UINT64_MAX >> shift) {
        return false;
    }
    *number = value << shift;
    return true;
}

static void number_store(const Property *prop, void *field, uint64_t value)
{
    switch (prop->kind) {
    case PROP_UINT8:
        *(uint8_t *)field = value;
        break;
    case PROP_UINT16:
        *(uint16_t *)field = value;
        break;
    case PROP_UINT32:
        *(uint32_t *)field = value;
        break;
    default:
        *(uint64_t *)field = value;
        break;
    }
}

static uint64_t number_load(const Property *prop, const void *object)
{
    const void *field = (const char *)object + prop->offset;

    switch (prop->kind) {
    case PROP_UINT8:
        return *(const uint8_t *)field;
    case PROP_UINT16:
        return *(const uint16_t *)field;
    case PROP_UINT32:
        return *(const uint32_t *)field;
    default:
        return *(const uint64_t *)field;
    }
}

const Property *property_find(const Property *list, const char *name)
{
    for (; list && list->name; list++) {
        if (strcmp(list->name, name) == 0) {
            return list;
        }
    }
    return NULL;
}

uint64_t property_number(const Property *list, const void *object,
                         const char *name)
{
    const Property *prop = property_find(list, name);

    assert(prop);
    return number_load(prop, object);
}

static bool number_set(const Property *prop, void *field, const char *what,
                       const char *value, GError **err)
{
    bool size = prop->kind == PROP_SIZE;
    uint64_t max = property_max(prop), number;

    if (!parse_number(value, size, &number) || number > max) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: property '%s' cannot be '%s': it takes a %s from 0 to "
                    "%" PRIu64 " (0x%" PRIx64 ")%s", what, prop->name, value,
                    size ? "size" : "number", max, max,
                    size ? ", with suffix K, M, G or T if wanted" : "");
        return false;
    }
    number_store(prop, field, number);
    return true;
}

static bool chardev_set(const Property *prop, Chardev **field, const char *what,
                        const char *value, GError **err)
{
    Chardev *chr = chardev_find(value);

    if (!chr) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: property '%s' cannot be '%s': there is no character "
                    "device of that id (-serial makes serial0, serial1, ...)",
                    what, prop->name, value);
        return false;
    }
    chardev_release(*field);
    chardev_hold(chr);
    *field = chr;
    return true;
}

static bool property_store(const Property *prop, void *object, Machine *machine,
                           const char *what, const char *value, GError **err)
{
    void *field = property_field(prop, object);

    switch (prop->kind) {
    case PROP_BOOL:
        if (strcmp(value, "on") && strcmp(value, "off")) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "%s: property '%s' cannot be '%s': it takes on or off",
                        what, prop->name, value);
            return false;
        }
        *(bool *)field = strcmp(value, "on") == 0;
        return true;
    case PROP_STRING:
        g_free(*(char **)field);
        *(char **)field = g_strdup(value);
        return true;
    case PROP_CHARDEV:
        return chardev_set(prop, field, what, value, err);
    default:
        return number_set(prop, field, what, value, err);
    }
}

void properties_init(const Property *list, void *object)
{
    for (const Property *prop = list; prop && prop->name; prop++) {
        GError *err = NULL;

        if (prop->default_text &&
            !property_store(prop, object, NULL, "default", prop->default_text,
                            &err)) {
            g_error("%s", err->message);
        }
    }
}

static void unknown_property(const Property *list, const char *what,
                             const char *name, GError **err)
{
    GPtrArray *names = g_ptr_array_new();
    const char *nearest;

    for (const Property *prop = list; prop && prop->name; prop++) {
        g_ptr_array_add(names, (char *)prop->name);
    }
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(name, (const char *const *)names->pdata);
    g_set_error(err, FLATVIEW_ERROR, 0, "%s has no property '%s'%s%s%s", what,
                name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    g_ptr_array_free(names, TRUE);
}

bool property_set(const Property *list, void *object, Machine *machine,
                  const char *what, const char *name, const char *value,
                  GError **err)
{
    const Property *prop = property_find(list, name);

    if (!prop) {
        unknown_property(list, what, name, err);
        return false;
    }
    if (!value && prop->kind != PROP_BOOL) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: property '%s' needs a value: %s=...", what, name, name);
        return false;
    }
    return property_store(prop, object, machine, what, value ? value : "on",
                          err);
}

/* ---- as an Object's properties ------------------------------------------------- */

void properties_list(const Property *list, bool writable, GArray *out)
{
    static const char *const types[] = {
        [PROP_BOOL] = "bool",     [PROP_UINT8] = "uint8",
        [PROP_UINT16] = "uint16", [PROP_UINT32] = "uint32",
        [PROP_UINT64] = "uint64", [PROP_SIZE] = "size",
        [PROP_STRING] = "str",    [PROP_CHARDEV] = "str",
    };

    for (const Property *prop = list; prop && prop->name; prop++) {
        ObjectProperty property = { prop->name, types[prop->kind],
                                    prop->description, writable };

        g_array_append_val(out, property);
    }
}

GVariant *property_get(const Property *prop, const void *object)
{
    const void *field = (const char *)object + prop->offset;
    const char *text;

    switch (prop->kind) {
    case PROP_BOOL:
        return g_variant_new_boolean(*(const bool *)field);
    case PROP_STRING:
        text = *(char *const *)field;
        break;
    case PROP_CHARDEV:
        text = *(Chardev *const *)field ? chardev_id(*(Chardev *const *)field)
                                        : NULL;
        break;
    default:
        return g_variant_new_uint64(number_load(prop, object));
    }
    /* A file's name may be no text: then it is shown with marks instead. */
    return g_variant_new_take_string(g_utf8_make_valid(text ? text : "", -1));
}

GVariant *property_default(const Property *prop)
{
    Property alone[2] = { *prop };
    union {
        uint64_t number;
        void *pointer;
    } field = { 0 };
    GVariant *value;

    if (!prop->default_text &&
        (prop->kind == PROP_STRING || prop->kind == PROP_CHARDEV)) {
        return NULL;
    }
    alone[0].offset = 0;
    properties_init(alone, &field);
    value = property_get(alone, &field);
    properties_clear(alone, &field);
    return value;
}

bool property_set_variant(const Property *prop, void *object, Machine *machine,
                          const char *what, GVariant *value, GError **err)
{
    g_autofree char *text = NULL;
    const char *expected;

    switch (prop->kind) {
    case PROP_BOOL:
        expected = "boolean";
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
            text = g_strdup(g_variant_get_boolean(value) ? "on" : "off");
        }
        break;
    case PROP_STRING:
    case PROP_CHARDEV:
        expected = "string";
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
            text = g_variant_dup_string(value, NULL);
        }
        break;
    default:
        expected = "integer";
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) ||
            g_variant_is_of_type(value, G_VARIANT_TYPE_INT64)) {
            text = g_variant_print(value, FALSE);
        }
        break;
    }
    if (!text) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Invalid parameter type for '%s', expected: %s", prop->name,
                    expected);
        return false;
    }
    return property_store(prop, object, machine, what, text, err);
}

void properties_clear(const Property *list, void *object)
{
    for (const Property *prop = list; prop && prop->name; prop++) {
        if (prop->kind == PROP_STRING) {
            g_clear_pointer((char **)property_field(prop, object), g_free);
        } else if (prop->kind == PROP_CHARDEV) {
            g_clear_pointer((Chardev **)property_field(prop, object),
                            chardev_release);
        }
    }
}

void properties_print(const Property *list, FILE *out)
{
    static const char *const kinds[] = {
        [PROP_BOOL] = "on|off",   [PROP_UINT8] = "number",
        [PROP_UINT16] = "number", [PROP_UINT32] = "number",
        [PROP_UINT64] = "number", [PROP_SIZE] = "size",
        [PROP_STRING] = "text",   [PROP_CHARDEV] = "chardev id",
    };

    for (const Property *prop = list; prop && prop->name; prop++) {
        fprintf(out, "  %s=<%s>", prop->name, kinds[prop->kind]);
        if (prop->description) {
            fprintf(out, "  %s", prop->description);
        }
        if (prop->default_text) {
            fprintf(out, " (default %s)", prop->default_text);
        }
        fputc('\n', out);
    }
}

/* Longer names are nobody's typing error, and would only cost time. */
#define NAME_MAX_COMPARED 64

/* Single-letter edits, a swap of neighbours among them, from @a to @b. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][NAME_MAX_COMPARED + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    size_t la = strlen(a), lb = strlen(b);

    for (size_t j = 0; j <= lb; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        unsigned *recycled = before;

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            char ca = g_ascii_tolower(a[i - 1]), cb = g_ascii_tolower(b[j - 1]);
            unsigned best = above[j - 1] + (ca != cb);

            best = MIN(best, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && ca == g_ascii_tolower(b[j - 2]) &&
                cb == g_ascii_tolower(a[i - 2])) {
                best = MIN(best, before[j - 2] + 1);
            }
            row[j] = best;
        }
        before = above;
        above = row;
        row = recycled;
    }
    return above[lb];
}

const char *nearest_name(const char *wrong, const char *const *names)
{
    size_t len = strlen(wrong);
    const char *nearest = NULL;
    unsigned best;

    if (len == 0 || len > NAME_MAX_COMPARED) {
        return NULL;
    }
    best = 2 + len / 4; /* one more than may be wrong */
    for (; *names; names++) {
        unsigned distance;

        if (strlen(*names) > NAME_MAX_COMPARED) {
            continue;
        }
        /* What was typed too short is nearer than any other guess. */
        distance = len >= 3 && g_ascii_strncasecmp(wrong, *names, len) == 0
                       ? 1 : edit_distance(wrong, *names);
        if (distance < best && distance < MAX(len, strlen(*names))) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}
