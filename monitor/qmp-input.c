/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointers: send-key, input-send-event, query-mice.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, User interface.
 */
#include "monitor/qmp-types.h"

#include <limits.h>
#include <string.h>

#include "hw/input/input.h"
#include "hw/input/key-sequence.h"
#include "memory.h"
#include "sysemu.h"
#include "ui/console.h"
#include "ui/keys.h"

/* ---- types ------------------------------------------------------------------------ */

/* A union's variant has its content in a member data: NAME and NAMEWrapper. */
#define WRAPPER(variable, wrapped, type_name, text)                        \
    static const QMember variable##_members[] = {                         \
        { "data", &wrapped, false, text },                                \
        { 0 },                                                            \
    };                                                                    \
    static const QType variable = {                                       \
        .kind = Q_OBJECT, .name = type_name "Wrapper",                    \
        .members = variable##_members, .doc = text,                       \
    }

static const QType key_code = {
    .kind = Q_ENUM, .name = "QKeyCode", .values = key_names,
    .doc = "A key, by what is on it on an American keyboard. unmapped: none.",
};

static const char *const key_kinds[] = { "number", "qcode", NULL };

static const QType key_kind = {
    .kind = Q_ENUM, .name = "KeyValueKind", .values = key_kinds,
    .doc = "How a key is named.",
};

static const QMember key_members[] = {
    { "type", &key_kind, false, "How it is named." },
    { 0 },
};

WRAPPER(key_number, q_int, "Int", "The scan code of set 1, with 0x80 added for those "
        "after 0xe0.");
WRAPPER(key_qcode, key_code, "QKeyCode", "The key's name.");

static const QVariant key_variants[] = {
    { "number", &key_number },
    { "qcode", &key_qcode },
    { 0 },
};

static const QType key_value = {
    .kind = Q_OBJECT, .name = "KeyValue", .members = key_members, .tag = "type",
    .variants = key_variants, .doc = "A key.",
};

static const QType key_list = { .kind = Q_ARRAY, .element = &key_value };

static const QMember key_event_members[] = {
    { "key", &key_value, false, "Which." },
    { "down", &q_bool, false, "It is pressed, or released." },
    { 0 },
};

static const QType key_event = {
    .kind = Q_OBJECT, .name = "InputKeyEvent", .members = key_event_members,
    .doc = "A key is pressed or released.",
};

/* In the order of button_codes. */
static const char *const button_names[] = {
    "left", "middle", "right", "wheel-up", "wheel-down", "side", "extra", "wheel-left",
    "wheel-right", NULL,
};

static const QType button_type = {
    .kind = Q_ENUM, .name = "InputButton", .values = button_names,
    .doc = "A pointer's button. Pressing that of a wheel turns it by one step.",
};

static const QMember button_event_members[] = {
    { "button", &button_type, false, "Which." },
    { "down", &q_bool, false, "It is pressed, or released." },
    { 0 },
};

static const QType button_event = {
    .kind = Q_OBJECT, .name = "InputBtnEvent", .members = button_event_members,
    .doc = "A pointer's button is pressed or released.",
};

static const char *const axis_names[] = { "x", "y", NULL };

static const QType axis_type = {
    .kind = Q_ENUM, .name = "InputAxis", .values = axis_names,
    .doc = "To the right, or down.",
};

static const QMember move_event_members[] = {
    { "axis", &axis_type, false, "Where to." },
    { "value", &q_int, false, "How far." },
    { 0 },
};

static const QType move_event = {
    .kind = Q_OBJECT, .name = "InputMoveEvent", .members = move_event_members,
    .doc = "A pointer moves.",
};

static const char *const event_kinds[] = { "key", "btn", "rel", "abs", NULL };

static const QType event_kind = {
    .kind = Q_ENUM, .name = "InputEventKind", .values = event_kinds,
    .doc = "rel: by so much, abs: to there. No pointer here takes abs.",
};

static const QMember event_members[] = {
    { "type", &event_kind, false, "What happens." },
    { 0 },
};

WRAPPER(event_key, key_event, "InputKeyEvent", "A key.");
WRAPPER(event_button, button_event, "InputBtnEvent", "A button.");
WRAPPER(event_move, move_event, "InputMoveEvent", "A movement.");

