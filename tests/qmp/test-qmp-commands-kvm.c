/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands to a machine that runs: starting, stopping, resetting, looking into
 * memory, interrupts. Guests: tests/guest/monitor.S and hello.S. Needs KVM.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm.h"
#include "sysemu.h"
#include "tests/qmp/qmp-client.h"

/* tests/guest/monitor.S */
#define COUNT 0x500
#define MARKER 0x510
#define ALIAS 0x200000

#define PAUSE_US 500

static QMPClient *client;
static char *dir, *file;
static char *said; /* on the serial port, since the start */

/* ---- a machine ------------------------------------------------------------------- */

static void start(const char *name, const char *option)
{
    g_autofree char *image =
        g_strdup_printf("%s/tests/guest/%s.bin", g_getenv("BUILD_PATH"), name);

    dir = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    expect(dir, "no folder for temporary files");
    file = g_build_filename(dir, "saved", NULL);
    said = g_strdup("");
    client = qmp_client_spawn("-M", "microvm", "-m", "16", "-smp", "2", "-bios",
                              image, "-chardev", "ringbuf,id=port", "-serial",
                              "chardev:port", "-display", "none", "-S", option,
                              NULL);
}

static void finish(void)
{
    qmp_client_free(client);
    remove(file);
    remove(dir);
    g_clear_pointer(&file, g_free);
    g_clear_pointer(&dir, g_free);
    g_clear_pointer(&said, g_free);
}

/* "quit", and then that. */
static void end_with(int wanted)
{
    int status;

    qmp_run(client, "quit", NULL);
    status = qmp_client_wait_exit(client);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == wanted, "status 0x%x",
           status);
    finish();
}

/* Until the guest has said all of @text. */
static void wait_said(const char *text)
{
    while (strcmp(said, text) != 0) {
        JsonNode *more = qmp_run(client, "ringbuf-read",
                                 "{\"device\":\"port\",\"size\":100}");
        char *longer = g_strconcat(said, json_node_get_string(more), NULL);

        g_free(said);
        said = longer;
        expect(g_str_has_prefix(text, said), "the guest says %s, not %s", said,
               text);
        g_usleep(PAUSE_US);
    }
}

static void expect_status(const char *status, bool running)
{
    JsonNode *result = qmp_run(client, "query-status", NULL);

    ck_assert_str_eq(json_string_at(result, "status"), status);
    ck_assert_int_eq(json_bool_at(result, "running"), running);
}

static void wait_status(const char *status)
{
    while (strcmp(json_string_at(qmp_run(client, "query-status", NULL), "status"),
                  status) != 0) {
        g_usleep(PAUSE_US);
    }
}

/* The next event was @name, and has come by now. */
static void expect_event_came(const char *name)
{
    JsonNode *message = g_queue_peek_head(qmp_client_events(client));

    expect(message, "no event, not %s", name);
    ck_assert_str_eq(json_string_at(message, "event"), name);
    qmp_wait_event(client, name);
}

static void expect_no_event(void)
{
    ck_assert_uint_eq(g_queue_get_length(qmp_client_events(client)), 0);
}

/* Up to 8 bytes of memory. */
static uint64_t saved(const char *command, uint64_t addr, unsigned size)
{
    g_autofree char *content = NULL;
    uint64_t value = 0;
    gsize len;

    qmp_run(client, command,
            "{\"val\":%" PRIu64 ",\"size\":%u,\"filename\":\"%s\"}", addr, size,
            file);
    expect(g_file_get_contents(file, &content, &len, NULL), "no file %s", file);
    ck_assert_uint_eq(len, size);
    memcpy(&value, content, size);
    return value;
}

/* The guest counts on; or does not. */
static void expect_counting(bool counting)
{
    uint64_t before = saved("pmemsave", COUNT, 4);

    for (int i = 0; i < 20 && !counting; i++) {
        g_usleep(PAUSE_US);
        expect_hex(saved("pmemsave", COUNT, 4), before);
    }
    while (counting && saved("pmemsave", COUNT, 4) == before) {
        g_usleep(PAUSE_US);
    }
}

/* ---- tests ------------------------------------------------------------------------- */

START_TEST(stop_and_cont)
{
    start("monitor", NULL);
    expect_status("prelaunch", false);
    wait_said("");
    qmp_run(client, "cont", NULL);
    expect_event_came("RESUME");
    expect_status("running", true);
    wait_said("R");
    expect_counting(true);
    qmp_run(client, "cont", NULL);
    expect_no_event();

    qmp_run(client, "stop", NULL);
    expect_event_came("STOP");
    expect_status("paused", false);
    expect_counting(false);
    qmp_run(client, "stop", NULL);
    expect_no_event();
    expect_status("paused", false);

    qmp_run(client, "cont", NULL);
    expect_event_came("RESUME");
    expect_counting(true);
    wait_said("R");
    finish();
}
END_TEST

START_TEST(reset)
{
    JsonObject *data;

    start("monitor", NULL);
    qmp_run(client, "cont", NULL);
    wait_said("R");
    qmp_wait_event(client, "RESUME");
    qmp_run(client, "system_reset", NULL);
    data = qmp_wait_event(client, "RESET");
    ck_assert_str_eq(json_object_get_string_member(data, "reason"),
                     "host-qmp-system-reset");
    ck_assert(!json_object_get_boolean_member(data, "guest"));
    wait_said("RR");
    expect_status("running", true);
    expect_counting(true);

    qmp_run(client, "stop", NULL);
    qmp_run(client, "system_reset", NULL);
    qmp_wait_event(client, "RESET");
    ck_assert(!json_bool_at(qmp_run(client, "query-status", NULL), "running"));
    expect_counting(false);
    qmp_run(client, "cont", NULL);
    wait_said("RRR");
    finish();
}
END_TEST

