/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: what a board tells its firmware, and files that users add. The public
 * interface is described in QEMU's docs/specs/fw_cfg; device "fw_cfg_io".
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/core/device.h"

/* Ports of the x86 interface, and sizes of its two regions. */
#define FW_CFG_PORT 0x510
#define FW_CFG_SIZE 2
#define FW_CFG_DMA_PORT 0x514
#define FW_CFG_DMA_SIZE 8

/* Keys of items that are no files. */
enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000,
    FW_CFG_IRQ0_OVERRIDE = FW_CFG_ARCH_LOCAL + 2,
};

#define FW_CFG_FILES_MAX 256
#define FW_CFG_NAME_MAX 55 /* bytes of a file's name */

typedef struct FWCfg FWCfg; /* state of the device; starts with a Device */

/* An item of @key: a copy of @len bytes of @data, in place of what was there.
 * Integers are stored little-endian. */
void fw_cfg_add_bytes(FWCfg *s, uint16_t key, const void *data, size_t len);
void fw_cfg_add_string(FWCfg *s, uint16_t key, const char *text); /* with its zero */
void fw_cfg_add_u16(FWCfg *s, uint16_t key, uint16_t value);
void fw_cfg_add_u32(FWCfg *s, uint16_t key, uint32_t value);
void fw_cfg_add_u64(FWCfg *s, uint16_t key, uint64_t value);

/* An item whose bytes are those of the open file @fd, from @offset: read when the
 * guest wants them. @fd stays the caller's and open. */
void fw_cfg_add_fd(FWCfg *s, uint16_t key, int fd, uint64_t offset, uint32_t len);

/* A file: the next key, and the directory sorted by name. False with @err: the name is
 * taken, empty or too long, or there are too many. A copy is made. */
bool fw_cfg_add_file(FWCfg *s, const char *name, const void *data, size_t len,
                     GError **err);

/* The same with @data itself, below 4 GiB, which is freed with g_free(), also where this
 * fails. */
bool fw_cfg_take_file(FWCfg *s, const char *name, uint8_t *data, size_t len,
                      GError **err);

/* A file of which a copy is made; if @writable, the guest may write it, by DMA. @selected,
 * if not NULL, is called whenever the guest selects the file, @written after it wrote; both
 * may call fw_cfg_set_file(). */
typedef void FWCfgCallback(void *opaque);
bool fw_cfg_add_file_rw(FWCfg *s, const char *name, const void *data, size_t len,
                        bool writable, FWCfgCallback *selected,
                        FWCfgCallback *written, void *opaque, GError **err);

/* Put other bytes into the file, which exists. At a reset a file that the guest can
 * write gets back what it was set to last. */
void fw_cfg_set_file(FWCfg *s, const char *name, const void *data, size_t len);

/* The bytes of a file; NULL: none of that name. */
const uint8_t *fw_cfg_get_file(const FWCfg *s, const char *name, size_t *len);

#endif
