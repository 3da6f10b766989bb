/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: items and files by ports and by DMA, and guests that mean no good.
 */
#include "hw/nvram/fw_cfg.h"
#include "tests/device-util.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RAM_SIZE 0x100000
#define ROM 0x200000  /* 4 KiB */
#define IO 0x300000   /* a device that must not be reached, 4 KiB */
#define TOP 0xfffffffffffff000 /* RAM up to 2^64 */

#define ERROR 1
#define READ 2
#define SKIP 4
#define SELECT 8
#define WRITE 16

static FWCfg *s;
static MemoryRegion ram, rom, top;
static IoDevice io;

static void fixture_start_with(const char *dma)
{
    static const int ports[] = { FW_CFG_PORT, FW_CFG_DMA_PORT };
    Machine *m = &test_machine;

    test_machine_init();
    memory_region_init(&m->memory_root, "memory", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", RAM_SIZE);
    memory_region_init_rom(&rom, "rom", 0x1000);
    memory_region_init_ram(&top, "top", 0x1000);
    io_device_init(&io, 1, "io", 0x1000);
    io.dead = true;
    memory_region_add_subregion(&m->memory_root, 0, &ram);
    memory_region_add_subregion(&m->memory_root, ROM, &rom);
    memory_region_add_subregion(&m->memory_root, IO, &io.mr);
    memory_region_add_subregion(&m->memory_root, TOP, &top);
    address_space_init(&m->memory, &m->memory_root);
    s = (FWCfg *)test_device("fw_cfg_io", ports, "dma_enabled", dma, NULL);
}

static void fixture_start(void)
{
    fixture_start_with("on");
}

static void fixture_stop(void)
{
    Machine *m = &test_machine;
    MemoryRegion *all[] = { &ram, &rom, &io.mr, &top };

    test_machine_free();
    address_space_destroy(&m->memory);
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        memory_region_del_subregion(&m->memory_root, all[i]);
        memory_region_destroy(all[i]);
    }
    memory_region_destroy(&m->memory_root);
}

static void select_key(uint16_t key)
{
    port_out(FW_CFG_PORT, key, 2);
}

static uint64_t get(unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)port_in(FW_CFG_PORT + 1, 1) << 8 * i;
    }
    return value;
}

static uint64_t item(uint16_t key, unsigned size)
{
    select_key(key);
    return get(size);
}

static uint8_t *host(uint64_t addr)
{
    return (uint8_t *)memory_region_get_ram_ptr(&ram) + addr;
}

static void request_put(uint64_t at, uint32_t control, uint32_t len, uint64_t addr)
{
    uint32_t words[4] = { htobe32(control), htobe32(len), htobe32(addr >> 32),
                          htobe32(addr) };

    memcpy(host(at), words, sizeof(words));
}

static void request_start(uint64_t at)
{
    port_out(FW_CFG_DMA_PORT, htobe32(at >> 32), 4);
    port_out(FW_CFG_DMA_PORT + 4, htobe32(at), 4);
}

/* The control word when it is over. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t addr)
{
    uint32_t word;

    request_put(0x8000, control, len, addr);
    request_start(0x8000);
    memcpy(&word, host(0x8000), 4);
    return be32toh(word);
}

static uint32_t dma_key(uint16_t key, uint32_t control, uint32_t len, uint64_t addr)
{
    return dma((uint32_t)key << 16 | SELECT | control, len, addr);
}

static void add_file(const char *name, const char *text)
{
    GError *err = NULL;

    expect(fw_cfg_add_file(s, name, text, strlen(text), &err), "%s",
           err->message);
}

/* The key of a file as the directory has it; its size. 0: not there. */
static uint16_t file_key(const char *name, uint32_t *size)
{
    uint32_t count;
    uint16_t key = 0;
    char entry[64];

    select_key(FW_CFG_FILE_DIR);
    count = be32toh(get(4));
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < sizeof(entry); j++) {
            entry[j] = get(1);
        }
        if (strcmp(entry + 8, name) == 0) {
            key = (uint8_t)entry[4] << 8 | (uint8_t)entry[5];
            if (size) {
                memcpy(size, entry, 4);
                *size = be32toh(*size);
            }
        }
    }
    return key;
}

/* ---- ports ----------------------------------------------------------------------------- */