static const QVariant event_variants[] = {
    { "key", &event_key },
    { "btn", &event_button },
    { "rel", &event_move },
    { "abs", &event_move },
    { 0 },
};

static const QType event_type = {
    .kind = Q_OBJECT, .name = "InputEvent", .members = event_members, .tag = "type",
    .variants = event_variants, .doc = "Something that a user does.",
};

static const QType event_list = { .kind = Q_ARRAY, .element = &event_type };

/* Whether anybody would read them: a guest, or what wakes it. */
static bool takes_input(void)
{
    return vm_is_running() || vm_run_state() == RUN_STATE_SUSPENDED;
}

/* ---- keys -------------------------------------------------------------------------- */

/* The number of the key @value, a KeyValue; 0: none. */
static unsigned key_of(JsonObject *value)
{
    int64_t number;

    if (!strcmp(json_object_get_string_member(value, "type"), "qcode")) {
        return key_from_name(json_object_get_string_member(value, "data"));
    }
    number = json_object_get_int_member(value, "data");
    return number > 0 && number < 0x100 ? key_from_xt(number) : 0;
}

static const QMember send_key_args[] = {
    { "keys", &key_list, false, "Which, in the order pressed." },
    { "hold-time", &q_int, true, "Milliseconds after each press and release: 10. "
      "0: 10, too." },
    { 0 },
};

static bool run_send_key(const QMPCall *call, JsonObject *args, JsonNode **result,
                         GError **err)
{
    JsonArray *keys = json_object_get_array_member(args, "keys");
    int64_t hold_ms = qmp_arg_int(args, "hold-time", 0);
    g_autofree unsigned *codes = g_new(unsigned, json_array_get_length(keys));
    bool ok;

    if (hold_ms < 0 || hold_ms > INT_MAX) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'hold-time' expects milliseconds, 0 to %d", INT_MAX);
        return false;
    }
    for (unsigned i = 0; i < json_array_get_length(keys); i++) {
        codes[i] = key_of(json_array_get_object_element(keys, i));
    }
    if (!takes_input()) {
        return true; /* nobody would read them; clients know it as success */
    }
    memory_lock();
    ok = key_sequence_send(codes, json_array_get_length(keys),
                           hold_ms ? (unsigned)hold_ms : KEY_HOLD_MS, err);
    memory_unlock();
    return ok;
}

/* ---- events ------------------------------------------------------------------------- */

static const QMember send_event_args[] = {
    { "device", &q_string, true, "The id or path of a display device, whose user this "
      "is. All share one keyboard and one pointer." },
    { "head", &q_int, true, "Which of its heads: 0." },
    { "events", &event_list, false, "What happens, in this order." },
    { 0 },
};

/* Movements that follow each other are one. */
typedef struct Motion {
    int64_t dx, dy;
} Motion;

#define MOTION_MAX 0x10000 /* at once; no pointer goes farther */

static int64_t motion_add(int64_t sum, int64_t value)
{
    return CLAMP(sum + CLAMP(value, -MOTION_MAX, MOTION_MAX), -MOTION_MAX, MOTION_MAX);
}

static void motion_end(Motion *motion)
{
    if (motion->dx || motion->dy) {
        input_send_motion((int)motion->dx, (int)motion->dy, 0);
    }
    *motion = (Motion){ 0 };
}

static void send_button(JsonObject *data)
{
    static const uint16_t codes[] = { BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, 0, 0, BTN_SIDE,
                                      BTN_EXTRA, 0, 0 };
    const char *name = json_object_get_string_member(data, "button");
    bool down = json_object_get_boolean_member(data, "down");
    unsigned i = 0;

    while (strcmp(button_names[i], name)) {
        i++;
    }
    if (codes[i]) {
        input_send_key(codes[i], down);
    } else if (down && !strcmp(name, "wheel-up")) {
        input_send_motion(0, 0, -1);
    } else if (down && !strcmp(name, "wheel-down")) {
        input_send_motion(0, 0, 1);
    }
}

