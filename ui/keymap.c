/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard layouts, by libxkbcommon; and the keyboard of one viewer.
 *
 * A viewer that tells of symbols has a layout of its own, and the guest another one,
 * which is what a Keymap says. The key that makes a symbol in the guest is pressed with
 * Shift and AltGr as that key needs them there, whatever the viewer's user held down to
 * make it: those that differ are changed around the press.
 *
 * Specification: X Keyboard Extension; X Window System Protocol, appendix A (keysyms);
 * names of layouts as in /usr/share/X11/xkb/rules/evdev.lst.
 */
#include "ui/keys.h"

#include <pthread.h>
#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon.h>

#include "hw/core/device.h"
#include "hw/input/input.h"

#define CODES_NR 248    /* XKB's evdev numbers are 8 more, and end at 255 */
#define XKB_CODE(code) ((code) + 8)

/* What decides on a key's symbol. */
#define CAPS 4u
#define NUM 8u
#define STATES_NR 16    /* with KEYMAP_SHIFT and KEYMAP_ALTGR */

#define GROUPS_NR 2     /* the layout, and "us" for what the layout does not have */

typedef uint32_t Symbols[CODES_NR][STATES_NR];

/* Where a symbol is. */
typedef struct Place {
    uint8_t code, modifiers, group;
} Place;

struct Keymap {
    char *name;
    unsigned refs;
    unsigned groups_nr;
    Symbols symbols[GROUPS_NR];
    GHashTable *places; /* canonical symbol -> Place *, owned */
};

/* All that are in use, by name: making one takes milliseconds. They do not change, so
 * only the table has a lock. */
static pthread_mutex_t keymaps_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *keymaps;

/* ---- symbols ------------------------------------------------------------------------ */

/* The same character may have a symbol of its own and one of Unicode. */
static uint32_t canonical(uint32_t keysym)
{
    uint32_t character;

    if (keysym >= 0xfd00 && keysym <= 0xffff) {
        return keysym; /* keys that are no characters, or on the keypad */
    }
    character = xkb_keysym_to_utf32(keysym);
    return character ? xkb_utf32_to_keysym(character) : keysym;
}

/* Symbols that depend on Shift and AltGr as characters do. */
static bool is_character(uint32_t keysym)
{
    return keysym < 0xfd00 || keysym > 0xffff ||
           (keysym >= XKB_KEY_dead_grave && keysym <= XKB_KEY_dead_greek);
}

static bool is_letter(uint32_t keysym)
{
    return xkb_keysym_to_lower(keysym) != xkb_keysym_to_upper(keysym);
}

/* What to press where a layout has no key for the first. */
static const uint32_t substitutes[][2] = {
    { XKB_KEY_dead_grave, XKB_KEY_grave },
    { XKB_KEY_dead_acute, XKB_KEY_acute },
    { XKB_KEY_dead_acute, XKB_KEY_apostrophe },
    { XKB_KEY_dead_circumflex, XKB_KEY_asciicircum },
    { XKB_KEY_dead_tilde, XKB_KEY_asciitilde },
    { XKB_KEY_dead_diaeresis, XKB_KEY_diaeresis },
    { XKB_KEY_dead_diaeresis, XKB_KEY_quotedbl },
    { XKB_KEY_dead_cedilla, XKB_KEY_cedilla },
    { XKB_KEY_dead_abovering, XKB_KEY_degree },
    { XKB_KEY_grave, XKB_KEY_dead_grave },
    { XKB_KEY_acute, XKB_KEY_dead_acute },
    { XKB_KEY_asciicircum, XKB_KEY_dead_circumflex },
    { XKB_KEY_asciitilde, XKB_KEY_dead_tilde },
    { XKB_KEY_diaeresis, XKB_KEY_dead_diaeresis },
    { XKB_KEY_cedilla, XKB_KEY_dead_cedilla },
    { XKB_KEY_Alt_R, XKB_KEY_ISO_Level3_Shift },
    { XKB_KEY_Mode_switch, XKB_KEY_ISO_Level3_Shift },
    { XKB_KEY_ISO_Level3_Shift, XKB_KEY_Alt_R },
    { XKB_KEY_Mode_switch, XKB_KEY_Alt_R },
};