START_TEST(signature_and_id)
{
    fixture_start();
    /* After a reset the signature is selected. */
    expect_hex(get(4), 0x554d4551);
    expect_hex(get(4), 0);
    expect_hex(item(FW_CFG_ID, 4), 3);
    expect_hex(get(1), 0);
    /* The bit that once asked for writing changes nothing. */
    expect_hex(item(0x4000, 4), 0x554d4551);
    expect_hex(item(0x4001, 4), 3);
    device_reset((Device *)s);
    expect_hex(get(4), 0x554d4551);
    fixture_stop();
}
END_TEST

START_TEST(widths)
{
    uint32_t value;

    fixture_start();
    select_key(0);
    expect_hex(get(1), 'Q');
    /* A byte of the first port is the data, too; writes of bytes do nothing. */
    expect_hex(port_in(FW_CFG_PORT, 1), 'E');
    port_out(FW_CFG_PORT, 1, 1);
    port_out(FW_CFG_PORT + 1, 1, 1);
    expect_hex(get(1), 'M');
    expect(port_access(FW_CFG_PORT, &value, 2, false) != MEMTX_OK, "inw");
    /* Cut at the end of the ports. */
    expect(port_access(FW_CFG_PORT + 1, &value, 2, false) != MEMTX_OK, "inw");
    expect_hex(value & 0xff, 'U');
    device_reset((Device *)s);
    value = 0;
    expect(port_access(FW_CFG_PORT + 1, &value, 2, true) != MEMTX_OK, "outw");
    expect_hex(get(4), 0x554d4551);
    fixture_stop();
}
END_TEST

START_TEST(numbers)
{
    fixture_start();
    fw_cfg_add_u16(s, FW_CFG_NB_CPUS, 0x1234);
    fw_cfg_add_u32(s, FW_CFG_KERNEL_SIZE, 0x12345678);
    fw_cfg_add_u64(s, FW_CFG_RAM_SIZE, 0x123456789abcdef0);
    fw_cfg_add_string(s, FW_CFG_CMDLINE_DATA, "x=1");
    fw_cfg_add_bytes(s, FW_CFG_IRQ0_OVERRIDE, "\xfe", 1);
    expect_hex(item(FW_CFG_NB_CPUS, 4), 0x1234);
    expect_hex(item(FW_CFG_KERNEL_SIZE, 8), 0x12345678);
    expect_hex(item(FW_CFG_RAM_SIZE, 8), 0x123456789abcdef0);
    expect_hex(get(8), 0);
    expect_hex(item(FW_CFG_CMDLINE_DATA, 5), 0x313d78);
    expect_hex(item(0x8002, 2), 0xfe);
    expect_hex(item(0x0002, 2), 0); /* another key, which nobody knows */
    /* Again: in place of what was there. */
    fw_cfg_add_u16(s, FW_CFG_RAM_SIZE, 7);
    expect_hex(item(FW_CFG_RAM_SIZE, 8), 7);
    /* What is shortened while it is read has no more. */
    select_key(FW_CFG_CMDLINE_DATA);
    expect_hex(get(3), 0x313d78);
    fw_cfg_add_string(s, FW_CFG_CMDLINE_DATA, "");
    expect_hex(get(1), 0);
    fixture_stop();
}
END_TEST

START_TEST(unknown_keys)
{
    fixture_start();
    for (unsigned key = 0; key <= 0xffff; key++) {
        if ((key & ~0x4000u) > 1 && (key & ~0x4000u) != FW_CFG_FILE_DIR) {
            expect_hex(item(key, 2), 0);
        }
    }
    fixture_stop();
}
END_TEST

/* ---- files ------------------------------------------------------------------------------- */

START_TEST(directory)
{
    uint32_t size;
    size_t len;
    uint16_t b;

    fixture_start();
    expect_hex(item(FW_CFG_FILE_DIR, 4), 0);
    add_file("opt/b", "bee");
    b = file_key("opt/b", &size);
    expect_hex(b, FW_CFG_FILE_FIRST);
    expect_hex(size, 3);
    add_file("opt/c", "sea");
    add_file("etc/a", "");
    /* Sorted by name; those that were there keep their keys. */
    select_key(FW_CFG_FILE_DIR);
    expect_hex(be32toh(get(4)), 3);
    expect_hex(get(8), (uint64_t)0x2200 << 32);
    expect_hex(get(6), 0x612f637465); /* "etc/a" */
    expect_hex(file_key("opt/b", NULL), b);
    expect_hex(file_key("opt/c", NULL), b + 1);
    expect_hex(item(b, 4), 0x656562);
    expect_hex(file_key("etc/a", &size), 0x22);
    expect_hex(size, 0);
    expect_hex(item(0x22, 1), 0);

    fw_cfg_set_file(s, "etc/a", "more", 4);
    expect_hex(file_key("etc/a", &size), 0x22);
    expect_hex(size, 4);
    expect_hex(item(0x22, 8), 0x65726f6d);
    expect(memcmp(fw_cfg_get_file(s, "etc/a", &len), "more", 4) == 0 && len == 4,
           "what was set");
    fw_cfg_set_file(s, "etc/a", NULL, 0);
    expect(fw_cfg_get_file(s, "etc/a", &len) && len == 0, "an empty file is one");
    expect(!fw_cfg_get_file(s, "etc/d", &len) && len == 0, "no such file");
    fixture_stop();
}
END_TEST

