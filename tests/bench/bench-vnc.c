/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VNC client is sent while a desktop is worked with: the same drawing, by a
 * script, in the frame buffer of a bochs-display here and in the QEMU installed here;
 * the same client on both, which takes updates as they come. It counts bytes, and in
 * the end its picture must be what was drawn.
 *
 * Environment, as make sets it: FLATVIEW (the program), BUILD_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> /* what netinet/tcp.h has of tcp_info is too little */
#include <netinet/in.h>
#include <rfb/rfbclient.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

extern char **environ;

#define WIDTH 1024
#define HEIGHT 768
#define STEPS 40          /* of the script, */
#define STEP_MS 100       /* so long each */
#define RUNS 3
#define SETTLE_MS 10000   /* until the client has all */
#define LISTEN_MS 10000   /* until it can connect */

#define FRAMEBUFFER 0xe0000000u
#define REGISTERS 0xe1000000u
#define VBE(index) (REGISTERS + 0x500 + (index) * 2)

/* ---- the script ------------------------------------------------------------------------ */

typedef struct Desktop {
    uint32_t pixels[HEIGHT][WIDTH];
    bool changed[HEIGHT];
    uint64_t random;
} Desktop;

static void put(Desktop *d, int x, int y, uint32_t pixel)
{
    if (x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT && d->pixels[y][x] != pixel) {
        d->pixels[y][x] = pixel;
        d->changed[y] = true;
    }
}

static void fill(Desktop *d, int x, int y, int width, int height, uint32_t pixel)
{
    for (int line = y; line < y + height; line++) {
        for (int column = x; column < x + width; column++) {
            put(d, column, line, pixel);
        }
    }
}

/* What is behind all windows: a slope of colour with icons on it. */
static uint32_t wallpaper(int x, int y)
{
    bool icon = x < 80 && x >= 24 && y % 96 >= 24 && y % 96 < 72;

    return icon ? 0xd0d0d0 ^ (uint32_t)((x ^ y) & 7) * 0x101010
                : 0x204060 + (uint32_t)(y / 12) * 0x000101;
}

static void restore(Desktop *d, int x, int y, int width, int height)
{
    for (int line = MAX(y, 0); line < MIN(y + height, HEIGHT); line++) {
        for (int column = MAX(x, 0); column < MIN(x + width, WIDTH); column++) {
            put(d, column, line, wallpaper(column, line));
        }
    }
}

/* A character of 8 by 16 of some letters or others. */
static void letter(Desktop *d, int x, int y)
{
    uint32_t shape = bench_random(&d->random);

    for (int line = 0; line < 16; line++) {
        for (int column = 0; column < 8; column++) {
            bool ink = line > 2 && line < 13 && column < 7 &&
                       shape >> ((line / 2 * 4 + column / 2) % 32) & 1;

            put(d, x + column, y + line, ink ? 0x101010 : 0xffffff);
        }
    }
}

static void text_line(Desktop *d, int x, int y, int letters)
{
    for (int i = 0; i < letters; i++) {
        letter(d, x + i * 8, y);
    }
}

static void window(Desktop *d, int x, int y, int width, int height)
{
    fill(d, x, y, width, height, 0x808080);
    fill(d, x + 1, y + 1, width - 2, 20, 0x3060c0);
    fill(d, x + 1, y + 21, width - 2, height - 22, 0xffffff);
}

/* The content of a window, a line of text up. */
static void scroll(Desktop *d, int x, int y, int width, int height)
{
    for (int line = y; line < y + height - 16; line++) {
        for (int column = x; column < x + width; column++) {
            put(d, column, line, d->pixels[line + 16][column]);
        }
    }
    fill(d, x, y + height - 16, width, 16, 0xffffff);
    text_line(d, x, y + height - 16, width / 8);
}

static void film(Desktop *d, int x, int y, int step)
{
    for (int line = 0; line < 120; line++) {
        for (int column = 0; column < 160; column++) {
            put(d, x + column, y + line,
                (uint32_t)((column + step * 5) & 255) << 16 |
                    (uint32_t)((line * 2 + step * 3) & 255) << 8 |
                    (uint32_t)((column ^ line) & 255));
        }
    }
}

/* Ten steps each: typing, scrolling, a window that is moved, a film. */
static void draw_step(Desktop *d, int step)
{
    if (step == 0) {
        restore(d, 0, 0, WIDTH, HEIGHT);
        window(d, 120, 60, 648, 424);
        for (int line = 0; line < 24; line++) {
            text_line(d, 124, 90 + line * 16, 60);
        }
    } else if (step < 10) {
        text_line(d, 124 + step * 40, 90 + 23 * 16, 5);
    } else if (step < 20) {
        scroll(d, 124, 90, 640, 384);
    } else if (step < 30) {
        restore(d, 600 + (step - 1) * 4, 500 + step * 2 - 2, 240, 160);
        window(d, 600 + step * 4, 500 + step * 2, 240, 160);
    } else {
        film(d, 800, 100, step);
    }
}

/* ---- a program with a screen ----------------------------------------------------------- */

typedef struct Server {
    pid_t pid;
    FILE *in, *out; /* qtest */
    int port;
} Server;

