/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device socket, UNIX or TCP: a server takes one peer at a time, a
 * client connects, and with reconnect= again when the peer has gone. Connecting
 * never blocks; only opening waits, in the main loop, where the keys and signals
 * that end us arrive.
 */
#include "hw/core/chardev-address.h"
#include "hw/core/chardev-internal.h"
#include "sysemu.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 250 /* until another try, where nothing wakes us */

typedef struct ChardevSocket {
    ChardevFd fd;

    /* Settings. */
    char *path, *host, *port, *passed;
    bool server, wait, telnet, nodelay, ipv4, ipv6;
    uint16_t to;
    uint32_t reconnect; /* seconds; 0: not */

    char *place;        /* PATH, HOST:PORT or fd N, for errors and names */
    char *full_path;    /* from the root: daemon_ready() changes the directory */
    SocketAddress addresses[SOCKET_ADDRESSES_MAX];
    unsigned addresses_nr;

    /* Of a server: */
    struct {
        int fd;
        Watch watch;
    } listens[SOCKET_ADDRESSES_MAX];
    unsigned listens_nr;
    bool owns_path; /* a socket of ours is there */
    bool full;      /* out of descriptors */

    /* Of a client: */
    int connecting;   /* the socket while it connects; -1: none */
    unsigned address; /* the one that is tried */
    int error;        /* errno of the last one that failed; 0: none, or busy */
    bool opened;      /* nobody waits for it to be opened */
    Watch later;      /* connecting; or another try, of a server too */
} ChardevSocket;

/* ---- a peer -------------------------------------------------------------------- */

static void socket_opened(ChardevSocket *s, int fd)
{
    const int on = 1;
    int domain = AF_UNIX;
    socklen_t len = sizeof(domain);

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    if (domain != AF_UNIX && s->nodelay) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    s->fd.may_listen = domain == AF_UNIX;
    chardev_fd_opened(&s->fd, fd);
}

static void socket_hung_up(ChardevFd *fd)
{
    ChardevSocket *s = (ChardevSocket *)fd;

    watch_set(&fd->in, -1, 0);
    watch_set(&fd->out, -1, 0);
    close(fd->in_fd);
    fd->in_fd = fd->out_fd = -1;
    if (s->reconnect) {
        watch_after(&s->later, s->reconnect * 1000);
    }
    chardev_closed(&fd->chr);
}

static void socket_disconnect(Chardev *chr)
{
    socket_hung_up((ChardevFd *)chr);
}

/* ---- a server ------------------------------------------------------------------ */

static void on_accept(void *opaque, GIOCondition cond)
{
    ChardevSocket *s = opaque;
    int fd = -1;

    for (unsigned i = 0; i < s->listens_nr && fd < 0 && s->fd.in_fd < 0; i++) {
        fd = accept4(s->listens[i].fd, NULL, NULL,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED &&
            errno != EINTR) {
            /* Out of descriptors: the peer still waits, so this would spin. */
            s->full = true;
            watch_after(&s->later, RETRY_MS);
        }
    }
    if (fd >= 0) {
        socket_opened(s, fd);
    }
    s->fd.chr.backend->update(&s->fd.chr);
}

/* One at a time: another peer waits until the first has gone. */
static void socket_update(Chardev *chr)
{
    ChardevSocket *s = (ChardevSocket *)chr;
    bool accept = s->fd.in_fd < 0 && !s->full && chardev_is_ready(chr);

    chardev_fd_update(chr);
    for (unsigned i = 0; i < s->listens_nr; i++) {
        watch_set(&s->listens[i].watch, s->listens[i].fd, accept ? G_IO_IN : 0);
    }
}

static void listens_add(ChardevSocket *s, int fd)
{
    unsigned i = s->listens_nr++;

    s->listens[i].fd = fd;
    watch_init(&s->listens[i].watch, on_accept, s);
}

static void listens_close(ChardevSocket *s)
{
    for (unsigned i = 0; i < s->listens_nr; i++) {
        watch_cleanup(&s->listens[i].watch);
        close(s->listens[i].fd);
    }
    s->listens_nr = 0;
}

/* A socket that nobody listens on any more is what a killed program left. */
static bool unix_remove_stale(ChardevSocket *s, GError **err)
{
    struct stat st;
    int fd, ret;

    if (lstat(s->path, &st) < 0) {
        return true; /* bind() will tell */
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': %s exists and is not a socket",
                    s->fd.chr.id, s->path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ret = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&s->addresses[0].addr,
                                s->addresses[0].len);
    if (fd >= 0) {
        close(fd);
    }
    if (ret == 0 || errno != ECONNREFUSED) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': %s is in use by another program",
                    s->fd.chr.id, s->path);
        return false;
    }
    unlink(s->path);
    return true;
}

