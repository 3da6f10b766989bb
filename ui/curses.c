/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display "curses": text mode in the terminal that the program was started on, by
 * ncurses (curses(3X)).
 *
 * ncurses works out what to send; sending it, and reading keys, is done here, so that a
 * terminal that takes nothing keeps neither the main loop nor a vCPU waiting: ncurses
 * writes into a file in memory, and draws nothing new before that has been sent.
 *
 * ncurses and the terminal are one each for the whole program, so there is one such
 * display. All in the main loop's thread; whatever draws under the memory lock.
 */
#define NCURSES_WIDECHAR 1
#define key_name curses_key_name /* ui/keys.h has another one */
#include <curses.h>
#undef key_name
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon.h>

#include "hw/core/terminal.h"
#include "ui/console.h"
#include "ui/curses-keys.h"
#include "ui/display.h"

#define KEY_BYTES_MAX 4096  /* that wait for the guest */
#define ESC_MS 50           /* what follows ESC after that time is another key */
#define CLOSE_MS 1000       /* that the terminal may take for what is sent last */

typedef struct CursesDisplay {
    Display display; /* first, always */
    char *charset;   /* properties */
    char *device;
    uint32_t head;

    wchar_t glyphs[256]; /* what characters of the guest are here */
    SCREEN *screen;
    FILE *in, *out;      /* ncurses's: nothing, and a file in memory */
    int tty_in, tty_out; /* the terminal, without waiting */
    bool raw;
    guint in_source, out_source, esc_source, choose_source; /* 0: none */
    GByteArray *unsent;  /* to the terminal */
    GByteArray *typed;   /* from it: the beginning of a key */

    Keyboard *keyboard;
    Console *console;    /* NULL: none */
    Viewer viewer;
    int width, height;   /* of its picture */
    bool stale;          /* what is seen is not what was sent */
} CursesDisplay;

/* There is one terminal. */
static CursesDisplay *curses_user;

/* ---- characters and colours ------------------------------------------------------ */

/* The signs that code page 437 has in the places of control characters. */
static const wchar_t control_glyphs[0x20] =
    L" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";

/* The one character at @from in another set, as a number of at most 4 bytes; 0: that
 * does not have it. */
static uint32_t convert(iconv_t conv, const void *from, size_t len)
{
    uint32_t to = 0;
    char *in = (char *)from, *out = (char *)&to;
    size_t out_left = sizeof(to);

    iconv(conv, NULL, NULL, NULL, NULL);
    return iconv(conv, &in, &len, &out, &out_left) == (size_t)-1 ? 0 : to;
}

/* @c if the terminal's own character set has it, or what comes near it. */
static wchar_t showable(wchar_t c, iconv_t to_near)
{
    char bytes[MB_LEN_MAX];
    uint32_t near;

    if (wctomb(bytes, c) > 0) {
        return c;
    }
    near = to_near == (iconv_t)-1 ? 0 : convert(to_near, &c, sizeof(c));
    return near > ' ' && near < 0x7f ? near : '?'; /* one letter, not several */
}

/* What the guest's characters are. False with @err: nobody knows its character set. */
static bool make_glyphs(CursesDisplay *s, GError **err)
{
    g_autofree char *here = g_strconcat(nl_langinfo(CODESET), "//TRANSLIT", NULL);
    iconv_t conv = iconv_open("UTF-32LE", s->charset);
    iconv_t to_near;

    if (conv == (iconv_t)-1) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "charset '%s' is not known here; 'iconv -l' lists them", s->charset);
        return false;
    }
    to_near = iconv_open(here, "UTF-32LE");
    for (unsigned i = 0; i < 256; i++) {
        uint8_t character = i;
        uint32_t c = i < 0x20 ? (uint32_t)control_glyphs[i] : i == 0x7f ? L'⌂'
                   : convert(conv, &character, 1);

        s->glyphs[i] = showable(c ? c : '?', to_near);
    }
    if (to_near != (iconv_t)-1) {
        iconv_close(to_near);
    }
    iconv_close(conv);
    return true;
}

