/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of devices share: a machine of ports and nothing else, whose
 * guest is the test, and a peer at the other end of a character device. It
 * stands in for runstate.c: requests are only counted.
 */
#ifndef DEVICE_UTIL_H
#define DEVICE_UTIL_H

#include "hw/core/machine.h"
#include "sysemu.h"
#include "tests/test-util.h"

/* What devices asked of the program. */
typedef struct Requests {
    unsigned shutdowns;
    unsigned resets;
    int status;        /* of the last shutdown */
    unsigned panics;
    ShutdownCause cause; /* of the last shutdown or reset */
} Requests;

extern Requests requests;

/* The wire from output 0 of every device that test_device() made. */
typedef struct TestWire {
    int level;
    unsigned rises; /* from 0 to 1 */
} TestWire;

extern Machine test_machine;
extern TestWire test_wire;

/* A machine with an empty port space. */
void test_machine_init(void);
void test_machine_free(void);

/* Open @spec as a character device of the machine called @id. */
Chardev *test_chardev(const char *id, const char *spec);

/* A device, realized, reset and connected; its regions are mapped one after
 * the other at @ports (NULL: as -device maps it). The rest: names and values of
 * properties, ended by NULL. */
Device *test_device(const char *type, const int *ports, ...)
    __attribute__((sentinel));

/* The same of a type that is not in the table. */
Device *test_device_of(const DeviceType *type, const int *ports, ...)
    __attribute__((sentinel));

/* The guest's in and out, which must succeed; and one that need not. */
uint32_t port_in(unsigned port, unsigned size);
void port_out(unsigned port, uint32_t value, unsigned size);
MemTxResult port_access(unsigned port, void *data, unsigned size, bool write);

/* Let the main loop do what there is to do now. */
void test_loop(void);

/* Let it run until @condition. */
#define test_loop_until(condition)                \
    do {                                          \
        while (!(condition)) {                    \
            g_main_context_iteration(NULL, TRUE); \
        }                                         \
    } while (0)

/* Every one of the words is in the message, which is then freed. */
void expect_error(GError *err, const char *first, ...)
    __attribute__((sentinel));

/* A new folder, removed with what is in it at exit of the test. */
const char *test_folder(void);

#endif
