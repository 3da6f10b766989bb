/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a socket is: from names to addresses, and back.
 */
#ifndef HW_CORE_CHARDEV_ADDRESS_H
#define HW_CORE_CHARDEV_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define SOCKET_ADDRESSES_MAX 8 /* of one name; more are left out */

typedef struct SocketAddress {
    struct sockaddr_storage addr;
    socklen_t len;
} SocketAddress;

/* Of the socket at @path. False with @err: it is too long. */
bool socket_address_unix(const char *path, SocketAddress *address, GError **err);

/* Of @host ("": any of this machine for a @server) and @port, a number or name,
 * into @list of SOCKET_ADDRESSES_MAX. Returns how many, 0 with @err. Looking up
 * a name takes the time it takes. */
unsigned socket_address_resolve(const char *host, const char *port, bool ipv4,
                                bool ipv6, bool server, SocketAddress *list,
                                GError **err);

/* Another port; and which one it is. */
void socket_address_set_port(SocketAddress *address, uint16_t port);
uint16_t socket_address_port(const SocketAddress *address);

/* A listening socket there, in non-blocking mode; -1 with errno. */
int socket_address_listen(const SocketAddress *address);

/* "HOST:PORT" of our end of @fd, or of the @peer's; to be freed. */
char *socket_address_name(int fd, bool peer);

#endif
