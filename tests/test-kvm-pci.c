/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI as a guest sees it on KVM: tests/guest/pci-driver.c on the board pc, with its
 * devices on the host's bus, and behind bridges. Messages and wires become interrupts,
 * doorbells are the kernel's. Needs KVM.
 */
#include <string.h>
#include <sys/wait.h>

#include "kvm.h"
#include "tests/test-util.h"

#define TIMEOUT "120" /* seconds, against hanging */
#define ALL_WELL 1    /* what isa-debug-exit makes of 0 */

#define EDU_SAYS                                                                     \
    "id: 10000ed\n"                                                                  \
    "inverted: edcba987\n"                                                           \
    "pin: 1\n"                                                                       \
    "10!: 375f00\n"                                                                  \
    "messages: 1\n"                                                                  \
    "messages: 2\n"                                                                  \
    "bytes that differ: 0\n"                                                         \
    "pins: 1\n"

#define TESTDEV_SAYS                                                                 \
    "mmio-no-eventfd: 10\n"                                                          \
    "mmio-wildcard-eventfd: 0\n"                                                     \
    "mmio-datamatch-eventfd: 0\n"                                                    \
    "portio-no-eventfd: 10\n"                                                        \
    "portio-wildcard-eventfd: 0\n"                                                   \
    "portio-datamatch-eventfd: 0\n"

#define PC_TESTDEV_SAYS                                                              \
    "word: 11229944\n"                                                               \
    "interrupts of pc-testdev: 1\n"                                                  \
    "page after it was flushed: 55\n"                                                \
    "and again: 6677\n"                                                              \
    "memory behind callbacks: 12345678\n"

#define END_SAYS "interrupts nobody wanted: 0\n"

/* It prints exactly that. */
static void drive(const char *options, const char *wanted)
{
    const char *named = g_getenv("FLATVIEW");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(self);
    g_autofree char *line = g_strdup_printf(
        "timeout " TIMEOUT " %s%s -M pc -m 64 -nodefaults -display none -serial stdio "
        "-device isa-debug-exit -kernel %s/guest/pci-driver.bin %s",
        named ? named : tests, named ? "" : "/../flatview-x86_64", tests, options);
    g_auto(GStrv) argv = g_strsplit(line, " ", 0);
    g_autofree char *out = NULL, *errors = NULL;
    GError *err = NULL;
    int status;

    expect(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &errors,
                        &status, &err), "%s", err->message);
    ck_assert_str_eq(out, wanted);
    ck_assert_str_eq(errors, "");
    expect(WIFEXITED(status) && WEXITSTATUS(status) == ALL_WELL, "status 0x%x", status);
}

START_TEST(root_bus)
{
    drive("-device pc-testdev -device edu,addr=4 -device pci-testdev,addr=1f",
          "edu at 0:4\n"
          "pci-testdev at 0:1f\n"
          EDU_SAYS TESTDEV_SAYS PC_TESTDEV_SAYS END_SAYS);
}
END_TEST

START_TEST(behind_bridges)
{
    drive("-device pci-bridge,id=a,addr=4,chassis_nr=1 "
          "-device pci-bridge,id=b,bus=a,addr=7,chassis_nr=2 "
          "-device edu,bus=b,addr=2 -device pci-testdev,bus=a,addr=5",
          "bridge at 0:4\n"
          "pci-testdev at 1:5\n"
          "bridge at 1:7\n"
          "edu at 2:2\n"
          EDU_SAYS TESTDEV_SAYS END_SAYS);
}
END_TEST

/* Every wire. */
START_TEST(all_wires)
{
    for (unsigned slot = 2; slot < 6; slot++) {
        g_autofree char *options = g_strdup_printf("-device edu,addr=%x", slot);
        g_autofree char *wanted = g_strdup_printf("edu at 0:%x\n" EDU_SAYS END_SAYS,
                                                  slot);

        drive(options, wanted);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { root_bus, behind_bridges, all_wires };
    GError *error = NULL;

    if (!kvm_available(&error)) {
        printf("SKIP: %s\n", error->message);
        g_error_free(error);
        return 77;
    }
    return test_run("kvm-pci", tests, G_N_ELEMENTS(tests));
}
