/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID: what is in it for any settings, and whether edid-decode finds it in order.
 */
#include <string.h>
#include <unistd.h>

#include "hw/display/edid.h"
#include "tests/device-util.h"

#define BLOCK 128
#define DESCRIPTORS 54
#define DESCRIPTOR 18

static uint8_t edid[EDID_SIZE];

static void make(EDIDInfo info)
{
    uint8_t sum = 0;

    memset(edid, 0xa5, sizeof(edid));
    edid_make(edid, &info);
    for (unsigned i = 0; i < EDID_SIZE; i++) {
        sum += edid[i];
        expect(i % BLOCK != BLOCK - 1 || sum == 0, "block %u adds up to 0x%02x",
               i / BLOCK, sum);
    }
}

/* The @n-th descriptor whose tag is @tag; NULL: there is none. */
static const uint8_t *descriptor(uint8_t tag)
{
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *d = edid + DESCRIPTORS + i * DESCRIPTOR;

        if (!d[0] && !d[1] && d[3] == tag) {
            return d + 5;
        }
    }
    return NULL;
}

typedef struct Timing {
    unsigned width, height, width_total, height_total;
    uint64_t hz;
} Timing;

/* The preferred one; false: it is DisplayID's. */
static bool preferred(Timing *t)
{
    const uint8_t *d = edid + DESCRIPTORS;
    uint64_t clock = (d[0] | d[1] << 8) * 10000ull;

    expect((clock ? 1 : 2) == edid[126], "%u extensions", edid[126]);
    if (!clock) {
        d = edid + 2 * BLOCK;
        expect(d[0] == 0x70 && d[11] & 0x80, "nothing preferred");
        clock = (d[8] | d[9] << 8 | d[10] << 16) + 1;
        t->width = (d[12] | d[13] << 8) + 1;
        t->width_total = t->width + (d[14] | d[15] << 8) + 1;
        t->height = (d[20] | d[21] << 8) + 1;
        t->height_total = t->height + (d[22] | d[23] << 8) + 1;
        t->hz = clock * 10000 / (t->width_total * t->height_total);
        return false;
    }
    t->width = d[2] | (d[4] & 0xf0) << 4;
    t->width_total = t->width + (d[3] | (d[4] & 0x0f) << 8);
    t->height = d[5] | (d[7] & 0xf0) << 4;
    t->height_total = t->height + (d[6] | (d[7] & 0x0f) << 8);
    t->hz = clock / (t->width_total * t->height_total);
    return true;
}

static void expect_preferred(unsigned width, unsigned height, unsigned hz)
{
    Timing t;

    expect(preferred(&t) == (width < 4096 && height < 4096), "in the wrong block");
    expect(t.width == width && t.height == height && t.hz + 1 >= hz && t.hz <= hz,
           "%ux%u at %u Hz, not %ux%u at %u", t.width, t.height, (unsigned)t.hz, width,
           height, hz);
}

START_TEST(defaults)
{
    static const uint8_t head[] = { 0, 255, 255, 255, 255, 255, 255, 0, 0x19, 0x96 };

    make((EDIDInfo){ 0 });
    expect(memcmp(edid, head, sizeof(head)) == 0, "no header of FLV");
    expect_hex(edid[18], 1);
    expect_hex(edid[19], 4);
    expect_hex(edid[126], 1);
    expect_preferred(1280, 800, 75);
    expect(memcmp(descriptor(0xfc), "flatview\n    ", 13) == 0, "no name");
    expect(descriptor(0xfd) && descriptor(0xf7) && !descriptor(0xff), "descriptors");
    expect_hex(edid[21], 32); /* cm */
    expect_hex(edid[22], 20);
    expect_hex(edid[BLOCK], 2);
    expect_hex(edid[BLOCK + 1], 3);
}
END_TEST

