/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfi.pflash01: parallel NOR flash with Intel's command set. Common Flash Interface
 * (JEDEC JESD68.01), vendor command set 0001; datasheet of the 28F640J3.
 *
 * Chips of "device-width" bytes lie side by side in a bank of "width" bytes; each gets
 * its own copy of a command and gives its own answer. While the bank shows its array,
 * reads go straight to memory; a command that makes it show something else sends them
 * here. Programming can only clear bits. Every operation is over when its last write
 * is, and in the file then.
 *
 * Region 0 is an alias of the last 128 KiB, for a second place; region 1 the flash.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/device.h"

/* Commands */
#define CMD_PROGRAM_ALT 0x10
#define CMD_ERASE 0x20
#define CMD_PROGRAM 0x40
#define CMD_CLEAR_STATUS 0x50
#define CMD_LOCK 0x60
#define CMD_READ_STATUS 0x70
#define CMD_READ_ID 0x90
#define CMD_QUERY 0x98
#define CMD_CONFIRM 0xd0
#define CMD_BUFFER 0xe8
#define CMD_READ_ARRAY 0xff
#define LOCK_SET 0x01
#define LOCK_CLEAR CMD_CONFIRM

/* Status. Cleared it is 0, as firmware expects that looks for flash in this way; ready
 * again when something is over, or waits for what software asks the status before. */
#define STATUS_READY 0x80
#define STATUS_ERASE_FAILED 0x20
#define STATUS_PROGRAM_FAILED 0x10
#define STATUS_SEQUENCE (STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED)

#define CFI_SIZE 0x40
#define BUFFER_MAX 8192
#define TAIL_MAX 0x20000

/* What the next write is. */
typedef enum Next {
    NEXT_COMMAND,
    NEXT_PROGRAM,       /* the data */
    NEXT_ERASE,         /* the confirmation */
    NEXT_LOCK,          /* what to do with lock bits */
    NEXT_BUFFER_COUNT,
    NEXT_BUFFER_DATA,
    NEXT_BUFFER_CONFIRM,
} Next;

typedef enum Shown { SHOWN_ARRAY, SHOWN_STATUS, SHOWN_ID, SHOWN_CFI } Shown;

typedef struct PFlash {
    Device dev;
    /* Properties */
    char *name, *file;
    bool readonly, secure;
    uint32_t sector_length, num_blocks;
    uint8_t width, device_width;
    uint16_t id[4];

    MemoryRegion tail, mem;
    uint8_t *array;
    uint64_t size;
    int fd; /* -1: none */
    bool reported; /* an error of the host */
    uint8_t chip_width;
    uint8_t cfi[CFI_SIZE];
    uint32_t buffer_size;

    Shown shown;
    Next next;
    uint8_t status;
    /* Of a buffered program: where its window of buffer_size begins, bytes to come,
     * first and last byte that came. */
    bool window_known;
    uint64_t window;
    uint32_t left, first, last;
    uint8_t buffer[BUFFER_MAX];
} PFlash;

/* ---- reading ------------------------------------------------------------------------ */

static void pflash_show(PFlash *s, Shown shown)
{
    s->shown = shown;
    memory_region_rom_device_set_readable(&s->mem, shown == SHOWN_ARRAY);
}

/* What each chip gives at its word @n. */
static uint16_t pflash_word(const PFlash *s, uint64_t n)
{
    n &= 0xff;
    switch (s->shown) {
    case SHOWN_STATUS:
        return s->status;
    case SHOWN_CFI:
        return n < CFI_SIZE ? s->cfi[n] : 0;
    default:
        /* Its identity; then lock bits, which are clear. */
        if (s->device_width) {
            return n < 2 ? s->id[n] : 0;
        }
        return n < 2 ? s->id[2 * n] << 8 | s->id[2 * n + 1] : 0;
    }
}

/* Whoever is not let in sees the array at all times, and changes nothing: not what the
 * next write means either, as that may be one of system management mode's. */