static double wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A port that nobody has, of those that VNC counts from. */
static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        port = ntohs(address.sin_port);
    }
    if (fd >= 0) {
        close(fd);
    }
    return port;
}

/* One command of qtest; false: it was refused. */
static bool tell(Server *s, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static bool tell(Server *s, const char *fmt, ...)
{
    char reply[64];
    va_list list;

    va_start(list, fmt);
    vfprintf(s->in, fmt, list);
    va_end(list);
    fputc('\n', s->in);
    fflush(s->in);
    return fgets(reply, sizeof(reply), s->out) && g_str_has_prefix(reply, "OK");
}

/* The card is function 2.0: BARs, memory on; then a mode. */
static bool set_mode(Server *s)
{
    static const struct {
        unsigned offset;
        uint32_t value;
    } config[] = { { 0x10, FRAMEBUFFER }, { 0x18, REGISTERS }, { 0x04, 2 } };
    bool ok = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(config); i++) {
        ok = ok && tell(s, "outl 0xcf8 0x%x", 0x80001000 | config[i].offset) &&
             tell(s, "outl 0xcfc 0x%x", config[i].value);
    }
    return ok && tell(s, "writew 0x%x %u", VBE(1), WIDTH) &&
           tell(s, "writew 0x%x %u", VBE(2), HEIGHT) &&
           tell(s, "writew 0x%x 32", VBE(3)) && tell(s, "writew 0x%x 0x41", VBE(4));
}

/* Start @program; NULL with *@skip. */
static bool server_start(Server *s, const char *program, bool own, const char *folder,
                         const char **skip)
{
    g_autofree char *path = g_build_filename(folder, "qtest", NULL);
    g_autofree char *qtest = g_strconcat("unix:", path, NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *vnc = NULL;
    posix_spawn_file_actions_t actions;
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, error;
    char *argv[] = { (char *)program, "-M", "pc", "-accel", own ? "qtest" : "tcg",
                     own ? "-nodefaults" : "-S", "-nodefaults", "-vga", "none", "-device",
                     "bochs-display,addr=2", "-m", "64M", "-qtest", qtest, "-vnc", NULL,
                     NULL };

    *s = (Server){ .port = free_port() };
    if (s->port < 5900) {
        *skip = "no free port that VNC has a number for";
        return false;
    }
    argv[G_N_ELEMENTS(argv) - 2] = vnc = g_strdup_printf("127.0.0.1:%d", s->port - 5900);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server, 1) < 0) {
        *skip = "no socket for qtest";
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++) {
        posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    }
    error = posix_spawn(&s->pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    fd = error ? -1 : accept4(server, NULL, NULL, SOCK_CLOEXEC);
    close(server);
    unlink(path);
    if (fd < 0) {
        *skip = "the program does not start";
        return false;
    }
    s->in = fdopen(fd, "w");
    s->out = fdopen(dup(fd), "r");
    if (!set_mode(s)) {
        *skip = "the program has no bochs-display to draw on";
        return false;
    }
    return true;
}

static void server_end(Server *s)
{
    if (s->in) {
        fclose(s->in);
        fclose(s->out);
    }
    if (s->pid) {
        kill(s->pid, SIGKILL);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

/* Write the lines that have changed. */
static bool server_draw(Server *s, Desktop *d)
{
    bool ok = true;

    for (int y = 0; y < HEIGHT; y++) {
        g_autofree char *data = NULL;

        if (!d->changed[y]) {
            continue;
        }
        data = g_base64_encode((const guchar *)d->pixels[y], sizeof(d->pixels[y]));
        ok = tell(s, "b64write 0x%x 0x%zx %s",
                  FRAMEBUFFER + (unsigned)y * WIDTH * 4, sizeof(d->pixels[y]), data) && ok;
        d->changed[y] = false;
    }
    return ok;
}

/* ---- the client ------------------------------------------------------------------------ */

static void say_nothing(const char *fmt, ...)
{
}

static rfbClient *client_new(int port, const char *encodings)
{
    double deadline = wall_ms() + LISTEN_MS;

    rfbClientLog = rfbClientErr = say_nothing;
    for (;;) {
        rfbClient *client = rfbGetClient(8, 3, 4);
        char host[] = "127.0.0.1";

        client->serverHost = strdup(host);
        client->serverPort = port;
        client->canHandleNewFBSize = TRUE;
        client->appData.encodingsString = encodings;
        client->appData.enableJPEG = FALSE;
        client->appData.qualityLevel = -1;
        client->appData.useRemoteCursor = FALSE;
        client->format.redShift = 16; /* as the desktop is drawn */
        client->format.greenShift = 8;
        client->format.blueShift = 0;
        /* It frees the client where it fails. */
        if (rfbInitClient(client, NULL, NULL)) {
            return client;
        }
        if (wall_ms() > deadline) {
            return NULL;
        }
        g_usleep(20000);
    }
}

/* Take what comes until @deadline; false: the server has gone. */
static bool client_listen(rfbClient *client, double deadline)
{
    for (;;) {
        double left = deadline - wall_ms();
        int ready;

        if (left <= 0) {
            return true;
        }
        ready = WaitForMessage(client, (unsigned)(left * 1e3));
        if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client))) {
            return false;
        }
    }
}

