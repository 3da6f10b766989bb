/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for tests of devices.
 */
#include "tests/device-util.h"

#include <stdarg.h>
#include <string.h>

Requests requests;
Machine test_machine;
TestWire test_wire;

/* Weak: a test that has monitors, too, has the real ones. */
#define STAND_IN __attribute__((weak))

STAND_IN void vm_request_shutdown(ShutdownCause cause, int status)
{
    requests.shutdowns++;
    requests.status = status;
    requests.cause = cause;
}

STAND_IN bool vm_shutdown_requested(void)
{
    return requests.shutdowns != 0;
}

STAND_IN void vm_request_reset(ShutdownCause cause)
{
    requests.resets++;
    requests.cause = cause;
}

STAND_IN void vm_request_panic(void)
{
    requests.panics++;
}

STAND_IN void vm_request_suspend(void)
{
}

STAND_IN void vm_request_wakeup(WakeupReason reason)
{
}

STAND_IN void vm_set_rtc_wakes(bool wakes)
{
}

/* These two would have the linker take machines and KVM, and the real run state with
 * them: a test that has those has the real ones here, too. */
STAND_IN void machine_unplug_finish(Machine *machine, Device *dev)
{
    test_fail("nothing is to be unplugged here");
}

STAND_IN bool kvm_send_msi(KVMState *kvm, uint64_t addr, uint32_t data)
{
    test_fail("there is no KVM here");
}

static void wire_set(void *opaque, int n, int level)
{
    TestWire *wire = opaque;

    wire->rises += level && !wire->level;
    wire->level = level;
}

void test_machine_init(void)
{
    Machine *m = &test_machine;

    memset(m, 0, sizeof(*m));
    memset(&requests, 0, sizeof(requests));
    memset(&test_wire, 0, sizeof(test_wire));
    memory_region_init(&m->ports_root, "ports", 0x10000);
    address_space_init(&m->ports, &m->ports_root);
    m->devices = g_ptr_array_new_with_free_func((GDestroyNotify)device_free);
}

void test_machine_free(void)
{
    Machine *m = &test_machine;

    g_ptr_array_free(m->devices, TRUE);
    chardev_close_all();
    address_space_destroy(&m->ports);
    memory_region_destroy(&m->ports_root);
}

Chardev *test_chardev(const char *id, const char *spec)
{
    GError *err = NULL;
    Chardev *chr = chardev_open(id, spec, &err);

    expect(chr, "%s: %s", spec, err->message);
    return chr;
}

static Device *device_make(const DeviceType *type, const int *ports,
                           va_list args)
{
    Device *dev = device_new(type, NULL);
    const char *name, *value;
    GError *err = NULL;

    dev->machine = &test_machine;
    while ((name = va_arg(args, const char *))) {
        value = va_arg(args, const char *);
        expect(device_set(dev, name, value, &err), "%s", err->message);
    }
    expect(device_realize(dev, &err), "%s", err->message);
    device_connect_irq(dev, 0, (IRQLine){ wire_set, &test_wire, 0 });
    for (unsigned n = 0; ports && n < dev->regions_nr; n++) {
        device_map(dev, n, &test_machine.ports_root, ports[n], 0);
    }
    if (!ports) {
        expect(type->plug(dev, &test_machine, &err), "%s", err->message);
    }
    device_reset(dev);
    g_ptr_array_add(test_machine.devices, dev);
    return dev;
}

Device *test_device(const char *type, const int *ports, ...)
{
    GError *err = NULL;
    const DeviceType *found = device_type_find(type, &err);
    Device *dev;
    va_list args;

    expect(found, "%s", err->message);
    va_start(args, ports);
    dev = device_make(found, ports, args);
    va_end(args);
    return dev;
}

Device *test_device_of(const DeviceType *type, const int *ports, ...)
{
    Device *dev;
    va_list args;

    va_start(args, ports);
    dev = device_make(type, ports, args);
    va_end(args);
    return dev;
}

MemTxResult port_access(unsigned port, void *data, unsigned size, bool write)
{
    return address_space_rw(&test_machine.ports, port, data, size, write);
}

uint32_t port_in(unsigned port, unsigned size)
{
    uint32_t value = 0;
    MemTxResult result = port_access(port, &value, size, false);

    expect(result == MEMTX_OK, "in of %u bytes from 0x%x gives result %u", size,
           port, result);
    return value;
}

void port_out(unsigned port, uint32_t value, unsigned size)
{
    MemTxResult result = port_access(port, &value, size, true);

    expect(result == MEMTX_OK, "out of %u bytes to 0x%x gives result %u", size,
           port, result);
}

void test_loop(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

void expect_error(GError *err, const char *first, ...)
{
    const char *word = first;
    va_list args;

    expect(err, "no error, although '%s' is wrong", first);
    va_start(args, first);
    for (; word; word = va_arg(args, const char *)) {
        expect(strstr(err->message, word), "no '%s' in: %s", word,
               err->message);
    }
    va_end(args);
    g_error_free(err);
}

static char *folder;

static void folder_remove(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);

        remove(path);
        g_free(path);
    }
    if (dir) {
        g_dir_close(dir);
    }
    remove(folder);
    g_clear_pointer(&folder, g_free);
}

const char *test_folder(void)
{
    if (!folder) {
        folder = g_dir_make_tmp("flatview-test-XXXXXX", NULL);
        expect(folder, "no folder for temporary files");
        atexit(folder_remove);
    }
    return folder;
}
