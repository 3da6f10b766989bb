/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A console's picture as a file: screendump.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, User interface.
 */
#include "monitor/qmp-types.h"

#include <limits.h>

#include "ui/console.h"

static const char *const image_formats[] = { "ppm", "png", NULL };

static const QType image_format = {
    .kind = Q_ENUM, .name = "ImageFormat", .values = image_formats,
    .doc = "A kind of file for pictures.",
};

static const QMember screendump_args[] = {
    { "filename", &q_string, false, "The file, which is emptied first, or made." },
    { "device", &q_string, true,
      "The id or path of the display device; without, the first console." },
    { "head", &q_int, true, "Which of its heads: 0. Only together with device." },
    { "format", &image_format, true, "ppm." },
    { 0 },
};

static Console *find_console(JsonObject *args, GError **err)
{
    const char *device = qmp_arg_string(args, "device");
    int64_t head = qmp_arg_int(args, "head", 0);
    Console *con;

    if (!device) {
        if (json_object_has_member(args, "head")) {
            g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                        "'head' must be specified together with 'device'");
            return NULL;
        }
        return console_default(err);
    }
    /* No device has that many heads: the error is the same. */
    con = console_find(device, head < 0 || head > UINT_MAX ? UINT_MAX : head, err);
    qmp_finish(con != NULL, err);
    return con;
}

/* What it shows now, which is the caller's, for use without the lock. */
static pixman_image_t *take_picture(Console *con, GError **err)
{
    pixman_image_t *image = console_refresh(con), *copy;
    int width = pixman_image_get_width(image), height = pixman_image_get_height(image);

    copy = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    if (!copy) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "no memory for a copy of the picture, %dx%d", width, height);
        return NULL;
    }
    image_convert(copy, image, 0, 0, width, height);
    return copy;
}

static bool run_screendump(const QMPCall *call, JsonObject *args, JsonNode **result,
                           GError **err)
{
    const char *format = qmp_arg_string(args, "format");
    pixman_image_t *copy;
    Console *con;
    bool ok;

    memory_lock();
    con = find_console(args, err);
    copy = con ? take_picture(con, err) : NULL;
    memory_unlock();
    if (!copy) {
        return false;
    }
    ok = image_write(copy, qmp_arg_string(args, "filename"), format ? format : "ppm",
                     err);
    pixman_image_unref(copy);
    return ok;
}

const QMPCommand qmp_screen_commands[] = {
    {
        .name = "screendump",
        .doc = "Writes what a console shows into a file. It has been written when the "
               "reply comes; if it could not be, there is none.",
        .args = screendump_args,
        .run = run_screendump,
    },
    { 0 },
};