START_TEST(names)
{
    make((EDIDInfo){ .vendor = "RHT", .name = "thirteen char", .serial = "12" });
    expect_hex(edid[8] << 8 | edid[9], 0x4914);
    expect(memcmp(descriptor(0xfc), "thirteen char", 13) == 0, "name");
    expect(memcmp(descriptor(0xff), "12\n          ", 13) == 0, "serial number");
    expect(descriptor(0xfd) && !descriptor(0xf7), "descriptors");
    make((EDIDInfo){ .name = "more than thirteen characters" });
    expect(memcmp(descriptor(0xfc), "more than thi", 13) == 0, "name too long");
}
END_TEST

START_TEST(preferred_modes)
{
    /* Of 5120x2880: 1544.83 MHz, and the rest by the same rules. */
    static const uint8_t displayid[] = {
        0x70, 0x13, 0x17, 0x03, 0x00, 0x03, 0x00, 0x14, 0x72, 0x5b, 0x02, 0x88,
        0xff, 0x13, 0xff, 0x06, 0xff, 0x04, 0x98, 0x00, 0x3f, 0x0b, 0x63, 0x00,
        0x0d, 0x00, 0x0d, 0x00, 0xec,
    };
    static const uint8_t large[] = { 0xe8, 0x78, 0x44, 0xc5 };
    Timing t;

    make((EDIDInfo){ .width = 1920, .height = 1080 });
    expect_preferred(1920, 1080, 75);
    make((EDIDInfo){ .width = 1920, .height = 1200, .refresh_mhz = 60000 });
    expect_preferred(1920, 1200, 60);
    make((EDIDInfo){ .width = 1366 });
    expect_preferred(1366, 800, 75);
    make((EDIDInfo){ .height = 1024 });
    expect_preferred(1280, 1024, 75);
    make((EDIDInfo){ .width = 4095, .height = 4095 });
    expect_preferred(4095, 4095, 27); /* its clock is the fastest there is */
    make((EDIDInfo){ .width = 4000, .height = 4000 }); /* all bits: 1000, 120, 20, 20 */
    expect(memcmp(edid + DESCRIPTORS + 8, large, sizeof(large)) == 0, "porches");
    make((EDIDInfo){ .width = 1, .height = 1 });
    expect(preferred(&t) && t.width == 1 && t.height == 1, "one pixel");

    /* Not within the limits. */
    make((EDIDInfo){ .width = 1920, .height = 1080, .width_max = 1600 });
    expect_preferred(1600, 1080, 75);
    make((EDIDInfo){ .width = 1920, .height = 1080, .height_max = 1000 });
    expect_preferred(1920, 1000, 75);

    /* More than the fields hold: the other descriptors move up. */
    make((EDIDInfo){ .width = 4096, .height = 2160, .refresh_mhz = 60000 });
    expect_preferred(4096, 2160, 60);
    expect(descriptor(0xfc) && descriptor(0xfd) && descriptor(0xf7) && descriptor(0x10),
           "descriptors");
    make((EDIDInfo){ .width = 5120, .height = 2880 });
    expect(memcmp(edid + 256, displayid, sizeof(displayid)) == 0, "not as it should be");
    make((EDIDInfo){ .width = 16384, .height = 16384, .refresh_mhz = 1000000 });
    expect_preferred(16384, 16384, 447); /* its clock is the fastest there is */
    expect(edid[21] == 255 && edid[22] == 255, "more cm than it is");
}
END_TEST

/* Every mode of the tables is there with the smallest limits that it fits in, and is not
 * with smaller ones. */
