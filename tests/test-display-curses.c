/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display "curses" in a terminal that is the test: what stands where in which
 * colours, what is typed, a terminal that is stuck, that is another one, that goes away.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/input-event-codes.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon.h>

#include "tests/device-util.h"
#include "tests/display-world.h"
#include "ui/curses-keys.h"

/* ncurses leaks where it does not know the terminal. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:new_prescr";
}

/* ---- the terminal ---------------------------------------------------------------- */

#define ROWS_MAX 64
#define COLUMNS_MAX 160

typedef struct Letter {
    gunichar c;
    unsigned foreground, background; /* as ECMA-48 counts them; from 8: bright */
    bool bold, blink;
} Letter;

static struct {
    int master, slave;
    struct termios before;
    guint source;         /* 0: it reads nothing */
    size_t received;      /* bytes */
    GString *held;        /* the beginning of a sequence or letter */
    Letter pen, letters[ROWS_MAX][COLUMNS_MAX];
    unsigned row, column, columns;
    bool cursor, alternate;
} terminal;

/* What ncurses is to know of it: no more than this. */
static const char description[] =
    "flatview-8|terminal of a test,\n"
    "\tcolors#8, pairs#64, cols#80, lines#24,\n"
    "\tclear=\\E[H\\E[J, cup=\\E[%i%p1%d;%p2%dH, civis=\\E[?25l, cnorm=\\E[?25h,\n"
    "\tbold=\\E[1m, blink=\\E[5m, sgr0=\\E[0m, op=\\E[39;49m,\n"
    "\tsetaf=\\E[3%p1%dm, setab=\\E[4%p1%dm, smcup=\\E[?1049h, rmcup=\\E[?1049l,\n"
    "flatview-16|one with more colours,\n"
    "\tcolors#16, pairs#256,\n"
    "\tsetaf=\\E[%?%p1%{8}%<%t3%p1%d%e9%p1%{8}%-%d%;m,\n"
    "\tsetab=\\E[%?%p1%{8}%<%t4%p1%d%e10%p1%{8}%-%d%;m,\n"
    "\tuse=flatview-8,\n";

static void clear_letters(void)
{
    for (unsigned y = 0; y < ROWS_MAX; y++) {
        for (unsigned x = 0; x < COLUMNS_MAX; x++) {
            terminal.letters[y][x] = (Letter){ .c = ' ', .foreground = 7 };
        }
    }
}

static void set_pen(unsigned n)
{
    Letter *pen = &terminal.pen;

    if (n == 0) {
        *pen = (Letter){ .foreground = 7 };
    } else if (n == 1) {
        pen->bold = true;
    } else if (n == 5) {
        pen->blink = true;
    } else if (n >= 30 && n < 38) {
        pen->foreground = n - 30;
    } else if (n >= 40 && n < 48) {
        pen->background = n - 40;
    } else if (n >= 90 && n < 98) {
        pen->foreground = n - 90 + 8;
    } else if (n == 39) {
        pen->foreground = 7;
    } else if (n == 49) {
        pen->background = 0;
    } else {
        test_fail("a colour that was not asked for: %u", n);
    }
}

/* ESC [ @text @last. */
static void obey(const char *text, char last)
{
    unsigned a = 1, b = 1;

    sscanf(text, "%u;%u", &a, &b);
    if (last == 'H') {
        terminal.row = a - 1;
        terminal.column = b - 1;
    } else if (last == 'J') {
        clear_letters();
    } else if (last == 'm') {
        g_auto(GStrv) numbers = g_strsplit(text, ";", -1);

        for (unsigned i = 0; numbers[i]; i++) {
            set_pen(atoi(numbers[i]));
        }
    } else if (strcmp(text, "?25") == 0) {
        terminal.cursor = last == 'h';
    } else if (strcmp(text, "?1049") == 0) {
        terminal.alternate = last == 'h';
    } else {
        test_fail("a sequence that was not asked for: '%s%c'", text, last);
    }
}

static void put(gunichar c)
{
    if (c == '\r') {
        terminal.column = 0;
    } else if (c == '\n') { /* the terminal is raw */
        terminal.row++;
    } else {
        expect(c >= ' ' && terminal.row < ROWS_MAX && terminal.column < COLUMNS_MAX,
               "letter 0x%x at %u,%u", c, terminal.column, terminal.row);
        terminal.pen.c = c;
        terminal.letters[terminal.row][terminal.column] = terminal.pen;
        if (terminal.column + 1 < terminal.columns) { /* no "am": it stays at the margin */
            terminal.column++;
        }
    }
}

