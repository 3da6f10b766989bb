/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID: what a monitor says of itself. Specification: VESA Enhanced EDID Standard,
 * release A revision 2 (chapter 3); its extension blocks: CTA-861-G, chapter 7, and
 * DisplayID 1.3, chapter 4. Tables are in the order, and timings are made by the rules,
 * that guests know from QEMU.
 */
#include "hw/display/edid.h"

#include <string.h>

#define BLOCK_SIZE 128
#define DPI 100

#define WIDTH_DEFAULT 1280
#define HEIGHT_DEFAULT 800
#define REFRESH_DEFAULT 75000

/* Offsets in the base block. */
#define EDID_VENDOR 8
#define EDID_PRODUCT 10
#define EDID_WEEK 16
#define EDID_YEAR 17
#define EDID_VERSION 18
#define EDID_INPUT 20
#define EDID_SIZE_CM 21
#define EDID_GAMMA 23
#define EDID_FEATURES 24
#define EDID_COLOURS 25
#define EDID_ESTABLISHED 35
#define EDID_STANDARD 38
#define EDID_DESCRIPTORS 54
#define EDID_EXTENSIONS 126

#define STANDARD_NR 8
#define DESCRIPTOR_SIZE 18
#define DESCRIPTORS_NR 4

#define INPUT_DIGITAL_8BIT_DISPLAYPORT 0xa5
#define FEATURES_SRGB_NATIVE 0x06
#define GAMMA_2_2 120

/* Tags of descriptors that are no timing. */
#define TAG_ESTABLISHED_III 0xf7
#define TAG_NAME 0xfc
#define TAG_LIMITS 0xfd
#define TAG_SERIAL 0xff
#define TAG_UNUSED 0x10

#define TIMING_PIXELS_MAX 4095
#define TIMING_CLOCK_MIN 1000  /* in 10 kHz */
#define TIMING_CLOCK_MAX 65535
#define TIMING_DIGITAL_SEPARATE_SYNC 0x18

#define DISPLAYID_PREFERRED 0x80
#define DISPLAYID_ANY_ASPECT 0x08

/* A mode with a bit, or code, of its own. */
typedef struct EDIDMode {
    uint16_t width, height;
    uint8_t byte, value;
} EDIDMode;

/* All of 60 Hz. Byte: from EDID_ESTABLISHED on. */
static const EDIDMode established[] = {
    { 640, 480, 0, 0x20 }, { 800, 600, 0, 0x01 }, { 1024, 768, 1, 0x08 },
};

/* Byte: from the sixth of the descriptor. */
static const EDIDMode established_iii[] = {
    { 1280, 768, 1, 0x40 },  { 1360, 768, 2, 0x80 },  { 1400, 1050, 2, 0x02 },
    { 1792, 1344, 4, 0x20 }, { 1856, 1392, 4, 0x08 }, { 1920, 1440, 5, 0x20 },
};

/* Value: aspect ratio, 60 Hz. The first byte is the width in 8 pixels, less 31. */
#define ASPECT_16_10 0x00
#define ASPECT_4_3 0x40
#define ASPECT_5_4 0x80
#define ASPECT_16_9 0xc0
static const EDIDMode standard[] = {
    { 2048, 1152, 0, ASPECT_16_9 },  { 1920, 1080, 0, ASPECT_16_9 },
    { 1920, 1200, 0, ASPECT_16_10 }, { 1600, 1200, 0, ASPECT_4_3 },
    { 1680, 1050, 0, ASPECT_16_10 }, { 1440, 900, 0, ASPECT_16_10 },
    { 1280, 1024, 0, ASPECT_5_4 },   { 1280, 960, 0, ASPECT_4_3 },
};

/* The extension: where its data blocks begin, with a byte of kind and length each. */
#define CTA_DATA 4
#define CTA_UNDERSCAN 0x80
#define CTA_VIDEO 0x40

/* Colours from 0 to 255 if that is what comes; nothing is cut off at the edges. */
static const uint8_t cta_capabilities[] = { 0xe2, 0x00, 0x4a };

/* Value: the mode's number in CTA-861. */
static const EDIDMode cta_modes[] = {
    { 5120, 2160, 0, 125 }, { 4096, 2160, 0, 101 }, { 3840, 2160, 0, 96 },
    { 2560, 1080, 0, 89 },  { 1920, 1080, 0, 31 },  { 3840, 2160, 0, 97 },
};

static bool fits(const EDIDInfo *info, const EDIDMode *mode)
{
    return (!info->width_max || mode->width <= info->width_max) &&
           (!info->height_max || mode->height <= info->height_max);
}

/* Have the @size bytes add up to 0, by the last one. */
static void set_checksum(uint8_t *bytes, unsigned size)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < size - 1; i++) {
        sum += bytes[i];
    }
    bytes[size - 1] = -sum;
}

static void put_u16(uint8_t *to, unsigned value)
{
    to[0] = value;
    to[1] = value >> 8;
}

static unsigned millimetres(unsigned pixels)
{
    return pixels * 254 / (DPI * 10);
}

/* ---- the preferred mode's timing ------------------------------------------------- */

