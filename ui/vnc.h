/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the VNC server share: vnc.c, which is the main loop's side, and
 * vnc-client.c, a thread for each client; vnc-shadow.c is what these see.
 *
 * Why threads, and whose: libvncserver writes to a client's socket until it has taken
 * all, which a client that stalls puts off as long as it likes. Served by one thread,
 * such a client holds up all others; served by the library's own threads it holds up
 * whoever changes the size of the picture, as that waits for every update under way. So
 * each client has a thread and a screen of the library of its own. Nothing is shared but
 * the shadow, whose pixels the main loop replaces while threads read them: what a client
 * got of a pixel that was being replaced it is told of again.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include <pthread.h>

#include "event-notifier.h"
#include "ui/console.h"
#include "ui/display.h"

/* ---- the picture as clients see it: vnc-shadow.c ----------------------------------- */

/* More than that of a picture is cut off, so that the library has room for a line. */
#define VNC_SIZE_MAX 8160

typedef struct VncShadow {
    unsigned refs; /* atomic */
    int width, height;
    uint32_t *pixels;      /* 0xffRRGGBB; line after line */
    pixman_image_t *shown; /* the same */
    pixman_image_t *fresh; /* the main loop's */
} VncShadow;

/* A black one of that size, or as much of it as VNC_SIZE_MAX lets; NULL: no memory. */
VncShadow *vnc_shadow_new(int width, int height);

/* Any thread. */
VncShadow *vnc_shadow_ref(VncShadow *shadow);
void vnc_shadow_unref(VncShadow *shadow); /* NULL: nothing */

/* The rectangle of @image, which has at least the size of @shadow, may have changed:
 * take it over, and add to @changed where it really has. The main loop. */
void vnc_shadow_update(VncShadow *shadow, pixman_image_t *image, int x, int y, int width,
                       int height, pixman_region32_t *changed);

/* ---- a display ----------------------------------------------------------------------- */

typedef enum VncShare {
    VNC_SHARE_ALLOW_EXCLUSIVE,
    VNC_SHARE_FORCE_SHARED,
    VNC_SHARE_IGNORE,
} VncShare;

typedef struct VncDisplay {
    Display display;

    /* Properties. */
    char *address, *share_name, *device;
    uint32_t head;
    uint16_t to;
    bool password, reverse, ipv4, ipv6;

    /* The main loop's. */
    VncShare share;
    GPtrArray *listeners; /* VncListener * */
    guint again;         /* timer: accept again; 0: we do */
    char *socket_path;   /* to be removed; NULL: none */
    Viewer viewer;
    pixman_image_t *image;     /* what is on the console; NULL: none */
    pixman_region32_t changed; /* since clients were told */
    GSource *work;       /* ready when a client asks for something */

    /* A leaf; of what follows. */
    pthread_mutex_t lock;
    char *secret;        /* the password; NULL: nobody gets in */
    int64_t expires;     /* seconds since 1970 */
    VncShadow *shadow;
    GPtrArray *clients;  /* VncClient *; the main loop alone changes it */
} VncDisplay;

/* A socket that clients come in by; the main loop's. */
typedef struct VncListener {
    VncDisplay *display;
    int fd;
    guint watch; /* 0: not now */
    DisplayClient *where;
} VncListener;

GPtrArray *vnc_listeners_new(void);

/* Listen where the properties of @d say, or connect to there: vnc-listen.c. False with
 * @err. */
bool vnc_listen(VncDisplay *d, GError **err);
void vnc_unlisten(VncDisplay *d);

/* Somebody has come, by a socket that is taken over. */
void vnc_display_add_client(VncDisplay *d, int fd);

/* Our end of a connected or listening socket, or the @peer's. */
DisplayClient *vnc_end_of(int fd, bool peer);

/* ---- a client ------------------------------------------------------------------------ */

typedef enum VncState {
    VNC_CONNECTING, /* who it is has to be found out */
    VNC_ASKING,     /* to be let in: the main loop decides */
    VNC_SERVED,
    VNC_GONE,       /* its thread ends, and is to be joined */
} VncState;

/* A text that was cut; not changed any more. */
typedef struct VncText {
    unsigned refs; /* under the display's lock */
    size_t len;
    char text[];
} VncText;

typedef struct VncClient {
    VncDisplay *display;
    pthread_t thread;
    DisplayClient *here, *there; /* the ends of its connection */
    int socket;   /* the library has a duplicate, which it closes as it likes */
    EventNotifier wake; /* there is news */

    /* Under the display's lock. */
    VncState state;
    bool wants_shared;
    bool leave;              /* it is to end */
    VncShadow *shadow;       /* what it is to show; NULL: as before */
    pixman_region32_t dirty; /* of that */
    VncText *cut;            /* what another client has cut; NULL: no news */
    unsigned wants_width, wants_height; /* the size it suggests; 0: nothing new */
} VncClient;

/* Make the library ready; once, before the first client. False: no memory. */
bool vnc_library_init(void);

/* Whether @response is what @password makes of @challenge, 16 bytes each; never for the
 * passwords that DES cannot take, "" among them. */
bool vnc_password_check(const char *password, const uint8_t *challenge,
                        const uint8_t *response);

/* One reference less; under the display's lock. NULL: nothing. */
void vnc_text_unref(VncText *text);

/* Serve the client until its connection ends: its thread. */
void *vnc_client_run(void *client);

/* A client's thread wants the main loop to look at it; any lock. */
void vnc_display_kick(VncDisplay *d);

#endif
