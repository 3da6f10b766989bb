/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest draws is what is seen: tests/guest/screen.c on the board pc draws known
 * pictures in each mode of VGA, VBE, bochs-display and ramfb, and each pixel of a
 * screendump is what this file works out by itself. Needs KVM.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kvm.h"
#include "tests/guest/screen.h"
#include "tests/qmp/qmp-client.h"

#define TIMEOUT_S 100 /* against hanging */

/* ---- pictures --------------------------------------------------------------------- */

typedef struct Picture {
    unsigned width, height;
    uint32_t *pixels; /* 0xrrggbb */
} Picture;

static Picture picture_new(unsigned width, unsigned height)
{
    return (Picture){ width, height, g_new0(uint32_t, (size_t)width * height) };
}

static void picture_free(Picture *p)
{
    g_clear_pointer(&p->pixels, g_free);
}

static uint32_t *picture_at(Picture *p, unsigned x, unsigned y)
{
    return &p->pixels[(size_t)y * p->width + x];
}

/* A file of PPM's binary kind. */
static Picture picture_read(const char *path)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) err = NULL;
    unsigned width, height;
    int start = 0;
    Picture p;
    gsize len;

    expect(g_file_get_contents(path, &data, &len, &err), "%s", err->message);
    expect(sscanf(data, "P6 %u %u 255%n", &width, &height, &start) == 2 && start,
           "%s is no PPM", path);
    expect(len == start + 1 + 3 * (size_t)width * height, "%s: %zu bytes for %ux%u",
           path, len, width, height);
    p = picture_new(width, height);
    for (size_t i = 0; i < (size_t)width * height; i++) {
        const uint8_t *from = (const uint8_t *)data + start + 1 + i * 3;

        p.pixels[i] = from[0] << 16 | from[1] << 8 | from[2];
    }
    return p;
}

static void expect_equal(const char *what, Picture got, Picture wanted)
{
    expect(got.width == wanted.width && got.height == wanted.height,
           "%s: the screen is %ux%u, not %ux%u", what, got.width, got.height,
           wanted.width, wanted.height);
    for (size_t i = 0; i < (size_t)got.width * got.height; i++) {
        expect(got.pixels[i] == wanted.pixels[i], "%s: at %zu, %zu is %06x, not %06x",
               what, i % got.width, i / got.width, got.pixels[i], wanted.pixels[i]);
    }
}

/* ---- what is to be seen ------------------------------------------------------------ */

static const char *const mode_names[] = {
    [SCREEN_TEXT80] = "text 80x25", [SCREEN_TEXT80_8] = "text 80x25 of 8 dots",
    [SCREEN_TEXT80_50] = "text 80x50", [SCREEN_TEXT40] = "text 40x25",
    [SCREEN_CGA4] = "mode 4", [SCREEN_CGA2] = "mode 6", [SCREEN_EGA_LOW] = "mode 0x0d",
    [SCREEN_EGA_HIGH] = "mode 0x10", [SCREEN_VGA16] = "mode 0x12",
    [SCREEN_VGA256] = "mode 0x13", [SCREEN_MODE_X] = "mode X",
    [SCREEN_VBE8] = "VBE, 8 bits", [SCREEN_VBE15] = "VBE, 15 bits",
    [SCREEN_VBE16] = "VBE, 16 bits", [SCREEN_VBE24] = "VBE, 24 bits",
    [SCREEN_VBE32] = "VBE, 32 bits", [SCREEN_VBE32_MOVED] = "VBE, 32 bits, moved",
    [SCREEN_BOCHS] = "bochs-display", [SCREEN_BOCHS_MOVED] = "bochs-display, moved",
    [SCREEN_RAMFB32] = "ramfb, 32 bits", [SCREEN_RAMFB24] = "ramfb, 24 bits",
};