/* The layout's own substitute is better than a key of the other group. */
static const Place *place_of(const Keymap *map, uint32_t keysym)
{
    uint32_t symbol = canonical(keysym);
    const Place *place = g_hash_table_lookup(map->places, GUINT_TO_POINTER(symbol));

    for (unsigned i = 0; (!place || place->group) && i < G_N_ELEMENTS(substitutes); i++) {
        const Place *other =
            substitutes[i][0] != symbol ? NULL
            : g_hash_table_lookup(map->places, GUINT_TO_POINTER(substitutes[i][1]));

        if (other && (!place || !other->group)) {
            place = other;
        }
    }
    return place;
}

unsigned keymap_find(const Keymap *map, uint32_t keysym, unsigned *modifiers)
{
    const Place *place = place_of(map, keysym);

    *modifiers = place ? place->modifiers : 0;
    return place ? place->code : 0;
}

/* ---- making a layout ------------------------------------------------------------------ */

/* Names of countries and languages that are not XKB's. Others such as "en-gb" have
 * XKB's name behind the hyphen. */
static const char *const other_names[][3] = {
    { "ar", "ara", "" }, { "bepo", "fr", "bepo" }, { "da", "dk", "" },
    { "et", "ee", "" }, { "fr-ch", "ch", "fr" }, { "ja", "jp", "" },
    { "sl", "si", "" }, { "sv", "se", "" },
};

/* The layout and variant that @name stands for, both to be freed; false: @name is of
 * no form that there is. */
static bool name_split(const char *name, char **layout, char **variant)
{
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) form =
        g_regex_new("^(?:[a-z]+-)?([A-Za-z0-9_]+)(?:\\(([A-Za-z0-9_-]*)\\))?$",
                    G_REGEX_DOLLAR_ENDONLY, 0, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(other_names); i++) {
        if (!strcmp(other_names[i][0], name)) {
            *layout = g_strdup(other_names[i][1]);
            *variant = g_strdup(other_names[i][2]);
            return true;
        }
    }
    if (!g_regex_match(form, name, 0, &match)) {
        return false;
    }
    *layout = g_match_info_fetch(match, 1);
    *variant = g_match_info_fetch(match, 2);
    return true;
}

static struct xkb_keymap *compile(const char *name, GError **err)
{
    g_autofree char *layout = NULL, *variant = NULL, *layouts = NULL, *variants = NULL;
    struct xkb_context *context;
    struct xkb_keymap *xkb = NULL;

    if (!name_split(name, &layout, &variant)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' is no name of a keyboard layout: "
                    "they are such as us, de, en-gb or de(nodeadkeys)", name);
        return NULL;
    }
    layouts = g_strdup_printf("%s%s", layout, strcmp(layout, "us") ? ",us" : "");
    variants = g_strdup_printf("%s,", variant);
    context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (context) {
        xkb_context_set_log_level(context, XKB_LOG_LEVEL_CRITICAL);
        xkb = xkb_keymap_new_from_names(
            context,
            &(struct xkb_rule_names){ .rules = "evdev", .model = "pc105",
                                      .layout = layouts, .variant = variants,
                                      .options = "" },
            XKB_KEYMAP_COMPILE_NO_FLAGS);
        xkb_context_unref(context);
    }
    if (!xkb) {
        g_set_error(err, FLATVIEW_ERROR, 0, "there is no keyboard layout '%s'; those that "
                    "there are stand in /usr/share/X11/xkb/rules/evdev.lst (package "
                    "xkb-data)", name);
    }
    return xkb;
}

static uint32_t mask_of(struct xkb_keymap *xkb, const char *modifier)
{
    xkb_mod_index_t index = xkb_keymap_mod_get_index(xkb, modifier);

    return index < 32 ? 1u << index : 0;
}

static void add_place(Keymap *map, uint32_t symbol, unsigned code, unsigned modifiers,
                      unsigned group)
{
    gpointer key = GUINT_TO_POINTER(symbol);

    if (symbol && !g_hash_table_contains(map->places, key)) {
        if (!is_character(symbol)) {
            modifiers = 0;
        }
        g_hash_table_insert(map->places, key, g_memdup2(
            &(Place){ .code = code, .modifiers = modifiers, .group = group },
            sizeof(Place)));
    }
}

/* Keys that not every keyboard has, nor every guest knows, come last. */
static bool is_common(unsigned code)
{
    return code < KEY_ZENKAKUHANKAKU;
}