/* A VGA counts blue from bit 0, a terminal red. */
static unsigned ansi_colour(unsigned vga)
{
    return (vga & 1) << 2 | (vga & 2) | (vga & 4) >> 2 | (vga & 8);
}

static unsigned foregrounds_nr(void)
{
    return COLORS >= 16 && COLOR_PAIRS >= 8 * 16 ? 16 : 8;
}

/* The pair of a VGA's colours; white on black is 0, as ncurses has it. */
static int colour_pair(unsigned background, unsigned foreground)
{
    return (background * foregrounds_nr() + foreground) ^ 7;
}

static void make_colours(void)
{
    unsigned background, foreground;

    if (!has_colors() || start_color() == ERR) {
        return;
    }
    assume_default_colors(COLOR_WHITE, COLOR_BLACK);
    for (background = 0; background < 8; background++) {
        for (foreground = 0; foreground < foregrounds_nr(); foreground++) {
            init_pair(colour_pair(background, foreground), ansi_colour(foreground),
                      ansi_colour(background));
        }
    }
}

/* ---- sending --------------------------------------------------------------------- */

/* The terminal has gone: SIGHUP ends the program, unless it is to stay. */
static void lose_terminal(CursesDisplay *s)
{
    if (s->in_source) {
        g_source_remove(s->in_source);
        s->in_source = 0;
    }
    g_byte_array_set_size(s->unsent, 0);
    viewer_pause(&s->viewer, true);
}

/* As much as it takes now. */
static void send_now(CursesDisplay *s)
{
    while (s->unsent->len) {
        ssize_t n = write(s->tty_out, s->unsent->data, s->unsent->len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN) {
            lose_terminal(s);
        }
        if (n <= 0) {
            return;
        }
        g_byte_array_remove_range(s->unsent, 0, n);
    }
}

static gboolean can_send(gint fd, GIOCondition condition, gpointer opaque)
{
    CursesDisplay *s = opaque;

    memory_lock();
    send_now(s);
    memory_unlock();
    if (s->unsent->len) {
        return G_SOURCE_CONTINUE;
    }
    s->out_source = 0; /* what has changed meanwhile is drawn at the next refresh */
    return G_SOURCE_REMOVE;
}

/* What ncurses has written, on its way to the terminal. */
static void take_output(CursesDisplay *s)
{
    int fd = fileno(s->out);
    off_t size;

    fflush(s->out);
    size = lseek(fd, 0, SEEK_END);
    if (size > 0) {
        guint before = s->unsent->len;
        ssize_t n;

        g_byte_array_set_size(s->unsent, before + size);
        n = pread(fd, s->unsent->data + before, size, 0);
        g_byte_array_set_size(s->unsent, before + MAX(n, 0));
    }
    if (ftruncate(fd, 0) == 0) {
        lseek(fd, 0, SEEK_SET);
    }
    send_now(s);
    if (s->unsent->len && !s->out_source) {
        s->out_source = g_unix_fd_add(s->tty_out, G_IO_OUT, can_send, s);
    }
}

/* ---- drawing --------------------------------------------------------------------- */

static void draw_cell(const CursesDisplay *s, int y, int x, const ConsoleCell *cell)
{
    wchar_t text[2] = { s->glyphs[cell->character], 0 };
    unsigned foreground = cell->attribute & 0xf;
    attr_t attributes = A_NORMAL;
    cchar_t cc;

    if (foreground >= foregrounds_nr()) {
        foreground &= 7;
        attributes |= A_BOLD;
    }
    if (cell->attribute & 0x80) {
        attributes |= A_BLINK;
    }
    setcchar(&cc, text, attributes, colour_pair(cell->attribute >> 4 & 7, foreground),
             NULL);
    mvadd_wch(y, x, &cc);
}

