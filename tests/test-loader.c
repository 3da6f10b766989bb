/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels into guest memory: where each byte goes, and what is said of files
 * that are truncated, too large, foreign or hostile.
 */
#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/i386/x86-boot.h"
#include "target-i386/cpu.h"
#include "tests/kernel-image.h"
#include "tests/test-util.h"

#define MIB 0x100000u
#define RAM_SIZE (64 * MIB)

/* ---- a machine of RAM alone, and files ----------------------------------------- */

typedef struct Fixture {
    MemoryRegion root, ram;
    AddressSpace as;
    X86Boot boot;
    char *dir, *initrd;
    GError *err;
} Fixture;

static Fixture f;

static void setup(void)
{
    memset(&f, 0, sizeof(f));
    memory_region_init(&f.root, "root", UINT64_MAX);
    memory_region_init_ram(&f.ram, "ram", RAM_SIZE);
    memory_region_add_subregion(&f.root, 0, &f.ram);
    address_space_init(&f.as, &f.root);
    f.boot.loader = loader_new(&f.as);
    f.boot.ram_end = RAM_SIZE;
    f.boot.cmdline = "";
    f.dir = g_dir_make_tmp("flatview-loader-XXXXXX", NULL);
    f.initrd = g_build_filename(f.dir, "initrd", NULL);
}

static void teardown(void)
{
    g_autofree char *file = g_build_filename(f.dir, "file", NULL);

    unlink(file);
    unlink(f.initrd);
    rmdir(f.dir);
    g_free(f.initrd);
    g_free(f.dir);
    g_clear_error(&f.err);
    loader_free(f.boot.loader);
    address_space_destroy(&f.as);
    memory_region_del_subregion(&f.root, &f.ram);
    memory_region_destroy(&f.ram);
    memory_region_destroy(&f.root);
}

static char *write_file(const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(f.dir, name, NULL);

    expect(g_file_set_contents(path, data, len, NULL), "no file %s", path);
    return path;
}

/* An initramfs of @size bytes. */
static void add_initrd(uint64_t size)
{
    g_free(write_file("initrd", "x", 1));
    expect(truncate(f.initrd, size) == 0, "truncate");
    f.boot.initrd = f.initrd;
}

static bool load_kernel(const void *data, size_t len)
{
    g_autofree char *path = write_file("file", data, len);

    return x86_boot_load_kernel(&f.boot, path, &f.err);
}

/* Loading fails, and the message names the file and has all the words. */
static void refuse(const void *data, size_t len, const char *word1,
                   const char *word2)
{
    setup();
    expect(!load_kernel(data, len), "loaded, where '%s' was to be said", word1);
    expect(strstr(f.err->message, f.dir) && strstr(f.err->message, word1) &&
               strstr(f.err->message, word2),
           "'%s' lacks the file, '%s' or '%s'", f.err->message, word1, word2);
    teardown();
}

static uint64_t guest(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    expect(address_space_read(&f.as, addr, (uint8_t *)&value, size) == MEMTX_OK,
           "no memory at 0x%" PRIx64, addr);
    return value;
}

/* ---- a bzImage ------------------------------------------------------------------- */

static void expect_code(hwaddr addr)
{
    expect_hex(guest(addr, 8), content_value(1, 0, 8));
    expect_hex(guest(addr + BZIMAGE_CODE_SIZE - 8, 8),
               content_value(1, BZIMAGE_CODE_SIZE - 8, 8));
    expect_hex(guest(addr + BZIMAGE_CODE_SIZE, 8), 0);
}

