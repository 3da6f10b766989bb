/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays of the board pc by qtest and QMP: the example of docs/display.md, screendumps
 * of several devices, and one that is taken away.
 */
#include "tests/qtest/qpci.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/device-util.h"

#define VRAM 0xe0000000u
#define MMIO 0xf0000000u
#define EJECT 0xae08

static QVM *vm;

/* Screendump of @device as PPM: the pixels after its header; to be freed. */
static char *dump(const char *device, int *width, int *height)
{
    g_autofree char *path = g_build_filename(test_folder(), "screen", NULL);
    g_autofree char *file = NULL;
    gsize len;
    int at;

    qvm_qmp_ok(vm, "{'execute': 'screendump', 'arguments': {'filename': '%s', "
               "'device': '%s'}}", path, device);
    ck_assert(g_file_get_contents(path, &file, &len, NULL));
    ck_assert_int_eq(sscanf(file, "P6\n%d %d\n255%n", width, height, &at), 2);
    expect(len == at + 1 + (gsize)*width * *height * 3, "%zu bytes", len);
    return g_memdup2(file + at + 1, len - at - 1);
}

static void expect_pixel(const char *device, int x, int y, uint32_t rgb)
{
    int width, height;
    g_autofree char *pixels = dump(device, &width, &height);
    const uint8_t *pixel = (uint8_t *)pixels + (y * width + x) * 3;

    expect_hex(pixel[0] << 16 | pixel[1] << 8 | pixel[2], rgb);
}

static void expect_size(const char *device, int wanted_width, int wanted_height)
{
    int width, height;

    g_free(dump(device, &width, &height));
    expect(width == wanted_width && height == wanted_height, "%s: %dx%d", device, width,
           height);
}

static void map(unsigned slot, unsigned n)
{
    QPCI f = qpci_function(vm, 0, slot, 0);
    QPCIBar vram = qpci_bar(&f, 0), mmio = qpci_bar(&f, 2);

    expect(vram.prefetch && !vram.wide && mmio.size == 4096, "BARs");
    qpci_map(&f, &vram, VRAM + n * 0x4000000);
    qpci_map(&f, &mmio, MMIO + n * 0x1000);
}

static void set_mode(unsigned n, unsigned width, unsigned height)
{
    qvm_store(vm, MMIO + n * 0x1000 + 0x502, width, 2);
    qvm_store(vm, MMIO + n * 0x1000 + 0x504, height, 2);
    qvm_store(vm, MMIO + n * 0x1000 + 0x506, 32, 2);
    qvm_store(vm, MMIO + n * 0x1000 + 0x508, 0x41, 2);
}

START_TEST(example)
{
    g_free(qvm_follow_text("display.md"));
}
END_TEST

START_TEST(several)
{
    vm = qvm_start("-M pc -nodefaults -m 16 -device VGA,id=v,addr=3 "
                   "-device bochs-display,id=a,addr=4 -device bochs-display,id=b,addr=5 "
                   "-device ramfb,id=r");
    map(3, 0);
    map(4, 1);
    map(5, 2);
    set_mode(0, 640, 480);
    set_mode(1, 800, 600);
    set_mode(2, 1024, 768);
    for (unsigned n = 0; n < 3; n++) {
        qvm_store(vm, VRAM + n * 0x4000000 + 4, 0x112233 * (n + 1), 4);
    }
    qvm_in(vm, 0x3da, 1);
    qvm_out(vm, 0x3c0, 0x20, 1); /* VGA's picture is on */
    expect_size("v", 640, 480);
    expect_size("a", 800, 600);
    expect_size("b", 1024, 768);
    expect_size("r", 640, 480);
    expect_pixel("v", 1, 0, 0x112233);
    expect_pixel("a", 1, 0, 0x224466);
    expect_pixel("b", 1, 0, 0x336699);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    expect_pixel("a", 1, 0, 0);
    qvm_end(vm);
}
END_TEST

/* A display that comes and goes while the machine runs. */
START_TEST(hot_plug)
{
    char *reply;

    vm = qvm_start("-M pc -nodefaults -m 16");
    reply = qvm_qmp(vm, "{'execute': 'screendump', 'arguments': {"
                    "'filename': '/dev/null'}}");
    expect(strstr(reply, "\"error\""), "a screen of nothing: %s", reply);
    free(reply);
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {'driver': 'bochs-display', "
               "'id': 'd', 'addr': '7'}}");
    map(7, 0);
    set_mode(0, 320, 200);
    qvm_store(vm, VRAM, 0xabcdef, 4);
    expect_pixel("d", 0, 0, 0xabcdef);
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'd'}}");
    expect_pixel("d", 0, 0, 0xabcdef); /* the guest has not given it up yet */
    qvm_out(vm, EJECT, 1u << 7, 4);
    free(qvm_event(vm, "DEVICE_DELETED"));
    reply = qvm_qmp(vm, "{'execute': 'screendump', 'arguments': {"
                    "'filename': '/dev/null', 'device': 'd'}}");
    expect(strstr(reply, "\"error\""), "a screen of what is gone: %s", reply);
    free(reply);
    reply = qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {'driver': 'ramfb'}}");
    expect(strstr(reply, "does not support hotplugging"), "%s", reply);
    free(reply);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-display", example, several, hot_plug)