/* Where to begin, of @nr cells, so that @place is among the @room that are seen. */
static unsigned first_seen(unsigned nr, unsigned room, unsigned place)
{
    return nr <= room || place < room ? 0 : MIN(place + 1, nr) - room;
}

static void draw_text(const CursesDisplay *s, const ConsoleText *text)
{
    unsigned rows = MIN(text->rows, (unsigned)LINES);
    unsigned columns = MIN(text->columns, (unsigned)COLS);
    unsigned top = first_seen(text->rows, rows, text->cursor_row);
    unsigned left = first_seen(text->columns, columns, text->cursor_column);
    bool cursor = text->cursor && text->cursor_row - top < rows &&
                  text->cursor_column - left < columns;

    for (unsigned y = 0; y < rows; y++) {
        for (unsigned x = 0; x < columns; x++) {
            draw_cell(s, y, x, &text->cells[(top + y) * text->columns + left + x]);
        }
    }
    curs_set(cursor ? 1 : 0);
    if (cursor) {
        move(text->cursor_row - top, text->cursor_column - left);
    }
}

static void draw_message(const CursesDisplay *s)
{
    g_autofree char *text =
        s->console ? g_strdup_printf("%d x %d: a picture, which a terminal cannot show",
                                     s->width, s->height)
                   : g_strdup("The machine has no screen");
    int column = MAX(0, (COLS - (int)strlen(text)) / 2);

    mvaddnstr(LINES / 2, column, text, COLS - column);
    curs_set(0);
}

/* Follow the terminal's size. */
static void fit_terminal(CursesDisplay *s)
{
    struct winsize size;

    if (ioctl(s->tty_out, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS)) {
        resizeterm(size.ws_row, size.ws_col);
        clearok(stdscr, TRUE);
        s->stale = true;
    }
}

static void refresh_screen(CursesDisplay *s)
{
    ConsoleText text;

    fit_terminal(s);
    if (!s->stale || s->unsent->len) {
        return;
    }
    s->stale = false;
    erase();
    if (s->console && console_text(s->console, &text)) {
        draw_text(s, &text);
    } else {
        draw_message(s);
    }
    refresh();
    take_output(s);
}

/* ---- the console that is seen ---------------------------------------------------- */

static void see_console(CursesDisplay *s, Console *con)
{
    viewer_detach(&s->viewer);
    s->console = con;
    s->stale = true;
    if (con) {
        viewer_attach(&s->viewer, con);
    }
    clearok(stdscr, TRUE); /* also what others have written over it */
    refresh_screen(s);
}

/* That of the user's choice. NULL with @err: there is none. */
static Console *choose_console(CursesDisplay *s, GError **err)
{
    return s->device ? console_find(s->device, s->head, err) : console_default(err);
}

static gboolean choose_now(gpointer opaque)
{
    CursesDisplay *s = opaque;

    s->choose_source = 0;
    memory_lock();
    if (!s->console) {
        see_console(s, choose_console(s, NULL));
    }
    memory_unlock();
    return G_SOURCE_REMOVE;
}

/* One has come, which is not complete yet, or gone. */
static void choose_soon(CursesDisplay *s)
{
    if (!s->choose_source) {
        s->choose_source = g_idle_add(choose_now, s);
    }
}

static void console_added(Console *con, void *opaque)
{
    choose_soon(opaque);
}

static void viewer_image(void *opaque, pixman_image_t *image)
{
    CursesDisplay *s = opaque;

    if (image) {
        s->width = pixman_image_get_width(image);
        s->height = pixman_image_get_height(image);
    } else {
        s->console = NULL;
        choose_soon(s);
    }
}

static void viewer_changed(void *opaque, int x, int y, int width, int height)
{
    ((CursesDisplay *)opaque)->stale = true;
}

static void viewer_refreshed(void *opaque)
{
    refresh_screen(opaque);
}

static const ViewerOps viewer_ops = {
    .image = viewer_image,
    .changed = viewer_changed,
    .refreshed = viewer_refreshed,
};