static bool unix_listen(ChardevSocket *s, GError **err)
{
    int fd;

    if (!unix_remove_stale(s, err)) {
        return false;
    }
    fd = socket_address_listen(&s->addresses[0]);
    if (fd < 0) {
        return chardev_open_failed(&s->fd.chr, "cannot make socket", s->path,
                                   err);
    }
    s->owns_path = true;
    listens_add(s, fd);
    return true;
}

/* All addresses at one port. False with errno; an address that this machine has
 * not got, or of a kind that it does not know, may be left out. */
static bool tcp_listen_at(ChardevSocket *s, uint16_t port)
{
    int error = EADDRNOTAVAIL;

    for (unsigned i = 0; i < s->addresses_nr; i++) {
        SocketAddress a = s->addresses[i];
        int fd;

        socket_address_set_port(&a, port);
        fd = socket_address_listen(&a);
        if (fd >= 0) {
            listens_add(s, fd);
            if (port == 0) { /* any: the others take the same */
                a.len = sizeof(a.addr);
                getsockname(fd, (struct sockaddr *)&a.addr, &a.len);
                port = socket_address_port(&a);
            }
        } else if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) {
            error = errno;
            listens_close(s);
            break;
        }
    }
    errno = error;
    return s->listens_nr > 0;
}

static bool tcp_listen(ChardevSocket *s, GError **err)
{
    uint16_t first = socket_address_port(&s->addresses[0]);
    uint16_t last = MAX(s->to, first);

    for (unsigned port = first; port <= last; port++) {
        if (tcp_listen_at(s, port)) {
            if (port == 0 || first != last) {
                g_autofree char *name =
                    socket_address_name(s->listens[0].fd, false);

                g_printerr("chardev '%s' listens on %s\n", s->fd.chr.id, name);
                g_free(s->place);
                s->place = g_steal_pointer(&name);
            }
            return true;
        }
        if (errno != EADDRINUSE) {
            break;
        }
    }
    return chardev_open_failed(&s->fd.chr, "cannot listen on", s->place, err);
}

/* ---- a client ------------------------------------------------------------------ */

/* Try the addresses that are left. */
static void client_try(ChardevSocket *s)
{
    for (; s->address < s->addresses_nr; s->address++) {
        const SocketAddress *a = &s->addresses[s->address];
        int fd = socket(a->addr.ss_family,
                        SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd >= 0 &&
            connect(fd, (const struct sockaddr *)&a->addr, a->len) == 0) {
            socket_opened(s, fd);
            return;
        }
        if (fd >= 0 && errno == EINPROGRESS) {
            s->connecting = fd;
            watch_set(&s->later, fd, G_IO_OUT);
            return;
        }
        s->error = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (s->error == EAGAIN) { /* many others wait there, too */
            s->error = 0;
            watch_after(&s->later, RETRY_MS / 10);
            return;
        }
    }
    if (s->reconnect) {
        watch_after(&s->later, s->reconnect * 1000);
    } else if (s->opened) {
        g_printerr("chardev '%s': cannot connect to %s: %s\n", s->fd.chr.id,
                   s->place, g_strerror(s->error));
    }
}

static void client_connect(ChardevSocket *s)
{
    s->address = 0;
    s->error = 0;
    client_try(s);
}

static void client_progress(ChardevSocket *s)
{
    int fd = s->connecting, error = 0;
    socklen_t len = sizeof(error);

    watch_set(&s->later, -1, 0);
    s->connecting = -1;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0) {
        socket_opened(s, fd);
        return;
    }
    close(fd);
    s->error = error;
    s->address++;
    client_try(s);
}

static void on_later(void *opaque, GIOCondition cond)
{
    ChardevSocket *s = opaque;

    if (s->listens_nr) {
        s->full = false;
        socket_update(&s->fd.chr);
    } else if (s->connecting >= 0) {
        client_progress(s);
    } else if (!chardev_is_ready(&s->fd.chr)) {
        watch_after(&s->later, RETRY_MS);
    } else {
        client_connect(s);
    }
}

/* ---- opening ------------------------------------------------------------------- */

