/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parallel flash: every command at each width of bank and chip, what the file has in
 * the end, errors of the host, and streams of commands beside a model.
 */
#include "tests/device-util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BASE 0x100000
#define BLOCK 4096
#define BLOCKS 4
#define SIZE (BLOCK * BLOCKS)

typedef struct Bank {
    unsigned width, chip;
} Bank;

static const Bank banks[] = { { 1, 1 }, { 2, 1 }, { 2, 2 }, { 4, 1 }, { 4, 2 },
                              { 4, 4 } };

static MemoryRegion root;
static AddressSpace as;
static Device *flash;
static Bank bank;
static char *path;
static uint8_t image[SIZE];

static void write_image(void)
{
    g_free(path);
    path = g_build_filename(test_folder(), "flash", NULL);
    content_fill(image, 9, 0, SIZE);
    expect(g_file_set_contents(path, (char *)image, SIZE, NULL), "%s", path);
}

static void set_number(Device *dev, const char *name, unsigned value)
{
    g_autofree char *text = g_strdup_printf("%u", value);
    GError *err = NULL;

    expect(device_set(dev, name, text, &err), "%s", err->message);
}

/* A device over the image; NULL with *@err. */
static Device *make(Bank b, const char *property, const char *value, GError **err)
{
    Device *dev = device_new(device_type_find("cfi.pflash01", NULL), NULL);

    set_number(dev, "width", b.width);
    set_number(dev, "device-width", b.chip);
    set_number(dev, "num-blocks", BLOCKS);
    set_number(dev, "id0", 0x89);
    set_number(dev, "id1", 0x1817);
    expect(device_set(dev, "file", path, err), "file");
    if (!device_set(dev, property, value, err) || !device_realize(dev, err)) {
        device_free(dev);
        return NULL;
    }
    return dev;
}

static void start_with(Bank b, const char *property, const char *value)
{
    GError *err = NULL;

    bank = b;
    write_image();
    memory_region_init(&root, "root", UINT64_MAX);
    address_space_init(&as, &root);
    flash = make(b, property, value, &err);
    expect(flash, "%s", err ? err->message : "");
    device_map(flash, 1, &root, BASE, 0);
    device_map(flash, 0, &root, 0, 0);
    device_reset(flash);
}

static void start(Bank b)
{
    start_with(b, "name", "flash");
}

static void expect_file(void)
{
    g_autofree char *bytes = NULL;
    gsize len;

    expect(g_file_get_contents(path, &bytes, &len, NULL) && len == SIZE, "size");
    for (unsigned i = 0; i < SIZE; i++) {
        expect((uint8_t)bytes[i] == image[i], "byte 0x%x of the file is 0x%02x, "
               "not 0x%02x", i, (uint8_t)bytes[i], image[i]);
    }
}

/* @image is what the flash is to have in the end. */
static void stop(void)
{
    expect_file();
    device_free(flash);
    address_space_destroy(&as);
    memory_region_destroy(&root);
}

static uint64_t get(unsigned offset, unsigned size)
{
    return load(&as, BASE + offset, size, MEMTX_OK);
}

static void put(unsigned offset, uint64_t value, unsigned size)
{
    store(&as, BASE + offset, size, value, MEMTX_OK);
}

/* A command as software gives it to all chips of the bank. */
static void cmd(unsigned offset, uint8_t value)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < bank.width; i += bank.chip) {
        all |= (uint64_t)value << 8 * i;
    }
    put(offset, all, bank.width);
}

/* What the bank shows when each chip gives @value. */
static uint64_t each(uint16_t value)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < bank.width; i += bank.chip) {
        all |= (uint64_t)(bank.chip == 1 ? (uint8_t)value : value) << 8 * i;
    }
    return all;
}

static bool is_romd(void)
{
    return memory_region_is_romd(flash->regions[1]);
}

#define expect_status(value) expect_hex(get(0, bank.width), each(value))

