/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: see fw_cfg.h, and QEMU's docs/specs/fw_cfg for what the guest sees.
 *
 * Region 0: a selector, written with 16 bits, and a data port from which the selected
 * item is read byte by byte. Region 1, with "dma_enabled": the address of a request in
 * the guest's memory, big-endian, in two halves of which the second starts it.
 *
 * Requests reach RAM and no device: what a guest says there costs time in proportion
 * to memory that it has. That may be seconds; so the regions are without a lock, take
 * the memory lock themselves, and others get it between two pieces of a long request.
 */
#include "hw/nvram/fw_cfg.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/machine.h"

#define KEY_WRITE 0x4000 /* once asked for writing by the data port; ignored */

#define ID_PORTS 0x1
#define ID_DMA 0x2

#define DMA_SIGNATURE 0x51454d5520434647 /* "QEMU CFG" */

/* Control word of a request; the key to select is in its high half. */
#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10

typedef struct Request {
    uint32_t control;
    uint32_t length;
    uint64_t address;
} Request; /* big-endian in the guest's memory */

/* In the directory, after a big-endian number of files. */
typedef struct DirEntry {
    uint32_t size; /* both big-endian */
    uint16_t key;
    uint16_t reserved;
    char name[FW_CFG_NAME_MAX + 1];
} DirEntry;

#define CACHE_SIZE 4096

#define DMA_PIECE (16 * 1024 * 1024) /* some milliseconds */
#define DMA_PAUSE_US 50

typedef struct Item {
    char *name;   /* of a file; or NULL */
    uint16_t key;
    uint32_t len;
    uint8_t *data; /* or, if NULL and there is a length: */
    int fd;
    uint64_t fd_offset;
    bool writable;
    uint8_t *initial; /* of a writable one: what a reset brings back */
    FWCfgCallback *selected, *written;
    void *opaque;
} Item;

struct FWCfg {
    Device dev;
    bool dma_enabled; /* property */
    MemoryRegion ports, dma;
    GHashTable *items; /* by key; Item, which stays where it is */
    GPtrArray *files;  /* those with a name, sorted by it; not owned */
    Item *current;     /* selected; NULL: a key that nobody knows */
    uint32_t offset;   /* of the next byte in it */
    uint64_t dma_addr;
    /* A piece of a file of the host, for the data port. */
    const Item *cached;
    uint32_t cache_offset;
    uint8_t cache[CACHE_SIZE];
};

/* ---- items ------------------------------------------------------------------------- */

static void item_free(void *opaque)
{
    Item *item = opaque;

    g_free(item->name);
    g_free(item->data);
    g_free(item->initial);
    g_free(item);
}

/* The item of @key, made if there is none, emptied if there is. */
static Item *item_renew(FWCfg *s, uint16_t key)
{
    Item *item = g_hash_table_lookup(s->items, GUINT_TO_POINTER(key));

    if (!item) {
        item = g_new0(Item, 1);
        item->key = key;
        g_hash_table_insert(s->items, GUINT_TO_POINTER(key), item);
    }
    g_clear_pointer(&item->data, g_free);
    item->len = 0;
    item->fd = -1;
    s->cached = NULL;
    return item;
}

/* Not NULL, even of nothing. */
static uint8_t *bytes_copy(const void *data, size_t len)
{
    uint8_t *copy = g_malloc(MAX(len, 1));

    if (len) {
        memcpy(copy, data, len);
    }
    return copy;
}

static void item_set(FWCfg *s, Item *item, const void *data, size_t len)
{
    assert(len <= UINT32_MAX);
    item_renew(s, item->key);
    item->data = bytes_copy(data, len);
    item->len = len;
    if (item->writable) {
        g_free(item->initial);
        item->initial = bytes_copy(data, len);
    }
}

void fw_cfg_add_bytes(FWCfg *s, uint16_t key, const void *data, size_t len)
{
    assert((key & ~FW_CFG_ARCH_LOCAL) < FW_CFG_FILE_FIRST);
    item_set(s, item_renew(s, key), data, len);
}

void fw_cfg_add_string(FWCfg *s, uint16_t key, const char *text)
{
    fw_cfg_add_bytes(s, key, text, strlen(text) + 1);
}

