/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys: their names and numbers, layouts, and the keyboard of a viewer as a guest's
 * keyboard hears it.
 */
#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>

#include "hw/input/input.h"
#include "tests/test-util.h"
#include "ui/keys.h"

/* ---- names and numbers ---------------------------------------------------------- */

START_TEST(names)
{
    unsigned nr = 0;

    for (const char *const *name = key_names; *name; name++, nr++) {
        unsigned code = key_from_name(*name);

        if (!strcmp(*name, "unmapped")) {
            expect_hex(code, 0);
            continue;
        }
        expect(code, "%s has no number", *name);
        expect_hex(key_from_name(key_name(code)), code);
        expect_hex(key_from_xt(key_to_xt(code)), code);
    }
    expect_hex(nr, 150);
    expect_hex(key_from_name("ret"), KEY_ENTER);
    expect_hex(key_from_name("print"), KEY_SYSRQ);
    expect_hex(key_from_name("sysrq"), KEY_SYSRQ);
    expect_hex(key_from_name("asterisk"), KEY_KPASTERISK);
    ck_assert_str_eq(key_name(KEY_KPASTERISK), "kp_multiply");
    ck_assert_str_eq(key_name(KEY_SYSRQ), "print");
    expect_hex(key_from_name("Ret"), 0);
    expect_hex(key_from_name(""), 0);
    ck_assert_ptr_null(key_name(0));
    ck_assert_ptr_null(key_name(KEY_F13)); /* a key, but it has no name */
    ck_assert_ptr_null(key_name(KEY_PROG1));
    ck_assert_ptr_null(key_name(0x10000));
}
END_TEST

START_TEST(numbers)
{
    unsigned nr = 0;

    for (unsigned number = 0; number < 0x300; number++) {
        unsigned code = key_from_xt(number);

        if (code) {
            nr++;
            if (number != 0x54) { /* SysRq: Print with Alt */
                expect_hex(key_to_xt(code), number);
            }
        }
    }
    expect_hex(nr, 149 - 1 + 16); /* two names for the keypad's asterisk */
    for (unsigned code = KEY_ESC; code <= KEY_S; code++) {
        expect_hex(key_to_xt(code), code); /* Linux began with these */
    }
    expect_hex(key_to_xt(KEY_UP), 0xc8);
    expect_hex(key_to_xt(KEY_SYSRQ), 0xb7);
    expect_hex(key_from_xt(0x54), KEY_SYSRQ);
    expect_hex(key_from_xt(0xc6), KEY_PAUSE);
    expect_hex(key_from_xt(0), 0);
    expect_hex(key_to_xt(0), 0);
    expect_hex(key_to_xt(KEY_PROG1), 0);
    expect_hex(key_to_xt(0xffffffff), 0);
}
END_TEST

/* ---- layouts ------------------------------------------------------------------------ */

static Keymap *keymap(const char *layout)
{
    GError *err = NULL;
    Keymap *map = keymap_new(layout, &err);

    expect(map && !err, "%s: %s", layout, err ? err->message : "no map");
    return map;
}

static void expect_place(const Keymap *map, uint32_t keysym, unsigned code,
                         unsigned modifiers)
{
    unsigned found;

    expect_hex(keymap_find(map, keysym, &found), code);
    expect_hex(found, modifiers);
}