#define for_each_bank(b) for (const Bank *b = banks; b < banks + G_N_ELEMENTS(banks); b++)

/* ---- what it shows --------------------------------------------------------------------- */

START_TEST(array)
{
    for_each_bank(b) {
        start(*b);
        expect(is_romd(), "not read directly");
        for (unsigned size = 1; size <= 8; size *= 2) {
            expect_hex(get(0x123, size), content_value(9, 0x123, size));
        }
        expect_hex(load(&as, 0x123, 4, MEMTX_OK), content_value(9, 0x123, 4));
        cmd(0, 0x70);
        expect(!is_romd(), "read directly in command mode");
        cmd(0, 0xff);
        expect(is_romd(), "not read directly");
        cmd(0, 0x70);
        device_reset(flash);
        expect(is_romd(), "not read directly after a reset");
        expect_hex(get(0, 1), content_byte(9, 0));
        /* What nobody knows. */
        cmd(0, 0x70);
        cmd(0, 0x12);
        expect(is_romd(), "not read directly");
        stop();
    }
}
END_TEST

START_TEST(status)
{
    for_each_bank(b) {
        start(*b);
        cmd(BLOCK, 0x70);
        expect_status(0x80);
        /* In every lane, at every address, at every width. */
        expect_hex(get(SIZE - b->width, b->width), each(0x80));
        expect_hex(get(8, 1), 0x80);
        expect_hex(get(b->chip + 8, 1), 0x80);
        if (b->chip > 1) {
            expect_hex(get(9, 1), 0);
        }
        expect_hex(get(0, 8), each(0x80) * (b->width == 1   ? 0x0101010101010101
                                            : b->width == 2 ? 0x0001000100010001
                                                            : 0x0000000100000001));
        cmd(0, 0x50);
        expect(is_romd(), "clearing it shows the array");
        cmd(0, 0x70);
        expect_status(0);
        /* To go on, and to suspend: nothing is under way. */
        cmd(0, 0xd0);
        expect(is_romd(), "the array");
        cmd(0, 0x70);
        cmd(0, 0xb0);
        expect(is_romd(), "the array");
        device_reset(flash);
        cmd(0, 0x70);
        expect_status(0x80);
        stop();
    }
}
END_TEST

START_TEST(identity)
{
    for_each_bank(b) {
        start(*b);
        cmd(0, 0x90);
        expect_hex(get(0, b->width), each(0x89));
        expect_hex(get(b->width, b->width), each(0x1817));
        expect_hex(get(2 * b->width, b->width), 0);
        expect_hex(get(BLOCK + 2 * b->width, b->width), 0);
        expect_hex(get(256 * b->width, b->width), each(0x89));
        stop();
    }
    /* One chip, whose width nobody said. */
    start_with((Bank){ 2, 2 }, "device-width", "0");
    cmd(0, 0x90);
    expect_hex(get(0, 2), 0x89 << 8 | 0x1817);
    expect_hex(get(2, 2), 0);
    stop();
}
END_TEST

START_TEST(query)
{
    static const struct { uint8_t n, value; } fixed[] = {
        { 0x10, 'Q' }, { 0x11, 'R' }, { 0x12, 'Y' }, { 0x13, 1 }, { 0x14, 0 },
        { 0x15, 0x31 }, { 0x16, 0 }, { 0x1b, 0x45 }, { 0x1c, 0x55 }, { 0x1f, 7 },
        { 0x20, 7 }, { 0x21, 10 }, { 0x22, 0 }, { 0x23, 4 }, { 0x24, 4 }, { 0x25, 4 },
        { 0x28, 2 }, { 0x29, 0 }, { 0x2b, 0 }, { 0x2c, 1 }, { 0x2d, BLOCKS - 1 },
        { 0x2e, 0 }, { 0x31, 'P' }, { 0x32, 'R' }, { 0x33, 'I' }, { 0x34, '1' },
        { 0x35, '0' }, { 0x3f, 1 }, { 0x40, 0 }, { 0xff, 0 }, { 0, 0 }, { 0xf, 0 },
    };

    for_each_bank(b) {
        unsigned chips = b->width / b->chip;
        unsigned block = BLOCK / chips / 256;

        start(*b);
        cmd(0x55 * b->width, 0x98);
        for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++) {
            expect_hex(get(fixed[i].n * b->width, b->width), each(fixed[i].value));
        }
        /* Of one chip: 2^n bytes, of the buffer too, and blocks of 256 bytes. */
        expect_hex(1 << (get(0x27 * b->width, b->width) & 0xff), SIZE / chips);
        expect_hex(get(0x2f * b->width, b->width), each(block));
        expect_hex(get(0x30 * b->width, b->width), each(block >> 8));
        expect_hex(1 << (get(0x2a * b->width, b->width) & 0xff),
                   MIN((b->width == 1 ? 256 : 2048) * chips, BLOCK) / chips);
        stop();
    }
}
END_TEST

