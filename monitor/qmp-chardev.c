/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices: which there are, adding and taking away, what is in a
 * ringbuf.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, Character devices.
 */
#include "monitor/qmp-types.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "hw/core/chardev.h"
#include "memory.h"

/* ---- which there are --------------------------------------------------------------------- */

static const QMember chardev_members[] = {
    { "label", &q_string, false, "Its id." },
    { "filename", &q_string, false, "What it is, and where it leads." },
    { "frontend-open", &q_bool, false, "Something uses it." },
    { 0 },
};

static const QType chardev_info = {
    .kind = Q_OBJECT, .name = "ChardevInfo", .members = chardev_members,
    .doc = "A character device.",
};

static const QType chardev_infos = { .kind = Q_ARRAY, .element = &chardev_info };

static bool run_chardevs(const QMPCall *call, JsonObject *args,
                         JsonNode **result, GError **err)
{
    JsonArray *array = json_array_new();
    GPtrArray *list;

    memory_lock();
    list = chardev_list();
    for (guint i = 0; i < list->len; i++) {
        g_autofree char *filename = chardev_filename(list->pdata[i]);
        JsonObject *info = json_object_new();

        json_object_set_boolean_member(info, "frontend-open",
                                       chardev_has_frontend(list->pdata[i]));
        json_object_set_string_member(info, "filename", filename);
        json_object_set_string_member(info, "label", chardev_id(list->pdata[i]));
        json_array_add_object_element(array, info);
    }
    g_ptr_array_unref(list);
    memory_unlock();
    *result = qmp_array(array);
    return true;
}

static const QMember backend_name_members[] = {
    { "name", &q_string, false, "As after -chardev." },
    { 0 },
};

static const QType backend_name = {
    .kind = Q_OBJECT, .name = "ChardevBackendInfo",
    .members = backend_name_members, .doc = "A kind of character devices.",
};

static const QType backend_names = { .kind = Q_ARRAY, .element = &backend_name };