START_TEST(linux_layout)
{
    g_autofree uint8_t *image = bzimage_new();
    g_autofree char *initrd = NULL;
    unsigned i;

    setup();
    initrd = write_file("initrd", "0123456789", 10);
    f.boot.cmdline = "console=ttyS0";
    f.boot.initrd = initrd;
    f.boot.device_tree = true;
    f.boot.rsdp_addr = 0xe0000;
    e820_add(&f.boot.e820, 0x100000, RAM_SIZE - 0x100000, E820_RAM);
    e820_add(&f.boot.e820, 0, 0x9fc00, E820_RAM);
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    linux_load_device_tree(&f.boot, "TREE", 4);
    expect(loader_load(f.boot.loader, true, &f.err), "not loaded");

    expect(f.boot.protocol == X86_BOOT_LINUX64, "not taken for one of 64 bits");
    expect_hex(f.boot.entry, 0x1000200);
    expect_code(0x1000000);
    /* The setup header as the file has it, and what the loader puts in. */
    expect_hex(guest(0x7000 + 0x1fe, 2), 0xaa55);
    expect_hex(guest(0x7000 + 0x206, 2), 0x20f);
    expect_hex(guest(0x7000 + 0x210, 1), 0xff);
    expect_hex(guest(0x7000 + 0x214, 4), 0x1000000);
    expect_hex(guest(0x7000 + 0x218, 4), RAM_SIZE - 4096);
    expect_hex(guest(0x7000 + 0x21c, 4), 10);
    expect_hex(guest(0x7000 + 0x228, 4), 0x20000);
    expect_hex(guest(0x7000 + 0x70, 8), 0xe0000);
    expect_hex(guest(0x7000 + 0x260, 4), 0x100000);
    /* Sorted, whatever the order of adding. */
    expect_hex(guest(0x7000 + 0x1e8, 1), 2);
    expect_hex(guest(0x7000 + 0x2d0, 8), 0);
    expect_hex(guest(0x7000 + 0x2d8, 8), 0x9fc00);
    expect_hex(guest(0x7000 + 0x2e0, 4), 1);
    expect_hex(guest(0x7000 + 0x2e4, 8), 0x100000);
    expect_hex(guest(0x7000 + 0x2ec, 8), RAM_SIZE - 0x100000);
    expect_hex(guest(0x7000 + 0x2f4, 4), 1);
    expect_hex(guest(RAM_SIZE - 4096, 8), 0x3736353433323130);
    expect_hex(guest(RAM_SIZE - 4096 + 8, 8), 0x3938);
    expect_hex(guest(0x20000, 8), 0x3d656c6f736e6f63);
    expect_hex(guest(0x20008, 6), 0x3053797474);
    /* setup_data: last of its list, a device tree, of 4 bytes. */
    expect_hex(guest(0x7000 + 0x250, 8), 0x40000);
    expect_hex(guest(0x40000, 8), 0);
    expect_hex(guest(0x40008, 4), 2);
    expect_hex(guest(0x4000c, 4), 4);
    expect_hex(guest(0x40010, 4), 0x45455254);
    /* Page tables: present, writable; pages of 2 MiB; 4 GiB; no more. */
    expect_hex(guest(0x9000, 8), 0xa003);
    expect_hex(guest(0x9008, 8), 0);
    for (i = 0; i < 4; i++) {
        expect_hex(guest(0xa000 + 8 * i, 8), 0xb003 + 0x1000 * i);
    }
    expect_hex(guest(0xa020, 8), 0);
    for (i = 0; i < 2048; i++) {
        expect_hex(guest(0xb000 + 8 * i, 8), i * 0x200000ull + 0x83);
    }
    expect_hex(guest(0x500 + X86_BOOT_CS, 8), x86_boot_gdt64[2]);
    expect_hex(guest(0x500 + X86_BOOT_DS, 8), x86_boot_gdt64[3]);
    teardown();
}
END_TEST

/* A reset puts back what the guest overwrote, and zeros too. */
START_TEST(loaded_again)
{
    g_autofree uint8_t *image = bzimage_new();

    setup();
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    loader_add_zero(f.boot.loader, 8, 0x3000000);
    expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
    memset(memory_region_get_ram_ptr(&f.ram), 0x55, RAM_SIZE);
    expect(loader_load(f.boot.loader, false, &f.err), "not loaded again");
    expect_hex(guest(0x1000000, 8), content_value(1, 0, 8));
    expect_hex(guest(0x7000 + 0x206, 2), 0x20f);
    expect_hex(guest(0x3000000, 8), 0);
    expect_hex(guest(0x3000008, 1), 0x55);
    teardown();
}
END_TEST

/* The file shrinks between the start and a reset. */
START_TEST(shrinks_meanwhile)
{
    g_autofree uint8_t *image = bzimage_new();
    g_autofree char *path = NULL;

    setup();
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    path = g_build_filename(f.dir, "file", NULL);
    expect(truncate(path, 2000) == 0, "truncate");
    expect(!loader_load(f.boot.loader, false, &f.err), "loaded");
    expect(strstr(f.err->message, path) && strstr(f.err->message, "shrank"),
           "'%s'", f.err->message);
    teardown();
}
END_TEST

static void expect_all(LoaderFile *file, const void *data, size_t len)
{
    size_t there;
    g_autofree uint8_t *bytes = loader_file_read_all(file, MAX(len, file->size), &there,
                                                     &f.err);

    expect(bytes && there == len && memcmp(bytes, data, len) == 0, "%zu bytes of %zu: %s",
           there, len, f.err ? f.err->message : "others");
    expect(len == 0 || !loader_file_read_all(file, len - 1, &there, &f.err), "too much");
    expect(len == 0 || (strstr(f.err->message, file->path) &&
                        strstr(f.err->message, "is larger than")), "%s", f.err->message);
    g_clear_error(&f.err);
}

/* All of a file, whatever was said of its size when it was opened. */
START_TEST(read_all)
{
    static const char text[] = "some text that grows and shrinks";
    g_autofree char *path = NULL, *proc = NULL;
    LoaderFile *file;
    gsize len;

    setup();
    path = write_file("all", text, sizeof(text));
    file = loader_open_any(f.boot.loader, path, "file", &f.err);
    for (file->size = 0; file->size <= sizeof(text); file->size++) {
        expect_all(file, text, sizeof(text));
    }
    expect(truncate(path, 3) == 0, "truncate");
    expect_all(file, text, 3);
    expect(truncate(path, 0) == 0, "truncate");
    expect_all(file, text, 0);
    /* These say that they are empty. */
    expect(g_file_get_contents("/proc/filesystems", &proc, &len, NULL) && len, "no /proc");
    file = loader_open_any(f.boot.loader, "/proc/filesystems", "file", &f.err);
    expect_all(file, proc, len);
    file = loader_open_any(f.boot.loader, "/proc/self/mem", "file", &f.err);
    expect(!loader_file_read_all(file, 10, &len, &f.err) &&
           strstr(f.err->message, "'/proc/self/mem': cannot be read: "), "it is read");
    teardown();
}
END_TEST