/* Entry @i of the DAC, whose 6 bits become 8 by repeating the lowest. */
static uint32_t dac_colour(unsigned seed, unsigned i)
{
    uint32_t colour = 0;

    for (unsigned component = 0; component < 3; component++) {
        uint8_t six = screen_dac(seed, i, component);

        colour = colour << 8 | six << 2 | (six & 1) * 3;
    }
    return colour;
}

/* What the attribute controller makes of 4 bits. */
static uint32_t colour16(unsigned seed, unsigned index)
{
    static const uint8_t palette[16] = { 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a,
                                         0x3b, 0x3c, 0x3d, 0x3e, 0x3f };

    return dac_colour(seed, palette[index & 15]);
}

/* Cells of @dots, each of these @wide pixels wide. The ninth dot of characters that
 * draw lines or, as QEMU has it, areas is like the eighth where @graphics. */
static Picture text_picture(unsigned seed, unsigned columns, unsigned rows,
                            unsigned lines, unsigned dots, unsigned wide, bool graphics)
{
    Picture p = picture_new(columns * dots * wide, rows * lines);

    for (unsigned y = 0; y < p.height; y++) {
        for (unsigned x = 0; x < p.width; x++) {
            unsigned column = x / (dots * wide), dot = x / wide % dots, row = y / lines;
            uint8_t character = screen_character(seed, column, row);
            uint8_t attribute = screen_attribute(seed, column, row);
            uint8_t shape = screen_font(seed, character, y % lines);
            bool set = dot < 8 ? shape >> (7 - dot) & 1 :
                       graphics && character >= 0xb0 && character <= 0xdf && (shape & 1);

            *picture_at(&p, x, y) = colour16(seed, set ? attribute : attribute >> 4);
        }
    }
    return p;
}

/* Each dot @wide pixels wide and @high lines high, of as many colours as @mask. */
static Picture index_picture(unsigned seed, unsigned width, unsigned height,
                             unsigned wide, unsigned high, unsigned mask)
{
    Picture p = picture_new(width * wide, height * high);

    for (unsigned y = 0; y < p.height; y++) {
        for (unsigned x = 0; x < p.width; x++) {
            uint32_t index = screen_index(seed, x / wide, y / high) & mask;

            *picture_at(&p, x, y) = mask == 0xff ? dac_colour(seed, index) :
                                                   colour16(seed, index);
        }
    }
    return p;
}

/* With the pieces that the guest draws in other ways. */
static Picture planar_picture(unsigned seed, unsigned width, unsigned height,
                              unsigned wide, unsigned high)
{
    Picture p = index_picture(seed, width, height, wide, high, 15);
    unsigned top = height - SCREEN_PIECE_HEIGHT;

    for (unsigned y = 0; y < SCREEN_PIECE_HEIGHT * high; y++) {
        for (unsigned x = 0; x < SCREEN_PIECE_WIDTH * SCREEN_PIECES * wide; x++) {
            unsigned dot = x / wide, line = top + y / high;
            uint32_t was = screen_index(seed, dot, line) & 15, is = was;

            switch (dot / SCREEN_PIECE_WIDTH) {
            case SCREEN_PIECE_FILL:
                is = seed & 15;
                break;
            case SCREEN_PIECE_MASK:
                is = dot & 1 ? 9 : was;
                break;
            case SCREEN_PIECE_XOR:
                is = was ^ 5;
                break;
            case SCREEN_PIECE_COPY:
                is = screen_index(seed, dot % SCREEN_PIECE_WIDTH, line - top);
                break;
            case SCREEN_PIECE_MODE3:
                is = (dot & 2) ? 6 : was;
                break;
            }
            *picture_at(&p, x, top * high + y) = colour16(seed, is);
        }
    }
    return p;
}

static uint32_t widen(uint32_t value, unsigned bits)
{
    return value << (8 - bits) | value >> (2 * bits - 8);
}