/* The first place of a symbol is the one that is taken: with few modifiers. */
static void add_places(Keymap *map, bool common, unsigned group)
{
    static const uint8_t states[] = {
        0, KEYMAP_SHIFT, KEYMAP_ALTGR, KEYMAP_SHIFT | KEYMAP_ALTGR, NUM,
    };

    for (unsigned i = 0; i < sizeof(states); i++) {
        for (unsigned code = 1; code < CODES_NR; code++) {
            if (key_to_xt(code) && is_common(code) == common) {
                add_place(map, map->symbols[group][code][states[i]], code,
                          states[i] & (KEYMAP_SHIFT | KEYMAP_ALTGR), group);
            }
        }
    }
}

static void fill(Keymap *map, struct xkb_keymap *xkb)
{
    struct xkb_state *state = xkb_state_new(xkb);
    uint32_t shift = mask_of(xkb, XKB_MOD_NAME_SHIFT), altgr = mask_of(xkb, "Mod5"),
             caps = mask_of(xkb, XKB_MOD_NAME_CAPS), num = mask_of(xkb, XKB_MOD_NAME_NUM),
             ctrl = mask_of(xkb, XKB_MOD_NAME_CTRL), alt = mask_of(xkb, XKB_MOD_NAME_ALT);

    map->groups_nr = MIN(xkb_keymap_num_layouts(xkb), GROUPS_NR);
    for (unsigned group = 0; group < map->groups_nr; group++) {
        for (unsigned i = 0; i < STATES_NR; i++) {
            xkb_state_update_mask(state,
                                  (i & KEYMAP_SHIFT ? shift : 0) |
                                  (i & KEYMAP_ALTGR ? altgr : 0),
                                  0, (i & CAPS ? caps : 0) | (i & NUM ? num : 0),
                                  0, 0, group);
            for (unsigned code = 1; code < CODES_NR; code++) {
                map->symbols[group][code][i] =
                    canonical(xkb_state_key_get_one_sym(state, XKB_CODE(code)));
            }
        }
        add_places(map, true, group);
        add_places(map, false, group);
    }
    /* Break and SysRq: whoever tells of them holds the modifier itself. */
    xkb_state_update_mask(state, ctrl, 0, 0, 0, 0, 0);
    add_place(map, xkb_state_key_get_one_sym(state, XKB_CODE(KEY_PAUSE)), KEY_PAUSE, 0, 0);
    xkb_state_update_mask(state, alt, 0, 0, 0, 0, 0);
    add_place(map, xkb_state_key_get_one_sym(state, XKB_CODE(KEY_SYSRQ)), KEY_SYSRQ, 0, 0);
    xkb_state_unref(state);
}

static Keymap *keymap_make(const char *name, GError **err)
{
    struct xkb_keymap *xkb = compile(name, err);
    Keymap *map;

    if (!xkb) {
        return NULL;
    }
    map = g_new0(Keymap, 1);
    map->name = g_strdup(name);
    map->places = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    fill(map, xkb);
    xkb_keymap_unref(xkb);
    return map;
}

Keymap *keymap_new(const char *layout, GError **err)
{
    const char *name = layout ? layout : "us";
    Keymap *map;

    pthread_mutex_lock(&keymaps_lock);
    if (!keymaps) {
        keymaps = g_hash_table_new(g_str_hash, g_str_equal);
    }
    map = g_hash_table_lookup(keymaps, name);
    if (!map) {
        map = keymap_make(name, err);
        if (map) {
            g_hash_table_insert(keymaps, map->name, map);
        }
    }
    if (map) {
        map->refs++;
    }
    pthread_mutex_unlock(&keymaps_lock);
    return map;
}

void keymap_free(Keymap *map)
{
    if (!map) {
        return;
    }
    pthread_mutex_lock(&keymaps_lock);
    if (!--map->refs) {
        g_hash_table_remove(keymaps, map->name);
        g_hash_table_unref(map->places);
        g_free(map->name);
        g_free(map);
    }
    pthread_mutex_unlock(&keymaps_lock);
}

/* ---- a viewer's keyboard ---------------------------------------------------------------- */

struct Keyboard {
    Keymap *map;
    bool down[INPUT_CODES_NR];
};

