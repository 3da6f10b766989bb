/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program on a terminal, and its other serial ports, with a guest that sends
 * back what it receives (tests/guest/serial.S): keys, signals, a terminal that
 * goes away, and in which state the terminal is left. Needs KVM.
 *
 * The program is what FLATVIEW in the environment names, or the one in the
 * folder above this test's; the guests are next to this test.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "cpus.h"
#include "hw/core/chardev.h"
#include "kvm.h"
#include "sysemu.h"
#include "tests/test-util.h"

#define TIMEOUT_MS 60000 /* against hanging */

/* A program whose controlling terminal is ours. */
typedef struct Session {
    pid_t pid;
    int master, slave;
    struct termios before;
    GString *seen; /* what it showed */
} Session;

static char *beside(const char *path)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self);

    return g_build_filename(folder, path, NULL);
}

static void modes_get(int fd, struct termios *t)
{
    memset(t, 0, sizeof(*t)); /* for memcmp() */
    expect(tcgetattr(fd, t) == 0, "tcgetattr: %s", g_strerror(errno));
}

/* Start a session. In the child, whose standard streams are the terminal, true. */
static bool session_fork(Session *s)
{
    expect(openpty(&s->master, &s->slave, NULL, NULL, NULL) == 0, "openpty");
    modes_get(s->slave, &s->before);
    s->seen = g_string_new(NULL);
    s->pid = fork();
    expect(s->pid >= 0, "fork");
    if (s->pid == 0) {
        close(s->master);
        signal(SIGHUP, SIG_DFL);
        if (login_tty(s->slave) < 0) {
            _exit(99);
        }
        return true;
    }
    return false;
}

/* Run the program with the guest @name and the options @options, apart at
 * spaces. */
static void session_start(Session *s, const char *name, const char *options)
{
    g_autofree char *program = g_strdup(g_getenv("FLATVIEW"));
    g_autofree char *file = g_strdup_printf("guest/%s.bin", name);
    g_autofree char *image = beside(file);
    g_autofree char *line = NULL;
    g_auto(GStrv) argv = NULL;

    program = program ? program : beside("../flatview-x86_64");
    line = g_strdup_printf("%s -display none -bios %s %s", program, image,
                           options);
    argv = g_strsplit(g_strchomp(line), " ", 0);
    if (session_fork(s)) {
        execv(argv[0], argv);
        _exit(99);
    }
}

static void session_clear(Session *s)
{
    if (s->master >= 0) {
        close(s->master);
        close(s->slave);
    }
    g_string_free(s->seen, TRUE);
}

static void hangs(Session *s, const char *what)
{
    kill(s->pid, SIGKILL);
    test_fail("no %s; it showed: %s", what, s->seen->str);
}

/* Take what @fd has into @seen; false after @timeout without any. */
static bool take(int fd, GString *seen, int timeout)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char buffer[4096];
    ssize_t n;

    if (poll(&p, 1, timeout) <= 0) {
        return false;
    }
    n = read(fd, buffer, sizeof(buffer));
    if (n > 0) {
        g_string_append_len(seen, buffer, n);
    }
    return n > 0;
}

static void session_expect(Session *s, const char *text)
{
    while (!strstr(s->seen->str, text)) {
        if (!take(s->master, s->seen, TIMEOUT_MS)) {
            hangs(s, text);
        }
    }
}

static void session_type(Session *s, const char *keys)
{
    ssize_t len = strlen(keys);

    expect(write(s->master, keys, len) == len, "write");
}

/* Wait for its end, with @status, or 1000 + the number of a signal. */
static void session_end(Session *s, int status)
{
    struct termios after;
    int ended, waited = 0;

    while (waitpid(s->pid, &ended, WNOHANG) == 0) {
        if (s->master < 0) {
            g_usleep(10000);
        }
        if ((s->master < 0 || !take(s->master, s->seen, 10)) &&
            (waited += 10) > TIMEOUT_MS) {
            hangs(s, "end");
        }
    }
    while (s->master >= 0 && take(s->master, s->seen, 0)) {
    }
    ended = WIFEXITED(ended) ? WEXITSTATUS(ended) : 1000 + WTERMSIG(ended);
    expect(ended == status, "status %d, not %d; it showed: %s", ended, status,
           s->seen->str);
    if (s->master >= 0) {
        modes_get(s->slave, &after);
        expect(memcmp(&after, &s->before, sizeof(after)) == 0,
               "the terminal is not as it was");
    }
    session_clear(s);
}