START_TEST(layout_us)
{
    Keymap *map = keymap(NULL);

    expect_place(map, 'a', KEY_A, 0);
    expect_place(map, 'A', KEY_A, KEYMAP_SHIFT);
    expect_place(map, '!', KEY_1, KEYMAP_SHIFT);
    expect_place(map, '<', KEY_COMMA, KEYMAP_SHIFT); /* not 102ND, which few have */
    expect_place(map, '|', KEY_BACKSLASH, KEYMAP_SHIFT);
    expect_place(map, XKB_KEY_Return, KEY_ENTER, 0);
    expect_place(map, XKB_KEY_ISO_Left_Tab, KEY_TAB, 0);
    expect_place(map, XKB_KEY_Meta_L, KEY_LEFTALT, 0);
    expect_place(map, XKB_KEY_Alt_R, KEY_RIGHTALT, 0);
    expect_place(map, XKB_KEY_ISO_Level3_Shift, KEY_RIGHTALT, 0);
    expect_place(map, XKB_KEY_Super_L, KEY_LEFTMETA, 0);
    expect_place(map, XKB_KEY_Menu, KEY_COMPOSE, 0);
    expect_place(map, XKB_KEY_Print, KEY_SYSRQ, 0);
    expect_place(map, XKB_KEY_Sys_Req, KEY_SYSRQ, 0);
    expect_place(map, XKB_KEY_Pause, KEY_PAUSE, 0);
    expect_place(map, XKB_KEY_Break, KEY_PAUSE, 0);
    expect_place(map, XKB_KEY_F12, KEY_F12, 0);
    expect_place(map, XKB_KEY_KP_1, KEY_KP1, 0);
    expect_place(map, XKB_KEY_KP_End, KEY_KP1, 0);
    expect_place(map, XKB_KEY_KP_Delete, KEY_KPDOT, 0);
    expect_place(map, XKB_KEY_KP_Decimal, KEY_KPDOT, 0);
    expect_place(map, XKB_KEY_KP_Enter, KEY_KPENTER, 0);
    expect_place(map, XKB_KEY_End, KEY_END, 0);
    expect_place(map, XKB_KEY_dead_acute, KEY_APOSTROPHE, 0);
    expect_place(map, 0x01000061, KEY_A, 0); /* of Unicode */
    expect_place(map, XKB_KEY_udiaeresis, 0, 0);
    expect_place(map, 0, 0, 0);
    expect_place(map, 0xffffffff, 0, 0);
    expect_place(map, 0x0110ffff, 0, 0);
    keymap_free(map);
}
END_TEST

START_TEST(layout_de)
{
    Keymap *map = keymap("de");

    expect_place(map, 'y', KEY_Z, 0);
    expect_place(map, 'Z', KEY_Y, KEYMAP_SHIFT);
    expect_place(map, '@', KEY_Q, KEYMAP_ALTGR);
    expect_place(map, '/', KEY_7, KEYMAP_SHIFT);
    expect_place(map, '<', KEY_102ND, 0);
    expect_place(map, '|', KEY_102ND, KEYMAP_ALTGR);
    expect_place(map, '\\', KEY_MINUS, KEYMAP_ALTGR);
    expect_place(map, XKB_KEY_udiaeresis, KEY_LEFTBRACE, 0);
    expect_place(map, 0x010000dc, KEY_LEFTBRACE, KEYMAP_SHIFT);
    expect_place(map, XKB_KEY_EuroSign, KEY_E, KEYMAP_ALTGR);
    expect_place(map, 0x010020ac, KEY_E, KEYMAP_ALTGR);
    expect_place(map, XKB_KEY_dead_circumflex, KEY_GRAVE, 0);
    expect_place(map, XKB_KEY_ISO_Level3_Shift, KEY_RIGHTALT, 0);
    expect_place(map, XKB_KEY_Alt_R, KEY_RIGHTALT, 0);
    keymap_free(map);
    map = keymap("de(nodeadkeys)");
    expect_place(map, '^', KEY_GRAVE, 0);
    expect_place(map, XKB_KEY_dead_circumflex, KEY_GRAVE, 0);
    keymap_free(map);
}
END_TEST

START_TEST(layout_of_letters_elsewhere)
{
    Keymap *map = keymap("ru");

    expect_place(map, XKB_KEY_Cyrillic_ef, KEY_A, 0);
    expect_place(map, 0x01000444, KEY_A, 0);
    expect_place(map, 0x01000424, KEY_A, KEYMAP_SHIFT);
    expect_place(map, '.', KEY_SLASH, 0);
    expect_place(map, 'a', KEY_A, 0);
    expect_place(map, '@', KEY_2, KEYMAP_SHIFT);
    keymap_free(map);
}
END_TEST