static bool pflash_shut(const PFlash *s, MemTxAttrs attrs)
{
    return s->secure && !attrs.secure;
}

static MemTxResult pflash_read(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                               MemTxAttrs attrs)
{
    const PFlash *s = opaque;
    bool array = s->shown == SHOWN_ARRAY || pflash_shut(s, attrs);
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        hwaddr at = addr + i;
        unsigned byte = at % s->chip_width; /* of the chip's word */
        uint8_t b = array ? s->array[at]
                          : pflash_word(s, at / s->width) >> 8 * byte;

        value |= (uint64_t)b << 8 * i;
    }
    *data = value;
    return MEMTX_OK;
}

/* ---- changing the array -------------------------------------------------------------- */

/* pwrite() of all of it; returns how much was written, and less with errno. */
static size_t write_file(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pwrite(fd, data + done, len - done, offset + done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n < 0 ? errno : ENOSPC;
            break;
        }
        done += n;
    }
    return done;
}

/* Put @len bytes of @data at @offset, first into the file; all or nothing. */
static bool pflash_store(PFlash *s, uint64_t offset, const uint8_t *data, size_t len)
{
    size_t done = s->fd < 0 ? len : write_file(s->fd, data, len, offset);

    if (done < len) {
        if (!s->reported) {
            fprintf(stderr, "flash '%s': cannot be written: %s; the guest's change is "
                    "lost, which its status says\n", s->file, g_strerror(errno));
            s->reported = true;
        }
        write_file(s->fd, s->array + offset, done, offset); /* back to what it was */
        return false;
    }
    memcpy(s->array + offset, data, len);
    memory_region_set_dirty(&s->mem, offset, len);
    return true;
}

static bool pflash_program(PFlash *s, uint64_t offset, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] &= s->array[offset + i];
    }
    return pflash_store(s, offset, data, len);
}

static bool pflash_erase(PFlash *s, uint64_t offset)
{
    g_autofree uint8_t *ones = g_malloc(s->sector_length);

    memset(ones, 0xff, s->sector_length);
    return pflash_store(s, offset - offset % s->sector_length, ones,
                        s->sector_length);
}

/* ---- commands ------------------------------------------------------------------------- */

/* The operation is over. */
static void pflash_end(PFlash *s, uint8_t errors)
{
    s->status |= STATUS_READY | errors;
    s->next = NEXT_COMMAND;
    pflash_show(s, SHOWN_STATUS);
}

static void pflash_begin(PFlash *s, Next next, uint8_t ready)
{
    s->status |= ready;
    s->next = next;
    pflash_show(s, SHOWN_STATUS);
}

static void pflash_command(PFlash *s, uint8_t cmd)
{
    switch (cmd) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
        pflash_begin(s, NEXT_PROGRAM, 0);
        break;
    case CMD_ERASE:
        pflash_begin(s, NEXT_ERASE, STATUS_READY);
        break;
    case CMD_LOCK:
        pflash_begin(s, NEXT_LOCK, 0);
        break;
    case CMD_BUFFER:
        pflash_begin(s, NEXT_BUFFER_COUNT, STATUS_READY);
        break;
    case CMD_READ_STATUS:
        pflash_show(s, SHOWN_STATUS);
        break;
    case CMD_READ_ID:
        pflash_show(s, SHOWN_ID);
        break;
    case CMD_QUERY:
        pflash_show(s, SHOWN_CFI);
        break;
    case CMD_CLEAR_STATUS:
        s->status = 0;
        pflash_show(s, SHOWN_ARRAY);
        break;
    default: /* also to suspend or go on with something: nothing is under way */
        pflash_show(s, SHOWN_ARRAY);
        break;
    }
}