START_TEST(file_errors)
{
    char name[FW_CFG_NAME_MAX + 2];
    GError *err = NULL;

    fixture_start();
    memset(name, 'n', sizeof(name));
    name[FW_CFG_NAME_MAX + 1] = 0;
    expect(!fw_cfg_add_file(s, name, "", 0, &err), "56 bytes");
    expect_error(err, name, "55", NULL);
    err = NULL;
    name[FW_CFG_NAME_MAX] = 0;
    add_file(name, "x");
    expect_hex(file_key(name, NULL), FW_CFG_FILE_FIRST);
    expect(!fw_cfg_add_file(s, name, "", 0, &err), "twice");
    expect_error(err, name, "already", NULL);
    err = NULL;
    expect(!fw_cfg_add_file(s, "", "", 0, &err), "without a name");
    expect_error(err, "name", NULL);
    err = NULL;
    expect(!fw_cfg_add_file(s, "big", "", (size_t)UINT32_MAX + 1, &err), "4 GiB");
    expect_error(err, "'big'", "4 GiB", NULL);
    err = NULL;
    for (unsigned i = 1; i < FW_CFG_FILES_MAX; i++) {
        g_snprintf(name, sizeof(name), "opt/%u", i);
        add_file(name, "");
    }
    expect_hex(file_key("opt/255", NULL), FW_CFG_FILE_FIRST + 255);
    expect(!fw_cfg_add_file(s, "opt/256", "", 0, &err), "one too many");
    expect_error(err, "'opt/256'", "256", NULL);
    fixture_stop();
}
END_TEST

static unsigned selections, writes;

static void count_selected(void *opaque)
{
    selections++;
    fw_cfg_set_file(s, "etc/rw", "abcdefgh", 8);
}

static void count_written(void *opaque)
{
    writes++;
}

START_TEST(callbacks)
{
    GError *err = NULL;
    uint16_t key;

    fixture_start();
    selections = writes = 0;
    expect(fw_cfg_add_file_rw(s, "etc/rw", "", 0, true, count_selected,
                              count_written, NULL, &err), "%s", err->message);
    key = file_key("etc/rw", NULL);
    expect_hex(selections, 0);
    expect_hex(item(key, 8), 0x6867666564636261);
    expect_hex(selections, 1);
    expect_hex(dma_key(key, READ, 8, 0x100), 0);
    expect_hex(selections, 2);
    memcpy(host(0x100), "XY", 2);
    expect_hex(dma_key(key, SKIP, 2, 0), 0);
    expect_hex(dma(WRITE, 2, 0x100), 0);
    expect_hex(writes, 1);
    expect(memcmp(fw_cfg_get_file(s, "etc/rw", &(size_t){ 0 }), "abXYefgh", 8) == 0,
           "what was written");
    expect_hex(get(1), 'e');
    fixture_stop();
}
END_TEST

/* ---- files of the host --------------------------------------------------------------------- */

