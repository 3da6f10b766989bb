/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ramfb: a display without a card. Firmware puts a frame buffer into RAM and says where
 * it is, by writing the file "etc/ramfb" of fw_cfg; its option ROM, which SeaBIOS runs,
 * is a file, too. Formats are called as in Linux's drm_fourcc.h.
 *
 * Only the machine's own RAM can be shown: it stays as long as the machine, whatever the
 * guest does to its map later. A file that says something else makes no picture.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/data-file.h"
#include "hw/core/machine.h"
#include "hw/display/framebuffer.h"
#include "hw/nvram/fw_cfg.h"

#define RAMFB_FILE "etc/ramfb"
#define RAMFB_ROM_FILE "vgaroms/vgabios-ramfb.bin"
#define ROM_MAX 0x20000 /* there is no more room for it below 1 MiB */

/* The file; big-endian. */
typedef struct __attribute__((packed)) RAMFBConfig {
    uint64_t addr;
    uint32_t format;
    uint32_t flags; /* none is defined */
    uint32_t width, height;
    uint32_t stride; /* bytes; 0: lines follow each other */
} RAMFBConfig;

typedef struct RAMFB {
    Device dev;
    char *romfile; /* property */
    FWCfg *fw_cfg;
    Framebuffer fb;
    bool logged;  /* the dirty log of RAM is on, for this */
    bool changed; /* what follows is not what is shown */
    /* What the guest asks for; width 0: nothing, or nothing that can be shown. */
    pixman_format_code_t format;
    hwaddr offset; /* in RAM */
    unsigned width, height, stride;
} RAMFB;

#define FOURCC(a, b, c, d) ((uint32_t)(a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

/* What pixman knows of DRM's; alpha is not seen. */
static const struct {
    uint32_t fourcc;
    pixman_format_code_t format;
} formats[] = {
    { FOURCC('X', 'R', '2', '4'), PIXMAN_x8r8g8b8 },
    { FOURCC('A', 'R', '2', '4'), PIXMAN_x8r8g8b8 },
    { FOURCC('X', 'B', '2', '4'), PIXMAN_x8b8g8r8 },
    { FOURCC('A', 'B', '2', '4'), PIXMAN_x8b8g8r8 },
    { FOURCC('R', 'X', '2', '4'), PIXMAN_r8g8b8x8 },
    { FOURCC('B', 'X', '2', '4'), PIXMAN_b8g8r8x8 },
    { FOURCC('R', 'G', '2', '4'), PIXMAN_r8g8b8 },
    { FOURCC('B', 'G', '2', '4'), PIXMAN_b8g8r8 },
    { FOURCC('R', 'G', '1', '6'), PIXMAN_r5g6b5 },
    { FOURCC('B', 'G', '1', '6'), PIXMAN_b5g6r5 },
    { FOURCC('X', 'R', '1', '5'), PIXMAN_x1r5g5b5 },
    { FOURCC('X', 'R', '3', '0'), PIXMAN_x2r10g10b10 },
};

static pixman_format_code_t format_find(uint32_t fourcc)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i].fourcc == fourcc) {
            return formats[i].format;
        }
    }
    return 0;
}

/* ---- what the guest asks for ----------------------------------------------------- */

/* Whether the @size bytes at @addr, as the CPUs see it, are a piece of the machine's RAM
 * without a hole, and where it is there. */
static bool find_ram(const RAMFB *s, hwaddr addr, uint64_t size, hwaddr *offset)
{
    Machine *m = s->dev.machine;
    MemoryRegionSection section = memory_region_find(&m->memory_root, addr, size);

    if (!m->ram_size || !section.mr || !memory_region_is_ram(section.mr) ||
        section.offset_within_address_space != addr || section.size < size) {
        return false;
    }
    /* Other memory is behind its end, or before its beginning, which is far behind. */
    *offset = memory_region_get_ram_addr(section.mr) + section.offset_within_region -
              memory_region_get_ram_addr(&m->ram);
    return *offset < m->ram_size;
}

/* What the file says now; false, and nothing set: it makes no picture. */
static bool read_config(RAMFB *s)
{
    RAMFBConfig config;
    size_t len;
    const uint8_t *file = fw_cfg_get_file(s->fw_cfg, RAMFB_FILE, &len);
    uint32_t width, height, stride;
    pixman_format_code_t format;
    uint64_t line;

    memcpy(&config, file, sizeof(config));
    width = be32toh(config.width);
    height = be32toh(config.height);
    stride = be32toh(config.stride);
    format = format_find(be32toh(config.format));
    if (!format || !width || !height || width > CONSOLE_SIZE_MAX ||
        height > CONSOLE_SIZE_MAX) {
        return false;
    }
    line = width * PIXMAN_FORMAT_BPP(format) / 8;
    stride = stride ? stride : line;
    /* Lines that overlap would make a picture of any size out of a page. */
    if (stride < line ||
        !find_ram(s, be64toh(config.addr), (uint64_t)stride * (height - 1) + line,
                  &s->offset)) {
        return false;
    }
    s->format = format;
    s->width = width;
    s->height = height;
    s->stride = stride;
    return true;
}