/* Where it is loaded, and up to where it needs memory: what runs in the end is where it
 * asks to be, aligned, or 1 MiB if it asks for less. */
static void expect_place(uint8_t *image, uint64_t addr, uint64_t free_from)
{
    setup();
    add_initrd(RAM_SIZE - free_from);
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
    expect_hex(f.boot.entry, addr + 0x200);
    expect_hex(guest(0x7000 + 0x214, 4), addr);
    expect_hex(guest(addr, 8), content_value(1, 0, 8));
    teardown();

    setup();
    add_initrd(RAM_SIZE - free_from + 1);
    expect(!load_kernel(image, BZIMAGE_SIZE), "an initramfs over the kernel");
    expect(strstr(f.err->message, "end of low memory"), "'%s'", f.err->message);
    teardown();
}

START_TEST(linux_place)
{
    g_autofree uint8_t *image = bzimage_new();

    expect_place(image, 0x1000000, 0x1100000);
    image_put(image, 0x258, 0x1000001, 8); /* pref_address, aligned up */
    expect_place(image, 0x1200000, 0x1300000);
    image_put(image, 0x258, 0, 8);
    expect_place(image, 0x200000, 0x300000);
    image_put(image, 0x230, 0x1000, 4);
    expect_place(image, 0x100000, 0x200000);
    image_put(image, 0x258, RAM_SIZE - 0x100000, 8);
    setup();
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    teardown();
    /* A byte more than there is: it would run there, wherever it was loaded. */
    image_put(image, 0x260, 0x100001, 4);
    refuse(image, BZIMAGE_SIZE, "init_size", "0x100001 bytes at 0x3f00000");
    image_put(image, 0x260, 0x100000, 4);

    /* What cannot be moved is loaded at 1 MiB, and moves itself. */
    image_put(image, 0x234, 0, 1);
    image_put(image, 0x258, 0x1000000, 8);
    expect_place(image, 0x100000, 0x1100000);
    image_put(image, 0x258, 0, 8);
    expect_place(image, 0x100000, 0x200000);
    image_put(image, 0x258, RAM_SIZE, 8);
    refuse(image, BZIMAGE_SIZE, "init_size", "0x4000000");
    image_put(image, 0x258, UINT64_MAX, 8);
    refuse(image, BZIMAGE_SIZE, "init_size", "-m");
    image_put(image, 0x258, 0x1000, 8);
    refuse(image, BZIMAGE_SIZE, "pref_address", "0x100000");

    image_put(image, 0x234, 1, 1);
    image_put(image, 0x230, 0x300000, 4);
    refuse(image, BZIMAGE_SIZE, "kernel_alignment", "0x300000");
    image_put(image, 0x230, 0, 4);
    refuse(image, BZIMAGE_SIZE, "kernel_alignment", "0x0");
    image_put(image, 0x230, 0x80000000, 4);
    refuse(image, BZIMAGE_SIZE, "init_size", "0x80000000");
    image_put(image, 0x258, UINT64_MAX, 8);
    refuse(image, BZIMAGE_SIZE, "init_size", "-m");
}
END_TEST

/* Without an entry of 64 bits, or older than what says so: that of 32 bits. */
START_TEST(linux_32)
{
    for (unsigned i = 0; i < 2; i++) {
        g_autofree uint8_t *image = bzimage_new();

        if (i) {
            image_put(image, 0x206, 0x20a, 2);
        } else {
            image_put(image, 0x236, 0xfffe, 2);
        }
        setup();
        expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
        expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
        expect(f.boot.protocol == X86_BOOT_LINUX32, "taken for another");
        expect_hex(f.boot.entry, 0x1000000);
        expect_code(0x1000000);
        expect_hex(guest(0x500 + X86_BOOT_CS, 8), x86_boot_gdt32[2]);
        expect_hex(guest(0x500 + X86_BOOT_DS, 8), x86_boot_gdt32[3]);
        teardown();
    }
}
END_TEST

/* The header goes into boot_params up to its end, which the byte at 0x201 says, and no
 * further than there is room for it; what lies around it there is zero. */