START_TEST(descriptors)
{
    g_autofree char *path = g_build_filename(test_folder(), "kernel", NULL);
    g_autofree uint8_t *bytes = g_malloc(20000);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    fixture_start();
    content_fill(bytes, 5, 0, 20000);
    expect(fd >= 0 && write(fd, bytes, 20000) == 20000, "%s", path);
    fw_cfg_add_fd(s, FW_CFG_KERNEL_DATA, fd, 100, 15000);
    select_key(FW_CFG_KERNEL_DATA);
    for (unsigned i = 0; i < 15000; i++) {
        expect_hex(get(1), bytes[100 + i]);
    }
    expect_hex(get(4), 0);
    memset(host(0x10000), 0x55, 16000);
    expect_hex(dma_key(FW_CFG_KERNEL_DATA, READ, 15500, 0x10000), 0);
    expect(memcmp(host(0x10000), bytes + 100, 15000) == 0, "by DMA");
    for (unsigned i = 15000; i < 15500; i++) {
        expect_hex(*host(0x10000 + i), 0);
    }
    expect_hex(*host(0x10000 + 15500), 0x55);
    /* Another item, then the middle of this one by the port. */
    expect_hex(item(0, 4), 0x554d4551);
    expect_hex(dma_key(FW_CFG_KERNEL_DATA, SKIP, 9000, 0), 0);
    expect_hex(get(1), bytes[9100]);
    /* It shrinks: zeros, and DMA says so. */
    expect(ftruncate(fd, 10000) == 0, "shrink");
    memset(host(0x10000), 0x55, 16000);
    expect_hex(dma_key(FW_CFG_KERNEL_DATA, READ, 15000, 0x10000), ERROR);
    expect(memcmp(host(0x10000), bytes + 100, 9900) == 0, "what is left");
    expect_hex(*host(0x10000 + 9900), 0);
    expect_hex(dma_key(FW_CFG_KERNEL_DATA, SKIP, 13000, 0), 0);
    expect_hex(get(1), 0);
    /* Another place in its stead. */
    expect_hex(item(FW_CFG_KERNEL_DATA, 1), bytes[100]);
    fw_cfg_add_fd(s, FW_CFG_KERNEL_DATA, fd, 200, 10);
    expect_hex(item(FW_CFG_KERNEL_DATA, 1), bytes[200]);
    fw_cfg_add_bytes(s, FW_CFG_KERNEL_DATA, "new", 3);
    expect_hex(item(FW_CFG_KERNEL_DATA, 4), 0x77656e);
    close(fd);
    fixture_stop();
}
END_TEST

/* ---- DMA ------------------------------------------------------------------------------------- */

START_TEST(dma_signature)
{
    fixture_start();
    expect_hex(port_in(FW_CFG_DMA_PORT, 4), 0x554d4551);
    expect_hex(port_in(FW_CFG_DMA_PORT + 4, 4), 0x47464320);
    expect_hex(port_in(FW_CFG_DMA_PORT, 1), 'Q');
    expect_hex(port_in(FW_CFG_DMA_PORT + 7, 1), 'G');
    expect_hex(port_in(FW_CFG_DMA_PORT + 2, 2), 0x554d);
    fixture_stop();
}
END_TEST

START_TEST(dma_transfers)
{
    fixture_start();
    memset(host(0x100), 0x55, 64);
    expect_hex(dma_key(FW_CFG_SIGNATURE, READ, 6, 0x100), 0);
    expect(memcmp(host(0x100), "QEMU\0\0\x55", 7) == 0, "the signature");
    /* In pieces, and mixed with the port. */
    expect_hex(dma_key(FW_CFG_SIGNATURE, 0, 0, 0), 0);
    expect_hex(dma(READ, 1, 0x100), 0);
    expect_hex(get(1), 'E');
    expect_hex(dma(SKIP, 1, 0), 0);
    expect_hex(get(1), 'U');
    expect_hex(dma(SKIP, UINT32_MAX, 0), 0);
    expect_hex(dma(SKIP, UINT32_MAX, 0), 0);
    expect_hex(get(1), 0);
    /* Nothing asked for; nothing of an item nobody knows; no bytes. */
    expect_hex(dma(0, 5, 0x100), 0);
    memset(host(0x100), 0x55, 64);
    expect_hex(dma_key(0x3fff, READ, 5, 0x100), 0);
    expect(memcmp(host(0x100), "\0\0\0\0\0\x55", 6) == 0, "zeros");
    expect_hex(dma_key(FW_CFG_SIGNATURE, READ, 0, IO), 0);
    expect_hex(get(1), 'Q');
    /* Reading comes before writing, which comes before skipping. */
    expect_hex(dma_key(FW_CFG_SIGNATURE, READ | WRITE | SKIP, 2, 0x100), 0);
    expect(memcmp(host(0x100), "QE\0", 3) == 0, "read");
    expect_hex(get(1), 'M');
    expect_hex(dma(WRITE | SKIP, 1, 0x100), ERROR);
    fixture_stop();
}
END_TEST

