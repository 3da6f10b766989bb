/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program itself with guests of our own (tests/guest/): what they print, how
 * they end, and the status then. Needs KVM.
 *
 * The program is what FLATVIEW in the environment names, or the one in the
 * folder above this test's; the guests are next to this test.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm.h"
#include "sysemu.h"
#include "tests/test-util.h"

#define TIMEOUT_S 120 /* against hanging */

typedef struct Run {
    GString *out, *err;
    int status; /* 1000 + a signal's number */
} Run;

static char *program(void)
{
    const char *named = g_getenv("FLATVIEW");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(self);

    return named ? g_strdup(named) :
                   g_build_filename(tests, "..", "flatview-x86_64", NULL);
}

static char *guest(const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(self);

    return g_strdup_printf("%s/guest/%s.bin", tests, name);
}

/* Take what there is; false at the end. */
static bool take(int fd, GString *into)
{
    char buffer[4096];
    ssize_t n = read(fd, buffer, sizeof(buffer));

    if (n > 0) {
        g_string_append_len(into, buffer, n);
    }
    return n > 0;
}

/*
 * Run the program with the guest @name and the options @options, apart at
 * spaces. Once it has printed @prompt, if not NULL, it gets @input.
 */
static Run run(const char *name, const char *options, const char *prompt,
               const char *input)
{
    g_autofree char *path = program();
    g_autofree char *image = guest(name);
    g_autofree char *line =
        g_strdup_printf("%s -M microvm -display none -serial stdio -bios %s %s",
                        path, image, options);
    g_auto(GStrv) argv = g_strsplit(g_strchomp(line), " ", 0);
    Run run = { .out = g_string_new(NULL), .err = g_string_new(NULL) };
    GError *error = NULL;
    struct pollfd fds[3];
    size_t left = input ? strlen(input) : 0;
    int status, in;
    GPid pid;

    signal(SIGPIPE, SIG_IGN);
    expect(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                    NULL, NULL, &pid, &in, &fds[0].fd,
                                    &fds[1].fd, &error),
           "%s", error ? error->message : "");
    fcntl(in, F_SETFL, O_NONBLOCK);
    fds[0].events = fds[1].events = POLLIN;
    fds[2].events = POLLOUT;
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        bool ready = prompt && strstr(run.out->str, prompt);
        int i;

        fds[2].fd = ready && left ? in : -1;
        i = poll(fds, 3, TIMEOUT_S * 1000);
        if (i <= 0) {
            kill(pid, SIGKILL);
            test_fail("%s hangs; it printed: %s%s", line, run.out->str,
                      run.err->str);
        }
        for (i = 0; i < 2; i++) {
            if (fds[i].fd >= 0 && fds[i].revents &&
                !take(fds[i].fd, i ? run.err : run.out)) {
                close(fds[i].fd);
                fds[i].fd = -1;
            }
        }
        if (fds[2].fd >= 0 && fds[2].revents) {
            ssize_t n = write(in, input, left);

            expect(n > 0 || errno == EAGAIN, "cannot write: %s",
                   g_strerror(errno));
            if (n > 0) {
                input += n;
                left -= n;
            }
        }
    }
    close(in);
    expect(waitpid(pid, &status, 0) == pid, "waitpid");
    g_spawn_close_pid(pid);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) :
                                     1000 + WTERMSIG(status);
    return run;
}

static void run_clear(Run *run)
{
    g_string_free(run->out, TRUE);
    g_string_free(run->err, TRUE);
}

/* It prints exactly @out, no error, and ends with @status. */
static void expect_run(const char *name, const char *options, const char *out,
                       int status)
{
    Run r = run(name, options, NULL, NULL);

    expect(r.status == status, "%s %s: status %d, not %d: %s", name, options,
           r.status, status, r.err->str);
    ck_assert_str_eq(r.out->str, out);
    ck_assert_str_eq(r.err->str, "");
    run_clear(&r);
}