/* ---- what it does ------------------------------------------------------------------------- */

START_TEST(program)
{
    for_each_bank(b) {
        uint64_t value = content_value(3, 0, b->width);

        start(*b);
        for (unsigned i = 0; i < 2; i++) {
            unsigned at = BLOCK + 8 * i;

            cmd(0, 0x50);
            cmd(at, i ? 0x10 : 0x40);
            expect_status(0);
            put(at, value, b->width);
            expect_status(0x80);
            for (unsigned j = 0; j < b->width; j++) {
                image[at + j] &= value >> 8 * j; /* never sets a bit */
            }
        }
        /* Also: a byte of a wider bank. */
        cmd(0, 0x40);
        put(0x203, 0x0f, 1);
        image[0x203] &= 0x0f;
        expect_file();
        cmd(0, 0xff);
        expect_hex(get(BLOCK, 1), image[BLOCK]);
        expect_hex(get(0x203, 1), image[0x203]);
        stop();
    }
}
END_TEST

START_TEST(erase)
{
    for_each_bank(b) {
        start(*b);
        cmd(0, 0x50);
        cmd(2 * BLOCK, 0x20);
        expect_status(0x80);
        cmd(3 * BLOCK - b->width, 0xd0);
        expect_status(0x80);
        memset(image + 2 * BLOCK, 0xff, BLOCK);
        expect_file();
        cmd(0, 0xff);
        expect_hex(get(2 * BLOCK - 1, 1), image[2 * BLOCK - 1]);
        expect_hex(get(2 * BLOCK, 4), 0xffffffff);
        expect_hex(get(3 * BLOCK - 4, 8), (uint64_t)content_value(9, 3 * BLOCK, 4)
                                                  << 32 | 0xffffffff);
        /* Not confirmed: an error, or, by "read array", nothing. */
        cmd(0, 0x20);
        cmd(0, 0x33);
        expect_status(0xb0);
        cmd(0, 0x70);
        expect_status(0xb0);
        cmd(0, 0x50);
        cmd(0, 0x20);
        cmd(0, 0xff);
        expect(is_romd(), "still in command mode");
        cmd(0, 0x70);
        expect_status(0x80);
        stop();
    }
}
END_TEST

START_TEST(lock_bits)
{
    for_each_bank(b) {
        start(*b);
        cmd(0, 0x50);
        cmd(0, 0x60);
        expect_status(0);
        cmd(0, 0x01);
        expect_status(0x80);
        cmd(0, 0x60);
        cmd(0, 0xd0);
        expect_status(0x80);
        cmd(0, 0x60);
        cmd(0, 0x44);
        expect_status(0xb0);
        cmd(0, 0x50);
        cmd(0, 0x60);
        cmd(0, 0xff);
        expect(is_romd(), "still in command mode");
        stop();
    }
}
END_TEST