/* The high half stays until a request starts, then it is 0. */
START_TEST(dma_halves)
{
    uint32_t word;
    uint64_t at = TOP + 0xff0;
    uint8_t *end;

    fixture_start();
    end = memory_region_get_ram_ptr(&top);
    request_put(0x8000, READ | SELECT, 4, TOP);
    memcpy(end + 0xff0, host(0x8000), 16);
    request_start(at);
    expect(memcmp(end, "QEMU", 4) == 0, "a request at the end of everything");
    expect(memcmp(end + 0xff0, "\0\0\0\0", 4) == 0, "and its answer");
    request_put(0x8000, READ | SELECT, 4, 0x100);
    port_out(FW_CFG_DMA_PORT + 4, htobe32(0x8000), 4);
    memcpy(&word, host(0x8000), 4);
    expect_hex(word, 0);
    /* A reset forgets half an address. */
    request_put(0x8000, READ | SELECT, 4, 0x100);
    port_out(FW_CFG_DMA_PORT, 0x11111111, 4);
    device_reset((Device *)s);
    port_out(FW_CFG_DMA_PORT + 4, htobe32(0x8000), 4);
    memcpy(&word, host(0x8000), 4);
    expect_hex(word, 0);
    /* Neither bytes nor words start anything. */
    expect(port_access(FW_CFG_DMA_PORT + 4, &word, 2, true) != MEMTX_OK, "outw");
    expect(port_access(FW_CFG_DMA_PORT + 4, &word, 1, true) != MEMTX_OK, "outb");
    fixture_stop();
}
END_TEST

START_TEST(dma_writes)
{
    GError *err = NULL;
    uint16_t ro, rw;
    size_t len;

    fixture_start();
    add_file("opt/ro", "fixed");
    expect(fw_cfg_add_file_rw(s, "opt/rw", "01234567", 8, true, NULL, NULL, NULL,
                              &err), "%s", err->message);
    ro = file_key("opt/ro", NULL);
    rw = file_key("opt/rw", NULL);
    memcpy(host(0x100), "ABCDEFGHI", 9);
    expect_hex(dma_key(rw, WRITE, 8, 0x100), 0);
    expect_hex(item(rw, 8), 0x4847464544434241);
    expect_hex(dma_key(ro, WRITE, 1, 0x100), ERROR);
    expect_hex(dma_key(FW_CFG_ID, WRITE, 1, 0x100), ERROR);
    expect_hex(dma_key(0x3fff, WRITE, 1, 0x100), ERROR);
    expect_hex(dma_key(0x3fff, WRITE, 0, 0x100), 0); /* nothing is done at once */
    expect_hex(item(ro, 5), 0x6465786966);
    /* Past the end: nothing at all. */
    memset(host(0x100), 'z', 9);
    expect_hex(dma_key(rw, WRITE, 9, 0x100), ERROR);
    expect_hex(dma_key(rw, SKIP, 7, 0), 0);
    expect_hex(dma(WRITE, 2, 0x100), ERROR);
    expect_hex(dma(WRITE, 1, 0x100), 0);
    expect_hex(dma(WRITE, 1, 0x100), ERROR);
    expect_hex(dma(WRITE, 0, 0x100), 0);
    expect_hex(item(rw, 8), 0x7a47464544434241);
    /* From where no memory is, or only some of it. */
    expect_hex(dma_key(rw, WRITE, 8, RAM_SIZE - 4), ERROR);
    expect_hex(dma_key(rw, WRITE, 8, IO), ERROR);
    expect_hex(dma_key(rw, WRITE, 8, UINT64_MAX - 3), ERROR);
    expect_hex(item(rw, 8), 0x7a47464544434241);
    memcpy(memory_region_get_ram_ptr(&rom), "from ROM", 8);
    expect_hex(dma_key(rw, WRITE, 8, ROM), 0);
    expect(memcmp(fw_cfg_get_file(s, "opt/rw", &len), "from ROM", 8) == 0, "ROM");
    device_reset((Device *)s);
    expect_hex(item(rw, 8), 0x3736353433323130);
    fw_cfg_set_file(s, "opt/rw", "ab", 2);
    expect_hex(dma_key(rw, WRITE, 2, 0x100), 0);
    device_reset((Device *)s);
    expect_hex(item(rw, 3), 0x6261);
    fixture_stop();
}
END_TEST