/* How much of what it holds the terminal understands. */
static size_t understand(const char *text, size_t len)
{
    if (text[0] == '\033') {
        size_t end = 2;

        while (end < len && (g_ascii_isdigit(text[end]) || strchr(";?", text[end]))) {
            end++;
        }
        if (end < len) {
            g_autofree char *middle = g_strndup(text + 2, end - 2);

            expect(text[1] == '[', "ESC 0x%x", text[1]);
            obey(middle, text[end]);
            return end + 1;
        }
        return 0;
    }
    gunichar c = g_utf8_get_char_validated(text, len);

    if (c == (gunichar)-2) {
        return 0;
    }
    expect(c != (gunichar)-1, "no UTF-8: 0x%x", (uint8_t)text[0]);
    put(c);
    return g_unichar_to_utf8(c, NULL);
}

static gboolean terminal_reads(gint fd, GIOCondition condition, gpointer opaque)
{
    char bytes[4096];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    size_t taken;

    if (n > 0) {
        terminal.received += n;
        g_string_append_len(terminal.held, bytes, n);
        while (terminal.held->len &&
               (taken = understand(terminal.held->str, terminal.held->len)) > 0) {
            g_string_erase(terminal.held, 0, taken);
        }
    }
    return G_SOURCE_CONTINUE;
}

static void terminal_start(void)
{
    terminal.source = g_unix_fd_add(terminal.master, G_IO_IN, terminal_reads, NULL);
}

static void terminal_stop(void)
{
    g_source_remove(terminal.source);
    terminal.source = 0;
}

static void terminal_resize(unsigned rows, unsigned columns)
{
    struct winsize size = { .ws_row = rows, .ws_col = columns };

    expect(ioctl(terminal.master, TIOCSWINSZ, &size) == 0, "%s", g_strerror(errno));
    terminal.columns = columns;
}

static void type(const char *bytes)
{
    expect(write(terminal.master, bytes, strlen(bytes)) == (ssize_t)strlen(bytes), "%s",
           g_strerror(errno));
}

static void modes_get(struct termios *t)
{
    memset(t, 0, sizeof(*t)); /* for memcmp() */
    expect(tcgetattr(terminal.slave, t) == 0, "%s", g_strerror(errno));
}

/* ncurses finds what it is to know in a folder of ours. */
static void describe(const char *name)
{
    g_autofree char *source = g_build_filename(test_folder(), "source", NULL);
    g_autofree char *command = g_strdup_printf("tic -x -o %s %s", test_folder(), source);

    expect(g_file_set_contents(source, description, -1, NULL), "cannot write %s", source);
    expect(system(command) == 0, "%s fails", command);
    setenv("TERMINFO", test_folder(), 1);
    setenv("TERM", name, 1);
}

static void begin_in(const char *term, const char *locale)
{
    setenv("LC_ALL", locale, 1);
    describe(term);
    expect(openpty(&terminal.master, &terminal.slave, NULL, NULL, NULL) == 0, "no pty");
    modes_get(&terminal.before);
    dup2(terminal.slave, STDIN_FILENO);
    dup2(terminal.slave, STDOUT_FILENO);
    fcntl(terminal.master, F_SETFL, O_NONBLOCK);
    terminal.held = g_string_new(NULL);
    terminal.pen.foreground = 7;
    clear_letters();
    terminal_resize(25, 80);
    terminal_start();
    world_begin();
}

static void begin(void)
{
    begin_in("flatview-8", "C.UTF-8");
}

static void end(void)
{
    if (terminal.source) {
        terminal_stop();
    }
    g_string_free(terminal.held, TRUE);
    world_end();
}

/* ---- what stands there ----------------------------------------------------------- */

static const char cp437[] =
    " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUV"
    "WXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡"
    "«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

static TestScreen *text_screen(unsigned columns, unsigned rows)
{
    TestScreen *s = screen_new(9 * columns, 16 * rows);

    s->text.columns = columns;
    s->text.rows = rows;
    for (unsigned i = 0; i < rows * columns; i++) {
        s->cells[i] = (ConsoleCell){ g_random_int(), g_random_int() };
    }
    return s;
}