static bool run_backends(const QMPCall *call, JsonObject *args,
                         JsonNode **result, GError **err)
{
    JsonArray *array = json_array_new();

    for (const char *const *name = chardev_backends(); *name; name++) {
        JsonObject *info = json_object_new();

        json_object_set_string_member(info, "name", *name);
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

/* ---- what chardev-add takes ---------------------------------------------------------------- */

#define LOG_MEMBERS                                                        \
    { "logfile", &q_string, true, "A file that gets a copy of the output." }, \
    { "logappend", &q_bool, true, "Do not empty that file first." }

/* The types NAME, with @list of members, and NAMEWrapper, with a member data. */
#define BACKEND(variable, type_name, text)                                  \
    static const QType variable##_data = {                                 \
        .kind = Q_OBJECT, .name = type_name, .doc = text,                  \
        .members = variable##_members,                                     \
    };                                                                     \
    static const QMember variable##_wrapper_members[] = {                  \
        { "data", &variable##_data, false, "The settings." },              \
        { 0 },                                                             \
    };                                                                     \
    static const QType variable = {                                        \
        .kind = Q_OBJECT, .name = type_name "Wrapper", .doc = text,        \
        .members = variable##_wrapper_members,                             \
    }

static const QMember common_members[] = { LOG_MEMBERS, { 0 } };
BACKEND(common, "ChardevCommon", "What all kinds have.");

static const QMember file_members[] = {
    LOG_MEMBERS,
    { "in", &q_string, true, "The file that input is from: none." },
    { "out", &q_string, false, "The file that output goes to." },
    { "append", &q_bool, true, "Do not empty it first." },
    { 0 },
};
BACKEND(file, "ChardevFile", "Files.");

static const QMember stdio_members[] = {
    LOG_MEMBERS,
    { "signal", &q_bool, true, "Ctrl-C ends the program." },
    { 0 },
};
BACKEND(stdio, "ChardevStdio", "Standard input and output.");

static const QMember ringbuf_members[] = {
    LOG_MEMBERS,
    { "size", &q_int, true, "Bytes that are kept, a power of two: 65536." },
    { 0 },
};
BACKEND(ringbuf, "ChardevRingbuf", "The last of the output, in memory.");

static const QMember inet_members[] = {
    { "host", &q_string, false, "A name or address; empty: all of this host." },
    { "port", &q_string, false, "A number or name; 0: any that is free." },
    { "to", &q_int, true, "Up to which port to look for a free one." },
    { "ipv4", &q_bool, true, "Use IPv4." },
    { "ipv6", &q_bool, true, "Use IPv6." },
    { 0 },
};
BACKEND(inet, "InetSocketAddress", "A TCP socket.");

static const QMember unix_socket_members[] = {
    { "path", &q_string, false, "Where it is." },
    { 0 },
};
BACKEND(unix_socket, "UnixSocketAddress", "A UNIX socket.");

static const QMember fd_members[] = {
    { "str", &q_string, false,
      "The number of a descriptor that this program was started with." },
    { 0 },
};
BACKEND(fd, "String", "A socket that is open already.");

static const char *const address_types[] = { "inet", "unix", "fd", NULL };

static const QType address_type = {
    .kind = Q_ENUM, .name = "SocketAddressType", .values = address_types,
    .doc = "A kind of socket.",
};

static const QMember address_members[] = {
    { "type", &address_type, false, "The kind." },
    { 0 },
};

static const QVariant address_variants[] = {
    { "inet", &inet }, { "unix", &unix_socket }, { "fd", &fd }, { 0 },
};

static const QType address = {
    .kind = Q_OBJECT, .name = "SocketAddressLegacy", .doc = "Where a socket is.",
    .members = address_members, .tag = "type", .variants = address_variants,
};

static const QMember socket_members[] = {
    LOG_MEMBERS,
    { "addr", &address, false, "Where it is." },
    { "server", &q_bool, true, "Listen there: true." },
    { "wait", &q_bool, true,
      "Wait for a connection, which this command does not: false." },
    { "nodelay", &q_bool, true, "TCP: send small pieces at once." },
    { "telnet", &q_bool, true, "false is what there is." },
    { "reconnect", &q_int, true,
      "Client: connect again after so many seconds; 0, never." },
    { 0 },
};
BACKEND(socket, "ChardevSocket", "A socket, as client or server.");

static const char *const backend_types[] = {
    "file", "socket", "pty", "null", "testdev", "stdio", "ringbuf", "memory",
    NULL,
};

static const QType backend_type = {
    .kind = Q_ENUM, .name = "ChardevBackendKind", .values = backend_types,
    .doc = "A kind of character devices. memory is ringbuf.",
};

static const QMember backend_members[] = {
    { "type", &backend_type, false, "The kind." },
    { 0 },
};

static const QVariant backend_variants[] = {
    { "file", &file },       { "socket", &socket }, { "pty", &common },
    { "null", &common },     { "testdev", &common }, { "stdio", &stdio },
    { "ringbuf", &ringbuf }, { "memory", &ringbuf }, { 0 },
};

static const QType backend = {
    .kind = Q_OBJECT, .name = "ChardevBackend", .doc = "A kind and its settings.",
    .members = backend_members, .tag = "type", .variants = backend_variants,
};

static const QMember add_args[] = {
    { "id", &q_string, false, "What to call it." },
    { "backend", &backend, false, "What it is." },
    { 0 },
};

static const QMember add_members[] = {
    { "pty", &q_string, true, "The name of a pty's other end." },
    { 0 },
};

static const QType add_result = {
    .kind = Q_OBJECT, .name = "ChardevReturn", .members = add_members,
    .doc = "What was made.",
};

/* ---- chardev-add ---------------------------------------------------------------------------- */

static void set(GHashTable *settings, const char *name, const char *value)
{
    g_hash_table_replace(settings, g_strdup(name), g_strdup(value));
}

/* A descriptor that was there when the program started: all of its own close
 * when another one is started. */
static bool fd_was_passed(const char *text)
{
    guint64 fd;
    int flags;

    if (!g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &fd, NULL)) {
        return false;
    }
    flags = fcntl(fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

static bool add_address(GHashTable *settings, JsonObject *addr, GError **err)
{
    JsonObject *data = json_object_get_object_member(addr, "data");
    const char *fd = qmp_arg_string(data, "str");

    if (!fd) {
        return qmp_settings_add(settings, data, NULL, err);
    }
    if (!fd_was_passed(fd)) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "File descriptor named '%s' has not been found", fd);
        return false;
    }
    set(settings, "fd", fd);
    return true;
}