START_TEST(buffer)
{
    for_each_bank(b) {
        unsigned words = 5;

        start(*b);
        cmd(0, 0x50);
        cmd(BLOCK, 0xe8);
        expect_status(0x80);
        cmd(BLOCK, words - 1);
        for (unsigned i = 0; i < words; i++) {
            unsigned at = BLOCK + 0x40 + i * b->width;

            put(at, content_value(4, i, b->width), b->width);
            expect_status(0x80);
        }
        expect_file(); /* not yet */
        for (unsigned i = 0; i < words * b->width; i++) {
            image[BLOCK + 0x40 + i] &= content_value(4, i / b->width, b->width) >>
                                       8 * (i % b->width);
        }
        cmd(BLOCK, 0xd0);
        expect_status(0x80);
        stop();
    }
}
END_TEST

START_TEST(buffer_errors)
{
    for_each_bank(b) {
        unsigned chips = b->width / b->chip;
        unsigned size = MIN((b->width == 1 ? 256 : 2048) * chips, BLOCK);
        unsigned counts = b->chip == 1 ? 256 : 65536;

        start(*b);
        /* As many as there is room for, and one more, where that can be said. */
        cmd(0, 0xe8);
        put(0, each(MIN(size / b->width, counts) - 1), b->width);
        expect_status(0x80);
        device_reset(flash);
        if (size / b->width < counts) {
            cmd(0, 0x50);
            cmd(0, 0xe8);
            put(0, each(size / b->width), b->width);
            expect_status(0xb0);
        }
        /* Two that are not in one window. */
        cmd(0, 0x50);
        cmd(0, 0xe8);
        cmd(0, 1);
        put(size - b->width, 0, b->width);
        put(size, 0, b->width);
        expect_status(0xb0);
        cmd(0, 0x50);
        /* Anything but the confirmation. */
        cmd(0, 0xe8);
        cmd(0, 0);
        put(0x10, 0, b->width);
        cmd(0, 0x55);
        expect_status(0xb0);
        cmd(0, 0x50);
        cmd(0, 0xe8);
        cmd(0, 0);
        put(0x10, 0, b->width);
        cmd(0, 0xff);
        expect(is_romd(), "still in command mode");
        /* A reset in the middle. */
        cmd(0, 0xe8);
        cmd(0, 1);
        put(0x10, 0, b->width);
        device_reset(flash);
        cmd(0, 0xd0);
        expect(is_romd(), "waits for a confirmation after a reset");
        stop();
    }
    /* Half a word too much. */
    start((Bank){ 2, 2 });
    cmd(0, 0xe8);
    cmd(0, 0);
    put(0x10, 0, 1);
    put(0x12, 0, 2);
    expect_status(0xb0);
    stop();
}
END_TEST

/* ---- who may not ----------------------------------------------------------------------------- */

static void expect_refused(void)
{
    cmd(0, 0x50);
    cmd(0, 0x40);
    put(0, 0, 1);
    expect_status(0x90);
    cmd(0, 0x50);
    cmd(0, 0x20);
    cmd(0, 0xd0);
    expect_status(0xa0);
    cmd(0, 0x50);
    cmd(0, 0xe8);
    cmd(0, 0);
    put(0, 0, bank.width);
    cmd(0, 0xd0);
    expect_status(0x90);
    cmd(0, 0xff);
    expect_hex(get(0, 8), content_value(9, 0, 8));
}

static void put_secure(unsigned offset, uint8_t value)
{
    address_space_rw_attrs(&as, BASE + offset, (MemTxAttrs){ .secure = 1 }, &value, 1,
                           true);
}

static uint8_t get_secure(unsigned offset)
{
    uint8_t value;

    address_space_rw_attrs(&as, BASE + offset, (MemTxAttrs){ .secure = 1 }, &value, 1,
                           false);
    return value;
}

static void shut_out(uint8_t value)
{
    store(&as, BASE, 1, value, MEMTX_ACCESS_ERROR);
}

