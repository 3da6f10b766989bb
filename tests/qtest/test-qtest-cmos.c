/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware finds in the CMOS memory of the board pc: against a table, and byte by
 * byte against QEMU's pc where that is installed.
 */
#include "tests/qtest/qvm.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU "/usr/bin/qemu-system-x86_64"
#define FIRST 0x0e
#define LAST 0x7f
#define CENTURY 0x32
#define CENTURY_AGAIN 0x37 /* of PS/2 machines */

static uint8_t get(QVM *vm, unsigned index)
{
    qvm_out(vm, 0x70, index, 1);
    return qvm_in(vm, 0x71, 1);
}

/* What is not 0, as "INDEX=VALUE " in hexadecimal; to be freed. */
static char *dump(const uint8_t *cmos)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = FIRST; i <= LAST; i++) {
        if (i == CENTURY_AGAIN) {
            expect_hex(cmos[i], cmos[CENTURY]);
        } else if (cmos[i] && i != CENTURY) {
            g_string_append_printf(text, "%02x=%02x ", i, cmos[i]);
        }
    }
    return g_string_free(text, FALSE);
}

static char *dump_ours(QVM *vm)
{
    uint8_t cmos[LAST + 1];

    for (unsigned i = FIRST; i <= LAST; i++) {
        cmos[i] = get(vm, i);
    }
    return dump(cmos);
}

static const struct {
    const char *options, *wanted;
} cases[] = {
    { "-m 128", "14=06 15=80 16=02 17=ff 18=ff 30=ff 31=ff 35=07 38=30 3d=12 " },
    { "-m 8", "14=06 15=80 16=02 18=1c 31=1c 38=30 3d=12 " },
    { "-m 17 -boot c", "14=06 15=80 16=02 18=40 31=40 34=10 3d=02 " },
    { "-m 64 -boot order=nda,strict=on",
      "14=06 15=80 16=02 18=fc 31=fc 35=03 38=10 3d=34 " },
    { "-m 8 -boot once=d", "14=06 15=80 16=02 18=1c 31=1c 3d=03 " },
    { "-m 8 -boot dn -smp 4", "14=06 15=80 16=02 18=1c 31=1c 3d=43 5f=03 " },
    { "-m 3600",
      "14=06 15=80 16=02 17=ff 18=ff 30=ff 31=ff 35=bf 38=30 3d=12 5c=21 " },
    { "-m 4096",
      "14=06 15=80 16=02 17=ff 18=ff 30=ff 31=ff 35=bf 38=30 3d=12 5c=40 " },
};

START_TEST(values)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        QVM *vm = qvm_start("-M pc -nodefaults %s", cases[i].options);
        g_autofree char *found = dump_ours(vm);

        expect(strcmp(found, cases[i].wanted) == 0, "%s:\n%s instead of\n%s",
               cases[i].options, found, cases[i].wanted);
        expect_hex(qvm_in(vm, 0x70, 1), 0xff);
        qvm_end(vm);
    }
}
END_TEST

static char *dump_qemu(const char *options)
{
    g_autofree char *command = g_strdup_printf(
        "exec " QEMU " -M pc -accel tcg -S -nodefaults -vga none -display none "
        "-qtest stdio -qtest-log none %s", options);
    char *argv[] = { "/bin/sh", "-c", command, NULL };
    uint8_t cmos[LAST + 1] = { 0 };
    GError *err = NULL;
    char line[256];
    int in, out;
    FILE *to, *from;
    GPid pid;

    expect(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                    NULL, &pid, &in, &out, NULL, &err),
           "%s", err->message);
    to = fdopen(in, "w");
    from = fdopen(out, "r");
    for (unsigned i = FIRST; i <= LAST; i++) {
        fprintf(to, "outb 0x70 %u\ninb 0x71\n", i);
    }
    fflush(to);
    for (unsigned i = FIRST; i <= LAST; i++) {
        expect(fgets(line, sizeof(line), from) && g_str_has_prefix(line, "OK"), "outb");
        expect(fgets(line, sizeof(line), from) && g_str_has_prefix(line, "OK "), "inb");
        cmos[i] = strtoul(line + 3, NULL, 16);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fclose(to);
    fclose(from);
    return dump(cmos);
}

START_TEST(as_in_qemu)
{
    if (access(QEMU, X_OK) != 0) {
        printf("SKIP: there is no " QEMU " to compare with\n");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = dump_qemu(cases[i].options);

        expect(strcmp(found, cases[i].wanted) == 0, "%s:\n%s instead of\n%s",
               cases[i].options, found, cases[i].wanted);
    }
}
END_TEST

/* A reset keeps what the battery keeps; "once" was for the first time. */
START_TEST(reset)
{
    QVM *vm = qvm_start("-M pc -nodefaults -m 8 -boot once=n,order=dc");

    expect_hex(get(vm, 0x3d), 0x04);
    qvm_out(vm, 0x71, 0x99, 1);
    qvm_out(vm, 0x70, 0x0f, 1);
    qvm_out(vm, 0x71, 0x05, 1);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(get(vm, 0x3d) == 0x23);
    expect_hex(get(vm, 0x0f), 0x05);
    expect_hex(get(vm, 0x8f), 0x05); /* bit 7 masks NMIs */
    expect_hex(get(vm, 0x18), 0x1c);
    qvm_end(vm);
    vm = qvm_start("-M pc,i8042=off -nodefaults -m 8");
    expect_hex(get(vm, 0x14), 0x02);
    qvm_end(vm);
}
END_TEST

START_TEST(wrong_orders)
{
    static const char *const wrong[][2] = {
        { "-boot cdna", "3 drives at most, not the 4 of 'cdna'" },
        { "-boot once=cdna", "3 drives at most" },
        { "-boot order=cp", "no drive 'p'" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *command = g_strdup_printf(
            "%s -M pc -accel qtest -display none -nodefaults -qtest null %s 2>&1",
            getenv("FLATVIEW"), wrong[i][0]);
        FILE *from = popen(command, "r");
        char text[1024] = "";
        size_t len = fread(text, 1, sizeof(text) - 1, from);
        int status = pclose(from);

        text[len] = '\0';
        expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s: status 0x%x",
               wrong[i][0], status);
        expect(strstr(text, wrong[i][1]), "%s: %s", wrong[i][0], text);
    }
}
END_TEST

TEST_MAIN("qtest-cmos", values, as_in_qemu, reset, wrong_orders)