/* Each of the established names has a layout, and a letter that is its own. */
START_TEST(layout_names)
{
    static const struct {
        const char *name;
        uint32_t keysym;
        unsigned code;
    } layouts[] = {
        { "ar", XKB_KEY_Arabic_sheen, KEY_A }, { "bepo", 'b', KEY_Q },
        { "cz", XKB_KEY_ecaron, KEY_2 }, { "da", XKB_KEY_ae, KEY_SEMICOLON },
        { "de", 'z', KEY_Y }, { "de-ch", XKB_KEY_section, KEY_GRAVE },
        { "en-gb", XKB_KEY_sterling, KEY_3 }, { "en-us", '#', KEY_3 },
        { "es", XKB_KEY_ntilde, KEY_SEMICOLON },
        { "et", XKB_KEY_otilde, KEY_RIGHTBRACE },
        { "fi", XKB_KEY_adiaeresis, KEY_APOSTROPHE },
        { "fo", XKB_KEY_eth, KEY_RIGHTBRACE }, { "fr", 'a', KEY_Q },
        { "fr-be", XKB_KEY_mu, KEY_BACKSLASH }, { "fr-ca", '#', KEY_GRAVE },
        { "fr-ch", XKB_KEY_egrave, KEY_LEFTBRACE },
        { "hr", XKB_KEY_scaron, KEY_LEFTBRACE }, { "hu", XKB_KEY_odoubleacute,
                                                   KEY_LEFTBRACE },
        { "is", XKB_KEY_thorn, KEY_SLASH }, { "it", XKB_KEY_ograve, KEY_SEMICOLON },
        { "ja", XKB_KEY_at, KEY_LEFTBRACE }, { "lt", XKB_KEY_aogonek, KEY_1 },
        { "lv", XKB_KEY_amacron, KEY_A }, { "mk", XKB_KEY_Macedonia_gje, 0 },
        { "nl", XKB_KEY_EuroSign, 0 }, { "no", XKB_KEY_oslash, KEY_SEMICOLON },
        { "pl", XKB_KEY_lstroke, KEY_L }, { "pt", XKB_KEY_ccedilla, KEY_SEMICOLON },
        { "pt-br", XKB_KEY_ccedilla, KEY_SEMICOLON },
        { "ru", XKB_KEY_Cyrillic_io, KEY_GRAVE }, { "sl", XKB_KEY_zcaron, 0 },
        { "sv", XKB_KEY_aring, KEY_LEFTBRACE }, { "th", XKB_KEY_Thai_fofan, KEY_A },
        { "tr", XKB_KEY_idotless, KEY_I },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(layouts); i++) {
        Keymap *map = keymap(layouts[i].name);
        unsigned modifiers, code;

        code = keymap_find(map, layouts[i].keysym, &modifiers);
        expect(code && (!layouts[i].code || code == layouts[i].code),
               "%s: 0x%x at key %u, not %u", layouts[i].name, layouts[i].keysym, code,
               layouts[i].code);
        expect_hex(keymap_find(map, XKB_KEY_Return, &modifiers), KEY_ENTER);
        expect(keymap_find(map, 'x', &modifiers), "%s has no x", layouts[i].name);
        keymap_free(map);
    }
}
END_TEST

START_TEST(layout_errors)
{
    static const char *const names[] = {
        "", "xx", "de(no)", "de(", "../us", "de-", "/etc/passwd", "us,de", "us\n",
        "de(nodeadkeys)x", "a b",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        GError *err = NULL;

        ck_assert_ptr_null(keymap_new(names[i], &err));
        expect(err && strstr(err->message, names[i]) && strstr(err->message, "de"),
               "%s", err ? err->message : names[i]);
        g_clear_error(&err);
        ck_assert_ptr_null(keyboard_new(names[i], &err));
        g_clear_error(&err);
    }
}
END_TEST

START_TEST(layout_shared)
{
    Keymap *first = keymap("fr"), *second = keymap("fr");

    ck_assert_ptr_eq(first, second);
    keymap_free(first);
    expect_place(second, 'a', KEY_Q, 0);
    keymap_free(second);
    keymap_free(NULL);
}
END_TEST

/* ---- a viewer's keyboard ---------------------------------------------------------------- */

/* The guest's keyboard writes down what it hears: "+30 -30". */
static GString *heard;
static InputHandler guest;
static Keyboard *kbd;

static bool hears(void *opaque)
{
    return true;
}

static void hear(void *opaque, const InputEvent *event)
{
    g_string_append_printf(heard, "%s%c%u", heard->len ? " " : "",
                           event->down ? '+' : '-', event->code);
}

static void begin(const char *layout)
{
    GError *err = NULL;

    heard = g_string_new(NULL);
    guest = (InputHandler){ .kind = INPUT_KEYBOARD, .ready = hears, .event = hear };
    memory_lock();
    input_attach(&guest);
    kbd = keyboard_new(layout, &err);
    expect(kbd, "%s", err ? err->message : layout);
}

