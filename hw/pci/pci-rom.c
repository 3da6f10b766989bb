/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expansion ROMs: a file's bytes behind a BAR of their own, which the guest enables
 * when it wants them. PCI Local Bus Specification 3.0, chapter 6.2.5.2.
 */
#include "hw/pci/pci-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/data-file.h"

#define ROM_MIN 2048 /* below are the register's other bits */
#define ROM_MAX (UINT64_C(1) << 31)

static bool read_all(int fd, uint8_t *to, uint64_t size)
{
    while (size) {
        ssize_t got = read(fd, to, size);

        if (got < 0 && errno == EINTR) {
            continue;
        } else if (got <= 0) {
            errno = got < 0 ? errno : ENODATA;
            return false;
        }
        to += got;
        size -= got;
    }
    return true;
}

static bool rom_load(PCIDevice *dev, const char *path, int fd, GError **err)
{
    /* RAM has names of its own. */
    g_autofree char *name = g_strdup_printf("%s:%s/%s.rom", dev->bus_name, dev->addr_text,
                                            dev->device.type->name);
    uint64_t size = ROM_MIN;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "romfile \"%s\": %s", path,
                    strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "romfile \"%s\" is no regular file", path);
        return false;
    }
    if (st.st_size == 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "romfile \"%s\" is empty", path);
        return false;
    }
    if ((uint64_t)st.st_size > ROM_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "romfile \"%s\" too large (size cannot exceed 2 GiB)", path);
        return false;
    }
    while (size < (uint64_t)st.st_size) {
        size *= 2;
    }
    if (!memory_region_try_init_ram(&dev->rom, name, size, err)) {
        g_prefix_error(err, "romfile \"%s\": ", path);
        return false;
    }
    memory_region_set_readonly(&dev->rom, true);
    pci_add_bar(dev, PCI_ROM_SLOT, 0, &dev->rom);
    if (!read_all(fd, memory_region_get_ram_ptr(&dev->rom), st.st_size)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "romfile \"%s\": %s", path,
                    strerror(errno));
        return false;
    }
    return true;
}

bool pci_add_rom(PCIDevice *dev, GError **err)
{
    const char *name = dev->romfile ? dev->romfile : dev->device.type->pci->romfile;
    g_autofree char *path = NULL;
    bool ok;
    int fd;

    if (!name || !name[0] || !dev->rom_bar || dev->bars[PCI_ROM_SLOT].mr) {
        return true;
    }
    path = data_file_path(name, err);
    if (!path) {
        g_prefix_error(err, "failed to find romfile \"%s\" (romfile= for none): ", name);
        return false;
    }
    /* Not to wait for whoever may be at the other end of a pipe. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "failed to find romfile \"%s\": %s", path,
                    strerror(errno));
        return false;
    }
    ok = rom_load(dev, path, fd, err);
    close(fd);
    return ok;
}