/* ---- the tests ------------------------------------------------------------ */

#define HELLO(mib)                                                             \
    "Hello! I am the guest that flatview brings along.\r\n"                    \
    "I see " mib " MiB of memory below 3 GiB. Switching off.\r\n"

START_TEST(test_hello)
{
    expect_run("hello", "", HELLO("128"), EXIT_GUEST_OFF);
    expect_run("hello", "-m 64", HELLO("64"), EXIT_GUEST_OFF);
    expect_run("hello", "-m 3G -smp 4", HELLO("3072"), EXIT_GUEST_OFF);
    expect_run("hello", "-m 3500 -cpu max", HELLO("3072"), EXIT_GUEST_OFF);
}
END_TEST

START_TEST(test_exit_at_once)
{
    unsigned i;

    for (i = 0; i < 5; i++) {
        expect_run("exit-at-once", "", "", EXIT_GUEST_OFF);
        expect_run("exit-at-once", "-smp 4 -no-reboot", "", EXIT_GUEST_OFF);
    }
}
END_TEST

/* What memory held survives; each kind of reset leads to the reset vector. */
START_TEST(test_reset)
{
    expect_run("reset", "", "1234", EXIT_GUEST_OFF);
    expect_run("reset", "-smp 2", "1234", EXIT_GUEST_OFF);
    expect_run("reset", "-no-reboot", "1", EXIT_GUEST_OFF);
}
END_TEST

/* The reason, the registers and the bytes, on standard error. */
START_TEST(test_cannot_emulate)
{
    Run r = run("cannot-emulate", "-smp 2", NULL, NULL);
    const char *rip, *code;
    unsigned long long at[2];

    expect(r.status == EXIT_KVM_INTERNAL, "status %d: %s", r.status,
           r.err->str);
    ck_assert_str_eq(r.out->str, "");
    expect(strstr(r.err->str, "could not emulate this instruction"), "%s",
           r.err->str);
    expect(strstr(r.err->str, "rbx 0000000012345678"), "%s", r.err->str);
    rip = strstr(r.err->str, "rip ");
    code = strstr(r.err->str, "code at ");
    expect(rip && code && sscanf(rip, "rip %llx", &at[0]) == 1 &&
           sscanf(code, "code at %llx", &at[1]) == 1 && at[0] == at[1],
           "%s", r.err->str);
    expect(strstr(code, ": dd 05 00 00 00 d0 "), "%s", r.err->str);
    run_clear(&r);
}
END_TEST

/* More than FIFOs and pipes hold, by interrupts both ways: all of it comes back,
 * in order. */
START_TEST(test_serial_interrupts)
{
    const unsigned length = test_number("FLATVIEW_CHARACTERS", 3000);
    GString *input = g_string_new(NULL);
    unsigned i;
    Run r;

    for (i = 0; i < length; i++) {
        g_string_append_c(input, 'A' + i % 26 + i / 26 % 2 * ('a' - 'A') -
                                 (i % 52 == 42)); /* but no 'q' */
    }
    g_string_append_c(input, 'q');
    r = run("serial", "", "ready\r\n", input->str);
    expect(r.status == EXIT_GUEST_OFF, "status %d: %s", r.status, r.err->str);
    expect(g_str_has_prefix(r.out->str, "ready\r\n"), "%s", r.out->str);
    ck_assert_str_eq(r.out->str + strlen("ready\r\n"), input->str);
    ck_assert_str_eq(r.err->str, "");
    run_clear(&r);
    g_string_free(input, TRUE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_hello, test_exit_at_once, test_reset, test_cannot_emulate,
        test_serial_interrupts,
    };
    GError *error = NULL;

    if (!kvm_available(&error)) {
        printf("SKIP: %s\n", error->message);
        g_error_free(error);
        return 77;
    }
    return test_run("kvm-program", tests, G_N_ELEMENTS(tests));
}