static void expect_heard(const char *wanted)
{
    expect(!strcmp(heard->str, wanted), "heard \"%s\", not \"%s\"", heard->str, wanted);
    g_string_truncate(heard, 0);
}

static void end(void)
{
    keyboard_free(kbd);
    input_detach(&guest);
    memory_unlock();
    g_string_free(heard, TRUE);
}

static void strike(uint32_t keysym)
{
    keyboard_keysym(kbd, keysym, true);
    keyboard_keysym(kbd, keysym, false);
}

START_TEST(keys_as_such)
{
    begin("us");
    keyboard_key(kbd, KEY_A, false); /* of what is not down */
    expect_heard("");
    keyboard_key(kbd, KEY_A, true);
    keyboard_key(kbd, KEY_A, true); /* it repeats */
    keyboard_key(kbd, KEY_A, false);
    expect_heard("+30 +30 -30");
    keyboard_key(kbd, 0, true);
    keyboard_key(kbd, INPUT_CODES_NR, true);
    keyboard_key(kbd, 0xffffffff, true);
    expect_heard("");
    keyboard_key(kbd, KEY_LEFTCTRL, true);
    keyboard_key(kbd, KEY_LEFTALT, true);
    expect_heard("+29 +56");
    keyboard_release_all(kbd);
    expect_heard("-29 -56");
    keyboard_key(kbd, KEY_X, true);
    expect_heard("+45");
    end(); /* releases, which nothing but the guest can tell */
    expect(!guest.down_nr, "%u keys are down", guest.down_nr);
}
END_TEST

START_TEST(symbols_with_shift)
{
    begin("us");
    strike('a');
    expect_heard("+30 -30");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    strike('A');
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    expect_heard("+42 +30 -30 -42");
    keyboard_keysym(kbd, XKB_KEY_Shift_R, true);
    strike('?');
    strike(XKB_KEY_F1);
    strike(XKB_KEY_Left);
    strike(' ');
    strike(XKB_KEY_ISO_Left_Tab);
    keyboard_keysym(kbd, XKB_KEY_Shift_R, false);
    expect_heard("+54 +53 -53 +59 -59 +105 -105 +57 -57 +15 -15 -54");
    strike(0x12345678); /* no key makes it */
    expect_heard("");
    end();
}
END_TEST

/* The viewer's layout has the symbol elsewhere. */
START_TEST(symbols_of_another_layout)
{
    begin("us");
    strike('A'); /* somebody who has no Shift */
    expect_heard("+42 +30 -42 -30");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    strike('/'); /* as on a German keyboard */
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    expect_heard("+42 -42 +53 +42 -53 -42");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    keyboard_keysym(kbd, XKB_KEY_Shift_R, true);
    strike(';');
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    keyboard_keysym(kbd, XKB_KEY_Shift_R, false);
    expect_heard("+42 +54 -42 -54 +39 +42 +54 -39 -42 -54");
    keyboard_keysym(kbd, XKB_KEY_ISO_Level3_Shift, true);
    strike('@'); /* AltGr makes no difference there, so it stays */
    keyboard_keysym(kbd, XKB_KEY_ISO_Level3_Shift, false);
    expect_heard("+100 +42 +3 -42 -3 -100");
    end();

    begin("de");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    strike('@'); /* as on an American one */
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    expect_heard("+42 -42 +100 +16 +42 -100 -16 -42");
    strike('@');
    expect_heard("+100 +16 -100 -16");
    keyboard_keysym(kbd, XKB_KEY_Alt_R, true);
    strike('@');
    keyboard_keysym(kbd, XKB_KEY_Alt_R, false);
    expect_heard("+100 +16 -16 -100");
    strike('`'); /* dead there */
    expect_heard("+42 +13 -42 -13");
    end();
}
END_TEST

/* Shift goes up before the key does, and the release tells of another symbol. */
START_TEST(symbols_released_late)
{
    begin("us");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    keyboard_keysym(kbd, '!', true);
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    keyboard_keysym(kbd, '1', false);
    expect_heard("+42 +2 -42 -2");
    keyboard_keysym(kbd, 'b', true);
    keyboard_keysym(kbd, 'b', true);
    keyboard_keysym(kbd, 'b', false);
    keyboard_keysym(kbd, 'b', false);
    expect_heard("+48 +48 -48");
    keyboard_keysym(kbd, 'c', true);
    keyboard_release_all(kbd);
    keyboard_keysym(kbd, 'c', false);
    expect_heard("+46 -46");
    end();
}
END_TEST