START_TEST(linux_header)
{
    static const struct {
        uint8_t jump;
        unsigned end;
    } cases[] = { { 0x6a, 0x26c }, { 0x62, 0x264 }, { 0x8e, 0x290 }, { 0x8f, 0x290 },
                  { 0xff, 0x290 }, { 0x36, 0x238 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *image = bzimage_new();

        memset(image + 0x264, 0xee, 0x100);
        image_put(image, 0x201, cases[i].jump, 1);
        image_put(image, 0x1f0, 0xee, 1);
        setup();
        expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
        expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
        expect_hex(guest(0x7000 + 0x1e8, 8), 0);
        expect_hex(guest(0x7000 + 0x1f0, 1), 0);
        for (unsigned at = 0x264; at < 0x2d0; at++) {
            expect_hex(guest(0x7000 + at, 1), at < cases[i].end ? 0xee : 0);
        }
        expect_hex(guest(0x7000 + 0x260, 4), cases[i].end >= 0x264 ? 0x100000 : 0);
        teardown();
    }
}
END_TEST

/* Options that are for boot loaders as well. */
START_TEST(linux_vga)
{
    static const struct {
        const char *cmdline;
        uint32_t mode; /* UINT32_MAX: refused */
    } cases[] = {
        { "", 0x1234 },
        { "avga=1 vga video=vga=2", 0x1234 },
        { "vga=normal", 0xffff },
        { "quiet vga=ext root=/", 0xfffe },
        { "quiet\tvga=ask", 0xfffd },
        { "vga=0x318", 0x318 },
        { "vga=792 x", 792 },
        { "vga=01", 1 },
        { "vga=1 vga=2", 2 },
        { "vga=65536", UINT32_MAX },
        { "vga=", UINT32_MAX },
        { "vga=-1", UINT32_MAX },
        { "vga=3x", UINT32_MAX },
        { "vga=normally", UINT32_MAX },
        { "vga=99999999999999999999999", UINT32_MAX },
    };
    g_autofree uint8_t *image = bzimage_new();

    image_put(image, 0x1fa, 0x1234, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        setup();
        f.boot.cmdline = cases[i].cmdline;
        if (cases[i].mode == UINT32_MAX) {
            expect(!load_kernel(image, BZIMAGE_SIZE), "'%s'", cases[i].cmdline);
            expect(strstr(f.err->message, cases[i].cmdline) &&
                       strstr(f.err->message, "-append"), "'%s'", f.err->message);
        } else {
            expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
            expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
            expect_hex(f.boot.vid_mode, cases[i].mode);
            expect_hex(guest(0x7000 + 0x1fa, 2), cases[i].mode);
        }
        teardown();
    }
}
END_TEST

START_TEST(linux_mem)
{
    static const struct {
        const char *cmdline;
        uint64_t end;
    } cases[] = {
        { "mem=48M", 48 * MIB }, { "quiet mem=0x3000000", 48 * MIB },
        { "mem=50m mem=48M", 48 * MIB }, { "mem=48M mem=50M", 48 * MIB },
        { "mem=49152K quiet", 48 * MIB }, { "mem=1G", RAM_SIZE },
        { "mem=nopentium", RAM_SIZE }, { "mem=", RAM_SIZE }, { "mem=0", RAM_SIZE },
        { "mem=99999999999E", RAM_SIZE }, { "xmem=48M", RAM_SIZE },
    };
    g_autofree uint8_t *image = bzimage_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        setup();
        add_initrd(10);
        f.boot.cmdline = cases[i].cmdline;
        expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
        expect_hex(f.boot.initrd_addr, cases[i].end - 4096);
        teardown();
    }
    setup();
    add_initrd(1);
    f.boot.cmdline = "mem=17M";
    expect(!load_kernel(image, BZIMAGE_SIZE), "there is no room");
    expect(strstr(f.err->message, "mem=") && strstr(f.err->message, "0x1100000"), "'%s'",
           f.err->message);
    teardown();
}
END_TEST

/* syssize rounded up to 16 bytes is no truncation; a byte more missing is. */
START_TEST(linux_truncated)
{
    g_autofree uint8_t *image = bzimage_new();
    size_t len;

    setup();
    expect(load_kernel(image, BZIMAGE_SIZE - 15), "%s", f.err ? f.err->message : "?");
    teardown();
    refuse(image, BZIMAGE_SIZE - 16, "syssize", "needs 12288 bytes at offset 1024");
    refuse(image, BZIMAGE_SETUP_SIZE - 1, "syssize", "the file has 1023");
    for (len = 0x206; len < 0x264; len++) {
        refuse(image, len, "truncated", "the setup header needs 612 bytes");
    }
    refuse(image, 0x205, "neither", "HdrS");
    /* Behind the code there may be a signature. */
    setup();
    image = g_realloc(image, BZIMAGE_SIZE + 100);
    memset(image + BZIMAGE_SIZE, 0xee, 100);
    expect(load_kernel(image, BZIMAGE_SIZE + 100), "%s", f.err ? f.err->message : "?");
    expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
    expect_code(0x1000000);
    teardown();
}
END_TEST

