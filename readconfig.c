/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration files; see readconfig.h.
 */
#include "readconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/device.h"

/* Nobody writes more by hand, and what is not a file of settings is refused
 * before it fills the memory. */
#define FILE_MAX (1 << 20)

/* read(), waiting for who writes a pipe. */
static ssize_t read_some(int fd, void *buf, size_t size)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t n;

    while ((n = read(fd, buf, size)) < 0 &&
           (errno == EAGAIN || errno == EINTR)) {
        poll(&p, 1, -1);
    }
    return n;
}

/* The whole of @path, NUL-terminated; NULL with @err. */
static char *file_read(const char *path, GError **err)
{
    int fd = strcmp(path, "-") == 0
                 ? dup(STDIN_FILENO)
                 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autoptr(GByteArray) text = g_byte_array_new();
    struct stat st;
    ssize_t n = -1;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        uint8_t buf[4096];

        if (S_ISDIR(st.st_mode)) {
            errno = EISDIR;
        } else {
            while ((n = read_some(fd, buf, sizeof(buf))) > 0 &&
                   text->len <= FILE_MAX) {
                g_byte_array_append(text, buf, n);
            }
        }
    }
    if (n < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot read '%s': %s", path,
                    g_strerror(errno));
    } else if (text->len > FILE_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' has more than %u bytes: no file of settings", path,
                    FILE_MAX);
        n = -1;
    } else if (text->len && memchr(text->data, 0, text->len)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' holds a NUL byte: no file of settings", path);
        n = -1;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return NULL;
    }
    g_byte_array_append(text, (const uint8_t *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&text), FALSE);
}

/* Append "key=value", in which commas are doubled. */
static void item_append(GString *text, const char *key, const char *value)
{
    if (text->len) {
        g_string_append_c(text, ',');
    }
    g_string_append(text, key);
    g_string_append_c(text, '=');
    for (; *value; value++) {
        g_string_append_c(text, *value);
        if (*value == ',') {
            g_string_append_c(text, ',');
        }
    }
}

/* The characters of a name: those of options, keys, ids and types. */
static size_t name_span(const char *p)
{
    size_t n = 0;

    while (g_ascii_isalnum(p[n]) || (p[n] && strchr("-_.:/", p[n]))) {
        n++;
    }
    return n;
}

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    return p;
}

/* What is between the quotes at @p; *@end behind the second. NULL: there are not
 * two on this line. */
static char *quoted(const char *p, const char **end)
{
    const char *close = *p == '"' ? strchr(p + 1, '"') : NULL;

    if (!close) {
        return NULL;
    }
    *end = close + 1;
    return g_strndup(p + 1, close - p - 1);
}

/* [group] or [group "id"]; false: it is neither. */
static bool line_is_group(const char *p, char **group, char **id)
{
    size_t n = name_span(skip_space(++p));

    p = skip_space(p);
    if (n == 0) {
        return false;
    }
    *group = g_strndup(p, n);
    p = skip_space(p + n);
    if (*p == '"') {
        *id = quoted(p, &p);
        p = skip_space(p);
    }
    return *p == ']' && !*skip_space(p + 1);
}

/* key = "value"; quotes are needed only where the value has blanks. */
static bool line_is_setting(const char *p, char **key, char **value)
{
    size_t n = name_span(p);

    if (n == 0) {
        return false;
    }
    *key = g_strndup(p, n);
    p = skip_space(p + n);
    if (*p != '=') {
        return false;
    }
    p = skip_space(p + 1);
    if (*p == '"') {
        *value = quoted(p, &p);
    } else {
        n = strcspn(p, " \t\"#");
        *value = g_strndup(p, n);
        p += n;
    }
    return *value && !*skip_space(p);
}

typedef struct Reader {
    const char *path;
    char *group; /* NULL: none yet */
    char *id;
    unsigned line; /* of the group */
    GString *text;
    ReadconfigGroup *fn;
    void *opaque;
} Reader;

static bool group_end(Reader *r, GError **err)
{
    bool ok = true;

    if (r->group) {
        if (r->id) {
            item_append(r->text, "id", r->id);
        }
        ok = r->fn(r->group, r->text->str, r->opaque, err);
        if (!ok) {
            g_prefix_error(err, "%s:%u: [%s]: ", r->path, r->line, r->group);
        }
    }
    g_clear_pointer(&r->group, g_free);
    g_clear_pointer(&r->id, g_free);
    g_string_truncate(r->text, 0);
    return ok;
}

static bool line_read(Reader *r, unsigned number, const char *line,
                      GError **err)
{
    const char *p = skip_space(line);
    g_autofree char *key = NULL;
    g_autofree char *value = NULL;

    if (!*p || *p == '#') {
        return true;
    }
    if (*p == '[') {
        if (!group_end(r, err)) {
            return false;
        }
        r->line = number;
        if (line_is_group(p, &r->group, &r->id)) {
            return true;
        }
        g_clear_pointer(&r->group, g_free);
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s:%u: a group is [NAME] or [NAME \"ID\"]", r->path,
                    number);
        return false;
    }
    if (!line_is_setting(p, &key, &value)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s:%u: a setting is KEY = \"VALUE\"", r->path, number);
        return false;
    }
    if (!r->group) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s:%u: '%s' stands before the first [GROUP]", r->path,
                    number, key);
        return false;
    }
    item_append(r->text, key, value);
    return true;
}

bool readconfig(const char *path, ReadconfigGroup *fn, void *opaque,
                GError **err)
{
    g_autofree char *file = file_read(path, err);
    g_auto(GStrv) lines = file ? g_strsplit(file, "\n", -1) : NULL;
    Reader r = { .path = path, .fn = fn, .opaque = opaque };
    bool ok = file != NULL;
    unsigned i;

    r.text = g_string_new(NULL);
    for (i = 0; ok && lines[i]; i++) {
        g_strchomp(lines[i]);
        ok = line_read(&r, i + 1, lines[i], err);
    }
    ok = ok && group_end(&r, err);
    g_free(r.group);
    g_free(r.id);
    g_string_free(r.text, TRUE);
    return ok;
}
