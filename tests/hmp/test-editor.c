/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor as people meet it: the program on a terminal, with keys that
 * edit, complete and remember lines, beside a console; and on a socket, with
 * whatever comes in there. And the example of docs/monitor.md.
 *
 * The program is what FLATVIEW in the environment names, or the one in the
 * folder above this test's.
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
#include <unistd.h>
#include <utmp.h>

#include "kvm.h"
#include "target-i386/cpu.h"
#include "tests/test-util.h"

#define TIMEOUT_MS 60000 /* against hanging */

/* A program, and a descriptor to talk with it. */
typedef struct Session {
    pid_t pid;
    int fd;
    GString *seen; /* what it showed and no session_expect() has passed */
    char *dir;     /* scratch; its inputrc is the user's */
} Session;

static char *in_dir(const Session *s, const char *name)
{
    return g_build_filename(s->dir, name, NULL);
}

/* Two spaces beside each other are one. */
static char **drop_empty(char **words)
{
    char **to = words;

    for (char **from = words; *from; from++) {
        if (**from) {
            *to++ = *from;
        }
    }
    *to = NULL;
    return words;
}

static void session_exec(const Session *s, const char *options)
{
    g_autofree char *inputrc = in_dir(s, "inputrc");
    g_autofree char *line = NULL, *self = NULL, *folder = NULL;
    const char *program = g_getenv("FLATVIEW");
    char **argv;

    if (!program) {
        self = g_file_read_link("/proc/self/exe", NULL);
        folder = g_path_get_dirname(self);
        program = g_build_filename(folder, "../../flatview-x86_64", NULL);
    }
    line = g_strdup_printf("%s -M microvm -m 2M -display none %s %s", program,
                           strstr(options, "-accel") ? "" : "-accel qtest",
                           options);
    argv = drop_empty(g_strsplit(line, " ", 0));
    g_setenv("TERM", "xterm", TRUE);
    g_setenv("INPUTRC", inputrc, TRUE);
    execv(argv[0], argv);
    _exit(99);
}

static void session_init(Session *s)
{
    s->dir = g_dir_make_tmp("flatview-XXXXXX", NULL);
    s->seen = g_string_new(NULL);
}

/* On a terminal of @columns. */
static void session_start(Session *s, const char *options, unsigned columns)
{
    struct winsize size = { .ws_row = 24, .ws_col = columns };
    int slave;

    session_init(s);
    expect(openpty(&s->fd, &slave, NULL, NULL, &size) == 0, "openpty");
    s->pid = fork();
    expect(s->pid >= 0, "fork");
    if (s->pid == 0) {
        close(s->fd);
        signal(SIGHUP, SIG_DFL);
        if (login_tty(slave) == 0) {
            session_exec(s, options);
        }
        _exit(99);
    }
    close(slave);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

static void hangs(Session *s, const char *what)
{
    size_t len = s->seen->len;
    g_autofree char *seen = g_strescape(s->seen->str + len - MIN(len, 800), NULL);

    int status = 0;

    if (waitpid(s->pid, &status, WNOHANG) == 0) {
        kill(s->pid, SIGKILL);
    }
    test_fail("status 0x%x; no '%s' at the end of: %s", status, what, seen);
}

static bool take(Session *s, int timeout)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    char buffer[4096];
    ssize_t n;

    if (poll(&p, 1, timeout) <= 0) {
        return false;
    }
    n = read(s->fd, buffer, sizeof(buffer));
    if (n > 0) {
        g_string_append_len(s->seen, buffer, n);
    }
    return n > 0;
}

/* Wait for @text, and pass it. */
static void session_expect(Session *s, const char *text)
{
    char *found;

    while (!(found = strstr(s->seen->str, text))) {
        if (!take(s, TIMEOUT_MS)) {
            hangs(s, text);
        }
    }
    g_string_erase(s->seen, 0, found + strlen(text) - s->seen->str);
}

/* Write all of it, reading what comes meanwhile. */
static void session_send(Session *s, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        struct pollfd fd = { .fd = s->fd, .events = POLLIN | POLLOUT };
        ssize_t n;

        expect(poll(&fd, 1, TIMEOUT_MS) > 0, "it takes nothing");
        if (fd.revents & POLLIN) {
            take(s, 0);
        }
        if (fd.revents & POLLOUT) {
            n = write(s->fd, p, MIN(len, 256));
            expect(n > 0 || errno == EAGAIN, "write: %s", g_strerror(errno));
            n = MAX(n, 0);
            p += n;
            len -= (size_t)n;
        }
    }
}