static bool socket_fails(ChardevSocket *s, const char *why, GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0, "chardev '%s': %s", s->fd.chr.id, why);
    return false;
}

static bool settings_check(ChardevSocket *s, GHashTable *settings, GError **err)
{
    bool has_ipv4 = g_hash_table_contains(settings, "ipv4");
    bool has_ipv6 = g_hash_table_contains(settings, "ipv6");

    if (!!s->path + !!s->host + !!s->passed != 1) {
        return socket_fails(s, "a socket has one of path=PATH, "
                            "host=HOST,port=PORT, fd=N", err);
    }
    if (s->path && !*s->path) {
        return socket_fails(s, "the path of the socket is empty", err);
    }
    if (!!s->host != (s->port && *s->port)) {
        return socket_fails(s, "host and port go together: host=HOST,port=PORT",
                            err);
    }
    if (s->telnet) {
        return socket_fails(s, "telnet is not spoken here: telnet=off", err);
    }
    if (g_hash_table_contains(settings, "wait") && !s->server && !s->passed) {
        return socket_fails(s, "only a server can wait for a connection: add "
                            "server=on, or leave wait= out", err);
    }
    if (s->reconnect && (s->server || s->passed)) {
        return socket_fails(s, "only a client that knows where to can "
                            "reconnect: leave reconnect= or server= out", err);
    }
    if (s->reconnect > INT_MAX / 1000) {
        return socket_fails(s, "reconnect is longer than anybody waits", err);
    }
    if (!s->ipv4 && !s->ipv6) {
        return socket_fails(s, "ipv4=off and ipv6=off leave no address", err);
    }
    /* One of them alone leaves the other one out. */
    if (has_ipv4 && s->ipv4 && !has_ipv6) {
        s->ipv6 = false;
    } else if (has_ipv6 && s->ipv6 && !has_ipv4) {
        s->ipv4 = false;
    }
    return true;
}

/* A socket that whoever started us has opened. Our own close on exec. */
static bool passed_adopt(ChardevSocket *s, GError **err)
{
    guint64 number = 0;
    int type = 0, listening = 0, fd;
    socklen_t len = sizeof(int);

    if (!g_ascii_string_to_unsigned(s->passed, 10, 0, INT_MAX, &number, NULL)) {
        return socket_fails(s, "fd takes the number of a descriptor", err);
    }
    fd = number;
    s->place = g_strdup(s->passed);
    if (fcntl(fd, F_GETFD) != 0) {
        return socket_fails(s, "the descriptor of fd= was not passed to this "
                            "program by the one that started it", err);
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        type != SOCK_STREAM) {
        return socket_fails(s, "the descriptor of fd= is no stream socket", err);
    }
    len = sizeof(listening);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
    if (s->server && !listening) {
        return socket_fails(s, "the socket of fd= does not listen: leave "
                            "server=on out", err);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    s->server = listening;
    if (listening) {
        listens_add(s, fd);
    } else {
        socket_opened(s, fd);
    }
    return true;
}

static char *path_from_root(const char *path)
{
    g_autofree char *here = g_get_current_dir();

    return g_path_is_absolute(path) ? g_strdup(path)
                                    : g_build_filename(here, path, NULL);
}

static bool socket_start(ChardevSocket *s, GError **err)
{
    if (s->passed) {
        return passed_adopt(s, err);
    }
    if (s->path) {
        s->place = g_strdup(s->path);
        s->full_path = path_from_root(s->path);
        s->addresses_nr = 1;
        if (!socket_address_unix(s->full_path, &s->addresses[0], NULL) &&
            !socket_address_unix(s->path, &s->addresses[0], err)) {
            g_prefix_error(err, "chardev '%s': ", s->fd.chr.id);
            return false;
        }
    } else {
        s->place = g_strdup_printf(strchr(s->host, ':') ? "[%s]:%s" : "%s:%s",
                                   s->host, s->port);
        s->addresses_nr = socket_address_resolve(s->host, s->port, s->ipv4,
                                                 s->ipv6, s->server,
                                                 s->addresses, err);
        if (s->addresses_nr == 0) {
            g_prefix_error(err, "chardev '%s': ", s->fd.chr.id);
            return false;
        }
    }
    if (s->server) {
        return s->path ? unix_listen(s, err) : tcp_listen(s, err);
    }
    client_connect(s);
    return true;
}

/* Until there is a peer, or never will be. */
static bool socket_wait(ChardevSocket *s, GError **err)
{
    while (!s->fd.chr.connected && (s->server || !s->error)) {
        if (vm_shutdown_requested()) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "chardev '%s': ended before a connection to %s came",
                        s->fd.chr.id, s->place);
            return false;
        }
        g_main_context_iteration(NULL, TRUE);
    }
    return true;
}