Keyboard *keyboard_new(const char *layout, GError **err)
{
    Keymap *map = keymap_new(layout, err);
    Keyboard *kbd;

    if (!map) {
        return NULL;
    }
    kbd = g_new0(Keyboard, 1);
    kbd->map = map;
    return kbd;
}

void keyboard_free(Keyboard *kbd)
{
    if (kbd) {
        keyboard_release_all(kbd);
        keymap_free(kbd->map);
        g_free(kbd);
    }
}

void keyboard_key(Keyboard *kbd, unsigned code, bool down)
{
    if (code != KEY_RESERVED && code < INPUT_CODES_NR && (down || kbd->down[code])) {
        kbd->down[code] = down;
        input_send_key(code, down);
    }
}

void keyboard_release_all(Keyboard *kbd)
{
    for (unsigned code = 0; code < INPUT_CODES_NR; code++) {
        keyboard_key(kbd, code, false);
    }
}

static unsigned modifiers_held(const Keyboard *kbd)
{
    return (kbd->down[KEY_LEFTSHIFT] || kbd->down[KEY_RIGHTSHIFT] ? KEYMAP_SHIFT : 0) |
           (kbd->down[KEY_RIGHTALT] ? KEYMAP_ALTGR : 0);
}

/* Of a shortcut: there, the case of a letter says nothing. */
static bool command_held(const Keyboard *kbd)
{
    return kbd->down[KEY_LEFTCTRL] || kbd->down[KEY_RIGHTCTRL] ||
           kbd->down[KEY_LEFTALT] || kbd->down[KEY_LEFTMETA] ||
           kbd->down[KEY_RIGHTMETA];
}

/* Shift and AltGr as the key at @place needs them for @symbol while the guest's locks
 * are as they are; as they are held if that will do. */
static unsigned modifiers_for(const Keyboard *kbd, const Place *place, uint32_t symbol)
{
    /* Differences from what is held, the smallest first. */
    static const uint8_t changes[] = {
        0, KEYMAP_SHIFT, KEYMAP_ALTGR, KEYMAP_SHIFT | KEYMAP_ALTGR,
    };
    const uint32_t *symbols = kbd->map->symbols[place->group][place->code];
    unsigned held = modifiers_held(kbd);
    unsigned locks = (input_is_locked(KEY_CAPSLOCK) ? CAPS : 0) |
                     (input_is_locked(KEY_NUMLOCK) ? NUM : 0);

    if (!is_character(symbol) || (command_held(kbd) && is_letter(symbol))) {
        return held;
    }
    for (unsigned i = 0; i < sizeof(changes); i++) {
        if (symbols[(held ^ changes[i]) | locks] == symbol) {
            return held ^ changes[i];
        }
    }
    return place->modifiers; /* a substitute */
}

/* Send a modifier's key, unless the viewer holds none: then that of @otherwise. What it
 * holds stays noted: it is back after the press. */
static void change_modifier(const Keyboard *kbd, const unsigned *codes, bool down)
{
    bool any = false;

    for (unsigned i = 0; codes[i]; i++) {
        if (kbd->down[codes[i]]) {
            input_send_key(codes[i], down);
            any = true;
        }
    }
    if (!any) {
        input_send_key(codes[0], down);
    }
}

static void change_modifiers(const Keyboard *kbd, unsigned which, unsigned to)
{
    static const unsigned shifts[] = { KEY_LEFTSHIFT, KEY_RIGHTSHIFT, 0 };
    static const unsigned altgr[] = { KEY_RIGHTALT, 0 };

    if (which & KEYMAP_SHIFT) {
        change_modifier(kbd, shifts, to & KEYMAP_SHIFT);
    }
    if (which & KEYMAP_ALTGR) {
        change_modifier(kbd, altgr, to & KEYMAP_ALTGR);
    }
}

void keyboard_keysym(Keyboard *kbd, uint32_t keysym, bool down)
{
    const Place *place = place_of(kbd->map, keysym);
    unsigned held, wanted;

    if (!place) {
        return;
    }
    if (!down) {
        /* The user may have let go of Shift first, so that the symbol is another one of
         * the same key now. */
        keyboard_key(kbd, place->code, false);
        return;
    }
    held = modifiers_held(kbd);
    wanted = modifiers_for(kbd, place, canonical(keysym));
    change_modifiers(kbd, held ^ wanted, wanted);
    keyboard_key(kbd, place->code, true);
    change_modifiers(kbd, held ^ wanted, held);
}