static void expect_raw(Session *s)
{
    struct termios t;

    modes_get(s->slave, &t);
    expect(!(t.c_lflag & (ICANON | ECHO | ISIG)), "the terminal is not raw");
}

/* ---- keys --------------------------------------------------------------------------- */

START_TEST(key_x)
{
    Session s;

    session_start(&s, "serial", "");
    session_expect(&s, "ready");
    expect_raw(&s);
    session_type(&s, "\001x");
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* The guest goes on meanwhile, and hears nothing of it. */
START_TEST(key_h)
{
    Session s;

    session_start(&s, "serial", "");
    session_expect(&s, "ready");
    session_type(&s, "ab\001hcd");
    session_expect(&s, "Ctrl-A x");
    session_expect(&s, "Ctrl-A Ctrl-A");
    g_string_truncate(s.seen, 0);
    session_type(&s, "<e>");
    session_expect(&s, "<e>");
    session_type(&s, "q");
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* To the monitor and back. */
START_TEST(key_c)
{
    Session s;

    session_start(&s, "serial", "");
    session_expect(&s, "ready");
    session_type(&s, "ab\001c");
    session_expect(&s, "(flatview) ");
    session_type(&s, "info status\r");
    session_expect(&s, "running");
    session_type(&s, "\001c<back>");
    session_expect(&s, "<back>");
    session_type(&s, "\001cquit\r");
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* A terminal that has a monitor by -mon gets no second one. */
START_TEST(key_c_with_mon)
{
    Session s;

    session_start(&s, "serial", "-chardev stdio,id=t,mux=on -serial chardev:t -mon t");
    session_expect(&s, "ready");
    session_type(&s, "\001c");
    session_expect(&s, "(flatview) ");
    session_type(&s, "\001c<back>");
    session_expect(&s, "<back>");
    session_type(&s, "q");
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* What the guest sends back is what it got: one Ctrl-A for two, other keys as
 * they are, Ctrl-C among them. (The terminal adds a \r to each \n.) */
START_TEST(key_ctrl_a)
{
    Session s;

    session_start(&s, "serial", "");
    session_expect(&s, "ready");
    session_type(&s, "a\001\001b\003\032\034\001zq");
    session_expect(&s, "q");
    expect(g_str_has_suffix(s.seen->str, "ready\r\r\na\001b\003\032\034\001zq"),
           "it got %s", s.seen->str);
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* A machine that a failure has paused. Nothing in this board can fail so while
 * it runs, so the child here is a main loop without a guest. */
START_TEST(key_x_while_paused)
{
    Session s;

    if (session_fork(&s)) {
        Chardev *chr = chardev_open("serial0", "stdio", NULL);
        int status;

        chardev_set_mux(chr, false);
        vm_request_pause("a reason");
        status = vm_main_loop(&(RunOptions){ 0 }, &(RunMachine){ 0 });
        chardev_close(chr);
        _exit(status);
    }
    session_expect(&s, "flatview: a reason");
    session_expect(&s, "Ctrl-A x on its terminal");
    expect_raw(&s);
    session_type(&s, "\001x");
    session_end(&s, EXIT_USAGE);
}
END_TEST

/* ---- signals ------------------------------------------------------------------------ */

START_TEST(signals)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        Session s;

        session_start(&s, "serial", "-smp 2");
        session_expect(&s, "ready");
        expect_raw(&s);
        kill(s.pid, numbers[i]);
        session_end(&s, EXIT_GUEST_OFF);
    }
}
END_TEST

/* The window is closed: nothing stays behind. */
START_TEST(hang_up)
{
    Session s;

    session_start(&s, "serial", "");
    session_expect(&s, "ready");
    close(s.slave);
    close(s.master);
    s.master = -1;
    session_end(&s, EXIT_GUEST_OFF);
}
END_TEST

/* ---- other serial ports --------------------------------------------------------------- */

/* What is sent to the guest over @fd comes back; then it switches off. It hears
 * nothing before it has set up its port, so at first it is called until it
 * answers. */
static void talk(Session *s, int fd)
{
    GString *got = g_string_new(NULL);
    int waited;

    for (waited = 0; !strchr(got->str, '.'); waited += 100) {
        if (waited > TIMEOUT_MS) {
            hangs(s, "sign of life");
        }
        expect(write(fd, ".", 1) == 1, "write");
        take(fd, got, 100);
    }
    expect(write(fd, "<hello>", 7) == 7, "write");
    while (!strstr(got->str, "<hello>")) {
        if (!take(fd, got, TIMEOUT_MS)) {
            hangs(s, "answer");
        }
    }
    expect(write(fd, "q", 1) == 1, "write");
    session_end(s, EXIT_GUEST_OFF);
    close(fd);
    g_string_free(got, TRUE);
}

START_TEST(serial_pty)
{
    Session s;
    char name[64] = "";
    int fd;

    session_start(&s, "serial", "-serial pty");
    session_expect(&s, "\r\n");
    expect(sscanf(s.seen->str, "chardev 'serial0' is %63s", name) == 1, "%s",
           s.seen->str);
    fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    expect(fd >= 0, "%s: %s", name, g_strerror(errno));
    talk(&s, fd);
}
END_TEST

static int dial(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int waited;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    for (waited = 0; connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0;
         waited += 10) {
        expect(waited < TIMEOUT_MS, "%s: %s", path, g_strerror(errno));
        g_usleep(10000);
    }
    return fd;
}

START_TEST(serial_unix)
{
    g_autofree char *folder = g_dir_make_tmp("flatview-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "socket", NULL);
    g_autofree char *options =
        g_strdup_printf("-serial unix:%s,server=on,wait=off", path);
    Session s;

    session_start(&s, "serial", options);
    talk(&s, dial(path));
    expect(access(path, F_OK) < 0, "the socket stays");

    g_free(options);
    options = g_strdup_printf("-serial unix:%s,server=on", path);
    session_start(&s, "serial", options);
    session_expect(&s, "waits for a connection");
    talk(&s, dial(path));
    expect(access(path, F_OK) < 0, "the socket stays");
    g_rmdir(folder);
}
END_TEST

/* Nobody connects: a user need not wait for it. */
START_TEST(serial_unix_in_vain)
{
    g_autofree char *folder = g_dir_make_tmp("flatview-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "socket", NULL);
    g_autofree char *options =
        g_strdup_printf("-serial stdio -serial unix:%s,server=on", path);
    static const int numbers[] = { 0, SIGINT, SIGTERM, SIGHUP };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        Session s;

        session_start(&s, "serial", options);
        session_expect(&s, "waits for a connection");
        if (numbers[i]) {
            kill(s.pid, numbers[i]);
        } else {
            session_type(&s, "\001x");
        }
        session_expect(&s, "ended before a connection");
        session_end(&s, EXIT_USAGE);
        expect(access(path, F_OK) < 0, "the socket stays");
    }
    g_rmdir(folder);
}
END_TEST

START_TEST(serial_file)
{
    g_autofree char *folder = g_dir_make_tmp("flatview-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autofree char *options = g_strdup_printf("-m 64 -serial file:%s", path);
    g_autofree char *text = NULL;
    Session s;

    session_start(&s, "hello", options);
    session_end(&s, EXIT_GUEST_OFF);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    ck_assert_str_eq(text, "Hello! I am the guest that flatview brings along."
                           "\r\nI see 64 MiB of memory below 3 GiB. Switching "
                           "off.\r\n");
    g_unlink(path);
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        key_x, key_h, key_c, key_c_with_mon, key_ctrl_a, key_x_while_paused, signals, hang_up,
        serial_pty, serial_unix, serial_unix_in_vain, serial_file,
    };
    GError *error = NULL;

    if (!kvm_available(&error)) {
        printf("SKIP: %s\n", error->message);
        g_error_free(error);
        return 77;
    }
    return test_run("terminal", tests, G_N_ELEMENTS(tests));
}