START_TEST(symbols_and_locks)
{
    begin("us");
    /* The viewer's user presses Caps Lock, and the guest has it, too. */
    strike(XKB_KEY_Caps_Lock);
    expect(input_is_locked(KEY_CAPSLOCK), "not on");
    strike('A');
    strike('1');
    expect_heard("+58 -58 +30 -30 +2 -2");
    keyboard_keysym(kbd, XKB_KEY_Shift_L, true);
    strike('a');
    strike('!');
    keyboard_keysym(kbd, XKB_KEY_Shift_L, false);
    expect_heard("+42 +30 -30 +2 -2 -42");
    /* It was on before the viewer came, which knows nothing of it. */
    strike('a');
    expect_heard("+42 +30 -42 -30");
    /* Of a shortcut, the case does not matter. */
    keyboard_keysym(kbd, XKB_KEY_Control_L, true);
    strike('c');
    keyboard_keysym(kbd, XKB_KEY_Control_L, false);
    expect_heard("+29 +46 -46 -29");
    /* A guest that has lamps says what is on: here, the key is one more Ctrl. */
    input_set_lamps(&guest, 0);
    strike(XKB_KEY_Caps_Lock);
    expect(!input_is_locked(KEY_CAPSLOCK), "on by its press");
    strike('a');
    expect_heard("+58 -58 +30 -30");
    input_set_lamps(&guest, INPUT_LOCK_CAPS | INPUT_LOCK_NUM);
    expect(input_is_locked(KEY_CAPSLOCK) && input_is_locked(KEY_NUMLOCK) &&
           !input_is_locked(KEY_SCROLLLOCK) && !input_is_locked(KEY_A), "wrong lamps");
    strike('A');
    strike(XKB_KEY_KP_1);
    expect_heard("+30 -30 +79 -79");
    input_reset_lamps(&guest);
    expect(!input_is_locked(KEY_CAPSLOCK), "after a reset");
    strike(XKB_KEY_Num_Lock);
    strike(XKB_KEY_Scroll_Lock);
    expect(input_is_locked(KEY_NUMLOCK) && input_is_locked(KEY_SCROLLLOCK), "not on");
    keyboard_keysym(kbd, XKB_KEY_Num_Lock, true);
    keyboard_keysym(kbd, XKB_KEY_Num_Lock, true); /* it repeats, and turns once */
    expect(!input_is_locked(KEY_NUMLOCK), "on");
    end();
    expect(!input_is_locked(KEY_SCROLLLOCK), "without a keyboard");
}
END_TEST

/* Whatever a viewer sends, nothing stays down, and nothing breaks. */
START_TEST(symbols_at_random)
{
    static const char *const layouts[] = { "us", "de", "fr", "ru", "ja" };
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 7));

    for (unsigned i = 0; i < G_N_ELEMENTS(layouts); i++) {
        begin(layouts[i]);
        for (unsigned n = 0; n < 20000; n++) {
            uint32_t r = g_rand_int(rand);
            uint32_t keysym = r & 1 ? 0xff00 + (r >> 8) % 0x100
                            : r & 2 ? (r >> 8) % 0x700
                            : r & 4 ? 0xfe00 + (r >> 8) % 0x100
                            : 0x01000000 + (r >> 8) % 0x3000;

            if (r & 8) {
                keyboard_keysym(kbd, keysym, r & 16);
            } else {
                keyboard_key(kbd, (r >> 8) % 0x400, r & 16);
            }
            g_string_truncate(heard, 0);
        }
        end();
        expect(!guest.down_nr, "%s: %u keys are down", layouts[i], guest.down_nr);
    }
    g_rand_free(rand);
}
END_TEST

TEST_MAIN("keys", names, numbers, layout_us, layout_de, layout_of_letters_elsewhere,
          layout_names, layout_errors, layout_shared, keys_as_such, symbols_with_shift,
          symbols_of_another_layout, symbols_released_late, symbols_and_locks,
          symbols_at_random)