static void changed(TestScreen *s)
{
    screen_changed(s, 0, 0, 1, 1);
}

static void write_at(TestScreen *s, unsigned x, unsigned y, const char *text, uint8_t attr)
{
    for (unsigned i = 0; text[i]; i++) {
        s->cells[y * s->text.columns + x + i] = (ConsoleCell){ text[i], attr };
    }
    changed(s);
}

/* Row @y of the terminal, without blanks at its end; to be freed. */
static char *row_text(unsigned y)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned x = 0; x < COLUMNS_MAX; x++) {
        g_string_append_unichar(text, terminal.letters[y][x].c);
    }
    return g_strchomp(g_strdup(text->str));
}

/* That the terminal, of @rows and @columns, shows the screen from @left, @top on. */
static bool shows(TestScreen *s, unsigned left, unsigned top, unsigned columns,
                  unsigned rows, bool bright)
{
    static const unsigned colours[] = { 0, 4, 2, 6, 1, 5, 3, 7 };
    g_autofree gunichar *glyphs = g_utf8_to_ucs4_fast(cp437, -1, NULL);

    for (unsigned y = 0; y < rows; y++) {
        for (unsigned x = 0; x < columns; x++) {
            const ConsoleCell *cell = &s->cells[(top + y) * s->text.columns + left + x];
            const Letter *letter = &terminal.letters[y][x];
            unsigned attr = cell->attribute;

            if (letter->c != glyphs[cell->character] ||
                letter->foreground != colours[attr & 7] + (bright ? attr & 8 : 0) ||
                letter->background != colours[attr >> 4 & 7] ||
                letter->bold != (!bright && attr & 8) || letter->blink != !!(attr & 0x80)) {
                return false;
            }
        }
    }
    return true;
}

START_TEST(all_characters_in_all_colours)
{
    TestScreen *s;
    Display *d;

    expect(g_utf8_strlen(cp437, -1) == 256, "the test itself has %ld characters",
           g_utf8_strlen(cp437, -1));
    begin();
    s = text_screen(80, 25);
    d = world_display("");
    expect(s->watched, "nobody looks");
    world_until(shows(s, 0, 0, 80, 25, false));
    for (unsigned i = 0; i < 50; i++) {
        s->cells[g_random_int_range(0, 2000)] =
            (ConsoleCell){ g_random_int(), g_random_int() };
    }
    changed(s);
    world_until(shows(s, 0, 0, 80, 25, false));
    world_close(d);
    expect(!s->watched, "somebody still looks");
    screen_free(s);
    end();
}
END_TEST

