/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device file: output to one file, input from another.
 */
#include "hw/core/chardev-internal.h"

#include <fcntl.h>

typedef struct ChardevFile {
    ChardevFd fd;
    char *path;
    char *input_path; /* NULL: no input */
    bool append;
} ChardevFile;

static bool file_open(Chardev *chr, GHashTable *settings, bool wait,
                      GError **err)
{
    ChardevFile *s = (ChardevFile *)chr;

    chardev_fd_init(&s->fd);
    if (!s->path || !*s->path) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': a file needs a path: path=PATH", chr->id);
        return false;
    }
    s->fd.out_path = s->path;
    s->fd.out_fd = output_open(s->path, s->append);
    if (s->fd.out_fd < 0) {
        return chardev_open_failed(chr, "cannot open", s->path, err);
    }
    if (s->input_path) {
        s->fd.in_fd = open(s->input_path,
                           O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (s->fd.in_fd < 0) {
            return chardev_open_failed(chr, "cannot open", s->input_path, err);
        }
    }
    chardev_opened(chr);
    return true;
}

static void file_close(Chardev *chr)
{
    chardev_fd_close((ChardevFd *)chr);
}

static const Property file_properties[] = {
    { "path", PROP_STRING, offsetof(ChardevFile, path), NULL,
      "where output goes; emptied first", 0 },
    { "append", PROP_BOOL, offsetof(ChardevFile, append), "off",
      "do not empty it", 0 },
    { "input-path", PROP_STRING, offsetof(ChardevFile, input_path), NULL,
      "where input comes from, up to its end", 0 },
    { 0 },
};

const ChardevBackend chardev_file = {
    CHARDEV_NAME("file"),
    .description = "output to a file",
    .form = "file:PATH",
    .size = sizeof(ChardevFile),
    .properties = file_properties,
    .open = file_open,
    .close = file_close,
    .write = chardev_fd_write,
    .update = chardev_fd_update,
};
