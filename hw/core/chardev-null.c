/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices that lead nowhere: null takes everything, and testdev takes
 * "NUMBERq" from a guest's test as the exit status 2 * NUMBER + 1.
 */
#include "hw/core/chardev-internal.h"
#include "sysemu.h"

static bool always_open(Chardev *chr, GHashTable *settings, bool wait,
                        GError **err)
{
    chardev_opened(chr);
    return true;
}

static size_t null_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    return len;
}

const ChardevBackend chardev_null = {
    CHARDEV_NAME("null"),
    .description = "takes everything, gives nothing",
    .size = sizeof(Chardev),
    .open = always_open,
    .write = null_write,
};

typedef struct ChardevTest {
    Chardev chr;
    uint8_t number; /* as far as it was read */
} ChardevTest;

static size_t testdev_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    ChardevTest *s = (ChardevTest *)chr;

    for (size_t i = 0; i < len; i++) {
        if (g_ascii_isdigit(buf[i])) {
            s->number = s->number * 10 + (buf[i] - '0');
            continue;
        }
        if (buf[i] == 'q') {
            vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                                (s->number << 1 | 1) & 0xff);
        }
        s->number = 0;
    }
    return len;
}

const ChardevBackend chardev_testdev = {
    CHARDEV_NAME("testdev"),
    .description = "ends the program with the status that is written to it",
    .size = sizeof(ChardevTest),
    .open = always_open,
    .write = testdev_write,
};
