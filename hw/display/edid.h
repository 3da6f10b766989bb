/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID: what a monitor says of itself. Specification: VESA Enhanced EDID Standard,
 * release A revision 2 (E-EDID, EDID 1.4).
 */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#include "hw/core/device.h"

#define EDID_SIZE 384 /* the base block and two extensions */

typedef struct EDIDInfo {
    const char *vendor, *name, *serial; /* 3 capital letters, 13 characters; NULL: "FLV",
                                         * "flatview", none */
    uint32_t width, height;         /* preferred, at most 16384; 0: 1280, 800 */
    uint32_t width_max, height_max; /* no mode is larger; 0: no limit */
    uint32_t refresh_mhz;           /* 1/1000 Hz; 0: 75,000 */
} EDIDInfo;

/* The preferred mode is in a second extension, as DisplayID, if it is wider or higher
 * than 4095; else the first timing, and slower where its pixel clock would be above 655
 * MHz. What is not used is 0. */
void edid_make(uint8_t edid[EDID_SIZE], const EDIDInfo *info);

/* Properties "edid", "xres", "yres", "xmax", "ymax", "refresh_rate" of a state struct
 * with a bool edid and an EDIDInfo edid_info. */
#define EDID_PROPERTIES(state)                                                         \
    { "edid", PROP_BOOL, offsetof(state, edid), "on",                                  \
      "tell the guest of the monitor's modes", 0 },                                    \
    { "xres", PROP_UINT32, offsetof(state, edid_info.width), "1280",                   \
      "preferred width", 16000 },                                                      \
    { "yres", PROP_UINT32, offsetof(state, edid_info.height), "800",                   \
      "preferred height", 12000 },                                                     \
    { "xmax", PROP_UINT32, offsetof(state, edid_info.width_max), "0",                  \
      "largest width; 0: no limit", 16000 },                                           \
    { "ymax", PROP_UINT32, offsetof(state, edid_info.height_max), "0",                 \
      "largest height; 0: no limit", 12000 },                                          \
    { "refresh_rate", PROP_UINT32, offsetof(state, edid_info.refresh_mhz), "75000",    \
      "of the preferred mode, in 1/1000 Hz", 1000000 }

#endif
