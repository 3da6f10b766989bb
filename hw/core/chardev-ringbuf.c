/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device ringbuf: keeps the last of what is written to it, for
 * whoever asks.
 */
#include "hw/core/chardev-internal.h"

#include <errno.h>
#include <string.h>

typedef struct ChardevRingbuf {
    Chardev chr;
    uint64_t size; /* a power of two */
    uint8_t *data;
    uint64_t written, taken; /* bytes since the start; what is lost is taken */
} ChardevRingbuf;

static bool ringbuf_open(Chardev *chr, GHashTable *settings, bool wait,
                         GError **err)
{
    ChardevRingbuf *s = (ChardevRingbuf *)chr;

    if (s->size == 0 || (s->size & (s->size - 1))) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': size of ringbuf chardev must be power of "
                    "two, unlike %" PRIu64, chr->id, s->size);
        return false;
    }
    s->data = g_try_malloc(s->size);
    if (!s->data) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': there is no memory for size=%" PRIu64,
                    chr->id, s->size);
        return false;
    }
    chardev_opened(chr);
    return true;
}

static void ringbuf_close(Chardev *chr)
{
    g_free(((ChardevRingbuf *)chr)->data);
}

static size_t ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    ChardevRingbuf *s = (ChardevRingbuf *)chr;

    for (size_t i = 0; i < len; i++) {
        s->data[s->written++ & (s->size - 1)] = buf[i];
    }
    s->taken = MAX(s->taken, s->written - MIN(s->written, s->size));
    return len;
}

ssize_t chardev_ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return chr->backend == &chardev_ringbuf ? (ssize_t)ringbuf_write(chr, buf, len)
                                            : -EINVAL;
}

ssize_t chardev_ringbuf_read(Chardev *chr, uint8_t *buf, size_t len)
{
    ChardevRingbuf *s = (ChardevRingbuf *)chr;
    size_t n;

    if (chr->backend != &chardev_ringbuf) {
        return -EINVAL;
    }
    len = MIN(len, s->written - s->taken);
    for (n = 0; n < len; n++) {
        buf[n] = s->data[s->taken++ & (s->size - 1)];
    }
    return n;
}

static const Property ringbuf_properties[] = {
    { "size", PROP_SIZE, offsetof(ChardevRingbuf, size), "64K",
      "how much is kept: a power of two", 1 << 30 },
    { 0 },
};

const ChardevBackend chardev_ringbuf = {
    CHARDEV_NAME("ringbuf"),
    .description = "keeps the last of the output in memory",
    .form = "ringbuf[,size=N]",
    .size = sizeof(ChardevRingbuf),
    .properties = ringbuf_properties,
    .open = ringbuf_open,
    .close = ringbuf_close,
    .write = ringbuf_write,
};