/* ---- keys ------------------------------------------------------------------------ */

static void serve_key(CursesDisplay *s, const TerminalKey *key)
{
    if (key->modifiers == TERMINAL_ALT && key->keysym >= XKB_KEY_1 &&
        key->keysym <= XKB_KEY_9) {
        Console *con = console_by_index(key->keysym - XKB_KEY_1);

        if (con && !s->device) {
            see_console(s, con);
        } else {
            see_console(s, s->console);
        }
    } else if (key->keysym) {
        terminal_key_type(s->keyboard, key);
    }
}

/* All keys that are complete; @last: and the one that begins there. */
static void serve_keys(CursesDisplay *s, bool last)
{
    TerminalKey key;
    size_t done = 0, taken;

    memory_lock();
    while (done < s->typed->len &&
           (taken = terminal_key(s->typed->data + done, s->typed->len - done, last,
                                 &key)) > 0) {
        done += taken;
        serve_key(s, &key);
    }
    memory_unlock();
    g_byte_array_remove_range(s->typed, 0, done);
}

static gboolean nothing_follows(gpointer opaque)
{
    CursesDisplay *s = opaque;

    s->esc_source = 0;
    serve_keys(s, true);
    return G_SOURCE_REMOVE;
}

static gboolean keys_arrived(gint fd, GIOCondition condition, gpointer opaque)
{
    CursesDisplay *s = opaque;
    uint8_t bytes[KEY_BYTES_MAX];
    ssize_t n = read(fd, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (n <= 0) {
        s->in_source = 0;
        memory_lock();
        lose_terminal(s);
        memory_unlock();
        return G_SOURCE_REMOVE;
    }
    if (s->esc_source) {
        g_source_remove(s->esc_source);
        s->esc_source = 0;
    }
    g_byte_array_append(s->typed, bytes, n);
    serve_keys(s, false);
    if (s->typed->len) {
        s->esc_source = g_timeout_add(ESC_MS, nothing_follows, s);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- the display ----------------------------------------------------------------- */

/* A descriptor of our own: non-blocking mode belongs to the open file, which the shell
 * has, too. */
static int open_terminal(int fd, GError **err)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int own = -1;

    if (!isatty(fd)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "standard %s is no terminal; -display none, or -vnc, needs none",
                    fd == STDIN_FILENO ? "input" : "output");
        return -1;
    }
    own = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot open the terminal: %s",
                    g_strerror(errno));
    }
    return own;
}

/* Every byte as it is, both ways: ncurses counts on it. */
static bool make_raw(CursesDisplay *s, GError **err)
{
    struct termios modes;
    int ret = terminal_make_raw(STDIN_FILENO, false);

    if (ret == 0) {
        s->raw = true;
        ret = tcgetattr(s->tty_out, &modes) < 0 ? -errno : 0;
    }
    if (ret == 0) {
        modes.c_oflag &= ~OPOST;
        ret = tcsetattr(s->tty_out, TCSANOW, &modes) < 0 ? -errno : 0;
    }
    if (ret < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot put the terminal into raw mode: %s",
                    g_strerror(-ret));
    }
    return ret == 0;
}

static bool start_curses(CursesDisplay *s, GError **err)
{
    const char *term = g_getenv("TERM");
    int memory = memfd_create("flatview-curses", MFD_CLOEXEC);

    s->in = fopen("/dev/null", "re");
    s->out = memory >= 0 ? fdopen(memory, "w") : NULL;
    if (!s->in || !s->out) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot make a file in memory: %s",
                    g_strerror(errno));
        return false;
    }
    s->screen = newterm(NULL, s->out, s->in);
    if (!s->screen) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "TERM is '%s', a terminal that terminfo does not describe; Debian "
                    "package ncurses-term describes more", term ? term : "");
        return false;
    }
    /* ncurses would use the screen from its handler, in whichever thread that runs. No
     * key makes this signal: Ctrl-Z is the guest's. */
    signal(SIGTSTP, SIG_IGN);
    raw();
    noecho();
    nonl();
    make_colours();
    return true;
}