void fw_cfg_add_u16(FWCfg *s, uint16_t key, uint16_t value)
{
    value = htole16(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_u32(FWCfg *s, uint16_t key, uint32_t value)
{
    value = htole32(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_u64(FWCfg *s, uint16_t key, uint64_t value)
{
    value = htole64(value);
    fw_cfg_add_bytes(s, key, &value, sizeof(value));
}

void fw_cfg_add_fd(FWCfg *s, uint16_t key, int fd, uint64_t offset, uint32_t len)
{
    Item *item = item_renew(s, key);

    item->fd = fd;
    item->fd_offset = offset;
    item->len = len;
}

/* Bytes @offset to @offset + @len of @item, which has them, to @buf; zeros where the
 * host's file cannot be read, with false. */
static bool item_read(const Item *item, uint32_t offset, void *buf, size_t len)
{
    size_t done = 0;

    if (item->data) {
        memcpy(buf, item->data + offset, len);
        return true;
    }
    while (done < len) {
        ssize_t n = pread(item->fd, (char *)buf + done, len - done,
                          item->fd_offset + offset + done);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            memset((char *)buf + done, 0, len - done);
            return false;
        }
        done += MAX(n, 0);
    }
    return true;
}

/* ---- files ------------------------------------------------------------------------- */

static Item *file_find(const FWCfg *s, const char *name)
{
    for (guint i = 0; i < s->files->len; i++) {
        Item *item = s->files->pdata[i];

        if (strcmp(item->name, name) == 0) {
            return item;
        }
    }
    return NULL;
}

static void directory_update(FWCfg *s)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint32_t count = htobe32(s->files->len);

    g_byte_array_append(bytes, (uint8_t *)&count, sizeof(count));
    for (guint i = 0; i < s->files->len; i++) {
        const Item *item = s->files->pdata[i];
        DirEntry entry = { .size = htobe32(item->len), .key = htobe16(item->key) };

        g_strlcpy(entry.name, item->name, sizeof(entry.name));
        g_byte_array_append(bytes, (uint8_t *)&entry, sizeof(entry));
    }
    fw_cfg_add_bytes(s, FW_CFG_FILE_DIR, bytes->data, bytes->len);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Item *const *)a)->name, (*(Item *const *)b)->name);
}

static const char *file_objection(const FWCfg *s, const char *name, size_t len)
{
    if (!*name) {
        return "it needs a name";
    }
    if (strlen(name) > FW_CFG_NAME_MAX) {
        return "its name is longer than 55 bytes";
    }
    if (len > UINT32_MAX) {
        return "it is larger than 4 GiB";
    }
    if (file_find(s, name)) {
        return "there is a file of this name already";
    }
    if (s->files->len == FW_CFG_FILES_MAX) {
        return "there are 256 files already, which is as many as there can be";
    }
    return NULL;
}

bool fw_cfg_add_file_rw(FWCfg *s, const char *name, const void *data, size_t len,
                        bool writable, FWCfgCallback *selected,
                        FWCfgCallback *written, void *opaque, GError **err)
{
    const char *objection = file_objection(s, name, len);
    Item *item;

    if (objection) {
        g_set_error(err, FLATVIEW_ERROR, 0, "fw_cfg file '%s': %s", name,
                    objection);
        return false;
    }
    item = item_renew(s, FW_CFG_FILE_FIRST + s->files->len);
    item->name = g_strdup(name);
    item->writable = writable;
    item->selected = selected;
    item->written = written;
    item->opaque = opaque;
    item_set(s, item, data, len);
    g_ptr_array_add(s->files, item);
    g_ptr_array_sort(s->files, compare_names);
    directory_update(s);
    return true;
}

bool fw_cfg_add_file(FWCfg *s, const char *name, const void *data, size_t len,
                     GError **err)
{
    return fw_cfg_add_file_rw(s, name, data, len, false, NULL, NULL, NULL, err);
}

bool fw_cfg_take_file(FWCfg *s, const char *name, uint8_t *data, size_t len,
                      GError **err)
{
    Item *item;

    assert(len <= UINT32_MAX);
    if (!fw_cfg_add_file(s, name, NULL, 0, err)) {
        g_free(data);
        return false;
    }
    item = file_find(s, name);
    g_free(item->data);
    item->data = data;
    item->len = len;
    directory_update(s);
    return true;
}

void fw_cfg_set_file(FWCfg *s, const char *name, const void *data, size_t len)
{
    Item *item = file_find(s, name);

    assert(item);
    item_set(s, item, data, len);
    directory_update(s);
}

const uint8_t *fw_cfg_get_file(const FWCfg *s, const char *name, size_t *len)
{
    const Item *item = file_find(s, name);

    *len = item ? item->len : 0;
    return item ? item->data : NULL;
}

/* ---- ports ------------------------------------------------------------------------- */

