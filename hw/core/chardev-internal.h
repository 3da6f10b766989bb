/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the character devices share, and nobody else includes:
 *
 *   chardev.c        frontends: what comes in, what goes out, what happens
 *   chardev-mux.c    several frontends on one, and the keys to choose
 *   chardev-open.c   the table of backends, from texts to settings, ids
 *   chardev-fd.c     what backends on descriptors share
 *   chardev-NAME.c   the backends
 *
 * A backend is a const descriptor, and a state struct that starts with a Chardev.
 * Its functions are called under the memory lock, in any thread but for open and
 * close. Everything here is under the memory lock.
 */
#ifndef HW_CORE_CHARDEV_INTERNAL_H
#define HW_CORE_CHARDEV_INTERNAL_H

#include "hw/core/chardev.h"
#include "hw/core/device.h"

typedef struct ChardevBackend {
    const char *name;        /* as after -chardev */
    const char *type;        /* the same as an object's type: CHARDEV_NAME() */
    const char *description; /* one line for help */
    const char *form;        /* as after -serial, for help; NULL: its name */
    size_t size;             /* of the state struct */
    const Property *properties; /* settings, kept in the state; NULL: none */

    /* @wait: for a connection, if the settings say so. False with @err; close
     * is called then, too. NULL: nothing to do. */
    bool (*open)(Chardev *chr, GHashTable *settings, bool wait, GError **err);
    void (*close)(Chardev *chr); /* writes out what is queued; NULL: nothing */
    /* Take what can be taken at once, of a connected peer. Returns the bytes
     * done with: those that can never be written are done with, too. */
    size_t (*write)(Chardev *chr, const uint8_t *buf, size_t len);
    /* The room for input, the queue or chardev_is_ready() has changed. NULL: no
     * matter. */
    void (*update)(Chardev *chr);
    void (*disconnect)(Chardev *chr); /* NULL: there is no peer to send away */
    char *(*filename)(const Chardev *chr); /* NULL: the name */
} ChardevBackend;

#define CHARDEV_NAME(text) .name = text, .type = "chardev-" text

/* ---- a queue of bytes ------------------------------------------------------------ */

/* All zero: empty. */
typedef struct ByteQueue {
    GByteArray *bytes;
    size_t start; /* what is before was taken */
} ByteQueue;

static inline size_t queue_len(const ByteQueue *q)
{
    return q->bytes ? q->bytes->len - q->start : 0;
}

static inline const uint8_t *queue_data(const ByteQueue *q)
{
    return q->bytes->data + q->start;
}

void queue_append(ByteQueue *q, const uint8_t *buf, size_t len);

/* Take @len bytes off. They stay where they are until something is appended. */
void queue_take(ByteQueue *q, size_t len);
void queue_free(ByteQueue *q);

/* ---- sources of the main loop -------------------------------------------------- */

/* One descriptor and one deadline in the host's time, watched by the main loop.
 * Changing what is watched makes and destroys no source. All zero: none. */
typedef struct Watch {
    GSource *source;
    gpointer tag; /* of the descriptor; NULL: not watched */
    int fd;
    GIOCondition cond;
    /* What has come; 0: the deadline. Under the memory lock, in the main loop. */
    void (*ready)(void *opaque, GIOCondition cond);
    void *opaque;
} Watch;

void watch_init(Watch *watch, void (*ready)(void *opaque, GIOCondition cond),
                void *opaque);
void watch_cleanup(Watch *watch);

/* Watch @fd for @cond, or not at all for 0. Before it is closed. */
void watch_set(Watch *watch, int fd, GIOCondition cond);

/* Call ready once, in @ms milliseconds; negative: not at all. */
void watch_after(Watch *watch, int ms);

/* ---- a character device -------------------------------------------------------- */

#define CHARDEV_FRONTENDS_MAX 8
#define CHARDEV_QUEUE_MAX CHARDEV_WRITE_MAX /* bytes of output held */
#define CHARDEV_TYPED_MAX (1 << 20) /* bytes a user may type or paste ahead */

/* A frontend and its view of the peer. */
typedef struct ChardevSlot {
    const ChardevFrontend *frontend; /* NULL: free */
    void *opaque;
    ByteQueue pending; /* input not yet taken by the frontend */
    bool open;         /* it was told CHARDEV_OPENED last */
    bool lags;         /* the peer that sent what is pending has gone */
    bool ended;        /* CHARDEV_INPUT_ENDED is owed */
} ChardevSlot;