/* The terminal as it was, as far as it takes that within CLOSE_MS. */
static void end_curses(CursesDisplay *s)
{
    gint64 end = g_get_monotonic_time() + CLOSE_MS * 1000;
    struct pollfd can_write = { .fd = s->tty_out, .events = POLLOUT };

    if (s->screen) {
        signal(SIGTSTP, SIG_DFL);
        endwin();
        take_output(s);
        while (s->unsent->len && g_get_monotonic_time() < end) {
            poll(&can_write, 1, 100);
            send_now(s);
        }
        delscreen(s->screen);
    }
    if (s->raw) {
        terminal_restore();
    }
    g_clear_pointer(&s->in, fclose);
    g_clear_pointer(&s->out, fclose);
    if (s->tty_in >= 0) {
        close(s->tty_in);
    }
    if (s->tty_out >= 0) {
        close(s->tty_out);
    }
}

static void curses_close(Display *display)
{
    CursesDisplay *s = (CursesDisplay *)display;
    guint *sources[] = { &s->in_source, &s->out_source, &s->esc_source,
                         &s->choose_source };

    memory_lock();
    console_unlisten(console_added, s);
    viewer_detach(&s->viewer);
    keyboard_free(s->keyboard);
    end_curses(s);
    memory_unlock();
    for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (*sources[i]) {
            g_source_remove(*sources[i]);
        }
    }
    g_byte_array_unref(s->unsent);
    g_byte_array_unref(s->typed);
    curses_user = NULL;
}

static bool open_all(CursesDisplay *s, GError **err)
{
    Console *con;

    setlocale(LC_CTYPE, "");
    if (!make_glyphs(s, err)) {
        return false;
    }
    s->keyboard = keyboard_new(s->display.keyboard, err);
    if (!s->keyboard) {
        return false;
    }
    s->tty_in = open_terminal(STDIN_FILENO, err);
    s->tty_out = s->tty_in < 0 ? -1 : open_terminal(STDOUT_FILENO, err);
    if (s->tty_out < 0) {
        return false;
    }
    con = choose_console(s, err);
    if (!con || !make_raw(s, err) || !start_curses(s, err)) {
        return false;
    }
    see_console(s, con);
    console_listen(console_added, s);
    s->in_source = g_unix_fd_add(s->tty_in, G_IO_IN, keys_arrived, s);
    return true;
}

static bool curses_open(Display *display, GError **err)
{
    CursesDisplay *s = (CursesDisplay *)display;
    bool done;

    if (curses_user) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "the terminal has such a display already; there it is Alt with a "
                    "digit that shows another screen");
        return false;
    }
    curses_user = s;
    s->tty_in = s->tty_out = -1;
    s->unsent = g_byte_array_new();
    s->typed = g_byte_array_new();
    s->viewer = (Viewer){ .ops = &viewer_ops, .opaque = s };
    memory_lock();
    done = open_all(s, err);
    memory_unlock();
    if (!done) {
        curses_close(display);
    }
    return done;
}

static const Property curses_properties[] = {
    { "charset", PROP_STRING, offsetof(CursesDisplay, charset), "CP437",
      "the character set of the guest's text, as iconv calls it", 0 },
    { "display", PROP_STRING, offsetof(CursesDisplay, device), NULL,
      "the id of the one device that is shown; Alt with a digit chooses if there is none",
      0 },
    { "head", PROP_UINT32, offsetof(CursesDisplay, head), "0",
      "which of its screens", 0 },
    { 0 },
};

const DisplayType display_module = {
    .name = "curses",
    .description = "text mode in this terminal",
    .size = sizeof(CursesDisplay),
    .properties = curses_properties,
    .open = curses_open,
    .close = curses_close,
};