static Picture colour_picture(unsigned seed, unsigned bpp, bool moved)
{
    Picture p = picture_new(SCREEN_WIDTH, SCREEN_HEIGHT);

    for (unsigned y = 0; y < p.height; y++) {
        for (unsigned x = 0; x < p.width; x++) {
            uint32_t c = screen_colour(seed, x + (moved ? SCREEN_X : 0),
                                       y + (moved ? SCREEN_Y : 0));

            switch (bpp) {
            case 15: /* not widened, as QEMU shows it */
                c = (c >> 10 & 31) << 19 | (c >> 5 & 31) << 11 | (c & 31) << 3;
                break;
            case 16:
                c = widen(c >> 11 & 31, 5) << 16 | widen(c >> 5 & 63, 6) << 8 |
                    widen(c & 31, 5);
                break;
            }
            *picture_at(&p, x, y) = c & 0xffffff;
        }
    }
    return p;
}

static Picture wanted_picture(ScreenMode mode, unsigned seed)
{
    switch (mode) {
    case SCREEN_TEXT80:
        return text_picture(seed, 80, 25, 16, 9, 1, true);
    case SCREEN_TEXT80_8:
        return text_picture(seed, 80, 25, 16, 8, 1, false);
    case SCREEN_TEXT80_50:
        return text_picture(seed, 80, 50, 8, 9, 1, false);
    case SCREEN_TEXT40:
        return text_picture(seed, 40, 25, 16, 8, 2, true);
    case SCREEN_CGA4:
        return index_picture(seed, 320, 200, 2, 2, 3);
    case SCREEN_CGA2:
        return index_picture(seed, 640, 200, 1, 2, 1);
    case SCREEN_EGA_LOW:
        return planar_picture(seed, 320, 200, 2, 2);
    case SCREEN_EGA_HIGH:
        return planar_picture(seed, 640, 350, 1, 1);
    case SCREEN_VGA16:
        return planar_picture(seed, 640, 480, 1, 1);
    case SCREEN_VGA256:
        return index_picture(seed, 320, 200, 2, 2, 255);
    case SCREEN_MODE_X:
        return index_picture(seed, 320, 240, 2, 2, 255);
    case SCREEN_VBE8:
        return index_picture(seed, SCREEN_WIDTH, SCREEN_HEIGHT, 1, 1, 255);
    case SCREEN_VBE15:
        return colour_picture(seed, 15, false);
    case SCREEN_VBE16:
        return colour_picture(seed, 16, false);
    case SCREEN_VBE24:
    case SCREEN_VBE32:
    case SCREEN_BOCHS:
    case SCREEN_RAMFB32:
    case SCREEN_RAMFB24:
        return colour_picture(seed, 24, false);
    case SCREEN_VBE32_MOVED:
    case SCREEN_BOCHS_MOVED:
        return colour_picture(seed, 24, true);
    case SCREEN_MODES:
        break;
    }
    test_fail("no mode %d", mode);
}

/* ---- the guest ----------------------------------------------------------------- */

static QMPClient *qmp;
static int line = -1; /* the guest's first serial port */
static char *dump;    /* the file of screendumps */

static void expect_answer(const char *wanted)
{
    GString *got = g_string_new(NULL);

    while (!g_str_has_suffix(got->str, "\n")) {
        struct pollfd fd = { .fd = line, .events = POLLIN };
        char c;

        expect(poll(&fd, 1, TIMEOUT_S * 1000) == 1, "no answer but \"%s\"", got->str);
        expect(read(line, &c, 1) == 1, "the guest has ended");
        g_string_append_c(got, c);
    }
    ck_assert_str_eq(got->str, wanted);
    g_string_free(got, TRUE);
}

/* Have the guest do as screen.h says; wait until it has. */
static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    expect(send(line, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text),
           "send: %m");
    expect_answer(SCREEN_DONE);
}

