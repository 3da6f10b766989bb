/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -smbios: what a user wants the machine to say of itself.
 */
#ifndef HW_SMBIOS_SMBIOS_SETTINGS_H
#define HW_SMBIOS_SMBIOS_SETTINGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A text that is NULL, and a number that is 0, was not given. Texts are owned. */
typedef struct SMBIOSSettings {
    bool given[256]; /* types that a user has said something of */
    struct { /* type 0, the firmware */
        char *vendor, *version, *date;
        char *release; /* "MAJOR.MINOR", each 0 to 255 */
        bool uefi;
    } bios;
    struct { /* type 1; @uuid in place of the machine's */
        char *manufacturer, *product, *version, *serial, *uuid, *sku, *family;
    } system;
    struct { /* type 2, the mainboard; there is none unless it is given */
        char *manufacturer, *product, *version, *serial, *asset, *location;
    } board;
    struct { /* type 3 */
        char *manufacturer, *version, *serial, *asset, *sku;
    } chassis;
    struct { /* type 4, all processors; speeds in MHz */
        char *socket_prefix, *manufacturer, *version, *serial, *asset, *part;
        uint16_t max_speed, speed;
        uint64_t id; /* EDX and EAX of CPUID leaf 1 */
    } processor;
    struct { /* type 17, all modules; @speed in MT/s */
        char *locator_prefix, *bank, *manufacturer, *serial, *asset, *part;
        uint16_t speed;
    } memory;
    GPtrArray *oem_strings; /* type 11: char * */
    GPtrArray *files;       /* char *: each is a file that is one structure */
} SMBIOSSettings;

SMBIOSSettings *smbios_settings_new(void);
void smbios_settings_free(SMBIOSSettings *settings); /* NULL: nothing */

/* Take in an argument of -smbios: "type=N,KEY=VALUE..." or "file=FILE". What is given
 * twice is what was given last, but for value= and path= of type 11, which add up; @text
 * is about one type. A
 * file of path= is read here, the others are not. False with @err that names the key. */
bool smbios_settings_add(SMBIOSSettings *settings, const char *text, GError **err);

/* "MAJOR.MINOR" in two numbers. False: it is not that. */
bool smbios_parse_release(const char *text, uint8_t release[2]);

/* Print what can be given, for the option's help. */
void smbios_settings_print(FILE *out);

#endif