struct Chardev {
    Object object; /* /chardevs/ID */
    const ChardevBackend *backend;
    char *id;
    unsigned holds;
    bool connected; /* somebody hears what is written */

    ChardevSlot slots[CHARDEV_FRONTENDS_MAX];
    ChardevSlot *focus;
    bool mux;         /* takes several frontends */
    bool keys;        /* Ctrl-A is special */
    bool key_prefix;  /* it was the last one */
    bool is_terminal; /* keys come from a user */

    ByteQueue queue; /* output taken, not yet written */
    bool refused;    /* on_writable is owed */
    Watch soon;      /* chardev_write_soon() */

    char *logfile;
    bool logappend;
    int log_fd; /* -1: none */
};

/* ---- for backends -------------------------------------------------------------- */

/* A peer is there; before the first input from it. */
void chardev_opened(Chardev *chr);

/* It has gone. Drops the queue. */
void chardev_closed(Chardev *chr);

/* It sends no more. */
void chardev_input_ended(Chardev *chr);

/* Whether somebody will send it away when it sends no more; see
 * ChardevFrontend. */
bool chardev_answers(const Chardev *chr);

/* The bytes worth reading now. */
size_t chardev_input_room(const Chardev *chr);

/* They were read. At the end of a peer there may be more than there was room. */
void chardev_input(Chardev *chr, const uint8_t *buf, size_t len);

/* Drop what was not received yet. */
void chardev_drop_input(Chardev *chr);

/* Write what is queued, as much as is taken. */
void chardev_output(Chardev *chr);

/* Whether the next peer may come: each frontend has received all of the last
 * one, and has room for more. */
bool chardev_is_ready(const Chardev *chr);

/* @err: "chardev 'ID': WHAT PATH: the cause in errno". Returns false. */
bool chardev_open_failed(const Chardev *chr, const char *what, const char *path,
                         GError **err);

/* ---- between the files of the frontends' side ---------------------------------- */

/* Tell the slot's frontend whatever it is to know now. */
void chardev_slot_update(Chardev *chr, ChardevSlot *slot);
void chardev_slot_event(ChardevSlot *slot, ChardevEvent event);

/* Input where Ctrl-A is special. */
void chardev_input_keys(Chardev *chr, const uint8_t *buf, size_t len);

/* The next attached slot after @slot, or @slot. */
ChardevSlot *chardev_next_slot(Chardev *chr, ChardevSlot *slot);

/* ---- what backends on descriptors share ---------------------------------------- */

typedef struct ChardevFd {
    Chardev chr;
    int in_fd;       /* -1: no input, or no more */
    int out_fd;      /* -1: output is dropped; of a peer, the same as in_fd */
    const char *out_path; /* for errors; not owned */
    bool out_blocks; /* out_fd is not in non-blocking mode: ask before */
    bool may_listen; /* a peer that sends no more may still: not known of TCP */
    bool half_closed; /* the peer sends no more */
    bool reported;   /* an output error was told */
    bool reading;    /* inside the input handler */
    Watch in, out;
    /* The peer has gone: forget the descriptors. NULL: there is no peer. */
    void (*hung_up)(struct ChardevFd *s);
} ChardevFd;

void chardev_fd_init(ChardevFd *s);
size_t chardev_fd_write(Chardev *chr, const uint8_t *buf, size_t len);
void chardev_fd_update(Chardev *chr);

/* Write out what is queued, for a second at most; close both. */
void chardev_fd_close(ChardevFd *s);

/* A peer on @fd, in non-blocking mode, which is owned from now on. */
void chardev_fd_opened(ChardevFd *s, int fd);

/* The events of @events that are present on @fd now, and errors. */
short chardev_fd_events(int fd, short events);

/* ---- the backends -------------------------------------------------------------- */

extern const ChardevBackend chardev_null;
extern const ChardevBackend chardev_testdev;
extern const ChardevBackend chardev_file;
extern const ChardevBackend chardev_stdio;
extern const ChardevBackend chardev_pty;
extern const ChardevBackend chardev_socket;
extern const ChardevBackend chardev_ringbuf;

#endif
