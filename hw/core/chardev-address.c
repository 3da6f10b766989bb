/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of sockets; see chardev-address.h.
 */
#include "hw/core/chardev-address.h"
#include "hw/core/device.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

bool socket_address_unix(const char *path, SocketAddress *address, GError **err)
{
    struct sockaddr_un *addr = (struct sockaddr_un *)&address->addr;

    memset(address, 0, sizeof(*address));
    addr->sun_family = AF_UNIX;
    address->len = sizeof(*addr);
    if (strlen(path) >= sizeof(addr->sun_path)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s is %zu bytes long; a socket's path has %zu at most",
                    path, strlen(path), sizeof(addr->sun_path) - 1);
        return false;
    }
    strcpy(addr->sun_path, path);
    return true;
}

unsigned socket_address_resolve(const char *host, const char *port, bool ipv4,
                                bool ipv6, bool server, SocketAddress *list,
                                GError **err)
{
    struct addrinfo hints = {
        .ai_family = ipv4 && ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = server ? AI_PASSIVE : 0,
    };
    struct addrinfo *found = NULL;
    unsigned nr = 0;
    int ret = getaddrinfo(*host ? host : NULL, port, &hints, &found);

    if (ret != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot find %s:%s: %s", host, port,
                    ret == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(ret));
        return 0;
    }
    for (struct addrinfo *a = found; a && nr < SOCKET_ADDRESSES_MAX;
         a = a->ai_next) {
        memcpy(&list[nr].addr, a->ai_addr, a->ai_addrlen);
        list[nr++].len = a->ai_addrlen;
    }
    freeaddrinfo(found);
    return nr;
}

/* The place of the port, or NULL. */
static in_port_t *port_of(SocketAddress *address)
{
    switch (address->addr.ss_family) {
    case AF_INET:
        return &((struct sockaddr_in *)&address->addr)->sin_port;
    case AF_INET6:
        return &((struct sockaddr_in6 *)&address->addr)->sin6_port;
    default:
        return NULL;
    }
}

void socket_address_set_port(SocketAddress *address, uint16_t port)
{
    in_port_t *place = port_of(address);

    if (place) {
        *place = htons(port);
    }
}

uint16_t socket_address_port(const SocketAddress *address)
{
    in_port_t *place = port_of((SocketAddress *)address);

    return place ? ntohs(*place) : 0;
}

int socket_address_listen(const SocketAddress *address)
{
    const int on = 1;
    int family = address->addr.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int saved;

    if (fd < 0) {
        return -1;
    }
    if (family != AF_UNIX) {
        /* The port of a run before is free although its connections linger. */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
    if (bind(fd, (const struct sockaddr *)&address->addr, address->len) < 0 ||
        listen(fd, 1) < 0) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

char *socket_address_name(int fd, bool peer)
{
    SocketAddress a = { .len = sizeof(a.addr) };
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if ((peer ? getpeername : getsockname)(fd, (struct sockaddr *)&a.addr,
                                           &a.len) < 0 ||
        getnameinfo((struct sockaddr *)&a.addr, a.len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return g_strdup("?");
    }
    return g_strdup_printf(a.addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
                           host, port);
}