/* Instead of a confirmation. */
static void pflash_not_confirmed(PFlash *s, uint8_t cmd)
{
    if (cmd == CMD_READ_ARRAY) {
        s->next = NEXT_COMMAND;
        pflash_show(s, SHOWN_ARRAY);
    } else {
        pflash_end(s, STATUS_SEQUENCE);
    }
}

static void pflash_buffer_count(PFlash *s, uint64_t data)
{
    uint32_t words = (data & (s->chip_width == 1 ? 0xff : 0xffff)) + 1;

    if (words > s->buffer_size / s->width) {
        pflash_end(s, STATUS_SEQUENCE);
        return;
    }
    s->left = words * s->width;
    s->window_known = false;
    memset(s->buffer, 0xff, s->buffer_size);
    s->next = NEXT_BUFFER_DATA;
}

static void pflash_buffer_data(PFlash *s, uint64_t addr, uint64_t data,
                               unsigned size)
{
    uint64_t window = addr - addr % s->buffer_size;
    uint32_t at = addr - window;

    if (!s->window_known) {
        s->window_known = true;
        s->window = window;
        s->first = s->last = at;
    }
    if (window != s->window || size > s->left) {
        pflash_end(s, STATUS_SEQUENCE);
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        s->buffer[at + i] = data >> 8 * i;
    }
    s->first = MIN(s->first, at);
    s->last = MAX(s->last, at + size - 1);
    s->left -= size;
    if (s->left == 0) {
        s->next = NEXT_BUFFER_CONFIRM;
    }
}

static MemTxResult pflash_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    PFlash *s = opaque;
    uint8_t bytes[4] = { data, data >> 8, data >> 16, data >> 24 };
    uint8_t cmd = data;
    bool ok;

    if (pflash_shut(s, attrs)) {
        return MEMTX_ACCESS_ERROR;
    }
    switch (s->next) {
    case NEXT_COMMAND:
        pflash_command(s, cmd);
        break;
    case NEXT_PROGRAM:
        ok = !s->readonly && pflash_program(s, addr, bytes, size);
        pflash_end(s, ok ? 0 : STATUS_PROGRAM_FAILED);
        break;
    case NEXT_ERASE:
        if (cmd != CMD_CONFIRM) {
            pflash_not_confirmed(s, cmd);
            break;
        }
        ok = !s->readonly && pflash_erase(s, addr);
        pflash_end(s, ok ? 0 : STATUS_ERASE_FAILED);
        break;
    case NEXT_LOCK:
        if (cmd == LOCK_SET || cmd == LOCK_CLEAR) {
            pflash_end(s, 0);
        } else {
            pflash_not_confirmed(s, cmd);
        }
        break;
    case NEXT_BUFFER_COUNT:
        pflash_buffer_count(s, data);
        break;
    case NEXT_BUFFER_DATA:
        pflash_buffer_data(s, addr, data, size);
        break;
    case NEXT_BUFFER_CONFIRM:
        if (cmd != CMD_CONFIRM) {
            pflash_not_confirmed(s, cmd);
            break;
        }
        ok = !s->readonly && pflash_program(s, s->window + s->first,
                                       s->buffer + s->first, s->last - s->first + 1);
        pflash_end(s, ok ? 0 : STATUS_PROGRAM_FAILED);
        break;
    }
    return MEMTX_OK;
}

/* One cycle of the bus is as wide as the bank. */
#define PFLASH_OPS(bytes)                                                         \
    { .read_with_attrs = pflash_read, .write_with_attrs = pflash_write,           \
      .endianness = DEVICE_LITTLE_ENDIAN, .valid.unaligned = true,                \
      .impl.max_access_size = (bytes) }

static const MemoryRegionOps pflash_ops[] = {
    [1] = PFLASH_OPS(1),
    [2] = PFLASH_OPS(2),
    [4] = PFLASH_OPS(4),
};

/* ---- the device ------------------------------------------------------------------------- */

static uint8_t log2_floor(uint64_t n)
{
    return 63 - __builtin_clzll(n);
}