START_TEST(secure)
{
    static const uint8_t commands[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98,
                                        0xd0, 0xe8, 0xff };

    start_with(banks[0], "secure", "on");
    for (unsigned i = 0; i < sizeof(commands); i++) {
        shut_out(commands[i]);
        expect(is_romd(), "command 0x%02x", commands[i]);
    }
    /* Between two writes of system management mode, too. */
    put_secure(0, 0x40);
    shut_out(0xff);
    put_secure(0, 0);
    expect_hex(get_secure(0), 0x80);
    expect_hex(get(0, 1), 0);
    image[0] = 0;
    put_secure(0, 0x98);
    shut_out(0xff);
    expect_hex(get_secure(0x10), 'Q');
    expect_hex(get(0x10, 1), content_value(9, 0x10, 1));
    put_secure(0, 0xff);
    expect(is_romd(), "the array");
    stop();
}
END_TEST

/* ---- the host ---------------------------------------------------------------------------------- */

/* What was written to standard error, from now on. */
static char *errors_path;

static void errors_catch(void)
{
    g_free(errors_path);
    errors_path = g_build_filename(test_folder(), "errors", NULL);
    expect(freopen(errors_path, "w", stderr), "standard error");
}

static char *errors_caught(void)
{
    char *text = NULL;

    fflush(stderr);
    expect(g_file_get_contents(errors_path, &text, NULL, NULL), "errors");
    return text;
}

START_TEST(no_space)
{
    struct rlimit none = { 0, RLIM_INFINITY };
    g_autofree char *text = NULL;

    start(banks[0]);
    errors_catch();
    signal(SIGXFSZ, SIG_IGN);
    expect(setrlimit(RLIMIT_FSIZE, &none) == 0, "limit");
    cmd(0, 0x40);
    put(0, 0, 1);
    expect_status(0x90);
    cmd(0, 0x50);
    cmd(0, 0x20);
    cmd(0, 0xd0);
    expect_status(0xa0);
    cmd(0, 0xff);
    expect_hex(get(0, 8), content_value(9, 0, 8)); /* as it is in the file */
    /* Room for the first part of a block. */
    none.rlim_cur = 100;
    expect(setrlimit(RLIMIT_FSIZE, &none) == 0, "limit");
    cmd(0, 0x50);
    cmd(0, 0x20);
    cmd(0, 0xd0);
    expect_status(0xa0);
    cmd(0, 0xff);
    expect_file();
    none.rlim_cur = RLIM_INFINITY;
    expect(setrlimit(RLIMIT_FSIZE, &none) == 0, "limit");
    text = errors_caught();
    expect(strstr(text, "flash '") && strstr(text, path) &&
           strstr(text, g_strerror(EFBIG)), "%s", text);
    expect(strchr(text, '\n') == text + strlen(text) - 1, "more than once: %s", text);
    /* And then there is space again. */
    cmd(0, 0x50);
    cmd(0, 0x40);
    put(0, 0, 1);
    expect_status(0x80);
    image[0] = 0;
    stop();
}
END_TEST

START_TEST(readonly)
{
    GError *err = NULL;
    g_autofree char *text = NULL;
    Device *other;

    start_with(banks[0], "readonly", "on");
    errors_catch();
    expect_refused();
    text = errors_caught();
    expect(!*text, "not even tried: %s", text);
    /* Many may read it. */
    other = make(banks[0], "readonly", "on", &err);
    expect(other, "%s", err ? err->message : "");
    device_free(other);
    stop();
}
END_TEST

static void expect_no_device(const char *property, const char *value,
                             const char *word)
{
    GError *err = NULL;

    expect(!make(banks[0], property, value, &err), "%s=%s is taken", property, value);
    expect_error(err, word, NULL);
}

START_TEST(bad_files)
{
    start(banks[0]);
    expect_no_device("name", "other", "another machine uses it");
    expect_no_device("readonly", "on", "readonly=on");
    stop();
    expect_no_device("file", "/nonexistent/flash", "No such file");
    expect_no_device("file", test_folder(), "Is a directory");
    expect_no_device("file", "/dev/full", "'/dev/full': is not a regular file");
    expect_no_device("num-blocks", "5", "has 16384 bytes, not the 20480");
    expect_no_device("num-blocks", "3", "has 16384 bytes, not the 12288");
}
END_TEST