static void fw_cfg_select(FWCfg *s, uint16_t key)
{
    key &= ~KEY_WRITE;
    s->current = g_hash_table_lookup(s->items, GUINT_TO_POINTER(key));
    s->offset = 0;
    if (s->current && s->current->selected) {
        s->current->selected(s->current->opaque);
    }
}

/* Bytes of the selected item that were not read yet. */
static uint32_t fw_cfg_left(const FWCfg *s)
{
    return s->current && s->offset < s->current->len
               ? s->current->len - s->offset : 0;
}

static uint8_t fw_cfg_read_cached(FWCfg *s)
{
    uint32_t in_cache = s->offset % CACHE_SIZE;
    uint32_t start = s->offset - in_cache;

    if (s->cached != s->current || s->cache_offset != start) {
        item_read(s->current, start, s->cache,
                  MIN(CACHE_SIZE, s->current->len - start));
        s->cached = s->current;
        s->cache_offset = start;
    }
    return s->cache[in_cache];
}

static uint64_t fw_cfg_ports_read(void *opaque, hwaddr addr, unsigned size)
{
    FWCfg *s = opaque;
    uint8_t byte = 0;

    memory_lock();
    if (fw_cfg_left(s)) {
        byte = s->current->data ? s->current->data[s->offset] : fw_cfg_read_cached(s);
        s->offset++;
    }
    memory_unlock();
    return byte;
}

static void fw_cfg_ports_write(void *opaque, hwaddr addr, uint64_t data,
                               unsigned size)
{
    if (size == 2) {
        memory_lock();
        fw_cfg_select(opaque, data);
        memory_unlock();
    }
}

static bool fw_cfg_ports_accepts(void *opaque, hwaddr addr, unsigned size,
                                 bool is_write)
{
    return size == 1 || (size == 2 && is_write);
}

static const MemoryRegionOps fw_cfg_ports_ops = {
    .read = fw_cfg_ports_read,
    .write = fw_cfg_ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.accepts = fw_cfg_ports_accepts,
};

/* ---- DMA --------------------------------------------------------------------------- */

/* The host's address of guest RAM at @addr: *@len bytes at most, and what there is.
 * NULL: there is no RAM, or none that can be written. */
static void *ram_map(FWCfg *s, uint64_t addr, hwaddr *len, bool is_write)
{
    AddressSpace *as = &s->dev.machine->memory;
    MemoryRegionSection section = memory_region_find(as->root, addr, *len);

    if (!section.mr || section.offset_within_address_space != addr ||
        !memory_region_is_ram(section.mr) || (is_write && section.readonly)) {
        return NULL;
    }
    *len = MIN(*len, section.size);
    return address_space_map(as, addr, len, is_write);
}

/* Copy between @buf and the guest's memory; false: not all of it is there. */
static bool ram_copy(FWCfg *s, uint64_t addr, void *buf, size_t len, bool is_write)
{
    size_t done = 0;

    while (done < len) {
        hwaddr piece = len - done;
        void *host = addr + done < addr ? NULL
                                        : ram_map(s, addr + done, &piece, is_write);

        if (!host) {
            return false;
        }
        if (is_write) {
            memcpy(host, (char *)buf + done, piece);
        } else {
            memcpy((char *)buf + done, host, piece);
        }
        address_space_unmap(&s->dev.machine->memory, host, piece, is_write, piece);
        done += piece;
    }
    return true;
}

/* Let others have the memory lock, which one that is taken again at once does not. */
static void dma_pause(void)
{
    memory_unlock();
    g_usleep(DMA_PAUSE_US);
    memory_lock();
}

/* The selected item to the guest, and zeros after its end. */
static bool dma_read(FWCfg *s, uint64_t addr, uint32_t len)
{
    bool ok = true;

    while (len && ok) {
        uint32_t left = fw_cfg_left(s);
        hwaddr piece = MIN(left ? MIN(len, left) : len, DMA_PIECE);
        void *host = ram_map(s, addr, &piece, true);

        if (!host) {
            return false;
        }
        if (left) {
            ok = item_read(s->current, s->offset, host, piece);
            s->offset += piece;
        } else {
            memset(host, 0, piece);
        }
        address_space_unmap(&s->dev.machine->memory, host, piece, true, piece);
        addr += piece;
        len -= piece;
        ok = ok && (addr || !len); /* memory ends at 2^64 */
        if (piece == DMA_PIECE && len) {
            dma_pause();
        }
    }
    return ok;
}

/* All or nothing. */
static bool dma_write(FWCfg *s, uint64_t addr, uint32_t len)
{
    Item *item = s->current;
    g_autofree uint8_t *copy = NULL;

    if (!item || !item->writable || len > fw_cfg_left(s)) {
        return false;
    }
    copy = g_malloc(len);
    if (!ram_copy(s, addr, copy, len, false)) {
        return false;
    }
    memcpy(item->data + s->offset, copy, len);
    s->offset += len;
    if (item->written) {
        item->written(item->opaque);
    }
    return true;
}