START_TEST(linux_fields)
{
    static const struct {
        unsigned offset, size;
        uint64_t value;
        const char *field, *word;
    } cases[] = {
        { 0x1fe, 2, 0x1234, "boot_flag", "0x1234" },
        { 0x206, 2, 0x209, "boot protocol 2.09", "-bios" },
        { 0x206, 2, 0x201, "2.01 is too old, at least 2.10 is needed", "" },
        { 0x211, 1, 0xfe, "loadflags", "zImage" },
        { 0x1f4, 4, 0x20, "syssize", "512" },
        { 0x1f4, 4, UINT32_MAX, "syssize", "68719476720" },
        { 0x260, 4, UINT32_MAX, "init_size", "-m" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *image = bzimage_new();

        image_put(image, cases[i].offset, cases[i].value, cases[i].size);
        refuse(image, BZIMAGE_SIZE, cases[i].field, cases[i].word);
    }
}
END_TEST

START_TEST(command_line)
{
    g_autofree uint8_t *image = bzimage_new();
    g_autofree char *text = g_strnfill(2048, 'x');

    setup();
    f.boot.cmdline = text;
    expect(!load_kernel(image, BZIMAGE_SIZE), "2048 bytes fit");
    expect(strstr(f.err->message, "has 2048 bytes, field cmdline_size allows "
                  "2047"), "'%s'", f.err->message);
    g_clear_error(&f.err);
    text[2047] = 0;
    expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    expect(loader_load(f.boot.loader, true, &f.err), "not loaded");
    expect_hex(guest(0x20000 + 2046, 2), 'x');
    teardown();

    /* What the kernel allows may be more than there is room for. */
    image_put(image, 0x238, UINT32_MAX, 4);
    g_free(text);
    text = g_strnfill(0x10000, 'x');
    setup();
    f.boot.cmdline = text;
    expect(!load_kernel(image, BZIMAGE_SIZE), "65536 bytes fit");
    expect(strstr(f.err->message, "65535"), "'%s'", f.err->message);
    teardown();
}
END_TEST

/* Make an initramfs of @size bytes; NULL: it fits, else a word of the message. */
static void try_initrd(uint8_t *image, uint64_t size, uint64_t addr,
                       const char *word)
{
    setup();
    add_initrd(size);
    if (!word) {
        expect(load_kernel(image, BZIMAGE_SIZE), "%s", f.err ? f.err->message : "?");
        expect_hex(f.boot.initrd_addr, addr);
        expect_hex(f.boot.initrd_size, size);
    } else {
        expect(!load_kernel(image, BZIMAGE_SIZE), "an initramfs of %" PRIu64 " fits",
               size);
        expect(strstr(f.err->message, f.initrd) && strstr(f.err->message, word),
               "'%s' lacks '%s'", f.err->message, word);
    }
    teardown();
}

START_TEST(initramfs)
{
    g_autofree uint8_t *image = bzimage_new();
    uint64_t floor = 0x1100000;

    try_initrd(image, 1, RAM_SIZE - 4096, NULL);
    try_initrd(image, 4096, RAM_SIZE - 4096, NULL);
    try_initrd(image, 4097, RAM_SIZE - 8192, NULL);
    try_initrd(image, RAM_SIZE - floor, floor, NULL);
    try_initrd(image, RAM_SIZE - floor + 1, 0, "end of low memory (-m) at "
               "0x4000000");
    image_put(image, 0x22c, 0x2ffffff, 4);
    try_initrd(image, 4097, 0x3000000 - 8192, NULL);
    try_initrd(image, 0x3000000 - floor, floor, NULL);
    try_initrd(image, 0x3000000 - floor + 1, 0, "initrd_addr_max at 0x3000000");
    image_put(image, 0x22c, 0x1000, 4);
    try_initrd(image, 1, 0, "initrd_addr_max at 0x1001");
    image_put(image, 0x22c, 0xffffffff, 4);
    try_initrd(image, 1, RAM_SIZE - 4096, NULL);
    /* Not page aligned: the kernel's end, when there is no choice. */
    image_put(image, 0x260, 0x100010, 4);
    try_initrd(image, RAM_SIZE - floor - 16, floor + 16, NULL);
}
END_TEST

/* ---- PVH ------------------------------------------------------------------------ */

#define ELF_TEXT 0x1000 /* offset of what is loaded */
#define ELF_TEXT_SIZE 0x800
#define ELF_SIZE (ELF_TEXT + ELF_TEXT_SIZE)
#define ELF_NOTES 0x200
#define ELF_NOTES_SIZE 36

typedef struct Image64 {
    Elf64_Ehdr e;
    Elf64_Phdr p[2];
} Image64;

/* Two notes of 16 and 20 bytes; the second is the entry point. */
static void put_notes(uint8_t *image)
{
    uint8_t *notes = image + ELF_NOTES;

    image_put(notes, 0, 4, 4);
    image_put(notes, 4, 0, 4);
    image_put(notes, 8, 18, 4);
    memcpy(notes + 12, "GNU", 4);
    image_put(notes, 16, 4, 4);
    image_put(notes, 20, 4, 4);
    image_put(notes, 24, 18, 4);
    memcpy(notes + 28, "Xen", 4);
    image_put(notes, 32, 0x200010, 4);
}

static uint8_t *elf64(void)
{
    uint8_t *image = g_malloc0(ELF_SIZE);
    Image64 *i = (Image64 *)image;

    memcpy(i->e.e_ident, ELFMAG, SELFMAG);
    i->e.e_ident[EI_CLASS] = ELFCLASS64;
    i->e.e_ident[EI_DATA] = ELFDATA2LSB;
    i->e.e_machine = EM_X86_64;
    i->e.e_phoff = sizeof(i->e);
    i->e.e_phentsize = sizeof(Elf64_Phdr);
    i->e.e_phnum = 2;
    i->p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_TEXT,
                            .p_paddr = 0x200000, .p_filesz = ELF_TEXT_SIZE,
                            .p_memsz = 0x2000 };
    i->p[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = ELF_NOTES,
                            .p_filesz = ELF_NOTES_SIZE, .p_align = 4 };
    put_notes(image);
    content_fill(image + ELF_TEXT, 2, 0, ELF_TEXT_SIZE);
    return image;
}

