/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays: where a person sees the consoles and types. Each kind is a module of its
 * own, ui-NAME.so, beside the program or below its prefix, so that a machine without
 * a display does not load their libraries: it exports one DisplayType.
 *
 * All functions in the main loop, or before the machine runs, without the memory lock.
 */
#ifndef UI_DISPLAY_H
#define UI_DISPLAY_H

#include "hw/core/device.h"
#include "ui/keys.h"

typedef struct Display Display;

/* One end of a connection; strings are owned. */
typedef struct DisplayClient {
    char *host, *service; /* an address and a port; of a UNIX socket "" and its path */
    char *family;         /* "ipv4", "ipv6", "unix" */
} DisplayClient;

void display_client_free(DisplayClient *client);

/* What query-vnc tells of a display. */
typedef struct DisplayInfo {
    char *id;           /* owned */
    const char *auth;   /* "none" or "vnc" */
    GPtrArray *servers; /* DisplayClient *, owned: where it can be reached */
    GPtrArray *clients; /* the same: who has */
} DisplayInfo;

void display_info_free(DisplayInfo *info);

typedef struct DisplayType {
    const char *name;        /* as after -display */
    const char *description; /* one line for help */
    size_t size;             /* of the state struct, which starts with Display */
    const Property *properties; /* what "-display NAME,..." sets; NULL: none */
    const char *implied;     /* the property that a first word without "=" sets (-vnc);
                              * NULL: none */
    /* False with @err, and nothing left behind. */
    bool (*open)(Display *display, GError **err);
    void (*close)(Display *display);
    /* For those with clients; NULL: has none. */
    bool (*set_password)(Display *display, const char *password, GError **err);
    /* From then on nobody gets in; in seconds since 1970, INT64_MAX: never. */
    bool (*expire_password)(Display *display, int64_t when, GError **err);
    DisplayInfo *(*info)(Display *display);
} DisplayType;

/* The one symbol of a module. */
#define DISPLAY_MODULE_SYMBOL "display_module"
extern const DisplayType display_module;

struct Display {
    const DisplayType *type;
    char *id;               /* "default" for the first of its kind, unless given */
    const char *keyboard;   /* -k: the layout; NULL: "us" */
};

/* Open what @text says: "NAME[,PROPERTY=VALUE]...". False with @err naming the module
 * or library that is missing, the property, or the file. */
bool display_open(const char *text, const char *keyboard, GError **err);

/* Close all. */
void displays_close(void);

/* Call @fn for each that is open and called @type (NULL: any), in the order opened. */
void displays_foreach(const char *type, void (*fn)(Display *display, void *opaque),
                      void *opaque);

/* The open display of @type and @id (NULL: the first); NULL with @err. */
Display *display_find(const char *type, const char *id, GError **err);

/* Whether the module @name is there, and its library. */
bool display_available(const char *name);

/* Print the kinds there are, or the properties of one; for help. False with @err. */
void display_print_types(FILE *out);
bool display_print_properties(const char *name, FILE *out, GError **err);

#endif