static void session_type(Session *s, const char *keys)
{
    session_send(s, keys, strlen(keys));
}

/* Wait for the end, which must be a good one. */
static void session_end(Session *s)
{
    g_autofree char *inputrc = in_dir(s, "inputrc");
    int status;

    while (take(s, TIMEOUT_MS)) {
    }
    expect(waitpid(s->pid, &status, 0) == s->pid, "waitpid");
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended with 0x%x: %s",
           status, s->seen->str);
    close(s->fd);
    g_unlink(inputrc);
    expect(g_rmdir(s->dir) == 0, "rmdir %s: %s", s->dir, g_strerror(errno));
    g_free(s->dir);
    g_string_free(s->seen, TRUE);
}

#define PROMPT "(flatview) "
#define ALONE "-nodefaults -S -monitor stdio"

/* What the last line was, and what it printed, up to the next prompt. */
#define expect_answer(s, answer)          \
    do {                                  \
        session_expect(s, answer "\r");   \
        session_expect(s, "\n" PROMPT);   \
    } while (0)

START_TEST(editing)
{
    Session s;

    session_start(&s, ALONE, 80);
    session_expect(&s, " monitor - type 'help' for more information\r");
    session_expect(&s, PROMPT);
    session_type(&s, "print 0x1x\b2\r"); /* backspace */
    expect_answer(&s, "0x12");
    session_type(&s, "print 0x1x\177" "3\r");
    expect_answer(&s, "0x13");
    session_type(&s, "int 20\033[D\033[D\033[D\001pr\005 + 1\r"); /* home, end */
    expect_answer(&s, "0x15");
    session_type(&s, "print 1\033[D\033[C2\r"); /* left, right */
    expect_answer(&s, "0xc");
    session_type(&s, "nonsense\025print 13\r"); /* kill the line */
    expect_answer(&s, "0xd");
    session_type(&s, "print 14 nonsense\027\r"); /* kill a word */
    expect_answer(&s, "0xe");
    session_type(&s, "print 15+1\033b\013\b\r"); /* a word back, kill the rest */
    expect_answer(&s, "0xf");
    session_type(&s, "print 1\0240\r"); /* exchange: "print1 0" */
    expect_answer(&s, "unknown command: 'print1'; did you mean 'print'?");
    session_type(&s, "\r");
    session_expect(&s, PROMPT);
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

START_TEST(history)
{
    Session s;

    session_start(&s, ALONE, 80);
    session_type(&s, "print 0x21\rprint 0x22\rprint 0x22\r");
    expect_answer(&s, "0x21");
    expect_answer(&s, "0x22");
    expect_answer(&s, "0x22");
    session_type(&s, "\033[A\033[A\r"); /* the same twice is there once */
    expect_answer(&s, "0x21");
    session_type(&s, "print 0x23\033[A\033[B4\r"); /* up and back */
    expect_answer(&s, "0x234");
    session_type(&s, "22\022\r"); /* search backwards */
    expect_answer(&s, "0x22");
    session_type(&s, "\020\0205\r"); /* Ctrl-P twice: print 0x234 */
    expect_answer(&s, "0x2345");
    session_type(&s, "2\022\022\022\0167\r"); /* back to 0x234, one on: 0x22 */
    expect_answer(&s, "0x227");
    session_type(&s, "print 9\033[A\033[A\033[B\033[B\033[B\r"); /* as it was */
    expect_answer(&s, "0x9");
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

START_TEST(completion)
{
    Session s;

    session_start(&s, ALONE, 80);
    session_expect(&s, PROMPT);
    session_type(&s, "info ver\t\r"); /* the only one: all of it, and a space */
    session_expect(&s, "info version ");
    expect_answer(&s, "flatview 0.1");
    session_type(&s, "system_\t\t"); /* several: a list, the line again */
    session_expect(&s, "system_powerdown");
    session_expect(&s, "system_reset");
    session_expect(&s, "system_wakeup");
    session_expect(&s, PROMPT "system_");
    session_type(&s, "\025object_add memory-backend-r\tm,si\t64K\r");
    session_expect(&s, "object_add memory-backend-ram,id=m,size=64K");
    session_expect(&s, "\n" PROMPT);
    session_type(&s, "object_del \t\r");
    session_expect(&s, "object_del m ");
    session_expect(&s, "\n" PROMPT);
    session_type(&s, "qom-get /mach\trt\t type\r");
    session_expect(&s, "qom-get /machine/rtc  type");
    expect_answer(&s, "\"mc146818rtc\"");
    session_type(&s, "nosuch x\t\t\025quit\r");
    session_end(&s);
}
END_TEST

/* Keys by which a terminal stops or ends other programs. */
START_TEST(control_keys)
{
    Session s;

    session_start(&s, ALONE, 80);
    session_expect(&s, PROMPT);
    session_type(&s, "quit\003");
    session_expect(&s, "^C");
    session_expect(&s, PROMPT);
    session_type(&s, "print 1\r");
    expect_answer(&s, "0x1");
    session_type(&s, "\004"); /* Ctrl-D */
    session_expect(&s, PROMPT);
    session_type(&s, "\034\032\021\023\025print 2\r"); /* Ctrl-\ Z Q S U */
    expect_answer(&s, "0x2");
    session_type(&s, "\003\003\003\025print 3\r");
    expect_answer(&s, "0x3");
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

/* Narrower than the prompt, than anything, or of no size. */
START_TEST(narrow)
{
    static const unsigned columns[] = { 1, 2, 7, 0, 65535 };
    Session s;

    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_setenv("COLUMNS", "1", TRUE);
        session_start(&s, ALONE, columns[i]);
        g_unsetenv("COLUMNS");
        session_expect(&s, PROMPT);
        session_type(&s, "nonsense\003print 1 + 1\r");
        expect_answer(&s, "0x2");
        session_type(&s, "system_\t\t\025quit\r");
        session_end(&s);
    }
}
END_TEST

/* What is put back again and again does not grow beyond a line. */
START_TEST(yank)
{
    g_autofree char *word = g_strnfill(3000, 'w');
    Session s;

    session_start(&s, ALONE, 80);
    session_expect(&s, PROMPT);
    session_type(&s, word);
    session_type(&s, "\025\031\031\r");
    session_expect(&s, "unknown command: 'www");
    session_expect(&s, "\n" PROMPT);
    session_type(&s, "print\027\031 4\r");
    expect_answer(&s, "0x4");
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

/* A file of the user's is read, but not before the first key. */
START_TEST(first_key)
{
    g_autofree char *inputrc = NULL;
    Session s;

    session_start(&s, ALONE, 80);
    session_expect(&s, PROMPT);
    inputrc = in_dir(&s, "inputrc");
    expect(g_file_set_contents(inputrc, "$if flatview\n"
                               "set show-all-if-ambiguous on\n$endif\n", -1,
                               NULL), "inputrc");
    session_type(&s, "system_\t"); /* once */
    session_expect(&s, "system_wakeup");
    session_expect(&s, PROMPT "system_");
    session_type(&s, "\025");
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

/* Longer than the terminal is wide, and longer than a line may be. */
START_TEST(long_lines)
{
    g_autofree char *zeros = g_strnfill(200, '0');
    g_autofree char *letters = g_strnfill(100000, 'a');
    Session s;

    session_start(&s, ALONE, 40);
    session_expect(&s, PROMPT);
    session_type(&s, "print 0x");
    session_type(&s, zeros);
    session_type(&s, "19\001\033f\005\b8\r");
    expect_answer(&s, "0x18");
    session_type(&s, letters);
    session_type(&s, "\r");
    session_expect(&s, "unknown command: 'aaaa");
    session_expect(&s, "\n" PROMPT);
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

/* A console and the monitor on one terminal. */
START_TEST(beside_console)
{
    Session s;

    session_start(&s, "-serial mon:stdio", 80);
    /* The console is there first: the monitor says nothing before it is asked. */
    session_type(&s, "print 1\r\001c");
    session_expect(&s, "monitor - type");
    session_expect(&s, PROMPT);
    expect(!strstr(s.seen->str, "0x1"), "it heard the console's keys");
    session_type(&s, "print 2\r");
    expect_answer(&s, "0x2");
    session_type(&s, "print 0x3\001c");
    session_type(&s, "4\r\001c"); /* for the console */
    session_expect(&s, "\n" PROMPT "print 0x3"); /* the line is still there */
    session_type(&s, "5\r");
    expect_answer(&s, "0x35");
    session_type(&s, "quit\r");
    session_end(&s);
}
END_TEST

START_TEST(random_keys)
{
    static const char *const keys[] = {
        "\t", "\033[A", "\033[B", "\033[C", "\033[D", "\033", "\033[200~", "\022",
        "\023", "\030", "\030(", "\030)", "\030e", "\033.", "\033*", "\033?", "\0339",
        "\025", "\031", "\033y", "\037", "\r", "\n", "\b", "\177", "\003", "\004",
        "\013", "\024", "\026", "\007", "\033<", "\033>", "\033u", "\033#", " ", "info ",
        "help", "/", "x 0", "(", "\"", "-",
    };
    uint64_t seed = test_number("FLATVIEW_SEED", 31);
    unsigned n = (unsigned)test_number("FLATVIEW_KEYS", 4000);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)seed);
    Session s;

    g_snprintf(test_context, sizeof(test_context), "seed %" PRIu64 ": ", seed);
    session_start(&s, ALONE, 60);
    session_expect(&s, PROMPT);
    for (unsigned i = 0; i < n; i++) {
        if (g_rand_int_range(rand, 0, 4)) {
            session_type(&s, keys[g_rand_int_range(rand, 0, G_N_ELEMENTS(keys))]);
        } else {
            char byte = (char)g_rand_int_range(rand, 0, 256);

            byte = byte == 'q' ? 'p' : byte; /* it is not to be ended */
            session_send(&s, &byte, 1);
        }
    }
    /* Out of whatever is under way, and of any macro. */
    session_type(&s, "\007\007\030)\007\003\007\r\r\025print 0x1234+0x4321\r");
    session_expect(&s, "0x5555");
    session_type(&s, "\025quit\r");
    session_end(&s);
}
END_TEST

/* ---- on a socket ------------------------------------------------------------------------ */

static void session_connect(Session *s)
{
    g_autofree char *path = in_dir(s, "socket");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int tries = 0;

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    while (connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        expect(tries++ < TIMEOUT_MS / 10, "connect: %s", g_strerror(errno));
        g_usleep(10000);
    }
}

static void session_start_socket(Session *s)
{
    g_autofree char *options = NULL;

    session_init(s);
    options = g_strdup_printf("-nodefaults -S -monitor "
                              "unix:%s/socket,server=on,wait=off", s->dir);
    s->pid = fork();
    expect(s->pid >= 0, "fork");
    if (s->pid == 0) {
        session_exec(s, options);
    }
    session_connect(s);
}

/* What the program takes of memory, in KiB. */
static unsigned long memory_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *text = NULL;
    const char *line;

    expect(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    line = strstr(text, "VmRSS:");
    return line ? strtoul(line + 6, NULL, 10) : 0;
}

START_TEST(plain_lines)
{
    static const char garbage[] = "\0\0print\0 0x2\1\2\033[A0\377\376\r\n";
    Session s;

    session_start_socket(&s);
    session_expect(&s, "for more information\r\n" PROMPT);
    session_type(&s, "print 1\r\nprint 2\nprint 3\r");
    /* Nothing is echoed; \r\n ends one line. */
    session_expect(&s, "0x1\r\n" PROMPT "0x2\r\n" PROMPT "0x3\r\n" PROMPT);
    session_send(&s, garbage, sizeof(garbage) - 1);
    session_expect(&s, "print: ");
    session_expect(&s, "Usage: print");
    session_expect(&s, PROMPT);
    session_send(&s, "p\0rint\0 0\0x4\n", 13);
    session_expect(&s, "0x4\r\n" PROMPT);
    /* What a client leaves behind is not the next one's. */
    session_type(&s, "print 5");
    close(s.fd);
    g_string_truncate(s.seen, 0);
    session_connect(&s);
    session_expect(&s, "for more information\r\n" PROMPT);
    session_type(&s, "\nprint 6\n");
    session_expect(&s, PROMPT "0x6\r\n" PROMPT);
    session_type(&s, "quit\n");
    session_end(&s);
}
END_TEST

START_TEST(endless_line)
{
    g_autofree char *letters = g_strnfill(1 << 20, 'a');
    unsigned long before, after;
    Session s;

    session_start_socket(&s);
    session_expect(&s, PROMPT);
    before = memory_of(s.pid);
    for (unsigned i = 0; i < 32; i++) {
        session_type(&s, letters);
    }
    session_type(&s, "\nprint 7\n");
    session_expect(&s, "The line is longer than 4096 bytes\r\n" PROMPT "0x7\r\n");
    after = memory_of(s.pid);
    expect(g_getenv("SANITIZERS") || after < before + 8192,
           "it grew from %lu to %lu KiB", before, after);
    session_type(&s, "quit\n");
    session_end(&s);
}
END_TEST

/* A client that asks for much and does not read it does not hold the machine up;
 * it gets all of it once it reads. */
START_TEST(slow_reader)
{
    Session s;

    session_start_socket(&s);
    session_expect(&s, PROMPT);
    for (unsigned i = 0; i < 8; i++) {
        session_type(&s, "xp /100000xb 0\n");
    }
    session_type(&s, "print 8\n");
    for (unsigned i = 0; i < 8; i++) {
        session_expect(&s, "\n0000000000018698: ");
        session_expect(&s, "\r\n" PROMPT);
    }
    session_expect(&s, "0x8\r\n" PROMPT);
    session_type(&s, "quit\n");
    session_end(&s);
}
END_TEST

/* ---- a guest ------------------------------------------------------------------------------- */

/* At its first instruction, and in between while it runs. */
START_TEST(guest)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self);
    g_autofree char *options = NULL;
    GError *err = NULL;
    Session s;

    if (!kvm_available(&err)) {
        printf("SKIP: %s\n", err->message);
        g_error_free(err);
        return;
    }
    options = g_strdup_printf("-accel kvm -bios %s/../guest/serial.bin " ALONE,
                              folder);
    session_start(&s, options, 80);
    session_expect(&s, PROMPT);
    session_type(&s, "info kvm\r");
    expect_answer(&s, "kvm support: enabled");
    session_type(&s, "print $pc\r");
    expect_answer(&s, "0xfffffff0");
    session_type(&s, "print $rip - $pc + $eip\r");
    expect_answer(&s, "0xfffffff0");
    session_type(&s, "gva2gpa $pc\r");
    expect_answer(&s, "gpa: 0xfffffff0");
    session_type(&s, "x /1xb $pc\r"); /* a far jump */
    expect_answer(&s, "00000000fffffff0: 0xea");
    session_type(&s, "info registers\r");
    session_expect(&s, "CPU#0\r");
    session_expect(&s, "rip 000000000000fff0");
    session_type(&s, "cont\rinfo status\r");
    expect_answer(&s, "VM status: running");
    session_type(&s, "info registers -a\rx /1xb 0xfffffff0\rinfo status\r");
    session_expect(&s, "CPU#0\r");
    expect_answer(&s, "00000000fffffff0: 0xea");
    expect_answer(&s, "VM status: running");
    session_type(&s, "stop\rinfo status\r");
    expect_answer(&s, "VM status: paused");
    session_type(&s, "system_reset\rcont\rnmi\rquit\r");
    session_end(&s);
}
END_TEST

/* ---- docs/monitor.md ---------------------------------------------------------------------- */

START_TEST(example)
{
    const char *source = g_getenv("SRC_PATH");
    g_autofree char *path = g_build_filename(source ? source : ".",
                                             "docs/monitor.md", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned commands = 0;
    bool inside = false;
    Session s;

    if (!x86_cpu_models()[0]) {
        printf("SKIP: built without KVM, of which the example speaks\n");
        return;
    }
    expect(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    lines = g_strsplit(text, "\n", 0);
    session_start(&s, ALONE, 200);
    session_expect(&s, "for more information");
    for (char **line = lines; *line; line++) {
        const char *p = *line;

        if (strcmp(p, "[the monitor says]") == 0) {
            inside = true;
        } else if (inside && g_str_has_prefix(p, "    ")) {
            p += 4;
            if (g_str_has_prefix(p, PROMPT)) {
                session_expect(&s, PROMPT);
                p += strlen(PROMPT);
                session_type(&s, p);
                session_expect(&s, p);
                session_type(&s, "\r");
                session_expect(&s, "\r\n");
                commands++;
            } else {
                session_expect(&s, p);
            }
        } else if (*p) {
            inside = false;
        }
    }
    expect(commands > 10, "%u commands", commands);
    session_end(&s);
}
END_TEST

TEST_MAIN("editor", editing, history, completion, control_keys, narrow, yank,
          first_key, long_lines, beside_console, random_keys, plain_lines, endless_line,
          slow_reader, guest, example)
