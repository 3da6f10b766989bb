/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users add to the board pc at ports, by the options that QEMU's users know: serial
 * ports, the debug console, pvpanic and isa-debug-exit.
 */
#include "tests/qtest/qvm.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    unsigned port, irq;
} com[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

#define COM_LSR 5
#define COM_IER 1
#define COM_MCR 4

static bool is_there(QVM *vm, unsigned n)
{
    return qvm_in(vm, com[n].port + COM_LSR, 1) == 0x60;
}

/* Four of the board, each with its interrupt, which the others do not lower. */
START_TEST(four_serials)
{
    QVM *vm = qvm_start("-M pc -nodefaults -m 16 -serial null -serial null "
                        "-serial null -serial null");

    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    for (unsigned n = 0; n < 4; n++) {
        expect(is_there(vm, n), "COM%u", n + 1);
        qvm_out(vm, com[n].port + COM_MCR, 8, 1);
        qvm_out(vm, com[n].port + COM_IER, 2, 1); /* room to send */
        expect(qvm_irq(vm, com[n].irq) && !qvm_irq(vm, 7 - com[n].irq),
               "interrupts of COM%u", n + 1);
        qvm_out(vm, com[n].port + COM_IER, 0, 1);
        expect(!qvm_irq(vm, com[n].irq), "COM%u is not lowered", n + 1);
    }
    /* Two on one wire: it is high as long as one is. */
    for (unsigned n = 0; n < 2; n++) {
        qvm_out(vm, com[n].port + COM_IER, 2, 1);
        qvm_out(vm, com[n + 2].port + COM_IER, 2, 1);
        qvm_out(vm, com[n + 2].port + COM_IER, 0, 1);
        expect(qvm_irq(vm, com[n].irq), "COM%u lowers what COM%u raised", n + 3, n + 1);
        qvm_out(vm, com[n].port + COM_IER, 0, 1);
        expect(!qvm_irq(vm, com[n].irq), "still high");
    }
    qvm_end(vm);
}
END_TEST

START_TEST(serials_by_index)
{
    QVM *vm = qvm_start("-M pc -nodefaults -m 16 -chardev null,id=a -chardev null,id=b "
                        "-device isa-serial,chardev=a,index=1 "
                        "-device isa-serial,chardev=b");

    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    expect(is_there(vm, 0) && is_there(vm, 1), "not where they belong");
    expect(!is_there(vm, 2) && !is_there(vm, 3), "and elsewhere");
    qvm_out(vm, com[1].port + COM_MCR, 8, 1);
    qvm_out(vm, com[1].port + COM_IER, 2, 1);
    expect(qvm_irq(vm, 3) && !qvm_irq(vm, 4), "not COM2's interrupt");
    qvm_end(vm);
}
END_TEST

START_TEST(debug_console)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "flatview-XXXXXX", NULL);
    g_autofree char *text = NULL;
    int fd = g_mkstemp(path);
    QVM *vm = qvm_start("-M pc -nodefaults -m 16 -chardev file,id=d,path=%s "
                        "-device isa-debugcon,iobase=0x402,chardev=d", path);

    close(fd);
    expect_hex(qvm_in(vm, 0x402, 1), 0xe9);
    for (const char *c = "hello\n"; *c; c++) {
        qvm_out(vm, 0x402, *c, 1);
    }
    qvm_end(vm);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no file");
    ck_assert_str_eq(text, "hello\n");
    remove(path);
}
END_TEST

START_TEST(panic_and_exit)
{
    QVM *vm = qvm_start("-M pc -nodefaults -m 16 -no-shutdown -device pvpanic "
                        "-device isa-debug-exit,iobase=0xf4,iosize=0x04");

    expect_hex(qvm_in(vm, 0x505, 1) & 1, 1);
    qvm_out(vm, 0x505, 1, 1);
    free(qvm_event(vm, "GUEST_PANICKED"));
    qvm_end(vm);
    vm = qvm_start("-M pc -nodefaults -m 16 "
                   "-device isa-debug-exit,iobase=0xf4,iosize=0x04");
    qvm_send(vm, "outl 0xf4 0x10\n", 15);
    ck_assert_int_eq(qvm_wait(vm), 0x21);
    qvm_free(vm);
}
END_TEST

TEST_MAIN("qtest-isa", four_serials, serials_by_index, debug_console, panic_and_exit)