/* In any thread: the console hears of it at its next refresh. */
static void config_written(void *opaque)
{
    RAMFB *s = opaque;

    if (!read_config(s)) {
        s->width = 0;
    }
    s->changed = true;
}

/* ---- the picture ----------------------------------------------------------------- */

/* RAM is watched only while its picture is. */
static void set_log(RAMFB *s, bool log)
{
    if (log != s->logged) {
        s->logged = log;
        memory_region_set_log(&s->dev.machine->ram, log, DIRTY_MEMORY_VGA);
    }
}

static void ramfb_refresh(void *opaque)
{
    RAMFB *s = opaque;
    bool watched = console_watched(s->fb.console);

    if (s->changed) {
        s->changed = false;
        /* Before anybody copies what is there now. */
        set_log(s, watched && s->width);
        if (s->width) {
            framebuffer_set(&s->fb, &s->dev.machine->ram, s->offset, s->width, s->height,
                            s->stride, s->format, NULL);
        } else {
            framebuffer_clear(&s->fb);
        }
        set_log(s, watched && s->fb.mr);
    }
    framebuffer_refresh(&s->fb);
}

static void ramfb_invalidate(void *opaque)
{
    framebuffer_invalidate(&((RAMFB *)opaque)->fb);
}

static void ramfb_watch(void *opaque, bool watched)
{
    RAMFB *s = opaque;

    set_log(s, watched && s->fb.mr);
}

static const ConsoleOps ramfb_ops = {
    .refresh = ramfb_refresh,
    .invalidate = ramfb_invalidate,
    .watch = ramfb_watch,
};

/* ---- life ------------------------------------------------------------------------ */

static FWCfg *find_fw_cfg(const Machine *m)
{
    for (guint i = 0; m && i < m->devices->len; i++) {
        Device *dev = m->devices->pdata[i];

        if (strcmp(dev->type->name, "fw_cfg_io") == 0) {
            return (FWCfg *)dev;
        }
    }
    return NULL;
}

/* The ROM's bytes, to be freed, and how many there are; NULL with @err. */
static uint8_t *rom_read(const char *path, size_t *size, GError **err)
{
    uint8_t *rom = NULL;
    struct stat st;
    ssize_t got;
    /* Not to wait for whoever may be at the other end of a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s", g_strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' is no regular file", path);
    } else if (st.st_size > ROM_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' is too large: an option ROM has at most "
                    "128 KiB", path);
    } else {
        rom = g_malloc(ROM_MAX);
        got = pread(fd, rom, ROM_MAX, 0);
        if (got < 0) {
            g_set_error(err, FLATVIEW_ERROR, 0, "%s", g_strerror(errno));
            g_clear_pointer(&rom, g_free);
        }
        *size = MAX(got, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    return rom;
}

static bool add_rom(RAMFB *s, GError **err)
{
    g_autofree char *path = NULL;
    uint8_t *rom;
    size_t size;

    if (!s->romfile || !s->romfile[0]) {
        return true;
    }
    path = data_file_path(s->romfile, err);
    rom = path ? rom_read(path, &size, err) : NULL;
    if (!rom) {
        g_prefix_error(err, "romfile \"%s\" (romfile= for none): ", s->romfile);
        return false;
    }
    return fw_cfg_take_file(s->fw_cfg, RAMFB_ROM_FILE, rom, size, err);
}

static bool ramfb_realize(Device *dev, GError **err)
{
    RAMFB *s = (RAMFB *)dev;
    RAMFBConfig none = { 0 };
    size_t len;

    s->fw_cfg = find_fw_cfg(dev->machine);
    if (!s->fw_cfg) {
        g_set_error(err, FLATVIEW_ERROR, 0, "machine '%s' has no fw_cfg, by which the "
                    "guest says where the picture is; '-machine pc' has",
                    dev->machine ? dev->machine->type->name : "none");
        return false;
    }
    if (fw_cfg_get_file(s->fw_cfg, RAMFB_FILE, &len)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "fw_cfg file '" RAMFB_FILE "': there is one "
                    "already, and a machine has only one ramfb");
        return false;
    }
    if (!add_rom(s, err) ||
        !fw_cfg_add_file_rw(s->fw_cfg, RAMFB_FILE, &none, sizeof(none), true, NULL,
                            config_written, s, err)) {
        return false;
    }
    s->fb.console = console_new(dev, 0, &ramfb_ops, s);
    return true;
}

static void ramfb_unrealize(Device *dev)
{
    console_free(((RAMFB *)dev)->fb.console);
}

static void ramfb_reset(Device *dev)
{
    RAMFB *s = (RAMFB *)dev;

    s->width = 0;
    s->changed = true;
}

static const Property ramfb_properties[] = {
    { "romfile", PROP_STRING, offsetof(RAMFB, romfile), "vgabios-ramfb.bin",
      "an option ROM that draws text there, for SeaBIOS; empty: none", 0 },
    { 0 },
};

const DeviceType ramfb_type = {
    .name = "ramfb",
    .description = "display in RAM, set up by firmware",
    .size = sizeof(RAMFB),
    .properties = ramfb_properties,
    .user_creatable = true,
    .realize = ramfb_realize,
    .unrealize = ramfb_unrealize,
    .reset = ramfb_reset,
};