START_TEST(limits)
{
    static const struct {
        unsigned width, height, byte, mask, value;
    } modes[] = {
        { 640, 480, 35, 0x20, 0x20 },   { 800, 600, 35, 0x01, 0x01 },
        { 1024, 768, 36, 0x08, 0x08 },  { 1280, 768, 79, 0x40, 0x40 },
        { 1360, 768, 80, 0x80, 0x80 },  { 1400, 1050, 80, 0x02, 0x02 },
        { 1792, 1344, 82, 0x20, 0x20 }, { 1856, 1392, 82, 0x08, 0x08 },
        { 1920, 1440, 83, 0x20, 0x20 }, { 1280, 960, 38, 0xff, 0x81 },
        { 1280, 1024, 38, 0xff, 0x81 }, { 1440, 900, 38, 0xff, 0x95 },
        { 1680, 1050, 38, 0xff, 0xb3 }, { 1600, 1200, 38, 0xff, 0xa9 },
        { 1920, 1200, 38, 0xff, 0xd1 }, { 1920, 1080, 38, 0xff, 0xd1 },
        { 2048, 1152, 38, 0xff, 0xe1 }, { 1920, 1080, 133, 0xff, 31 },
        { 2560, 1080, 133, 0xff, 89 },  { 3840, 2160, 133, 0xff, 96 },
        { 4096, 2160, 133, 0xff, 101 }, { 5120, 2160, 133, 0xff, 125 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        unsigned w = modes[i].width, h = modes[i].height;

        make((EDIDInfo){ .width_max = w, .height_max = h });
        expect((edid[modes[i].byte] & modes[i].mask) == modes[i].value,
               "%ux%u is not at %u", w, h, modes[i].byte);
        make((EDIDInfo){ .width_max = w - 1, .height_max = h });
        expect((edid[modes[i].byte] & modes[i].mask) != modes[i].value,
               "%ux%u is at %u though it is too wide", w, h, modes[i].byte);
        make((EDIDInfo){ .width_max = w, .height_max = MIN(h - 1, 899) });
        expect((edid[modes[i].byte] & modes[i].mask) != modes[i].value,
               "%ux%u is at %u though it is too high", w, h, modes[i].byte);
    }
    make((EDIDInfo){ .width_max = 1, .height_max = 1 });
    expect(edid[35] == 0 && edid[36] == 0 && edid[38] == 1 && edid[53] == 1, "modes");
    expect_hex(edid[BLOCK + 4], 0x40); /* a list of none */
}
END_TEST

START_TEST(any_size)
{
    for (unsigned w = 1; w <= 16384; w += 97) {
        Timing t;

        make((EDIDInfo){ .width = w, .height = 16385 - w, .refresh_mhz = 1 + w * 60 });
        expect(preferred(&t) == (w < 4096 && 16385 - w < 4096), "%u: wrong block", w);
        expect(t.width == w && t.height == 16385 - w, "%u", w);
    }
}
END_TEST

START_TEST(in_order)
{
    static const EDIDInfo infos[] = {
        { 0 }, { .width = 1920, .height = 1080 }, { .width = 3840, .height = 2160 },
        { .width = 1, .height = 1 }, { .width_max = 640, .height_max = 480 },
        { .width = 1366, .height = 768, .refresh_mhz = 60000, .serial = "0815" },
        { .width = 4095, .height = 4095 }, { .vendor = "RHT", .name = "x" },
    };
    g_autofree char *tool = g_find_program_in_path("edid-decode");
    g_autofree char *path = g_build_filename(test_folder(), "edid", NULL);
    const char *command[] = { tool, "-c", path, NULL };

    if (!tool) {
        printf("SKIP: no edid-decode (Debian package edid-decode)\n");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(infos); i++) {
        g_autofree char *out = NULL;

        make(infos[i]);
        ck_assert(g_file_set_contents(path, (char *)edid, (1 + edid[126]) * BLOCK, NULL));
        ck_assert(g_spawn_sync(NULL, (char **)command, NULL, 0, NULL, NULL, &out, NULL,
                               NULL, NULL));
        if (!strstr(out, "EDID conformity: PASS")) {
            fputs(out, stderr);
            test_fail("settings %u do not conform", i);
        }
    }
}
END_TEST

TEST_MAIN("edid", defaults, names, preferred_modes, limits, any_size, in_order)
