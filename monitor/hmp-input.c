/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Human monitor commands for keys and pointers. QMP's commands do the work.
 */
#include <errno.h>
#include <string.h>

#include "hw/input/input.h"
#include "monitor/hmp-commands.h"
#include "monitor/qmp-types.h"
#include "ui/keys.h"

/* ---- keys -------------------------------------------------------------------------- */

/* The key that @word names, as a KeyValue; NULL with @err. */
static JsonObject *key_value(const char *word, GError **err)
{
    const char *name = strcmp(word, "<") ? word : "less";
    JsonObject *value;
    guint64 number;

    for (const char *const *known = key_names; *known; known++) {
        if (!strcmp(*known, name)) {
            value = json_object_new();
            json_object_set_string_member(value, "type", "qcode");
            json_object_set_string_member(value, "data", name);
            return value;
        }
    }
    if (g_str_has_prefix(word, "0x") &&
        g_ascii_string_to_unsigned(word + 2, 16, 0, G_MAXINT32, &number, NULL)) {
        value = json_object_new();
        json_object_set_string_member(value, "type", "number");
        json_object_set_int_member(value, "data", number);
        return value;
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "there is no key '%s'; keys are joined by '-', as in "
                "ctrl-alt-f1, and Tab shows their names", word);
    return NULL;
}

bool hmp_sendkey(const HMPCall *call, GError **err)
{
    g_auto(GStrv) words = g_strsplit(hmp_text(call, "keys"), "-", 0);
    const HMPValue *hold = hmp_value(call, "hold_ms");
    g_autoptr(JsonArray) keys = json_array_new();
    JsonObject *args;

    for (char **word = words; *word; word++) {
        JsonObject *value = key_value(*word, err);

        if (!value) {
            return false;
        }
        json_array_add_object_element(keys, value);
    }
    args = json_object_new();
    json_object_set_array_member(args, "keys", json_array_ref(keys));
    if (hold->given) {
        json_object_set_int_member(args, "hold-time", hold->number);
    }
    return hmp_qmp(call, "send-key", args, NULL, err);
}

/* The name after the last hyphen. */
void complete_keys(const char *word, GPtrArray *names)
{
    const char *hyphen = strrchr(word, '-');
    int len = hyphen ? hyphen + 1 - word : 0;

    for (const char *const *name = key_names; *name; name++) {
        g_ptr_array_add(names, g_strdup_printf("%.*s%s", len, word, *name));
    }
}

/* ---- pointers ------------------------------------------------------------------------ */

/* Add to @events one of @type whose data has the member @name, a text, and another. */
static void add_event(JsonArray *events, const char *type, const char *name,
                      const char *text, const char *other, JsonNode *value)
{
    JsonObject *event = json_object_new(), *data = json_object_new();

    json_object_set_string_member(data, name, text);
    json_object_set_member(data, other, value);
    json_object_set_string_member(event, "type", type);
    json_object_set_object_member(event, "data", data);
    json_array_add_object_element(events, event);
}

static void add_motion(JsonArray *events, const char *axis, int64_t value)
{
    add_event(events, "rel", "axis", axis, "value",
              json_node_init_int(json_node_alloc(), value));
}

static void add_button(JsonArray *events, const char *button, bool down)
{
    add_event(events, "btn", "button", button, "down",
              json_node_init_boolean(json_node_alloc(), down));
}

/* @events are taken. */
static bool send_events(const HMPCall *call, JsonArray *events, GError **err)
{
    JsonObject *args = json_object_new();

    json_object_set_array_member(args, "events", events);
    return hmp_qmp(call, "input-send-event", args, NULL, err);
}

/* Not expressions: "-3 -4" would be one. */
static bool number_of(const HMPCall *call, const char *name, int64_t *number,
                      GError **err)
{
    const char *text = hmp_text(call, name);
    char *end;

    *number = 0;
    if (!text) {
        return true;
    }
    errno = 0;
    *number = g_ascii_strtoll(text, &end, 0);
    if (end == text || *end || errno) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' for %s is no number: it is such as 5, -5 "
                    "or 0x10", text, name);
        return false;
    }
    return true;
}

bool hmp_mouse_move(const HMPCall *call, GError **err)
{
    JsonArray *events;
    int64_t dx, dy, dz;

    if (!number_of(call, "dx", &dx, err) || !number_of(call, "dy", &dy, err) ||
        !number_of(call, "dz", &dz, err)) {
        return false;
    }
    events = json_array_new();
    add_motion(events, "x", dx);
    add_motion(events, "y", dy);
    if (dz) {
        add_button(events, dz > 0 ? "wheel-up" : "wheel-down", true);
        add_button(events, dz > 0 ? "wheel-up" : "wheel-down", false);
    }
    return send_events(call, events, err);
}

bool hmp_mouse_button(const HMPCall *call, GError **err)
{
    static const struct {
        const char *name;
        unsigned code, bit;
    } buttons[] = {
        { "left", BTN_LEFT, 1 }, { "right", BTN_RIGHT, 2 }, { "middle", BTN_MIDDLE, 4 },
    };
    uint64_t state = hmp_value(call, "state")->number;
    JsonArray *events;

    if (state > 7) {
        g_set_error(err, FLATVIEW_ERROR, 0, "there is no button for %" PRIu64 ": state is "
                    "the sum of 1 (left), 2 (right) and 4 (middle) for those that are "
                    "down", state);
        return false;
    }
    events = json_array_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(buttons); i++) {
        bool is_down, down = state & buttons[i].bit;

        memory_lock();
        is_down = input_is_down(buttons[i].code);
        memory_unlock();
        if (down != is_down) {
            add_button(events, buttons[i].name, down);
        }
    }
    return send_events(call, events, err);
}

bool hmp_mouse_set(const HMPCall *call, GError **err)
{
    uint64_t index = hmp_value(call, "index")->number;
    bool ok;

    memory_lock();
    ok = index <= G_MAXUINT && input_choose(INPUT_POINTER, (unsigned)index);
    memory_unlock();
    if (!ok) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Mouse at index '%" PRIu64 "' not found; info "
                    "mice lists them", index);
    }
    return ok;
}

static void add_index(const InputHandler *handler, unsigned index, bool current,
                      void *opaque)
{
    g_ptr_array_add(opaque, g_strdup_printf("%u", index));
}

void complete_mouse(const char *word, GPtrArray *names)
{
    memory_lock();
    input_foreach(INPUT_POINTER, add_index, names);
    memory_unlock();
}

bool hmp_info_mice(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list;

    if (!hmp_qmp(call, "query-mice", NULL, &result, err)) {
        return false;
    }
    list = json_node_get_array(result);
    if (!json_array_get_length(list)) {
        hmp_printf(call, "No mouse devices connected\n");
    }
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        JsonObject *info = json_array_get_object_element(list, i);

        hmp_printf(call, "%c Mouse #%" PRId64 ": %s\n",
                   json_object_get_boolean_member(info, "current") ? '*' : ' ',
                   json_object_get_int_member(info, "index"),
                   json_object_get_string_member(info, "name"));
    }
    return true;
}