/* Pixels and lines: seen, from there to the sync pulse, in it, not seen. */
typedef struct EDIDTiming {
    unsigned w, w_front, w_sync, w_blank;
    unsigned h, h_front, h_sync, h_blank;
    uint64_t clock; /* of pixels, in 10 kHz */
} EDIDTiming;

static EDIDTiming timing(const EDIDInfo *info)
{
    unsigned w = info->width, h = info->height;
    EDIDTiming t = {
        .w = w, .w_front = MAX(w * 25 / 100, 1), .w_sync = MAX(w * 3 / 100, 1),
        .h = h, .h_front = MAX(h * 5 / 1000, 1), .h_sync = MAX(h * 5 / 1000, 1),
    };

    t.w_blank = MAX(w * 35 / 100, t.w_front + t.w_sync + 1);
    t.h_blank = MAX(h * 35 / 1000, t.h_front + t.h_sync + 1);
    t.clock = (uint64_t)(w + t.w_blank) * (h + t.h_blank) * info->refresh_mhz / 10000000;
    return t;
}

/* Whether a descriptor has no room for it. */
static bool is_large(const EDIDInfo *info)
{
    return info->width > TIMING_PIXELS_MAX || info->height > TIMING_PIXELS_MAX;
}

/* ---- descriptors, of 18 bytes ---------------------------------------------------- */

static uint8_t *put_tag(uint8_t *to, uint8_t tag)
{
    to[3] = tag;
    return to + 5;
}

static void put_text(uint8_t *to, uint8_t tag, const char *text)
{
    size_t len = strnlen(text, 13);
    uint8_t *bytes = put_tag(to, tag);

    memset(bytes, ' ', 13);
    if (len < 13) {
        bytes[len] = '\n';
    }
    memcpy(bytes, text, len);
}

/* 50 to 125 Hz, 30 to 160 kHz, any clock, and no formula for other timings. */
static void put_limits(uint8_t *to)
{
    static const uint8_t limits[] = { 50, 125, 30, 160, 255, 1, '\n',
                                      ' ', ' ', ' ', ' ', ' ', ' ' };

    memcpy(put_tag(to, TAG_LIMITS), limits, sizeof(limits));
}

static void put_established_iii(uint8_t *to, const EDIDInfo *info)
{
    uint8_t *bytes = put_tag(to, TAG_ESTABLISHED_III);

    *bytes++ = 10; /* version */
    for (unsigned i = 0; i < G_N_ELEMENTS(established_iii); i++) {
        if (fits(info, &established_iii[i])) {
            bytes[established_iii[i].byte] |= established_iii[i].value;
        }
    }
}

/* The preferred mode; false: it is too large to be told so. The clock is slower, or
 * faster, where it is not one that the field can have, or a monitor. */
static bool put_timing(uint8_t *to, const EDIDInfo *info)
{
    EDIDTiming t = timing(info);
    unsigned w_mm = millimetres(info->width), h_mm = millimetres(info->height);

    if (is_large(info)) {
        return false;
    }
    put_u16(to, CLAMP(t.clock, TIMING_CLOCK_MIN, TIMING_CLOCK_MAX));
    to[2] = t.w;
    to[3] = t.w_blank;
    to[4] = (t.w >> 8) << 4 | t.w_blank >> 8;
    to[5] = t.h;
    to[6] = t.h_blank;
    to[7] = (t.h >> 8) << 4 | t.h_blank >> 8;
    to[8] = t.w_front;
    to[9] = t.w_sync;
    to[10] = (t.h_front & 15) << 4 | (t.h_sync & 15);
    to[11] = (t.w_front >> 8) << 6 | (t.w_sync >> 8) << 4 | (t.h_front >> 4) << 2 |
             t.h_sync >> 4;
    to[12] = w_mm;
    to[13] = h_mm;
    to[14] = (w_mm >> 8) << 4 | h_mm >> 8;
    to[17] = TIMING_DIGITAL_SEPARATE_SYNC;
    return true;
}

/* There are four: what has no room goes without being missed. */
static void put_descriptors(uint8_t *to, const EDIDInfo *info)
{
    uint8_t *end = to + DESCRIPTORS_NR * DESCRIPTOR_SIZE;

    if (put_timing(to, info)) {
        to += DESCRIPTOR_SIZE;
    }
    if (info->serial) {
        put_text(to, TAG_SERIAL, info->serial);
    } else {
        put_established_iii(to, info);
    }
    to += DESCRIPTOR_SIZE;
    put_limits(to);
    to += DESCRIPTOR_SIZE;
    put_text(to, TAG_NAME, info->name ? info->name : "flatview");
    to += DESCRIPTOR_SIZE;
    for (; to < end; to += DESCRIPTOR_SIZE) {
        put_tag(to, TAG_UNUSED);
    }
}

/* ---- blocks ---------------------------------------------------------------------- */

static unsigned vendor_code(const char *letters)
{
    unsigned code = 0;

    for (unsigned i = 0; i < 3; i++) {
        code = code << 5 | (letters[i] & 31);
    }
    return code;
}