static void send_event(JsonObject *event, Motion *motion)
{
    const char *type = json_object_get_string_member(event, "type");
    JsonObject *data = json_object_get_object_member(event, "data");
    int64_t value;

    if (!strcmp(type, "rel")) {
        value = json_object_get_int_member(data, "value");
        if (!strcmp(json_object_get_string_member(data, "axis"), "x")) {
            motion->dx = motion_add(motion->dx, value);
        } else {
            motion->dy = motion_add(motion->dy, value);
        }
        return;
    }
    motion_end(motion);
    if (!strcmp(type, "key")) {
        input_send_key(key_of(json_object_get_object_member(data, "key")),
                       json_object_get_boolean_member(data, "down"));
    } else {
        send_button(data);
    }
}

/* Nothing is sent where one of @events could not be. */
static bool can_send(JsonObject *args, JsonArray *events, GError **err)
{
    const char *device = qmp_arg_string(args, "device");
    int64_t head = qmp_arg_int(args, "head", 0);

    if (!takes_input()) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "VM not running");
        return false;
    }
    /* No device has that many heads: the error is the same. */
    if (device &&
        !console_find(device, head < 0 || head > UINT_MAX ? UINT_MAX : head, err)) {
        return qmp_finish(false, err);
    }
    for (unsigned i = 0; i < json_array_get_length(events); i++) {
        const char *type = json_object_get_string_member(
            json_array_get_object_element(events, i), "type");

        if (!strcmp(type, "abs") ||
            !input_has_handler(strcmp(type, "key") ? INPUT_POINTER : INPUT_KEYBOARD)) {
            g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                        "Input handler not found for event type %s", type);
            return false;
        }
    }
    return true;
}

static bool run_send_event(const QMPCall *call, JsonObject *args, JsonNode **result,
                           GError **err)
{
    JsonArray *events = json_object_get_array_member(args, "events");
    Motion motion = { 0 };
    bool ok;

    memory_lock();
    ok = can_send(args, events, err);
    for (unsigned i = 0; ok && i < json_array_get_length(events); i++) {
        send_event(json_array_get_object_element(events, i), &motion);
    }
    motion_end(&motion);
    memory_unlock();
    return ok;
}

/* ---- pointers ------------------------------------------------------------------------ */

static const QMember mouse_members[] = {
    { "name", &q_string, false, "What it is." },
    { "index", &q_int, false, "Its number, which stays." },
    { "current", &q_bool, false, "Whether movements and buttons go there." },
    { "absolute", &q_bool, false, "Always false: it is told how far, not where to." },
    { 0 },
};

static const QType mouse_info = {
    .kind = Q_OBJECT, .name = "MouseInfo", .members = mouse_members,
    .doc = "A pointer of the guest.",
};

static const QType mouse_infos = { .kind = Q_ARRAY, .element = &mouse_info };

static void add_mouse(const InputHandler *handler, unsigned index, bool current,
                      void *opaque)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", handler->name ? handler->name : "");
    json_object_set_int_member(info, "index", index);
    json_object_set_boolean_member(info, "current", current);
    json_object_set_boolean_member(info, "absolute", FALSE);
    json_array_add_object_element(opaque, info);
}

static bool run_mice(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    JsonArray *array = json_array_new();

    memory_lock();
    input_foreach(INPUT_POINTER, add_mouse, array);
    memory_unlock();
    *result = qmp_array(array);
    return true;
}

const QMPCommand qmp_input_commands[] = {
    {
        .name = "send-key",
        .doc = "Presses keys one after the other, and releases them in the opposite "
               "order. It returns at once; keys that are sent meanwhile come after. "
               "Those that the keyboard does not have are left out. A machine that does "
               "not run hears nothing of them.",
        .args = send_key_args,
        .run = run_send_key,
    },
    {
        .name = "input-send-event",
        .doc = "Does what a user of keyboard and pointer does. All or none of the events "
               "happen; there must be a device for each kind.",
        .args = send_event_args,
        .run = run_send_event,
    },
    {
        .name = "query-mice",
        .doc = "The guest's pointers.",
        .result = &mouse_infos,
        .run = run_mice,
    },
    { 0 },
};