static bool dma_do(FWCfg *s, const Request *request)
{
    uint32_t control = be32toh(request->control);
    uint32_t len = be32toh(request->length);
    uint64_t addr = be64toh(request->address);

    if (control & DMA_SELECT) {
        fw_cfg_select(s, control >> 16);
    }
    if (len == 0) {
        return true; /* also to write what is not written */
    }
    if (control & DMA_READ) {
        return dma_read(s, addr, len);
    }
    if (control & DMA_WRITE) {
        return dma_write(s, addr, len);
    }
    if (control & DMA_SKIP) {
        s->offset += MIN(len, fw_cfg_left(s));
    }
    return true;
}

static void dma_start(FWCfg *s)
{
    uint64_t addr = s->dma_addr;
    Request request;
    uint32_t answer;
    bool ok;

    s->dma_addr = 0;
    ok = ram_copy(s, addr, &request, sizeof(request), false) &&
         dma_do(s, &request);
    answer = htobe32(ok ? 0 : DMA_ERROR);
    ram_copy(s, addr, &answer, sizeof(answer), true);
}

static uint64_t fw_cfg_dma_read(void *opaque, hwaddr addr, unsigned size)
{
    return DMA_SIGNATURE >> (8 * (8 - addr - size));
}

static void fw_cfg_dma_write(void *opaque, hwaddr addr, uint64_t data,
                             unsigned size)
{
    FWCfg *s = opaque;

    memory_lock();
    if (size == 4 && addr == 0) {
        s->dma_addr = data << 32 | (uint32_t)s->dma_addr;
    } else {
        s->dma_addr = size == 8 ? data : (s->dma_addr >> 32 << 32) | data;
        dma_start(s);
    }
    memory_unlock();
}

static bool fw_cfg_dma_accepts(void *opaque, hwaddr addr, unsigned size,
                               bool is_write)
{
    return !is_write || size >= 4;
}

static const MemoryRegionOps fw_cfg_dma_ops = {
    .read = fw_cfg_dma_read,
    .write = fw_cfg_dma_write,
    .endianness = DEVICE_BIG_ENDIAN,
    .valid.accepts = fw_cfg_dma_accepts,
    .impl.max_access_size = 8,
};

/* ---- the device -------------------------------------------------------------------- */

static bool fw_cfg_realize(Device *dev, GError **err)
{
    FWCfg *s = (FWCfg *)dev;

    s->items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
    s->files = g_ptr_array_new();
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(s, FW_CFG_ID, ID_PORTS | (s->dma_enabled ? ID_DMA : 0));
    directory_update(s);
    memory_region_init_io(&s->ports, &fw_cfg_ports_ops, s, "fwcfg", FW_CFG_SIZE);
    memory_region_clear_global_locking(&s->ports);
    device_add_region(dev, &s->ports);
    if (s->dma_enabled) {
        memory_region_init_io(&s->dma, &fw_cfg_dma_ops, s, "fwcfg.dma",
                              FW_CFG_DMA_SIZE);
        memory_region_clear_global_locking(&s->dma);
        device_add_region(dev, &s->dma);
    }
    return true;
}

static void fw_cfg_unrealize(Device *dev)
{
    FWCfg *s = (FWCfg *)dev;

    g_ptr_array_free(s->files, TRUE);
    g_hash_table_destroy(s->items);
}

static void fw_cfg_reset(Device *dev)
{
    FWCfg *s = (FWCfg *)dev;

    for (guint i = 0; i < s->files->len; i++) {
        Item *item = s->files->pdata[i];

        if (item->writable) {
            memcpy(item->data, item->initial, item->len);
        }
    }
    s->dma_addr = 0;
    s->cached = NULL;
    fw_cfg_select(s, FW_CFG_SIGNATURE);
}

static const Property fw_cfg_properties[] = {
    { "dma_enabled", PROP_BOOL, offsetof(FWCfg, dma_enabled), "on",
      "the guest can have items copied to its memory", 0 },
    { 0 },
};

const DeviceType fw_cfg_io_type = {
    .name = "fw_cfg_io",
    .description = "what the board tells its firmware",
    .size = sizeof(FWCfg),
    .properties = fw_cfg_properties,
    .realize = fw_cfg_realize,
    .unrealize = fw_cfg_unrealize,
    .reset = fw_cfg_reset,
};