/* With the options in @more, apart at spaces. */
static void start(const char *more)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(self);
    g_autofree char *text = NULL;
    g_auto(GStrv) args = NULL;
    GError *err = NULL;
    int fds[2], fd;

    fd = g_file_open_tmp("screen-XXXXXX", &dump, &err);
    expect(fd >= 0, "%s", err->message);
    close(fd);
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair: %m");
    line = fds[0];
    text = g_strdup_printf("-M pc -m 64 -nodefaults -display none "
                           "-chardev socket,id=line,fd=%d -serial chardev:line "
                           "-kernel %s/guest/screen.bin %s", fds[1], tests, more);
    args = g_strsplit(text, " ", 0);
    qmp = qmp_client_spawn_argv((const char *const *)args);
    close(fds[1]);
    expect_answer(SCREEN_READY);
}

static void stop(void)
{
    qmp_client_free(qmp);
    close(line);
    unlink(dump);
    g_clear_pointer(&dump, g_free);
}

static void expect_screen(const char *when, ScreenMode mode, unsigned seed)
{
    Picture wanted = wanted_picture(mode, seed), got;
    g_autofree char *what = g_strdup_printf("%s%s", mode_names[mode], when);

    qmp_run(qmp, "screendump", "{'filename': '%s'}", dump);
    got = picture_read(dump);
    expect_equal(what, got, wanted);
    picture_free(&got);
    picture_free(&wanted);
}

static void draw(const char *when, ScreenMode mode, unsigned seed)
{
    tell("d %x %x\n", mode, seed);
    expect_screen(when, mode, seed);
}

/* ---- tests --------------------------------------------------------------------- */

START_TEST(vga_modes)
{
    start("-device VGA");
    for (ScreenMode mode = 0; mode <= SCREEN_VBE32_MOVED; mode++) {
        draw("", mode, 3 + mode);
    }
    stop();
}
END_TEST

/* From each mode to one of another kind, whose memory is in another order. */
START_TEST(vga_changes)
{
    start("-device VGA");
    for (unsigned i = 0; i <= SCREEN_VBE32_MOVED; i++) {
        draw(" after another", i * 5 % (SCREEN_VBE32_MOVED + 1), i);
    }
    stop();
}
END_TEST

START_TEST(bochs_modes)
{
    start("-device bochs-display");
    draw("", SCREEN_BOCHS, 1);
    draw("", SCREEN_BOCHS_MOVED, 2);
    draw(" again", SCREEN_BOCHS, 3);
    stop();
}
END_TEST

START_TEST(ramfb_modes)
{
    start("-device ramfb");
    draw("", SCREEN_RAMFB32, 1);
    draw("", SCREEN_RAMFB24, 2);
    draw(" again", SCREEN_RAMFB32, 3);
    stop();
}
END_TEST

/* Whatever the guest writes, it runs on, and a mode that it then sets is right. */
START_TEST(absurd_registers)
{
    start("-device VGA -device bochs-display");
    for (unsigned seed = 1; seed <= 12; seed++) {
        tell("j %x 200\n", seed);
        qmp_run(qmp, "screendump", "{'filename': '%s'}", dump);
        draw(" after junk", seed * 5 % (SCREEN_VBE32_MOVED + 1), seed);
    }
    stop();
}
END_TEST

/* ---- while somebody looks ------------------------------------------------------- */

/* A client of VNC, which says and hears what RFC 6143 has it. */
typedef struct Looker {
    char *path;
    gint stop;
    unsigned updates, sizes;
} Looker;

static void receive(int fd, void *data, size_t len)
{
    static uint8_t waste[65536];
    uint8_t *to = data;

    while (len) {
        ssize_t n = recv(fd, to ? to : waste, to ? len : MIN(len, sizeof(waste)), 0);

        expect(n > 0, "the server has closed the connection");
        to = to ? to + n : NULL;
        len -= n;
    }
}