static bool add_socket(GHashTable *settings, JsonObject *data, GError **err)
{
    bool server = qmp_arg_bool(data, "server", true);

    g_hash_table_remove(settings, "wait");
    set(settings, "server", server ? "on" : "off");
    if (server && qmp_arg_bool(data, "wait", false)) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "this command does not wait for a connection: leave 'wait' "
                    "out");
        return false;
    }
    return add_address(settings, json_object_get_object_member(data, "addr"),
                       err);
}

/* The arguments of chardev-add as keys of -chardev. */
static bool add_settings(GHashTable *settings, const char *type, JsonObject *data,
                         GError **err)
{
    static const QMember translated[] = {
        { "addr", NULL, false, NULL }, { "in", NULL, false, NULL },
        { "out", NULL, false, NULL },  { 0 },
    };

    if (!qmp_settings_add(settings, data, translated, err)) {
        return false;
    }
    if (strcmp(type, "socket") == 0) {
        return add_socket(settings, data, err);
    }
    if (strcmp(type, "file") == 0) {
        set(settings, "path", qmp_arg_string(data, "out"));
        if (json_object_has_member(data, "in")) {
            set(settings, "input-path", qmp_arg_string(data, "in"));
        }
    }
    return true;
}

/* What was made; or NULL with @err in the established form. */
static JsonNode *add(const char *id, const char *type, GHashTable *settings,
                     GError **err)
{
    g_autofree char *prefix = g_strdup_printf("chardev '%s': ", id);
    g_autofree char *filename = NULL;
    GError *error = NULL;
    Chardev *chr = chardev_open_settings(id, type, settings, &error);
    JsonObject *info;

    if (!chr) {
        const char *why = error->message;

        why += g_str_has_prefix(why, prefix) ? strlen(prefix) : 0;
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Failed to add chardev '%s': %s", id, why);
        g_error_free(error);
        return NULL;
    }
    info = json_object_new();
    filename = chardev_filename(chr);
    if (strcmp(type, "pty") == 0) {
        json_object_set_string_member(info, "pty",
                                      filename + strlen("pty:"));
    }
    return qmp_object(info);
}

static bool run_add(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    JsonObject *how = json_object_get_object_member(args, "backend");
    const char *type = qmp_arg_string(how, "type");
    const char *id = qmp_arg_string(args, "id");
    GHashTable *settings = qmp_settings_new();
    bool ok = add_settings(settings, type,
                           json_object_get_object_member(how, "data"), err);

    if (ok) {
        memory_lock();
        if (chardev_find(id)) {
            g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                        "Chardev with id '%s' already exists", id);
        } else {
            *result = add(id, strcmp(type, "memory") == 0 ? "ringbuf" : type,
                          settings, err);
        }
        memory_unlock();
    }
    g_hash_table_unref(settings);
    return *result != NULL;
}

static const QMember id_args[] = {
    { "id", &q_string, false, "Its id." },
    { 0 },
};

static bool run_remove(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    bool ok;

    memory_lock();
    ok = chardev_remove(qmp_arg_string(args, "id"), err);
    memory_unlock();
    return ok;
}

static bool run_break(const QMPCall *call, JsonObject *args, JsonNode **result,
                      GError **err)
{
    const char *id = qmp_arg_string(args, "id");
    Chardev *chr;

    memory_lock();
    chr = chardev_find(id);
    if (chr) {
        chardev_send_break(chr);
    } else {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "Chardev '%s' not found",
                    id);
    }
    memory_unlock();
    return chr != NULL;
}

/* ---- what is in a ringbuf ------------------------------------------------------------------- */

static const char *const formats[] = { "utf8", "base64", NULL };

static const QType format = {
    .kind = Q_ENUM, .name = "DataFormat", .values = formats,
    .doc = "How bytes are written in a string.",
};

static bool is_base64(JsonObject *args)
{
    return g_strcmp0(qmp_arg_string(args, "format"), "base64") == 0;
}