static void put_standard(uint8_t *to, const EDIDInfo *info)
{
    memset(to, 0x01, 2 * STANDARD_NR); /* unused ones */
    for (unsigned i = 0; i < G_N_ELEMENTS(standard); i++) {
        if (fits(info, &standard[i])) {
            *to++ = standard[i].width / 8 - 31;
            *to++ = standard[i].value;
        }
    }
}

static void put_base(uint8_t *block, const EDIDInfo *info)
{
    static const uint8_t head[] = { 0, 255, 255, 255, 255, 255, 255, 0 };
    /* Of sRGB: x and y of red, green, blue and white, in 10 bits. */
    static const uint8_t colours[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c,
                                       0x99, 0x26, 0x0f, 0x50, 0x54 };
    unsigned vendor = vendor_code(info->vendor ? info->vendor : "FLV");

    memcpy(block, head, sizeof(head));
    block[EDID_VENDOR] = vendor >> 8; /* the one big-endian field */
    block[EDID_VENDOR + 1] = vendor;
    put_u16(block + EDID_PRODUCT, 0x1234);
    block[EDID_WEEK] = 42;
    block[EDID_YEAR] = 2014 - 1990;
    block[EDID_VERSION] = 1;
    block[EDID_VERSION + 1] = 4;
    block[EDID_INPUT] = INPUT_DIGITAL_8BIT_DISPLAYPORT;
    block[EDID_SIZE_CM] = MIN(millimetres(info->width) / 10, 255);
    block[EDID_SIZE_CM + 1] = MIN(millimetres(info->height) / 10, 255);
    block[EDID_GAMMA] = GAMMA_2_2;
    block[EDID_FEATURES] = FEATURES_SRGB_NATIVE;
    memcpy(block + EDID_COLOURS, colours, sizeof(colours));
    for (unsigned i = 0; i < G_N_ELEMENTS(established); i++) {
        if (fits(info, &established[i])) {
            block[EDID_ESTABLISHED + established[i].byte] |= established[i].value;
        }
    }
    put_standard(block + EDID_STANDARD, info);
    put_descriptors(block + EDID_DESCRIPTORS, info);
    block[EDID_EXTENSIONS] = is_large(info) ? 2 : 1;
    set_checksum(block, BLOCK_SIZE);
}

/* CTA-861, revision 3: a list of modes, and no timings. */
static void put_extension(uint8_t *block, const EDIDInfo *info)
{
    uint8_t *to = block + CTA_DATA + 1;
    unsigned nr = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(cta_modes); i++) {
        if (fits(info, &cta_modes[i])) {
            to[nr++] = cta_modes[i].value;
        }
    }
    block[CTA_DATA] = CTA_VIDEO | nr;
    memcpy(to + nr, cta_capabilities, sizeof(cta_capabilities));
    block[0] = 2;
    block[1] = 3;
    block[2] = to + nr + sizeof(cta_capabilities) - block;
    block[3] = CTA_UNDERSCAN;
    set_checksum(block, BLOCK_SIZE);
}

/* DisplayID, version 1.3, of a stand-alone display: one timing, whose numbers are all one
 * less. Here is room for the largest mode. */
static void put_displayid(uint8_t *block, const EDIDInfo *info)
{
    static const uint8_t head[] = { 0x70, 0x13, 23, 0x03, 0, /* 23 bytes of blocks: */
                                    0x03, 0, 20 };           /* of a detailed timing */
    EDIDTiming t = timing(info);
    uint32_t clock = MIN(t.clock, 1 << 24) - 1;
    uint8_t *to = block + sizeof(head);

    memcpy(block, head, sizeof(head));
    put_u16(to, clock);
    to[2] = clock >> 16;
    to[3] = DISPLAYID_PREFERRED | DISPLAYID_ANY_ASPECT;
    put_u16(to + 4, t.w - 1);
    put_u16(to + 6, t.w_blank - 1);
    put_u16(to + 8, t.w_front - 1);
    put_u16(to + 10, t.w_sync - 1);
    put_u16(to + 12, t.h - 1);
    put_u16(to + 14, t.h_blank - 1);
    put_u16(to + 16, t.h_front - 1);
    put_u16(to + 18, t.h_sync - 1);
    set_checksum(block + 1, sizeof(head) - 1 + 20 + 1);
    set_checksum(block, BLOCK_SIZE);
}

void edid_make(uint8_t edid[EDID_SIZE], const EDIDInfo *info)
{
    EDIDInfo full = *info;

    full.width = info->width ? info->width : WIDTH_DEFAULT;
    full.height = info->height ? info->height : HEIGHT_DEFAULT;
    full.refresh_mhz = info->refresh_mhz ? info->refresh_mhz : REFRESH_DEFAULT;
    full.width = info->width_max ? MIN(full.width, info->width_max) : full.width;
    full.height = info->height_max ? MIN(full.height, info->height_max) : full.height;
    memset(edid, 0, EDID_SIZE);
    put_base(edid, &full);
    put_extension(edid + BLOCK_SIZE, &full);
    if (is_large(&full)) {
        put_displayid(edid + 2 * BLOCK_SIZE, &full);
    }
}