static bool socket_open(Chardev *chr, GHashTable *settings, bool wait,
                        GError **err)
{
    ChardevSocket *s = (ChardevSocket *)chr;

    chardev_fd_init(&s->fd);
    s->fd.hung_up = socket_hung_up;
    s->connecting = -1;
    watch_init(&s->later, on_later, s);
    if (!settings_check(s, settings, err)) {
        return false;
    }
    if (!socket_start(s, err)) {
        return false;
    }
    socket_update(chr);
    if (s->server && s->wait && wait) {
        g_printerr("chardev '%s' waits for a connection to %s\n", chr->id,
                   s->place);
        return socket_wait(s, err);
    }
    if (!s->server && !s->reconnect && !s->passed) {
        if (wait && !socket_wait(s, err)) {
            return false;
        }
        if (s->error) {
            errno = s->error;
            return chardev_open_failed(chr, "cannot connect to", s->place, err);
        }
    }
    s->opened = true;
    return true;
}

static void socket_close(Chardev *chr)
{
    ChardevSocket *s = (ChardevSocket *)chr;

    chardev_fd_close(&s->fd);
    listens_close(s);
    watch_cleanup(&s->later);
    if (s->connecting >= 0) {
        close(s->connecting);
    }
    if (s->owns_path) {
        unlink(s->full_path);
    }
    g_free(s->full_path);
    g_free(s->place);
}

static char *socket_filename(const Chardev *chr)
{
    const ChardevSocket *s = (const ChardevSocket *)chr;
    const char *kind = s->path ? "unix" : s->host ? "tcp" : "fd";
    const char *server = s->server ? ",server=on" : "";

    if (s->host && s->fd.in_fd >= 0) {
        g_autofree char *ours = socket_address_name(s->fd.in_fd, false);
        g_autofree char *theirs = socket_address_name(s->fd.in_fd, true);

        return g_strdup_printf("tcp:%s%s <-> %s", ours, server, theirs);
    }
    return g_strdup_printf("%s%s:%s%s",
                           chr->connected ? "" : "disconnected:", kind,
                           s->place, server);
}

static const Property socket_properties[] = {
    { "path", PROP_STRING, offsetof(ChardevSocket, path), NULL,
      "a UNIX socket", 0 },
    { "host", PROP_STRING, offsetof(ChardevSocket, host), NULL,
      "TCP: a name or address; empty: all of this machine", 0 },
    { "port", PROP_STRING, offsetof(ChardevSocket, port), NULL,
      "TCP: a number or name; 0: any that is free", 0 },
    { "to", PROP_UINT16, offsetof(ChardevSocket, to), "0",
      "up to which port to look for a free one", 0 },
    { "ipv4", PROP_BOOL, offsetof(ChardevSocket, ipv4), "on", "use IPv4", 0 },
    { "ipv6", PROP_BOOL, offsetof(ChardevSocket, ipv6), "on", "use IPv6", 0 },
    { "nodelay", PROP_BOOL, offsetof(ChardevSocket, nodelay), "on",
      "TCP: send small pieces at once", 0 },
    { "fd", PROP_STRING, offsetof(ChardevSocket, passed), NULL,
      "a socket that was passed to this program, by its number", 0 },
    { "server", PROP_BOOL, offsetof(ChardevSocket, server), "off",
      "listen there", 0 },
    { "wait", PROP_BOOL, offsetof(ChardevSocket, wait), "on",
      "server: wait for the first peer before starting", 0 },
    { "reconnect", PROP_UINT32, offsetof(ChardevSocket, reconnect), "0",
      "client: connect again after so many seconds; 0: never", 0 },
    { "telnet", PROP_BOOL, offsetof(ChardevSocket, telnet), "off",
      "off is what there is", 0 },
    { 0 },
};

const ChardevBackend chardev_socket = {
    CHARDEV_NAME("socket"),
    .description = "a UNIX or TCP socket, as client or server",
    .form = "unix:PATH, tcp:HOST:PORT",
    .size = sizeof(ChardevSocket),
    .properties = socket_properties,
    .open = socket_open,
    .close = socket_close,
    .write = chardev_fd_write,
    .update = socket_update,
    .disconnect = socket_disconnect,
    .filename = socket_filename,
};