/* What one chip says of itself, byte n at its word n. */
static void pflash_fill_cfi(PFlash *s, unsigned chips)
{
    uint32_t block_256 = s->sector_length / chips / 256;
    uint32_t blocks = s->num_blocks - 1;
    const uint8_t cfi[CFI_SIZE] = {
        [0x10] = 'Q', 'R', 'Y',
        [0x13] = 0x01, 0x00, /* the command set */
        [0x15] = 0x31, 0x00, /* where its table is */
        [0x1b] = 0x45, 0x55, /* supply, from 4.5 to 5.5 V */
        /* Typical times, 2^n: us of a word and a buffer, ms of a block; and how many
         * times as long it takes at most, 2^n. */
        [0x1f] = 7, 7, 10, 0, 4, 4, 4, 0,
        [0x27] = log2_floor(s->size / chips),
        [0x28] = 0x02, 0x00, /* 8 and 16 bits wide */
        [0x2a] = log2_floor(s->buffer_size / chips), 0,
        [0x2c] = 1, /* one region of blocks of one size */
        [0x2d] = blocks, blocks >> 8, block_256, block_256 >> 8,
        [0x31] = 'P', 'R', 'I', '1', '0',
        [0x3f] = 1,
    };

    memcpy(s->cfi, cfi, sizeof(cfi));
}

static bool pflash_error(const PFlash *s, GError **err, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);

static bool pflash_error(const PFlash *s, GError **err, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(err, FLATVIEW_ERROR, 0, "flash '%s': %s", s->file, text);
    return false;
}

/* A second writer would be the end of what the first one keeps there. */
static bool pflash_lock(PFlash *s, GError **err)
{
    struct flock lock = {
        .l_type = s->readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET,
    };

    if (fcntl(s->fd, F_OFD_SETLK, &lock) == 0 ||
        (errno != EAGAIN && errno != EACCES)) {
        return true; /* or the file system has no locks */
    }
    return pflash_error(s, err, "another machine uses it; give each its own copy, "
                        "or readonly=on to all");
}

static bool pflash_open(PFlash *s, GError **err)
{
    struct stat st;

    s->fd = open(s->file, (s->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC |
                 O_NONBLOCK);
    if (s->fd < 0) {
        return pflash_error(s, err, "cannot be opened: %s%s", g_strerror(errno),
                            s->readonly || (errno != EACCES && errno != EROFS)
                                ? "" : "; readonly=on does with less");
    }
    if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return pflash_error(s, err, "is not a regular file");
    }
    if ((uint64_t)st.st_size != s->size) {
        return pflash_error(s, err, "has %" PRIu64 " bytes, not the %" PRIu64
                            " of the flash", (uint64_t)st.st_size, s->size);
    }
    return pflash_lock(s, err);
}

static bool pflash_load(PFlash *s, GError **err)
{
    uint64_t done = 0;

    while (done < s->size) {
        ssize_t n = pread(s->fd, s->array + done, s->size - done, done);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return pflash_error(s, err, "cannot be read: %s",
                                n < 0 ? g_strerror(errno) : "it shrank");
        }
        done += MAX(n, 0);
    }
    return true;
}

static bool is_power_of_2(uint64_t n)
{
    return n && !(n & (n - 1));
}

static bool pflash_check(PFlash *s, GError **err)
{
    if (s->width != 1 && s->width != 2 && s->width != 4) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'width' is 1, 2 or 4");
        return false;
    }
    if (s->device_width > s->width ||
        (s->device_width && !is_power_of_2(s->device_width))) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'device-width' is 1, 2 or 4, "
                    "and at most 'width'");
        return false;
    }
    if (!is_power_of_2(s->sector_length) || s->sector_length < 4096) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'sector-length' is a power of "
                    "2 from 4096 on");
        return false;
    }
    if (s->num_blocks < 1 || s->num_blocks > 65536 ||
        (uint64_t)s->num_blocks * s->sector_length > 1ull << 31) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'num-blocks' is 1 to 65536, "
                    "which make at most 2 GiB");
        return false;
    }
    return true;
}