START_TEST(sixteen_colours)
{
    TestScreen *s;
    Display *d;

    begin_in("flatview-16", "C.UTF-8");
    s = text_screen(80, 25);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, true));
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(another_character_set)
{
    TestScreen *s;
    Display *d;
    char *text;

    begin();
    s = text_screen(80, 25);
    write_at(s, 0, 0, "\x9b\xb8\x01", 7);
    write_at(s, 3, 0, "                                                          "
             "                   ", 7);
    d = world_display("charset=CP850");
    do {
        world_refresh();
        text = row_text(0);
    } while (!*text);
    expect(strcmp(text, "ø©☺") == 0, "'%s'", text);
    g_free(text);
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

/* A terminal that has no more than ASCII. */
START_TEST(no_unicode)
{
    TestScreen *s;
    Display *d;

    begin_in("flatview-8", "C");
    s = text_screen(80, 25);
    for (unsigned i = 0; i < 2000; i++) {
        s->cells[i] = (ConsoleCell){ i, 7 };
    }
    d = world_display("");
    world_refresh();
    world_until(terminal.letters[0]['A'].c == 'A');
    world_refresh();
    for (unsigned i = 0; i < 2000; i++) {
        gunichar c = terminal.letters[i / 80][i % 80].c;

        expect(c >= ' ' && c < 0x7f, "letter %u is 0x%x", i, c);
        expect((i & 0xff) < ' ' || (i & 0xff) >= 0x7f || c == (i & 0xff),
               "letter %u is 0x%x", i, c);
    }
    expect(terminal.letters[0xc4 / 80][0xc4 % 80].c == '-', "a line is '%c'",
           terminal.letters[0xc4 / 80][0xc4 % 80].c);
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(cursor)
{
    TestScreen *s;
    Display *d;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, false));
    expect(!terminal.cursor, "a cursor");
    s->text.cursor = true;
    s->text.cursor_row = 24;
    s->text.cursor_column = 79;
    changed(s);
    world_until(terminal.cursor && terminal.row == 24 && terminal.column == 79);
    s->text.cursor_row = 3;
    s->text.cursor_column = 4;
    changed(s);
    world_until(terminal.row == 3 && terminal.column == 4);
    s->text.cursor_row = 200; /* outside */
    changed(s);
    world_until(!terminal.cursor);
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

/* Of what changes only that is sent; of what does not, nothing. */
START_TEST(sends_no_more_than_needed)
{
    TestScreen *s;
    Display *d;
    size_t before;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, false));
    world_refresh();
    before = terminal.received;
    world_refresh();
    changed(s);
    world_refresh();
    expect(terminal.received == before, "%zu bytes for nothing", terminal.received - before);
    write_at(s, 10, 10, "x", 0x1e);
    world_until(shows(s, 0, 0, 80, 25, false));
    expect(terminal.received - before < 100, "%zu bytes for one letter",
           terminal.received - before);
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(other_sizes)
{
    TestScreen *s;
    Display *d;

    begin();
    s = text_screen(132, 60);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, false));
    /* A terminal that is too small follows the cursor. */
    s->text.cursor = true;
    s->text.cursor_row = 40;
    s->text.cursor_column = 100;
    changed(s);
    world_until(shows(s, 100 + 1 - 80, 40 + 1 - 25, 80, 25, false));
    terminal_resize(30, 100);
    world_until(shows(s, 100 + 1 - 100, 40 + 1 - 30, 100, 30, false));
    terminal_resize(ROWS_MAX, COLUMNS_MAX);
    world_until(shows(s, 0, 0, 132, 60, false));
    terminal_resize(1, 1);
    world_until(shows(s, 100, 40, 1, 1, false));
    terminal_resize(0, 0); /* nobody knows */
    world_refresh();
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

/* Whether the terminal shows @words in its middle row. */
static bool says(const char *words)
{
    g_autofree char *text = row_text(12);

    return strstr(text, words) != NULL;
}

