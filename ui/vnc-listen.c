/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a VNC server is reached: "HOST:DISPLAY", TCP port 5900 + DISPLAY, or
 * "unix:PATH"; with reverse=on, which viewer it connects to. See ui/vnc.h.
 */
#include "ui/vnc.h"

#include <errno.h>
#include <glib-unix.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hw/core/chardev-address.h"

#define FIRST_PORT 5900
#define BACKLOG 128
#define AGAIN_MS 1000
#define ACCEPT_MAX 16 /* before the main loop does something else */

/* ---- the ends of a connection ------------------------------------------------------------ */

DisplayClient *vnc_end_of(int fd, bool peer)
{
    DisplayClient *end = g_new0(DisplayClient, 1);
    SocketAddress a = { .len = sizeof(a.addr) };
    char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";

    (peer ? getpeername : getsockname)(fd, (struct sockaddr *)&a.addr, &a.len);
    if (a.addr.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&a.addr;

        end->family = g_strdup("unix");
        end->host = g_strdup("");
        end->service = g_strndup(un->sun_path,
                                 a.len - offsetof(struct sockaddr_un, sun_path));
        return end;
    }
    getnameinfo((struct sockaddr *)&a.addr, a.len, host, sizeof(host), service,
                sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
    end->family = g_strdup(a.addr.ss_family == AF_INET6 ? "ipv6" : "ipv4");
    end->host = g_strdup(host);
    end->service = g_strdup(service);
    return end;
}

/* ---- listening ----------------------------------------------------------------------------- */

static void watch_listeners(VncDisplay *d, bool on);

static gboolean on_again(gpointer opaque)
{
    VncDisplay *d = opaque;

    d->again = 0;
    watch_listeners(d, true);
    return G_SOURCE_REMOVE;
}

static gboolean on_connection(int fd, GIOCondition condition, gpointer opaque)
{
    VncDisplay *d = ((VncListener *)opaque)->display;

    for (unsigned i = 0; i < ACCEPT_MAX; i++) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client >= 0) {
            vnc_display_add_client(d, client);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM) {
            /* It would come again at once, until somebody goes. */
            watch_listeners(d, false);
            d->again = g_timeout_add(AGAIN_MS, on_again, d);
            break;
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return G_SOURCE_CONTINUE;
}

static void watch_listeners(VncDisplay *d, bool on)
{
    for (unsigned i = 0; i < d->listeners->len; i++) {
        VncListener *l = d->listeners->pdata[i];

        if (on) {
            l->watch = g_unix_fd_add(l->fd, G_IO_IN, on_connection, l);
        } else {
            g_source_remove(l->watch);
            l->watch = 0;
        }
    }
}

static void listener_free(void *opaque)
{
    VncListener *l = opaque;

    if (l->watch) {
        g_source_remove(l->watch);
    }
    close(l->fd);
    display_client_free(l->where);
    g_free(l);
}

GPtrArray *vnc_listeners_new(void)
{
    return g_ptr_array_new_with_free_func(listener_free);
}

/* One at that address; false with errno. */
static bool add_listener(VncDisplay *d, const SocketAddress *address)
{
    int fd = socket_address_listen(address);
    VncListener *l;

    if (fd < 0) {
        return false;
    }
    if (listen(fd, BACKLOG) < 0) {
        close(fd);
        return false;
    }
    l = g_new0(VncListener, 1);
    l->display = d;
    l->fd = fd;
    l->where = vnc_end_of(fd, false);
    g_ptr_array_add(d->listeners, l);
    return true;
}

/* All addresses with one port; a family that this machine does not have is left out. */
static bool listen_on_port(VncDisplay *d, SocketAddress *list, unsigned nr, unsigned port)
{
    int error = 0;

    for (unsigned i = 0; i < nr; i++) {
        socket_address_set_port(&list[i], port);
        if (add_listener(d, &list[i])) {
            continue;
        }
        error = errno;
        if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL) {
            break;
        }
        error = 0;
    }
    if (!error && d->listeners->len) {
        return true;
    }
    g_ptr_array_set_size(d->listeners, 0); /* before errno: it closes */
    errno = error ? error : EADDRNOTAVAIL;
    return false;
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool bad_address(const VncDisplay *d, GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0,
                "'%s' is no place for a VNC server: HOST:DISPLAY such as localhost:1, "
                "unix:PATH, or none", d->address);
    return false;
}