static void pflash_close(PFlash *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
}

static bool pflash_realize(Device *dev, GError **err)
{
    PFlash *s = (PFlash *)dev;
    unsigned chips;

    s->fd = -1;
    if (!pflash_check(s, err)) {
        return false;
    }
    s->size = (uint64_t)s->num_blocks * s->sector_length;
    if (s->file && !pflash_open(s, err)) {
        pflash_close(s);
        return false;
    }
    s->chip_width = s->device_width ? s->device_width : s->width;
    chips = s->width / s->chip_width;
    s->buffer_size = MIN((s->width == 1 ? 256u : 2048u) * chips, s->sector_length);
    assert(s->buffer_size <= BUFFER_MAX);
    pflash_fill_cfi(s, chips);

    memory_region_init_rom_device(&s->mem, &pflash_ops[s->width], s,
                                  s->name ? s->name : "pflash", s->size);
    s->array = memory_region_get_ram_ptr(&s->mem);
    memory_region_init_alias(&s->tail, "pflash-tail", &s->mem,
                             s->size - MIN(s->size, TAIL_MAX),
                             MIN(s->size, TAIL_MAX));
    /* In this order, which is that of their end: the alias goes first. */
    device_add_region(dev, &s->tail);
    device_add_region(dev, &s->mem);
    if (!s->file) {
        memset(s->array, 0xff, s->size);
    } else if (!pflash_load(s, err)) {
        pflash_close(s);
        return false;
    }
    return true;
}

static void pflash_unrealize(Device *dev)
{
    pflash_close((PFlash *)dev);
}

static void pflash_reset(Device *dev)
{
    PFlash *s = (PFlash *)dev;

    s->status = STATUS_READY;
    s->next = NEXT_COMMAND;
    pflash_show(s, SHOWN_ARRAY);
}

static const Property pflash_properties[] = {
    { "name", PROP_STRING, offsetof(PFlash, name), "pflash",
      "what its region is called", 0 },
    { "file", PROP_STRING, offsetof(PFlash, file), NULL,
      "the image, of exactly its size; without one it is erased and forgets", 0 },
    { "readonly", PROP_BOOL, offsetof(PFlash, readonly), "off",
      "programs and erases fail", 0 },
    { "sector-length", PROP_UINT32, offsetof(PFlash, sector_length), "4096",
      "bytes of a block", 0 },
    { "num-blocks", PROP_UINT32, offsetof(PFlash, num_blocks), "1",
      "how many blocks", 0 },
    { "width", PROP_UINT8, offsetof(PFlash, width), "1", "bytes of the bank", 0 },
    { "device-width", PROP_UINT8, offsetof(PFlash, device_width), "0",
      "bytes of each chip; 0: one as wide as the bank", 0 },
    { "id0", PROP_UINT16, offsetof(PFlash, id[0]), "0",
      "manufacturer; without device-width its high byte", 0 },
    { "id1", PROP_UINT16, offsetof(PFlash, id[1]), "0",
      "device; without device-width the low byte of the manufacturer", 0 },
    { "id2", PROP_UINT16, offsetof(PFlash, id[2]), "0",
      "without device-width the high byte of the device", 0 },
    { "id3", PROP_UINT16, offsetof(PFlash, id[3]), "0",
      "without device-width the low byte of the device", 0 },
    { "secure", PROP_BOOL, offsetof(PFlash, secure), "off",
      "only system management mode gives commands", 0 },
    { 0 },
};

const DeviceType pflash_cfi01_type = {
    .name = "cfi.pflash01",
    .description = "parallel flash, Intel's command set",
    .size = sizeof(PFlash),
    .properties = pflash_properties,
    .realize = pflash_realize,
    .unrealize = pflash_unrealize,
    .reset = pflash_reset,
};