START_TEST(dma_to_nowhere)
{
    fixture_start();
    add_file("opt/f", "0123456789");
    /* Devices are not reached, nor is ROM written. */
    expect_hex(dma_key(0, READ, 4, IO), ERROR);
    expect_hex(dma_key(0, READ, 4, ROM), ERROR);
    expect_hex(dma_key(0x3fff, READ, 4, IO), ERROR);
    expect_hex(dma_key(0x3fff, READ, UINT32_MAX, 0x900000), ERROR);
    /* As much as there is. */
    memset(host(RAM_SIZE - 8), 0x55, 8);
    expect_hex(dma_key(FW_CFG_FILE_FIRST, READ, 10, RAM_SIZE - 4), ERROR);
    expect(memcmp(host(RAM_SIZE - 4), "0123", 4) == 0, "what fits");
    memset(host(RAM_SIZE - 8), 0x55, 8);
    expect_hex(dma_key(0x3fff, READ, UINT32_MAX, RAM_SIZE - 4), ERROR);
    expect(memcmp(host(RAM_SIZE - 8), "\x55\x55\x55\x55\0\0\0\0", 8) == 0, "zeros");
    /* Where memory begins only further on. */
    expect_hex(dma_key(0, READ, 8, TOP - 4), ERROR);
    expect_hex(*(uint8_t *)memory_region_get_ram_ptr(&top), 0);
    /* To the last byte there is, and not around it. */
    memset(host(0), 0x55, 16);
    expect_hex(dma_key(0, READ, 4, UINT64_MAX - 3), 0);
    expect_hex(dma_key(0, READ, 5, UINT64_MAX - 3), ERROR);
    expect_hex(*host(0), 0x55);

    /* Requests that are not there, or only some of them. */
    memset(host(0), 0x55, 16);
    request_start(IO);
    request_start(0x900000);
    request_start(RAM_SIZE - 8);
    request_start(UINT64_MAX - 7);
    expect_hex(*host(0), 0x55);
    expect_hex(host(RAM_SIZE - 8)[3], ERROR);
    /* In ROM it works, but there is no answer. */
    request_put(0x8000, READ | SELECT, 4, 0x100);
    memcpy(memory_region_get_ram_ptr(&rom), host(0x8000), 16);
    memset(host(0x100), 0, 4);
    request_start(ROM);
    expect(memcmp(host(0x100), "QEMU", 4) == 0, "from ROM");
    /* Over the request itself: the answer comes last. */
    expect_hex(dma_key(0, READ, 16, 0x8000), 0);
    expect_hex(*host(0x8004), 0);
    fixture_stop();
}
END_TEST

START_TEST(dma_disabled)
{
    uint32_t value;

    fixture_start_with("off");
    expect_hex(item(FW_CFG_ID, 4), 1);
    expect(port_access(FW_CFG_DMA_PORT, &value, 4, false) != MEMTX_OK, "there");
    fixture_stop();
}
END_TEST

/* Anything at all, a few hundred thousand times. */
START_TEST(hostile)
{
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    static const uint64_t places[] = { 0, 0x8000, RAM_SIZE - 8, ROM, IO, 0x900000,
                                       TOP, TOP + 0xff8, UINT64_MAX - 2 };
    GRand *random = g_rand_new_with_seed(seed);
    GError *err = NULL;
    uint64_t steps = test_number("FLATVIEW_SEQUENCES", 300000);

    fixture_start();
    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
               seed);
    add_file("opt/ro", "0123456789");
    expect(fw_cfg_add_file_rw(s, "etc/rw", "", 0, true, count_selected,
                              count_written, NULL, &err), "%s", err->message);
    for (uint64_t i = 0; i < steps; i++) {
        uint64_t place = places[g_rand_int_range(random, 0, G_N_ELEMENTS(places))];
        uint32_t word = g_rand_int(random);
        uint32_t port = FW_CFG_PORT - 2 + word % 16;

        switch (g_rand_int_range(random, 0, 4)) {
        case 0:
            port_access(port, &(uint64_t){ word }, 1 << word % 3, true);
            break;
        case 1:
            port_access(port, &(uint64_t){ word }, 1 << word % 3, false);
            break;
        case 2:
            select_key(word % 0x28 | (word & 0xc000));
            break;
        default:
            request_put(0x8000, (word % 0x28) << 16 | (word >> 16 & 0x1f),
                        word & 0x100 ? word : word % 32, place + word % 8);
            request_start(word & 0x200 ? 0x8000 : place + word % 16);
            break;
        }
    }
    g_rand_free(random);
    fixture_stop();
}
END_TEST

TEST_MAIN("fw-cfg", signature_and_id, widths, numbers, unknown_keys, directory,
          file_errors, callbacks, descriptors, dma_signature, dma_transfers,
          dma_halves, dma_writes, dma_to_nowhere, dma_disabled, hostile)