static unsigned receive_number(int fd, unsigned bytes)
{
    uint8_t data[4];
    unsigned value = 0;

    receive(fd, data, bytes);
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

/* With no security, and the encodings raw and DesktopSize. */
static int looker_connect(Looker *looker)
{
    static const uint8_t none[] = { 1 }, shared[] = { 1 };
    static const uint8_t encodings[] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21 };
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(addr.sun_path, looker->path, sizeof(addr.sun_path));
    expect(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "connect: %m");
    receive(fd, NULL, 12);
    send(fd, "RFB 003.008\n", 12, MSG_NOSIGNAL);
    receive(fd, NULL, receive_number(fd, 1));
    send(fd, none, sizeof(none), MSG_NOSIGNAL);
    ck_assert_uint_eq(receive_number(fd, 4), 0);
    send(fd, shared, sizeof(shared), MSG_NOSIGNAL);
    receive(fd, NULL, 20); /* size and format */
    receive(fd, NULL, receive_number(fd, 4));
    send(fd, encodings, sizeof(encodings), MSG_NOSIGNAL);
    return fd;
}

/* A whole picture, or what has changed; what it shows does not matter. */
static void looker_update(Looker *looker, int fd)
{
    const uint8_t request[] = { 3, looker->updates % 8 != 0, 0, 0, 0, 0,
                                0xff, 0xff, 0xff, 0xff };

    send(fd, request, sizeof(request), MSG_NOSIGNAL);
    ck_assert_uint_eq(receive_number(fd, 1), 0);
    receive(fd, NULL, 1);
    for (unsigned left = receive_number(fd, 2); left; left--) {
        unsigned width, height, encoding;

        receive(fd, NULL, 4);
        width = receive_number(fd, 2);
        height = receive_number(fd, 2);
        encoding = receive_number(fd, 4);
        expect(encoding == 0 || encoding == (unsigned)-223, "encoding %d", encoding);
        if (encoding == 0) {
            receive(fd, NULL, (size_t)width * height * 4);
        } else {
            looker->sizes++;
        }
    }
    looker->updates++;
}

static void *look(void *opaque)
{
    Looker *looker = opaque;

    while (!g_atomic_int_get(&looker->stop)) {
        int fd = looker_connect(looker);

        for (unsigned i = 0; i < 20 && !g_atomic_int_get(&looker->stop); i++) {
            looker_update(looker, fd);
        }
        close(fd);
    }
    return NULL;
}

/* The same with a client that comes and goes, and looks all the time. */
START_TEST(absurd_registers_watched)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(self);
    g_autofree char *module = g_build_filename(tests, "..", "ui-vnc.so", NULL);
    g_autofree char *folder = g_dir_make_tmp("screen-XXXXXX", NULL);
    g_autofree char *options = NULL;
    Looker looker = { 0 };
    GThread *thread;

    if (!g_file_test(module, G_FILE_TEST_EXISTS)) {
        printf("SKIP: built without VNC\n");
        return;
    }
    looker.path = g_build_filename(folder, "vnc", NULL);
    options = g_strdup_printf("-device VGA -device bochs-display -vnc unix:%s",
                              looker.path);
    start(options);
    thread = g_thread_new("looker", look, &looker);
    for (unsigned seed = 1; seed <= 6; seed++) {
        tell("j %x 100\n", seed);
        draw(" after junk", seed * 5 % (SCREEN_VBE32_MOVED + 1), seed);
    }
    g_atomic_int_set(&looker.stop, 1);
    tell("d %x 0\n", SCREEN_VBE32); /* so that there is something to look at */
    tell("d %x 1\n", SCREEN_VGA16);
    g_thread_join(thread);
    expect(looker.updates > 10 && looker.sizes > 1, "%u updates and %u sizes were seen",
           looker.updates, looker.sizes);
    stop();
    unlink(looker.path);
    rmdir(folder);
    g_free(looker.path);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { vga_modes, vga_changes, bochs_modes, ramfb_modes,
                                   absurd_registers, absurd_registers_watched };
    GError *err = NULL;

    if (!kvm_available(&err)) {
        printf("SKIP: %s\n", err->message);
        g_error_free(err);
        return 77;
    }
    return test_run("kvm-screen", tests, G_N_ELEMENTS(tests));
}