START_TEST(bad_properties)
{
    GError *err = NULL;

    write_image();
    expect_no_device("width", "3", "'width' is 1, 2 or 4");
    expect_no_device("width", "0", "'width'");
    expect_no_device("width", "8", "'width'");
    expect_no_device("device-width", "2", "'device-width'");
    expect_no_device("sector-length", "0", "'sector-length'");
    expect_no_device("sector-length", "2048", "'sector-length'");
    expect_no_device("sector-length", "12288", "'sector-length'");
    expect_no_device("num-blocks", "0", "'num-blocks'");
    expect_no_device("num-blocks", "4294967295", "'num-blocks'");
    expect(!make((Bank){ 4, 3 }, "name", "x", &err), "three bytes");
    expect_error(err, "device-width", NULL);
}
END_TEST

START_TEST(without_file)
{
    Device *dev = device_new(device_type_find("cfi.pflash01", NULL), NULL);

    expect(device_realize(dev, NULL), "realize");
    memory_region_init(&root, "root", UINT64_MAX);
    address_space_init(&as, &root);
    device_map(dev, 1, &root, BASE, 0);
    device_reset(dev);
    expect_hex(get(0, 8), UINT64_MAX);
    put(0, 0x40, 1);
    put(0, 0x12, 1);
    put(0, 0xff, 1);
    expect_hex(get(0, 2), 0xff12);
    device_free(dev);
    address_space_destroy(&as);
    memory_region_destroy(&root);
}
END_TEST

/* ---- beside a model ------------------------------------------------------------------------------ */

/* The model works on words of the bank, one write after the other. */
typedef struct Model {
    uint8_t status;
    char shows;      /* a, s, i, q: array, status, identity, query */
    char waits;      /* 0, p, e, l, n, d, c: program, erase, lock, count, data, confirm */
    long room, window;
    uint8_t buffer[SIZE];
} Model;

static long buffer_size(void)
{
    return MIN((bank.width == 1 ? 256 : 2048) * (bank.width / bank.chip), BLOCK);
}

static void model_done(Model *m, uint8_t errors)
{
    m->status |= 0x80 | errors;
    m->waits = 0;
    m->shows = 's';
}

static void model_first(Model *m, uint8_t c)
{
    static const char starts[][2] = { { 0x40, 'p' }, { 0x10, 'p' }, { 0x20, 'e' },
                                      { 0x60, 'l' }, { (char)0xe8, 'n' } };

    m->shows = c == 0x70 ? 's'
               : c == 0x90 ? 'i' : c == 0x98 ? 'q' : 'a';
    if (c == 0x50) {
        m->status = 0;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        if ((uint8_t)starts[i][0] == c) {
            m->waits = starts[i][1];
            m->shows = 's';
            m->status |= c == 0x20 || c == 0xe8 ? 0x80 : 0;
        }
    }
}

static void model_write(Model *m, long at, uint32_t value, long size)
{
    uint8_t c = value;

    if (m->waits == 0) {
        model_first(m, c);
    } else if (m->waits == 'p') {
        for (long i = 0; i < size; i++) {
            image[at + i] &= value >> 8 * i;
        }
        model_done(m, 0);
    } else if (m->waits == 'n') {
        m->room = ((long)(bank.chip == 1 ? c : value & 0xffff) + 1) * bank.width;
        m->window = -1;
        memset(m->buffer, 0xff, SIZE);
        m->waits = 'd';
        if (m->room > buffer_size()) {
            model_done(m, 0x30);
        }
    } else if (m->waits == 'd') {
        long window = at / buffer_size();

        if ((m->window >= 0 && m->window != window) || size > m->room) {
            model_done(m, 0x30);
            return;
        }
        m->window = window;
        for (long i = 0; i < size; i++) {
            m->buffer[at + i] = value >> 8 * i;
        }
        m->room -= size;
        if (m->room == 0) {
            m->waits = 'c';
        }
    } else if (c == 0xd0 || (m->waits == 'l' && c == 0x01)) {
        for (long i = 0; i < SIZE; i++) {
            if (m->waits == 'c') {
                image[i] &= m->buffer[i];
            } else if (m->waits == 'e' && i / BLOCK == at / BLOCK) {
                image[i] = 0xff;
            }
        }
        model_done(m, 0);
    } else if (c == 0xff) {
        m->waits = 0;
        m->shows = 'a';
    } else {
        model_done(m, 0x30);
    }
}