static uint8_t *elf32(void)
{
    uint8_t *image = g_malloc0(ELF_SIZE);
    Elf32_Ehdr *e = (Elf32_Ehdr *)image;
    Elf32_Phdr *p = (Elf32_Phdr *)(e + 1);

    memcpy(e->e_ident, ELFMAG, SELFMAG);
    e->e_ident[EI_CLASS] = ELFCLASS32;
    e->e_ident[EI_DATA] = ELFDATA2LSB;
    e->e_machine = EM_386;
    e->e_phoff = sizeof(*e);
    e->e_phentsize = sizeof(*p);
    e->e_phnum = 2;
    p[0] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_TEXT,
                         .p_paddr = 0x200000, .p_filesz = ELF_TEXT_SIZE,
                         .p_memsz = 0x2000 };
    p[1] = (Elf32_Phdr){ .p_type = PT_NOTE, .p_offset = ELF_NOTES,
                         .p_filesz = ELF_NOTES_SIZE, .p_align = 4 };
    put_notes(image);
    content_fill(image + ELF_TEXT, 2, 0, ELF_TEXT_SIZE);
    return image;
}

static void expect_pvh(uint8_t *image)
{
    g_autofree char *initrd = NULL;

    setup();
    initrd = write_file("initrd", "0123456789", 10);
    f.boot.cmdline = "quiet";
    f.boot.initrd = initrd;
    f.boot.rsdp_addr = 0xe0000;
    e820_add(&f.boot.e820, 0, 0x9fc00, E820_RAM);
    e820_add(&f.boot.e820, 0x9fc00, 0x60400, E820_RESERVED);
    expect(load_kernel(image, ELF_SIZE), "%s", f.err ? f.err->message : "?");
    memset(memory_region_get_ram_ptr(&f.ram), 0x55, RAM_SIZE);
    expect(loader_load(f.boot.loader, false, &f.err), "not loaded");
    expect(f.boot.protocol == X86_BOOT_PVH, "not taken for PVH");
    expect_hex(f.boot.entry, 0x200010);
    expect_hex(guest(0x200000, 8), content_value(2, 0, 8));
    expect_hex(guest(0x2007f8, 8), content_value(2, 0x7f8, 8));
    expect_hex(guest(0x200800, 8), 0);
    expect_hex(guest(0x201ff8, 8), 0);
    expect_hex(guest(0x202000, 1), 0x55);
    expect_hex(guest(0x6000, 4), 0x336ec578);
    expect_hex(guest(0x6004, 4), 1);
    expect_hex(guest(0x6008, 4), 0);
    expect_hex(guest(0x600c, 4), 1);
    expect_hex(guest(guest(0x6010, 8), 8), RAM_SIZE - 4096);
    expect_hex(guest(guest(0x6010, 8) + 8, 8), 10);
    expect_hex(guest(guest(0x6018, 8), 6), 0x7465697571);
    expect_hex(guest(0x6020, 8), 0xe0000);
    expect_hex(guest(0x6030, 4), 2);
    expect_hex(guest(guest(0x6028, 8) + 24, 8), 0x9fc00);
    expect_hex(guest(guest(0x6028, 8) + 32, 8), 0x60400);
    expect_hex(guest(guest(0x6028, 8) + 40, 4), 2);
    teardown();
}

START_TEST(pvh_layout)
{
    g_autofree uint8_t *wide = elf64();
    g_autofree uint8_t *narrow = elf32();

    expect_pvh(wide);
    expect_pvh(narrow);
    /* The entry point in eight bytes. */
    image_put(wide, ELF_NOTES + 20, 8, 4);
    ((Image64 *)wide)->p[1].p_filesz = ELF_NOTES_SIZE + 4;
    expect_pvh(wide);
}
END_TEST

/* Notes aligned to 8 bytes; and names that only begin as the right one does, or end with
 * the file. */
START_TEST(pvh_notes)
{
    g_autofree uint8_t *image = elf64();
    Image64 *i = (Image64 *)image;
    uint8_t *notes = image + ELF_NOTES;

    i->p[1].p_align = 8;
    i->p[1].p_filesz = 24 + 20;
    memset(notes + 16, 0, 8);
    image_put(notes, 4, 4, 4); /* of the first, a description of 4 bytes, and padding */
    image_put(notes, 24, 4, 4);
    image_put(notes, 28, 4, 4);
    image_put(notes, 32, 18, 4);
    memcpy(notes + 36, "Xen", 4);
    image_put(notes, 40, 0x200010, 4);
    expect_pvh(image);

    i->p[1].p_align = 4;
    i->p[1].p_filesz = 24;
    image_put(notes, 0, 8, 4);
    memcpy(notes + 12, "Xen\0four", 8);
    image_put(notes, 20, 0x200010, 4);
    refuse(image, ELF_SIZE, "PVH", "note");

    i->p[1].p_offset = ELF_SIZE - 16;
    i->p[1].p_filesz = 16;
    image_put(image, ELF_SIZE - 16, 1, 4);
    image_put(image, ELF_SIZE - 12, 0, 4);
    image_put(image, ELF_SIZE - 8, 18, 4);
    refuse(image, ELF_SIZE, "PVH", "note");
}
END_TEST

