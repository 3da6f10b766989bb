/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: what comes in is a file for -kernel. It is loaded into RAM, and given to
 * firmware, with itself as initramfs or module. Where it is refused, that names the file;
 * where it is taken, what the machine would start with lies in RAM. Inputs are made from
 * a bzImage, ELF files and multiboot images, whose fields are changed one by one.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/i386/linuxboot.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);

#define RAM_SIZE (48u << 20)
#define MIB (1u << 20)
#define IMAGE_SIZE 4096

static MemoryRegion root, ram;
static AddressSpace as;
static FWCfg *fw_cfg; /* what it is given replaces what it had, but for the ROM */
static char path[64];
static int fd;

static void wrong(const char *what, const GError *err)
{
    fprintf(stderr, "fuzz-kernel: %s: %s\n", what, err ? err->message : "no error");
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", RAM_SIZE);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root);
    fw_cfg = (FWCfg *)device_new(device_type_find("fw_cfg_io", NULL), NULL);
    if (!device_realize((Device *)fw_cfg, NULL)) {
        wrong("no fw_cfg", NULL);
    }
    fd = memfd_create("kernel", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return 0;
}

/* ---- one start --------------------------------------------------------------------- */

static void refused(GError *err)
{
    if (!err || (!strstr(err->message, path) && !strstr(err->message, LINUXBOOT_FILE))) {
        wrong("refused without its name", err);
    }
    g_error_free(err);
}

static X86Boot boot_new(uint8_t how)
{
    static const char *const words[] = { "", "vga=ask mem=32M", "a=\"b c\" mem=0x", "x" };
    X86Boot boot = { .loader = loader_new(&as), .ram_end = RAM_SIZE,
                     .cmdline = words[how & 3], .initrd = how & 4 ? path : NULL,
                     .rsdp_addr = BOOT_ACPI_ADDR };

    e820_add(&boot.e820, 0, BOOT_LOW_END, E820_RAM);
    e820_add(&boot.e820, MIB, RAM_SIZE - MIB, E820_RAM);
    return boot;
}

static void start(uint8_t how)
{
    X86Boot boot = boot_new(how);
    GError *err = NULL;

    if (!x86_boot_load_kernel(&boot, path, &err)) {
        refused(err);
    } else if (!loader_load(boot.loader, true, &err)) {
        wrong("taken, and not loaded", err);
    } else if (boot.entry < MIB || boot.entry >= RAM_SIZE) {
        wrong("starts outside of memory", NULL);
    }
    loader_free(boot.loader);
}

static void give(uint8_t how)
{
    X86Boot boot = boot_new(how);
    GError *err = NULL;

    boot.ram_end -= MIB;
    if (!linuxboot_add(&boot, fw_cfg, path, &err)) {
        refused(err);
    }
    loader_free(boot.loader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how = size ? data[size - 1] : 0;

    if (!size) {
        return 0;
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        wrong("no file", NULL);
    }
    start(how);
    give(how);
    return 0;
}

/* ---- inputs ------------------------------------------------------------------------ */

#define MULTIBOOT_AT 0x280 /* behind Linux's header, and program headers */
#define NOTES_AT 0x180
#define TEXT_AT 0x400

static void put(uint8_t *image, size_t at, uint64_t value, unsigned size)
{
    memcpy(image + at, &value, size);
}

static void put_multiboot(uint8_t *image, uint32_t flags)
{
    const uint32_t header[] = { 0x1badb002, flags, -(0x1badb002 + flags), MIB + MULTIBOOT_AT,
                                MIB, MIB + IMAGE_SIZE, MIB + 2 * IMAGE_SIZE,
                                MIB + TEXT_AT };

    memcpy(image + MULTIBOOT_AT, header, sizeof(header));
}

static void put_notes(uint8_t *image)
{
    static const uint32_t note[] = { 4, 4, 18, 0x006e6558 /* Xen */, MIB };

    memcpy(image + NOTES_AT, note, sizeof(note));
}

static void put_linux(uint8_t *image)
{
    put(image, 0x1f1, 1, 1);
    put(image, 0x1f4, (IMAGE_SIZE - 1024) / 16, 4);
    put(image, 0x1fe, 0xaa55, 2);
    put(image, 0x200, 0x6aeb, 2);
    put(image, 0x202, 0x53726448, 4);
    put(image, 0x206, 0x20f, 2);
    put(image, 0x211, 1, 1);
    put(image, 0x22c, 0x7fffffff, 4);
    put(image, 0x230, 0x200000, 4);
    put(image, 0x234, 1, 1);
    put(image, 0x236, 1, 2);
    put(image, 0x238, 2047, 4);
    put(image, 0x258, 2 * MIB, 8);
    put(image, 0x260, MIB, 4);
}

static void put_elf64(uint8_t *image)
{
    Elf64_Ehdr e = { .e_machine = EM_X86_64, .e_phoff = sizeof(e), .e_entry = MIB,
                     .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
    const Elf64_Phdr p[] = {
        { .p_type = PT_LOAD, .p_offset = TEXT_AT, .p_vaddr = MIB, .p_paddr = MIB,
          .p_filesz = IMAGE_SIZE - TEXT_AT, .p_memsz = 2 * IMAGE_SIZE },
        { .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_filesz = 20, .p_align = 4 },
    };

    memcpy(e.e_ident, ELFMAG "\2\1", SELFMAG + 2);
    memcpy(image, &e, sizeof(e));
    memcpy(image + sizeof(e), p, sizeof(p));
    put_notes(image);
}

static void put_elf32(uint8_t *image)
{
    Elf32_Ehdr e = { .e_machine = EM_386, .e_phoff = sizeof(e), .e_entry = MIB,
                     .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2 };
    const Elf32_Phdr p[] = {
        { .p_type = PT_LOAD, .p_offset = TEXT_AT, .p_vaddr = MIB, .p_paddr = MIB,
          .p_filesz = IMAGE_SIZE - TEXT_AT, .p_memsz = 2 * IMAGE_SIZE },
        { .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_filesz = 20, .p_align = 4 },
    };

    memcpy(e.e_ident, ELFMAG "\1\1", SELFMAG + 2);
    memcpy(image, &e, sizeof(e));
    memcpy(image + sizeof(e), p, sizeof(p));
    put_notes(image);
}

static size_t fresh(uint8_t *data, GRand *rand)
{
    memset(data, 0, IMAGE_SIZE);
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        put_linux(data);
        break;
    case 1:
        put_elf64(data);
        break;
    case 2:
        put_elf32(data);
        break;
    case 3:
        put_elf64(data);
        put_multiboot(data, 0);
        break;
    case 4:
        put_elf32(data);
        put_multiboot(data, 3);
        break;
    default:
        put_multiboot(data, 0x10003);
        break;
    }
    return IMAGE_SIZE;
}

/* A field of one header or another becomes something with which sums overflow, or that
 * is nearly right. */
static void change_field(uint8_t *data, size_t size, GRand *rand)
{
    static const struct {
        uint16_t first, end;
    } areas[] = { { 0, 0xc0 }, { NOTES_AT, NOTES_AT + 24 }, { 0x1f0, 0x268 },
                  { MULTIBOOT_AT, MULTIBOOT_AT + 32 } };
    static const uint64_t values[] = { 0, 1, 4, 0xfff, IMAGE_SIZE, MIB, RAM_SIZE, INT32_MAX,
                                       UINT32_MAX - 15, UINT32_MAX, 1ull << 32, INT64_MAX,
                                       UINT64_MAX - 4095, UINT64_MAX };
    unsigned area = g_rand_int_range(rand, 0, G_N_ELEMENTS(areas));
    unsigned width = 1 << g_rand_int_range(rand, 0, 4);
    size_t at = g_rand_int_range(rand, areas[area].first, areas[area].end) & ~(width - 1);
    uint64_t value = values[g_rand_int_range(rand, 0, G_N_ELEMENTS(values))] +
                     g_rand_int_range(rand, -1, 2);
    uint32_t flags;

    if (at + width <= size) {
        put(data, at, value, width);
    }
    if (area == 3 && MULTIBOOT_AT + 12 <= size && g_rand_int_range(rand, 0, 8)) {
        memcpy(&flags, data + MULTIBOOT_AT + 4, 4);
        put(data, MULTIBOOT_AT, 0x1badb002, 4);
        put(data, MULTIBOOT_AT + 8, -(0x1badb002 + flags), 4);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    if (max_size < IMAGE_SIZE) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (size < TEXT_AT || g_rand_int_range(rand, 0, 50) == 0) {
        size = fresh(data, rand);
    }
    if (g_rand_int_range(rand, 0, 10) == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    for (int n = g_rand_int_range(rand, 1, 4); n; n--) {
        change_field(data, size, rand);
    }
    data[size - 1] = g_rand_int(rand); /* how it is started */
    return size;
}