static Chardev *find_ringbuf(const char *id, GError **err)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "Device '%s' not found",
                    id);
    } else if (chardev_ringbuf_read(chr, NULL, 0) < 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "%s is not a ringbuf device", id);
        chr = NULL;
    }
    return chr;
}

static const QMember read_args[] = {
    { "device", &q_string, false, "The id of the ringbuf." },
    { "size", &q_int, false, "At most so many bytes." },
    { "format", &format, true, "How to return them: utf8." },
    { 0 },
};

#define READ_PIECE 65536

static GByteArray *read_ringbuf(Chardev *chr, int64_t size)
{
    g_autofree uint8_t *piece = g_malloc(READ_PIECE);
    GByteArray *bytes = g_byte_array_new();
    ssize_t n;

    do {
        n = chardev_ringbuf_read(chr, piece, MIN(size - bytes->len, READ_PIECE));
        g_byte_array_append(bytes, piece, n);
    } while (n > 0);
    return bytes;
}

static bool run_read(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    int64_t size = qmp_arg_int(args, "size", 0);
    g_autofree char *text = NULL;
    GByteArray *bytes;
    Chardev *chr;

    if (size <= 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "size must be greater than zero");
        return false;
    }
    memory_lock();
    chr = find_ringbuf(qmp_arg_string(args, "device"), err);
    bytes = chr ? read_ringbuf(chr, size) : NULL;
    memory_unlock();
    if (!bytes) {
        return false;
    }
    text = is_base64(args) ? g_base64_encode(bytes->data, bytes->len)
                           : g_utf8_make_valid(bytes->len ? (char *)bytes->data
                                                          : "", bytes->len);
    *result = qmp_string(text);
    g_byte_array_unref(bytes);
    return true;
}

static const QMember write_args[] = {
    { "device", &q_string, false, "The id of the ringbuf." },
    { "data", &q_string, false, "The bytes." },
    { "format", &format, true, "How they are given: utf8." },
    { 0 },
};

/* Whether @text is what base64 makes. */
static bool base64_check(const char *text, GError **err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text), used = strspn(text, letters);
    size_t padding = strspn(text + used, "=");

    if (used + padding == len && len % 4 == 0 && padding <= 2) {
        return true;
    }
    g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                "Parameter 'data' is no base64");
    return false;
}

static bool run_write(const QMPCall *call, JsonObject *args, JsonNode **result,
                      GError **err)
{
    const char *data = qmp_arg_string(args, "data");
    g_autofree uint8_t *decoded = NULL;
    size_t len = strlen(data);
    Chardev *chr;

    if (is_base64(args)) {
        if (!base64_check(data, err)) {
            return false;
        }
        decoded = g_base64_decode(data, &len);
    }
    memory_lock();
    chr = find_ringbuf(qmp_arg_string(args, "device"), err);
    if (chr) {
        chardev_ringbuf_write(chr, decoded ? decoded : (const uint8_t *)data,
                              len);
    }
    memory_unlock();
    return chr != NULL;
}

const QMPCommand qmp_chardev_commands[] = {
    {
        .name = "query-chardev",
        .doc = "The character devices.",
        .result = &chardev_infos,
        .run = run_chardevs,
    },
    {
        .name = "query-chardev-backends",
        .doc = "The kinds of character devices.",
        .result = &backend_names,
        .run = run_backends,
    },
    {
        .name = "chardev-add",
        .doc = "Adds a character device. It does not wait for a connection.",
        .args = add_args, .result = &add_result,
        .run = run_add,
    },
    {
        .name = "chardev-remove",
        .doc = "Takes a character device away that nothing uses.",
        .args = id_args,
        .run = run_remove,
    },
    {
        .name = "chardev-send-break",
        .doc = "A break condition for whatever uses the character device.",
        .args = id_args,
        .run = run_break,
    },
    {
        .name = "ringbuf-read",
        .doc = "Takes the oldest bytes out of a ringbuf. As utf8, what is no "
               "UTF-8 becomes U+FFFD.",
        .args = read_args, .result = &q_string,
        .run = run_read,
    },
    {
        .name = "ringbuf-write",
        .doc = "Puts bytes into a ringbuf, as whatever uses it would.",
        .args = write_args,
        .run = run_write,
    },
    { 0 },
};