/* For firmware: one piece with the kernel. */
START_TEST(pvh_together)
{
    g_autofree uint8_t *image = elf64();

    setup();
    add_initrd(10);
    f.boot.together = true;
    expect(load_kernel(image, ELF_SIZE), "%s", f.err ? f.err->message : "?");
    expect_hex(f.boot.initrd_addr, 0x202000);
    teardown();
}
END_TEST

START_TEST(pvh_fields)
{
#define IN64(field) offsetof(Image64, field), sizeof(((Image64 *)0)->field)
    static const struct {
        unsigned offset, size;
        uint64_t value;
        const char *field, *word;
    } cases[] = {
        { 0, 1, 0, "neither", "ELF" },
        { IN64(e.e_ident[EI_CLASS]), 3, "EI_CLASS", "3" },
        { IN64(e.e_ident[EI_DATA]), 2, "EI_DATA", "little" },
        { IN64(e.e_machine), EM_AARCH64, "e_machine", "183" },
        { IN64(e.e_phentsize), 55, "e_phentsize", "56" },
        { IN64(e.e_phnum), 0, "e_phnum", "128" },
        { IN64(e.e_phnum), 129, "e_phnum", "129" },
        { IN64(e.e_phoff), ELF_SIZE - 56, "e_phoff", "truncated" },
        { IN64(e.e_phoff), UINT64_MAX, "e_phoff", "truncated" },
        { IN64(p[0].p_filesz), ELF_TEXT_SIZE + 1, "p_filesz", "truncated" },
        { IN64(p[0].p_offset), UINT64_MAX, "p_filesz", "truncated" },
        { IN64(p[0].p_filesz), 0x2001, "p_filesz", "p_memsz, 0x2000" },
        { IN64(p[0].p_memsz), RAM_SIZE - 0x200000 + 1, "p_memsz", "0x4000000" },
        { IN64(p[0].p_memsz), UINT64_MAX, "p_memsz", "0xffffffffffffffff" },
        { IN64(p[0].p_paddr), 0xff000, "p_paddr", "0x100000" },
        { IN64(p[0].p_paddr), UINT64_MAX, "p_paddr", "0x4000000" },
        { IN64(p[1].p_type), PT_NULL, "PVH", "note" },
        { IN64(p[1].p_filesz), 0x10001, "p_filesz", "65536" },
        { IN64(p[1].p_offset), ELF_SIZE - 1, "notes", "truncated" },
        { ELF_NOTES + 0, 4, UINT32_MAX, "note", "beyond" },
        { ELF_NOTES + 4, 4, UINT32_MAX, "note", "beyond" },
        { ELF_NOTES + 20, 4, 3, "n_descsz", "3" },
        { ELF_NOTES + 24, 4, 17, "PVH", "note" },
        { ELF_NOTES + 32, 4, 0x202000, "entry", "0x202000" },
        { ELF_NOTES + 32, 4, 0, "entry", "0x0" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *image = elf64();

        image_put(image, cases[i].offset, cases[i].value, cases[i].size);
        refuse(image, ELF_SIZE, cases[i].field, cases[i].word);
    }
}
END_TEST

/* Every length of either image: loaded or refused with its name, no more. */
START_TEST(any_length)
{
    g_autofree uint8_t *wide = elf64();
    g_autofree uint8_t *narrow = elf32();
    uint8_t *const images[] = { wide, narrow };
    unsigned i;
    size_t len;

    for (i = 0; i < 2; i++) {
        for (len = 1; len < ELF_SIZE; len += len < 0x300 ? 1 : 97) {
            refuse(images[i], len, len < 4 ? "neither" : "truncated", "");
        }
    }
}
END_TEST

/* Put up to eight bytes where a header or a note is: any, or a value that makes
 * sums and products overflow. */
static void mutate(GRand *rand, uint8_t *image, bool linux_image)
{
    static const uint64_t ends[] = { 0, 1, INT32_MAX, UINT32_MAX, INT64_MAX,
                                     UINT64_MAX - 15, UINT64_MAX };
    unsigned size = 1 << g_rand_int_range(rand, 0, 4);
    unsigned at = linux_image ? 0x1f0 : 0;
    uint64_t value = g_rand_int(rand);

    if (!linux_image && g_rand_boolean(rand)) {
        at = ELF_NOTES + g_rand_int_range(rand, 0, ELF_NOTES_SIZE);
    } else {
        at += g_rand_int_range(rand, 0, 0x100);
    }
    if (g_rand_boolean(rand)) {
        value = ends[g_rand_int_range(rand, 0, G_N_ELEMENTS(ends))];
    }
    image_put(image, at, value, size);
}

/* Mutated images, some of them cut short, do not crash, and what is accepted
 * loads. */
START_TEST(any_content)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 1);
    uint64_t images = test_number("FLATVIEW_IMAGES", 900);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    unsigned i, n;

    for (i = 0; i < images; i++) {
        bool linux_image = i % 3 == 0;
        g_autofree uint8_t *image =
            linux_image ? bzimage_new() : i % 3 == 1 ? elf64() : elf32();
        size_t len = linux_image ? BZIMAGE_SIZE : ELF_SIZE;

        g_snprintf(test_context, sizeof(test_context),
                   "FLATVIEW_SEED=%" PRIu64 ", image %u", seed, i);
        for (n = g_rand_int_range(rand, 1, 6); n; n--) {
            mutate(rand, image, linux_image);
        }
        if (g_rand_int_range(rand, 0, 8) == 0) {
            len = g_rand_int_range(rand, 1, len);
        }
        setup();
        if (load_kernel(image, len)) {
            expect(loader_load(f.boot.loader, true, &f.err), "%s",
                   f.err ? f.err->message : "?");
        } else {
            expect(f.err && strstr(f.err->message, f.dir), "file not named");
        }
        teardown();
    }
    test_context[0] = 0;
}
END_TEST