START_TEST(pictures)
{
    TestScreen *s;
    Display *d;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    s->text.columns = 0;
    screen_resize(s, PIXMAN_x8r8g8b8, 1024, 768);
    world_until(says("1024 x 768: a picture, which a terminal cannot show"));
    terminal_resize(25, 10);
    world_refresh();
    terminal_resize(25, 80);
    s->text.columns = 80;
    changed(s);
    world_until(shows(s, 0, 0, 80, 25, false));
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

/* ---- keys ------------------------------------------------------------------------ */

START_TEST(keys_from_bytes)
{
    static const struct {
        const char *bytes;
        bool last;
        size_t taken;
        uint32_t keysym;
        unsigned modifiers;
    } table[] = {
        { "a", false, 1, 'a', 0 },
        { "Ab", false, 1, 'A', 0 },
        { "\r", false, 1, XKB_KEY_Return, 0 },
        { "\t", false, 1, XKB_KEY_Tab, 0 },
        { "\177", false, 1, XKB_KEY_BackSpace, 0 },
        { "\003", false, 1, 'c', TERMINAL_CTRL },
        { "\037", false, 1, '_', TERMINAL_CTRL },
        { "\xc3", false, 0, 0, 0 },
        { "\xc3", true, 1, 0, 0 },
        { "\xc3\xa4", false, 2, XKB_KEY_adiaeresis, 0 },
        { "\xe2\x82\xac", false, 3, XKB_KEY_EuroSign, 0 },
        { "\xff", false, 1, 0, 0 },
        { "\033", false, 0, 0, 0 },
        { "\033", true, 1, XKB_KEY_Escape, 0 },
        { "\033\033[A", false, 1, XKB_KEY_Escape, 0 },
        { "\033x", false, 2, 'x', TERMINAL_ALT },
        { "\033\003", false, 2, 'c', TERMINAL_ALT | TERMINAL_CTRL },
        { "\033\xc3", false, 0, 0, 0 },
        { "\033[", false, 0, 0, 0 },
        { "\033[", true, 2, '[', TERMINAL_ALT },
        { "\033O", false, 0, 0, 0 },
        { "\033O", true, 2, 'O', TERMINAL_ALT },
        { "\033[A", false, 3, XKB_KEY_Up, 0 },
        { "\033OA", false, 3, XKB_KEY_Up, 0 },
        { "\033OP", false, 3, XKB_KEY_F1, 0 },
        { "\033[Z", false, 3, XKB_KEY_Tab, TERMINAL_SHIFT },
        { "\033[1;5D", false, 6, XKB_KEY_Left, TERMINAL_CTRL },
        { "\033[1;2P", false, 6, XKB_KEY_F1, TERMINAL_SHIFT },
        { "\033[1;99P", false, 7, XKB_KEY_F1, 0 },
        { "\033[3~", false, 4, XKB_KEY_Delete, 0 },
        { "\033[6;3~", false, 6, XKB_KEY_Next, TERMINAL_ALT },
        { "\033[15~", false, 5, XKB_KEY_F5, 0 },
        { "\033[24~x", false, 5, XKB_KEY_F12, 0 },
        { "\033[99999999999~", false, 14, 0, 0 },
        { "\033[[C", false, 4, XKB_KEY_F3, 0 },
        { "\033[[", false, 0, 0, 0 },
        { "\033[[z", false, 4, 0, 0 },
        { "\033[?1;2c", false, 7, 0, 0 },
        { "\033[1;2", false, 0, 0, 0 },
        { "\033[1;2", true, 5, 0, 0 },
        { "\033[1\033x", false, 3, 0, 0 },
        { "\033[1111111111111111111111111111111111111111", false, 32, 0, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        TerminalKey key;
        g_autofree char *shown = g_strescape(table[i].bytes, NULL);
        size_t taken = terminal_key((const uint8_t *)table[i].bytes,
                                    strlen(table[i].bytes), table[i].last, &key);

        expect(taken == table[i].taken, "%s: %zu bytes taken", shown, taken);
        expect(key.keysym == table[i].keysym, "%s: symbol 0x%x", shown, key.keysym);
        expect(!key.keysym || key.modifiers == table[i].modifiers, "%s: modifiers %u", shown,
               key.modifiers);
    }
}
END_TEST

/* Whatever a terminal sends, it comes to an end. */
START_TEST(keys_by_chance)
{
    static const char likely[] = "\033\033[[O;;159~ABPZ";

    for (unsigned i = 0; i < 200000; i++) {
        uint8_t bytes[40];
        size_t len = g_random_int_range(1, sizeof(bytes));
        TerminalKey key;
        size_t taken;

        for (size_t k = 0; k < len; k++) {
            bytes[k] = g_random_int_range(0, 3) ? (uint8_t)likely[g_random_int_range(0, 14)]
                                                : (uint8_t)g_random_int();
        }
        taken = terminal_key(bytes, len, true, &key);
        expect(taken > 0 && taken <= len, "%zu of %zu bytes taken", taken, len);
        taken = terminal_key(bytes, len, false, &key);
        expect(taken <= len, "%zu of %zu bytes taken", taken, len);
    }
}
END_TEST

START_TEST(typing)
{
    TestScreen *s;
    Display *d;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    type("aB");
    input_await("+30 -30 +42 +48 -42 -48");
    type("\033[A\033[1;5C");
    input_await("+103 -103 +29 +106 -106 -29");
    type("\003"); /* Ctrl-C is the guest's */
    input_await("+29 +46 -46 -29");
    type("\033");
    input_await("+1 -1");
    type("\033x");
    input_await("+56 +45 -45 -56");
    type("\033["); /* the rest comes later */
    world_refresh();
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(several_screens)
{
    TestScreen *a, *b;
    Display *d;

    begin();
    a = text_screen(80, 25);
    b = text_screen(80, 25);
    d = world_display("");
    world_until(shows(a, 0, 0, 80, 25, false));
    type("\0332");
    world_until(shows(b, 0, 0, 80, 25, false));
    expect(!a->watched && b->watched, "the other one is watched");
    type("\0339"); /* there is none: all is drawn anew */
    clear_letters();
    world_until(shows(b, 0, 0, 80, 25, false));
    input_expect("");
    screen_free(b);
    world_until(shows(a, 0, 0, 80, 25, false));
    screen_free(a);
    world_until(says("The machine has no screen"));
    type("x\0331");
    input_await("+45 -45");
    a = text_screen(80, 25);
    world_until(shows(a, 0, 0, 80, 25, false));
    world_close(d);
    screen_free(a);
    end();
}
END_TEST

/* ---- terminals that misbehave ---------------------------------------------------- */

START_TEST(a_stuck_terminal)
{
    TestScreen *s;
    Display *d;
    size_t one_screen;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, false));
    one_screen = terminal.received;
    terminal_stop();
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned k = 0; k < 2000; k++) {
            s->cells[k] = (ConsoleCell){ g_random_int(), g_random_int() };
        }
        changed(s);
        world_refresh(); /* does not wait */
    }
    type("a");
    input_await("+30 -30");
    terminal_start();
    world_until(shows(s, 0, 0, 80, 25, false));
    /* That which was on its way, and the last one. */
    expect(terminal.received < 5 * one_screen, "%zu bytes were kept",
           terminal.received - one_screen);
    terminal_stop();
    changed(s);
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(a_terminal_that_goes)
{
    TestScreen *s;
    Display *d;

    begin();
    s = text_screen(80, 25);
    d = world_display("");
    world_until(shows(s, 0, 0, 80, 25, false));
    terminal_stop();
    close(terminal.master);
    world_until(!s->watched);
    while (g_main_context_iteration(NULL, FALSE)) {
        /* to an end: nobody asks a terminal again that has gone */
    }
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

START_TEST(leaves_it_as_it_was)
{
    TestScreen *s;
    Display *d;
    struct termios now;

    begin();
    s = text_screen(80, 25);
    for (unsigned i = 0; i < 2; i++) {
        d = world_display("");
        world_until(shows(s, 0, 0, 80, 25, false));
        modes_get(&now);
        expect(!(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_oflag & OPOST),
               "not in raw mode");
        expect(terminal.alternate, "the user's text is overwritten");
        raise(SIGTSTP); /* it stays, and draws on */
        world_close(d);
        modes_get(&now);
        expect(memcmp(&now, &terminal.before, sizeof(now)) == 0, "other modes are left");
        world_until(!terminal.alternate && terminal.cursor);
        clear_letters();
    }
    screen_free(s);
    end();
}
END_TEST

/* Nothing is left behind: afterwards it opens. */
START_TEST(refusals)
{
    TestScreen *s;
    Display *d;
    struct termios now;
    GError *err = NULL;

    begin();
    world_refused("", "the machine has no screen: -vga std");
    s = text_screen(80, 25);
    world_refused("charset=klingon", "charset 'klingon' is not known here; 'iconv -l'");
    world_refused("display=nobody", "Device 'nobody' not found");
    setenv("TERM", "of another planet", 1);
    world_refused("", "TERM is 'of another planet', a terminal that terminfo does not");
    setenv("TERM", "flatview-8", 1);
    dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
    world_refused("", "standard output is no terminal; -display none");
    dup2(terminal.slave, STDOUT_FILENO);
    dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
    world_refused("", "standard input is no terminal");
    dup2(terminal.slave, STDIN_FILENO);
    modes_get(&now);
    expect(memcmp(&now, &terminal.before, sizeof(now)) == 0, "other modes are left");
    d = world_display("");
    world_refused("", "the terminal has such a display already");
    expect(!chardev_open("c", "stdio", &err), "a character device on the same terminal");
    expect_error(err, "'c'", "raw mode", "busy", NULL);
    world_until(shows(s, 0, 0, 80, 25, false));
    world_close(d);
    screen_free(s);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        all_characters_in_all_colours, sixteen_colours, another_character_set, no_unicode,
        cursor, sends_no_more_than_needed, other_sizes, pictures, keys_from_bytes,
        keys_by_chance, typing, several_screens, a_stuck_terminal, a_terminal_that_goes,
        leaves_it_as_it_was, refusals,
    };
    g_autofree char *tic = g_find_program_in_path("tic");

    if (!tic) {
        printf("SKIP: tic is missing: Debian package ncurses-bin\n");
        return 77;
    }
    return test_run("display-curses", tests, G_N_ELEMENTS(tests));
}