/* Split "HOST:NUMBER"; @host is to be freed. */
static bool parse_tcp(const VncDisplay *d, char **host, unsigned *number, GError **err)
{
    const char *colon = strrchr(d->address, ':');
    size_t len = colon ? colon - d->address : 0;
    unsigned most = d->reverse ? 65535 : 65535 - FIRST_PORT;
    guint64 value;

    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &value, NULL)) {
        return bad_address(d, err);
    }
    if (value > most) {
        g_set_error(err, FLATVIEW_ERROR, 0, "display %u in '%s' is beyond the last, %u",
                    (unsigned)value, d->address, most);
        return false;
    }
    *number = value;
    *host = len >= 2 && d->address[0] == '[' && colon[-1] == ']'
                ? g_strndup(d->address + 1, len - 2)
                : g_strndup(d->address, len);
    return true;
}

static unsigned resolve(const VncDisplay *d, SocketAddress *list, unsigned *number,
                        GError **err)
{
    g_autofree char *host = NULL, *port = NULL;

    if (!d->ipv4 && !d->ipv6) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "ipv4=off and ipv6=off leave no address of '%s'", d->address);
        return 0;
    }
    if (!parse_tcp(d, &host, number, err)) {
        return 0;
    }
    port = g_strdup_printf("%u", d->reverse ? *number : FIRST_PORT + *number);
    return socket_address_resolve(host, port, d->ipv4, d->ipv6, !d->reverse, list, err);
}

static bool listen_tcp(VncDisplay *d, GError **err)
{
    SocketAddress list[SOCKET_ADDRESSES_MAX];
    unsigned first, last;
    unsigned nr = resolve(d, list, &first, err);

    if (!nr) {
        return false;
    }
    last = MIN(MAX(d->to, first), 65535 - FIRST_PORT);
    for (unsigned n = first; n <= last; n++) {
        if (listen_on_port(d, list, nr, FIRST_PORT + n)) {
            return true;
        }
        if (errno != EADDRINUSE) {
            last = n;
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0,
                "cannot listen at '%s', TCP port %u%s: %s%s", d->address,
                FIRST_PORT + last, last > first ? ", nor at one before" : "",
                g_strerror(errno),
                errno == EADDRINUSE ? "; to=N tries displays up to N" : "");
    return false;
}

/* A socket that nobody listens at any more is what a program left that was killed. */
static bool remove_stale(const char *path, const SocketAddress *address, GError **err)
{
    struct stat st;
    int fd, ret;

    if (lstat(path, &st) < 0) {
        return true; /* bind() will tell */
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s exists and is not a socket", path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ret = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address->addr,
                                address->len);
    if (ret == 0 || errno != ECONNREFUSED) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s is in use by another program", path);
        ret = 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ret != 0 && unlink(path) == 0;
}

static bool listen_unix(VncDisplay *d, const char *path, GError **err)
{
    SocketAddress address;

    if (!socket_address_unix(path, &address, err) || !remove_stale(path, &address, err)) {
        return false;
    }
    if (!add_listener(d, &address)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot listen at %s: %s", path,
                    g_strerror(errno));
        return false;
    }
    d->socket_path = g_canonicalize_filename(path, NULL);
    return true;
}

/* ---- reverse connections ---------------------------------------------------------------------- */

static bool connect_reverse(VncDisplay *d, const char *path, GError **err)
{
    SocketAddress list[SOCKET_ADDRESSES_MAX];
    unsigned port, nr;
    int error = 0;

    if (path) {
        nr = socket_address_unix(path, &list[0], err);
    } else {
        nr = resolve(d, list, &port, err);
    }
    if (!nr) {
        return false;
    }
    for (unsigned i = 0; i < nr; i++) {
        int fd = socket(list[i].addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd >= 0 &&
            connect(fd, (struct sockaddr *)&list[i].addr, list[i].len) == 0 &&
            g_unix_set_fd_nonblocking(fd, TRUE, NULL)) {
            vnc_display_add_client(d, fd);
            return true;
        }
        error = errno;
        if (fd >= 0) {
            close(fd);
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "cannot connect to the viewer at '%s': %s",
                d->address, g_strerror(error));
    return false;
}

bool vnc_listen(VncDisplay *d, GError **err)
{
    const char *path = g_str_has_prefix(d->address, "unix:")
                           ? d->address + strlen("unix:") : NULL;

    if (strcmp(d->address, "none") == 0) {
        return true;
    }
    if (d->reverse) {
        return connect_reverse(d, path, err);
    }
    if (!(path ? listen_unix(d, path, err) : listen_tcp(d, err))) {
        return false;
    }
    watch_listeners(d, true);
    return true;
}

void vnc_unlisten(VncDisplay *d)
{
    if (d->again) {
        g_source_remove(d->again);
        d->again = 0;
    }
    g_ptr_array_set_size(d->listeners, 0);
    if (d->socket_path) {
        unlink(d->socket_path);
        g_clear_pointer(&d->socket_path, g_free);
    }
}