static uint64_t client_bytes(const rfbClient *client)
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);

    getsockopt(client->sock, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_bytes_received;
}

static bool client_sees(const rfbClient *client, const Desktop *d)
{
    const uint32_t *seen = (const uint32_t *)client->frameBuffer;

    if (client->width != WIDTH || client->height != HEIGHT) {
        return false;
    }
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        if ((seen[i] & 0xffffff) != (&d->pixels[0][0])[i]) {
            return false;
        }
    }
    return true;
}

/* Kilobytes a second that the client is sent after it has seen the desktop come up, while
 * steps 1 on are drawn and until it has all of them; 0 with *@skip. */
static double run(const char *program, bool own, const char *encodings,
                  const char *folder, const char **skip)
{
    Desktop *d = g_new0(Desktop, 1);
    rfbClient *client = NULL;
    uint64_t before = 0;
    double begin = 0, end, kilobytes = 0;
    Server s = { 0 };

    if (!server_start(&s, program, own, folder, skip)) {
        goto out;
    }
    client = client_new(s.port, encodings);
    if (!client) {
        *skip = "no VNC client can connect";
        goto out;
    }
    for (int step = 0; step < STEPS; step++) {
        draw_step(d, step);
        if (!server_draw(&s, d)) {
            *skip = "the frame buffer cannot be written";
            goto out;
        }
        end = step ? begin + step * STEP_MS : wall_ms() + SETTLE_MS;
        do {
            if (!client_listen(client, step ? end : wall_ms() + STEP_MS)) {
                *skip = "the server has closed the connection";
                goto out;
            }
        } while (step == 0 && wall_ms() < end && !client_sees(client, d));
        if (step == 0) {
            before = client_bytes(client);
            begin = wall_ms();
        }
    }
    end = wall_ms() + SETTLE_MS;
    while (!client_sees(client, d) && wall_ms() < end &&
           client_listen(client, wall_ms() + 5)) {
    }
    if (client_sees(client, d)) {
        kilobytes = (double)(client_bytes(client) - before) / (wall_ms() - begin);
    } else {
        *skip = "the client's picture is not what was drawn";
    }
out:
    if (client) {
        free(client->frameBuffer);
        rfbClientCleanup(client);
    }
    server_end(&s);
    g_free(d);
    return kilobytes;
}

/* ---- figures --------------------------------------------------------------------------- */

/* With clients that like @encodings best. */
static void measure(GArray *figures, const char *own, const char *qemu, const char *folder,
                    const char *encodings, const Figure names[3])
{
    double rate[2][RUNS], ratio[RUNS];
    const char *skip[2] = { NULL, qemu ? NULL : "no qemu-system-x86_64: Debian package "
                                                "qemu-system-x86" };

    for (unsigned i = 0; i < RUNS; i++) {
        for (unsigned k = 0; k < 2; k++) {
            if (!skip[k]) {
                rate[k][i] = run(k ? qemu : own, !k, encodings, folder, &skip[k]);
            }
        }
        ratio[i] = rate[0][i] / rate[1][i];
    }
    for (unsigned k = 0; k < 3; k++) {
        Figure f = names[k];

        f.skip = k < 2 ? skip[k] : skip[0] ? skip[0] : skip[1];
        if (!f.skip) {
            figure_set(&f, k < 2 ? rate[k] : ratio, RUNS);
        }
        g_array_append_val(figures, f);
    }
}

void bench_vnc(GArray *figures)
{
    const char *build = getenv("BUILD_PATH");
    g_autofree char *own = getenv("FLATVIEW")
        ? g_strdup(getenv("FLATVIEW"))
        : g_build_filename(build ? build : ".", "flatview-x86_64", NULL);
    g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");
    static const Figure tight[3] = {
        { .key = "vnc_tight", .unit = "kB/s", .text = "VNC: a desktop by tight" },
        { .key = "vnc_tight_qemu", .unit = "kB/s",
          .text = "  the same in the QEMU installed here" },
        { .key = "vnc_tight_ratio", .unit = "x", .target = 1,
          .text = "  here, of what it takes there" },
    };
    static const Figure zrle[3] = {
        { .key = "vnc_zrle", .unit = "kB/s", .text = "VNC: a desktop by ZRLE" },
        { .key = "vnc_zrle_qemu", .unit = "kB/s",
          .text = "  the same in the QEMU installed here" },
        { .key = "vnc_zrle_ratio", .unit = "x", .target = 1,
          .text = "  here, of what it takes there" },
    };
    char *folder;

    if (!bench_wanted("vnc_tight") && !bench_wanted("vnc_zrle")) {
        return;
    }
    folder = g_dir_make_tmp("bench-XXXXXX", NULL);
    if (!folder) {
        fprintf(stderr, "bench: cannot make a temporary folder\n");
        exit(1);
    }
    measure(figures, own, qemu, folder, "tight raw", tight);
    measure(figures, own, qemu, folder, "zrle raw", zrle);
    rmdir(folder);
    g_free(folder);
}