/* A byte that the model shows; -1: not one of those it knows. */
static int model_byte(const Model *m, long at)
{
    long byte = at % bank.chip, word = at / bank.width % 256;

    switch (m->shows) {
    case 'a':
        return image[at];
    case 's':
        return byte ? 0 : m->status;
    case 'i':
        return word == 0 && byte < 2 ? 0x89 >> 8 * byte
               : word == 1 && byte < 2 ? 0x1817 >> 8 * byte & 0xff : 0;
    default:
        return byte ? 0 : word >= 0x10 && word < 0x13 ? "QRY"[word - 0x10]
               : word < 0x10 || word >= 0x40 ? 0 : -1;
    }
}

/* An access is one, or several, of the bank's width. */
static void random_write(Model *m, GRand *random, long at)
{
    static const uint8_t commands[] = { 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98,
                                        0xd0, 0xd0, 0xe8, 0xe8, 0xff, 0x01, 0x02 };
    uint32_t value = g_rand_int(random);
    long size = bank.width;

    if (g_rand_int_range(random, 0, 8) == 0) {
        size = 1 << g_rand_int_range(random, 0, 3);
    }
    if (m->waits == 'n' && value % 16) {
        value = value % 4; /* few enough that an end comes */
    } else if (m->waits != 'd' && m->waits != 'p') {
        value = commands[value % G_N_ELEMENTS(commands)];
    }
    at -= at % size;
    put(at, value, size);
    for (long done = 0; done < size; done += bank.width) {
        long piece = MIN(size, bank.width);

        model_write(m, at + done, value >> 8 * done, piece);
    }
}

START_TEST(beside_model)
{
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    uint64_t steps = test_number("FLATVIEW_SEQUENCES", 20000);
    GRand *random = g_rand_new_with_seed(seed);

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
               seed);
    for_each_bank(b) {
        Model m = { .status = 0x80, .shows = 'a' };
        long near = 0;

        start(*b);
        for (uint64_t i = 0; i < steps; i++) {
            long at;
            int wanted;

            if (g_rand_int_range(random, 0, 16) == 0) {
                near = g_rand_int_range(random, 0, SIZE);
            }
            at = near + g_rand_int_range(random, 0, 64);
            at = MIN(at, SIZE - 1);
            random_write(&m, random, at);
            at = g_rand_int_range(random, 0, 2) ? at : g_rand_int_range(random, 0, SIZE);
            wanted = model_byte(&m, at);
            if (wanted >= 0) {
                expect(get(at, 1) == (unsigned)wanted, "step %" PRIu64 ", bank %u/%u, "
                       "shows %c: 0x%lx is 0x%02x, not 0x%02x", i, b->width, b->chip,
                       m.shows, at, (unsigned)get(at, 1), wanted);
            }
            expect(is_romd() == (m.shows == 'a'), "step %" PRIu64, i);
            if (g_rand_int_range(random, 0, 1000) == 0) {
                device_reset(flash);
                m = (Model){ .status = 0x80, .shows = 'a' };
            }
        }
        stop();
    }
    g_rand_free(random);
}
END_TEST

TEST_MAIN("pflash", array, status, identity, query, program, erase, lock_bits, buffer,
          buffer_errors, readonly, secure, no_space, bad_files, bad_properties,
          without_file, beside_model)