/* ---- images for firmware ----------------------------------------------------------- */

static uint64_t image_at(const LoaderFile *file, uint64_t offset)
{
    uint64_t value = 0;

    expect(loader_file_read(file, offset, &value, 8, "it", &f.err), "%s",
           f.err ? f.err->message : "?");
    return value;
}

/* Pieces in their order, one over another; zeros take no memory. */
START_TEST(image)
{
    const uint64_t ones = UINT64_MAX;
    LoaderFile *file;
    struct stat st;
    hwaddr base;

    setup();
    expect(!loader_image(f.boot.loader, 0, UINT64_MAX, &base, &f.err), "of nothing");
    expect(strstr(f.err->message, "nothing in it"), "'%s'", f.err->message);
    g_clear_error(&f.err);
    loader_add_data(f.boot.loader, "before", 6, MIB - 6);
    loader_add_data(f.boot.loader, &ones, 8, 2 * MIB);
    loader_add_data(f.boot.loader, &ones, 8, MIB + 0x1000);
    loader_add_zero(f.boot.loader, 2, MIB + 0x1002);
    loader_add_zero(f.boot.loader, 1024 * MIB, 3 * MIB);
    loader_add_zero(f.boot.loader, 0, 2048 * MIB);
    loader_add_data(f.boot.loader, &ones, 8, 3 * MIB);
    file = loader_image(f.boot.loader, MIB, UINT64_MAX, &base, &f.err);
    expect(file, "%s", f.err ? f.err->message : "?");
    expect_hex(base, MIB + 0x1000);
    expect_hex(file->size, 1026 * (uint64_t)MIB - 0x1000);
    expect_hex(image_at(file, 0), 0xffffffff0000ffff);
    expect_hex(image_at(file, MIB - 0x1000), UINT64_MAX);
    expect_hex(image_at(file, 2 * MIB - 0x1000), UINT64_MAX);
    expect_hex(image_at(file, 2 * MIB - 0x1000 + 8), 0);
    expect_hex(image_at(file, file->size - 8), 0);
    expect(fstat(file->fd, &st) == 0 && st.st_blocks * 512 < 16 * MIB,
           "it takes %" PRIu64 " KiB", (uint64_t)st.st_blocks / 2);
    teardown();
}
END_TEST

/* ---- files of other kinds ------------------------------------------------------- */

static void refuse_path(const char *path, const char *word)
{
    expect(!x86_boot_load_kernel(&f.boot, path, &f.err), "%s loaded", path);
    expect(strstr(f.err->message, path) && strstr(f.err->message, word),
           "'%s' lacks '%s' or '%s'", f.err->message, path, word);
    g_clear_error(&f.err);
}

START_TEST(not_files)
{
    g_autofree char *path = NULL;

    setup();
    path = g_build_filename(f.dir, "file", NULL);
    refuse_path(path, "No such file");
    refuse_path(f.dir, "not a regular file");
    refuse_path("/dev/zero", "not a regular file");
    expect(mkfifo(path, 0600) == 0, "mkfifo");
    refuse_path(path, "not a regular file");
    unlink(path);
    g_free(write_file("file", "", 0));
    refuse_path(path, "empty");
    teardown();
}
END_TEST

/* Nothing is written where there is no RAM. */
START_TEST(no_memory_there)
{
    setup();
    loader_add_data(f.boot.loader, "abcd", 4, RAM_SIZE - 2);
    expect(!loader_load(f.boot.loader, true, &f.err), "loaded");
    expect(strstr(f.err->message, "0x4000000"), "'%s'", f.err->message);
    teardown();
}
END_TEST

TEST_MAIN("loader", linux_layout, loaded_again, shrinks_meanwhile, read_all, linux_place, linux_32,
          linux_header, linux_vga, linux_mem, linux_truncated, linux_fields,
          command_line, initramfs, pvh_layout, pvh_notes, pvh_together, pvh_fields,
          any_length, any_content, image, not_files, no_memory_there)