START_TEST(power_button)
{
    start("monitor", NULL);
    qmp_run(client, "system_powerdown", NULL);
    qmp_wait_event(client, "POWERDOWN");
    qmp_run(client, "cont", NULL);
    wait_said("R");
    qmp_run(client, "system_powerdown", NULL);
    qmp_wait_event(client, "POWERDOWN");
    expect_status("running", true);
    finish();
}
END_TEST

START_TEST(nmi)
{
    start("monitor", NULL);
    qmp_run(client, "cont", NULL);
    wait_said("R");
    qmp_run(client, "inject-nmi", NULL);
    wait_said("RN");
    qmp_run(client, "system_reset", NULL);
    wait_said("RNR");
    qmp_run(client, "stop", NULL);
    qmp_run(client, "inject-nmi", NULL);
    qmp_run(client, "cont", NULL);
    wait_said("RNRN");
    finish();
}
END_TEST

/* Page tables lead memsave; not pmemsave. */
START_TEST(memory)
{
    uint64_t marker;
    const char *error;

    memcpy(&marker, "flatview", 8);
    start("monitor", NULL);
    expect_hex(saved("memsave", MARKER, 8), 0);
    qmp_run(client, "cont", NULL);
    wait_said("R");
    expect_hex(saved("memsave", MARKER, 8), marker);
    expect_hex(saved("memsave", ALIAS + MARKER, 8), marker);
    expect_hex(saved("pmemsave", MARKER, 8), marker);
    expect_hex(saved("pmemsave", ALIAS + MARKER, 8), 0);
    expect_counting(true);
    expect_status("running", true);

    /* Nothing is mapped after the second copy; all is written up to there. */
    error = qmp_run_error(client, "memsave",
                          "{\"val\":%u,\"size\":1000000000000,"
                          "\"filename\":\"%s\"}", ALIAS + MARKER, file);
    expect(strstr(error, "Invalid addr 0x0000000000400000/size 999997904144 "), "%s",
           error);
    ck_assert_uint_gt(strlen(error), 0);
    expect_status("running", true);

    /* vCPU 1 waits for its start, without page tables. */
    qmp_run(client, "memsave",
            "{\"val\":%u,\"size\":8,\"filename\":\"%s\",\"cpu-index\":1}",
            ALIAS + MARKER, file);
    finish();
}
END_TEST

/* Off, but kept: only a reset leads on. */
START_TEST(kept_after_power_off)
{
    start("hello", "-no-shutdown");
    qmp_run(client, "cont", NULL);
    wait_status("shutdown");
    qmp_wait_event(client, "SHUTDOWN");
    qmp_expect_error(client, "cont", "{}",
                     "GenericError: Resetting the Virtual Machine is required");
    expect_status("shutdown", false);
    qmp_run(client, "system_reset", NULL);
    qmp_wait_event(client, "RESET");
    qmp_run(client, "cont", NULL);
    qmp_wait_event(client, "SHUTDOWN");
    wait_status("shutdown");
    finish();
}
END_TEST

/* KVM gave up: the same. Not every KVM does. */
START_TEST(kept_after_an_error)
{
    start("cannot-emulate", "-no-shutdown");
    qmp_run(client, "cont", NULL);
    for (;;) {
        g_autofree char *status = g_strdup(
            json_string_at(qmp_run(client, "query-status", NULL), "status"));

        if (strcmp(status, "internal-error") == 0) {
            qmp_expect_error(client, "cont", "{}", "GenericError: Resetting the "
                             "Virtual Machine is required");
            expect_status("internal-error", false);
            end_with(EXIT_KVM_INTERNAL);
            return;
        }
        if (strcmp(status, "running") != 0) {
            break;
        }
        g_usleep(PAUSE_US);
    }
    finish();
}
END_TEST

START_TEST(facts)
{
    g_autofree char *thread = NULL;
    JsonNode *result;

    start("monitor", NULL);
    result = qmp_run(client, "query-kvm", NULL);
    ck_assert(json_bool_at(result, "enabled"));
    ck_assert(json_bool_at(result, "present"));
    result = qmp_run(client, "query-cpus-fast", NULL);
    ck_assert_int_eq(json_int_at(result, "[1].cpu-index"), 1);
    ck_assert_int_eq(json_int_at(result, "[1].props.core-id"), 1);
    ck_assert_int_ne(json_int_at(result, "[0].thread-id"),
                     json_int_at(result, "[1].thread-id"));
    thread = g_strdup_printf("/proc/%" PRId64,
                             json_int_at(result, "[1].thread-id"));
    ck_assert(g_file_test(thread, G_FILE_TEST_IS_DIR));
    finish();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        stop_and_cont, reset, power_button, nmi, memory, kept_after_power_off,
        kept_after_an_error, facts,
    };
    GError *err = NULL;

    if (!kvm_available(&err)) {
        printf("SKIP: %s\n", err->message);
        g_error_free(err);
        return 77;
    }
    return test_run("qmp-commands-kvm", tests, G_N_ELEMENTS(tests));
}
