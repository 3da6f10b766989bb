/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot images and modules into guest memory: where each byte goes, what the
 * image is told, and what is said of files that are cut short, foreign or hostile.
 */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "hw/i386/x86-boot.h"
#include "tests/kernel-image.h"
#include "tests/test-util.h"

#define MIB 0x100000u
#define RAM_SIZE (32 * MIB)
#define KERNEL_AT 0x200000u
#define TEXT_SIZE 0x800u
#define ENTRY (KERNEL_AT + 0x40)

#define MAGIC 0x1badb002u
#define BY_ADDRESS 0x10000u

/* Where the header is in either kind of image, and its fields */
#define HEADER 0x100
#define FLAGS 4
#define CHECKSUM 8
#define HEADER_ADDR 12
#define LOAD_ADDR 16
#define LOAD_END_ADDR 20
#define BSS_END_ADDR 24
#define ENTRY_ADDR 28

#define ELF_TEXT 0x200
#define IMAGE_SIZE (ELF_TEXT + TEXT_SIZE)

/* ---- a machine of RAM alone, and files ------------------------------------------- */

typedef struct Fixture {
    MemoryRegion root, ram;
    AddressSpace as;
    X86Boot boot;
    char *dir, *kernel;
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
    e820_add(&f.boot.e820, 0, BOOT_LOW_END, E820_RAM);
    e820_add(&f.boot.e820, BOOT_LOW_END, MIB - BOOT_LOW_END, E820_RESERVED);
    e820_add(&f.boot.e820, MIB, RAM_SIZE - MIB, E820_RAM);
    e820_add(&f.boot.e820, 1ull << 32, 1ull << 33, E820_RAM);
    f.dir = g_dir_make_tmp("flatview-multiboot-XXXXXX", NULL);
    f.kernel = g_build_filename(f.dir, "kernel", NULL);
}

static void teardown(void)
{
    static const char *const names[] = { "kernel", "one", "two", "a,b" };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f.dir, names[i], NULL);

        unlink(path);
    }
    rmdir(f.dir);
    g_free(f.dir);
    g_free(f.kernel);
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

static bool load_kernel(const void *data, size_t len)
{
    g_free(write_file("kernel", data, len));
    return x86_boot_load_kernel(&f.boot, f.kernel, &f.err);
}

/* It loads, over memory that was full of something else. */
static void load_ok(const void *data, size_t len)
{
    expect(load_kernel(data, len), "%s", f.err ? f.err->message : "?");
    memset(memory_region_get_ram_ptr(&f.ram), 0x55, RAM_SIZE);
    expect(loader_load(f.boot.loader, false, &f.err), "%s",
           f.err ? f.err->message : "?");
    expect(f.boot.protocol == X86_BOOT_MULTIBOOT, "not taken for multiboot");
}

static void expect_refused(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "loaded, where '%s' was to be said", word1);
    expect(strstr(f.err->message, word1) && strstr(f.err->message, word2),
           "'%s' lacks '%s' or '%s'", f.err->message, word1, word2);
    g_clear_error(&f.err);
}

static void refuse(const void *data, size_t len, const char *word1,
                   const char *word2)
{
    setup();
    expect(!load_kernel(data, len), "loaded, where '%s' was to be said", word1);
    expect(strstr(f.err->message, f.kernel), "'%s' does not name the file",
           f.err->message);
    expect_refused(false, word1, word2);
    teardown();
}

static uint64_t guest(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    expect(address_space_read(&f.as, addr, (uint8_t *)&value, size) == MEMTX_OK,
           "no memory at 0x%" PRIx64, addr);
    return value;
}

/* A field of what EBX points to. */
static uint32_t info(unsigned offset)
{
    return guest(BOOT_MULTIBOOT_ADDR + offset, 4);
}

static void expect_text(uint32_t addr, const char *text)
{
    g_autofree char *found = g_malloc0(strlen(text) + 1);

    address_space_read(&f.as, addr, (uint8_t *)found, strlen(text) + 1);
    ck_assert_str_eq(found, text);
}

/* ---- images ------------------------------------------------------------------------ */

static void put_header(uint8_t *image, unsigned at, uint32_t flags)
{
    image_put(image, at, MAGIC, 4);
    image_put(image, at + FLAGS, flags, 4);
    image_put(image, at + CHECKSUM, -(MAGIC + flags), 4);
}

/* One whose header says what lies where: all of it from ELF_TEXT on at KERNEL_AT, and
 * as much again of zeros. */
static uint8_t *flat_image(void)
{
    uint8_t *image = g_malloc0(IMAGE_SIZE);

    put_header(image, HEADER, BY_ADDRESS);
    image_put(image, HEADER + HEADER_ADDR, KERNEL_AT - (ELF_TEXT - HEADER), 4);
    image_put(image, HEADER + LOAD_ADDR, KERNEL_AT - (ELF_TEXT - HEADER), 4);
    image_put(image, HEADER + LOAD_END_ADDR, KERNEL_AT + TEXT_SIZE, 4);
    image_put(image, HEADER + BSS_END_ADDR, KERNEL_AT + 2 * TEXT_SIZE, 4);
    image_put(image, HEADER + ENTRY_ADDR, ENTRY, 4);
    content_fill(image + ELF_TEXT, 2, 0, TEXT_SIZE);
    return image;
}

/* The same as an ELF file. */
static uint8_t *elf32_image(void)
{
    uint8_t *image = g_malloc0(IMAGE_SIZE);
    Elf32_Ehdr *e = (Elf32_Ehdr *)image;
    Elf32_Phdr *p = (Elf32_Phdr *)(e + 1);

    memcpy(e->e_ident, ELFMAG, SELFMAG);
    e->e_ident[EI_CLASS] = ELFCLASS32;
    e->e_ident[EI_DATA] = ELFDATA2LSB;
    e->e_machine = EM_386;
    e->e_phoff = sizeof(*e);
    e->e_phentsize = sizeof(*p);
    e->e_phnum = 1;
    e->e_entry = ENTRY;
    p[0] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_TEXT, .p_paddr = KERNEL_AT,
                         .p_vaddr = KERNEL_AT, .p_filesz = TEXT_SIZE,
                         .p_memsz = 2 * TEXT_SIZE };
    put_header(image, HEADER, 0);
    content_fill(image + ELF_TEXT, 2, 0, TEXT_SIZE);
    return image;
}

/* Of 64 bits, linked for high addresses, as its entry point is. */
static uint8_t *elf64_image(void)
{
    const uint64_t high = 0xffffffff80000000u;
    uint8_t *image = g_malloc0(IMAGE_SIZE);
    Elf64_Ehdr *e = (Elf64_Ehdr *)image;
    Elf64_Phdr *p = (Elf64_Phdr *)(e + 1);

    memcpy(e->e_ident, ELFMAG, SELFMAG);
    e->e_ident[EI_CLASS] = ELFCLASS64;
    e->e_ident[EI_DATA] = ELFDATA2LSB;
    e->e_machine = EM_X86_64;
    e->e_phoff = sizeof(*e);
    e->e_phentsize = sizeof(*p);
    e->e_phnum = 2;
    e->e_entry = high + ENTRY;
    p[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_vaddr = high + ENTRY, .p_memsz = 64 };
    p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_TEXT, .p_paddr = KERNEL_AT,
                         .p_vaddr = high + KERNEL_AT, .p_filesz = TEXT_SIZE,
                         .p_memsz = 2 * TEXT_SIZE };
    put_header(image, HEADER, 0);
    content_fill(image + ELF_TEXT, 2, 0, TEXT_SIZE);
    return image;
}

/* What each of them leaves in memory. */
static void expect_image(void)
{
    expect_hex(f.boot.entry, ENTRY);
    expect_hex(guest(KERNEL_AT, 8), content_value(2, 0, 8));
    expect_hex(guest(KERNEL_AT + TEXT_SIZE - 8, 8), content_value(2, TEXT_SIZE - 8, 8));
    expect_hex(guest(KERNEL_AT + TEXT_SIZE, 8), 0);
    expect_hex(guest(KERNEL_AT + 2 * TEXT_SIZE - 8, 8), 0);
    expect_hex(guest(KERNEL_AT + 2 * TEXT_SIZE, 1), 0x55);
}

START_TEST(layout)
{
    uint8_t *(*const makers[])(void) = { flat_image, elf32_image, elf64_image };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(makers); i++) {
        g_autofree uint8_t *image = makers[i]();

        setup();
        load_ok(image, IMAGE_SIZE);
        expect_image();
        teardown();
    }
}
END_TEST

START_TEST(address_fields)
{
    g_autofree uint8_t *image = flat_image();

    /* Without an end: all of the file; without one of the zeros: none. */
    setup();
    image_put(image, HEADER + LOAD_END_ADDR, 0, 4);
    image_put(image, HEADER + BSS_END_ADDR, 0, 4);
    load_ok(image, IMAGE_SIZE);
    expect_hex(guest(KERNEL_AT - (ELF_TEXT - HEADER), 4), MAGIC);
    expect_hex(guest(KERNEL_AT - (ELF_TEXT - HEADER) - 1, 1), 0x55);
    expect_hex(guest(KERNEL_AT + TEXT_SIZE - 8, 8), content_value(2, TEXT_SIZE - 8, 8));
    expect_hex(guest(KERNEL_AT + TEXT_SIZE, 1), 0x55);
    teardown();

    /* The first bytes can be before the header. */
    setup();
    image_put(image, HEADER + LOAD_ADDR, KERNEL_AT - ELF_TEXT, 4);
    load_ok(image, IMAGE_SIZE);
    expect_hex(guest(KERNEL_AT - ELF_TEXT, 8), 0);
    expect_hex(guest(KERNEL_AT - (ELF_TEXT - HEADER), 4), MAGIC);
    teardown();
}
END_TEST

/* The header is where it is found first, with a right checksum, at a multiple of
 * four, within the first 8 KiB. */
START_TEST(search)
{
    enum { SIZE = 3 * 8192 };
    static const struct { unsigned at; bool found; } cases[] = {
        { 0, true }, { 4, true }, { 8192 - 32, true }, { 2, false }, { 8191, false },
        { 8192, false }, { 8192 - 8, false },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *image = g_malloc0(SIZE);

        put_header(image, cases[i].at, BY_ADDRESS);
        image_put(image, cases[i].at + HEADER_ADDR, KERNEL_AT, 4);
        image_put(image, cases[i].at + LOAD_ADDR, KERNEL_AT, 4);
        image_put(image, cases[i].at + ENTRY_ADDR, ENTRY, 4);
        if (!cases[i].found) {
            refuse(image, SIZE, "neither", "multiboot");
            continue;
        }
        setup();
        load_ok(image, SIZE);
        expect_hex(guest(KERNEL_AT, 4), MAGIC);
        teardown();
    }

    /* A wrong checksum is passed over. */
    {
        g_autofree uint8_t *image = flat_image();

        image_put(image, 0, MAGIC, 4);
        setup();
        load_ok(image, IMAGE_SIZE);
        expect_image();
        teardown();
        image_put(image, HEADER + CHECKSUM, 0, 4);
        refuse(image, IMAGE_SIZE, "neither", "magic");
    }
}
END_TEST

START_TEST(flags)
{
    g_autofree uint8_t *image = elf32_image();

    setup(); /* what is required and known, and what need not be known */
    put_header(image, HEADER, 0xfffe0007);
    load_ok(image, IMAGE_SIZE);
    expect_image();
    teardown();
    put_header(image, HEADER, 0x00000009);
    refuse(image, IMAGE_SIZE, "flags: 0x00000009", "0x0008");
    memset(image, 0, 4);
    put_header(image, HEADER, 0);
    refuse(image, IMAGE_SIZE, "address fields", "ELF");
}
END_TEST

/* ---- what it is told ----------------------------------------------------------------- */

START_TEST(information)
{
    g_autofree uint8_t *image = flat_image();
    g_autofree char *with = NULL;
    static const E820Entry map[] = {
        { 0, 0x9fc00, 1 }, { 0x9fc00, 0x60400, 2 }, { MIB, RAM_SIZE - MIB, 1 },
        { 1ull << 32, 1ull << 33, 1 },
    };
    unsigned i;

    setup();
    f.boot.cmdline = "a=1 b";
    load_ok(image, IMAGE_SIZE);
    expect_hex(info(0), 0x24d);
    expect_hex(info(4), 639);
    expect_hex(info(8), (RAM_SIZE - MIB) / 1024);
    with = g_strconcat(f.kernel, " a=1 b", NULL);
    expect_text(info(16), with);
    expect_hex(info(20), 0);
    expect_hex(info(44), G_N_ELEMENTS(map) * 24);
    for (i = 0; i < G_N_ELEMENTS(map); i++) {
        uint32_t at = info(48) + i * 24;

        expect_hex(guest(at, 4), 20);
        expect_hex(guest(at + 4, 8), map[i].addr);
        expect_hex(guest(at + 12, 8), map[i].size);
        expect_hex(guest(at + 20, 4), map[i].type);
    }
    expect_text(info(64), "flatview");
    expect(f.boot.info_size >= info(48) + info(44) - BOOT_MULTIBOOT_ADDR,
           "a size of %u", f.boot.info_size);
    expect_hex(guest(BOOT_MULTIBOOT_ADDR + f.boot.info_size, 1), 0x55);
    teardown();

    /* No command line but the file's name. */
    setup();
    load_ok(image, IMAGE_SIZE);
    expect_text(info(16), f.kernel);
    teardown();
}
END_TEST

START_TEST(modules)
{
    g_autofree uint8_t *image = flat_image();
    g_autofree char *one = NULL, *two = NULL, *comma = NULL, *list = NULL;
    g_autofree char *string = NULL;
    const uint32_t after = KERNEL_AT + 0x1000;
    uint32_t mods;

    setup();
    one = write_file("one", "0123456789", 10);
    two = write_file("two", image, IMAGE_SIZE);
    comma = write_file("a,b", "comma", 5);
    list = g_strdup_printf("%s x=1,,2 y, %s,%s/a,,b  z", one, two, f.dir);
    f.boot.initrd = list;
    load_ok(image, IMAGE_SIZE);
    expect_hex(info(20), 3);
    mods = info(24);
    expect_hex(guest(mods, 4), after);
    expect_hex(guest(mods + 4, 4), after + 10);
    string = g_strconcat(one, " x=1,2 y", NULL);
    expect_text(guest(mods + 8, 4), string);
    expect_hex(guest(mods + 12, 4), 0);
    expect_hex(guest(mods + 16, 4), after + 0x1000);
    expect_hex(guest(mods + 20, 4), after + 0x1000 + IMAGE_SIZE);
    expect_text(guest(mods + 24, 4), two);
    expect_hex(guest(mods + 32, 4), after + 0x2000);
    expect_hex(guest(mods + 36, 4), after + 0x2005);
    g_free(string);
    string = g_strconcat(comma, "  z", NULL);
    expect_text(guest(mods + 40, 4), string);
    expect_hex(guest(after, 8), 0x3736353433323130);
    expect_hex(guest(after + 10, 1), 0x55);
    expect_hex(guest(after + 0x1000 + ELF_TEXT, 8), content_value(2, 0, 8));
    expect_hex(guest(after + 0x2000, 5), 0x616d6d6f63);
    expect_hex(guest(KERNEL_AT, 8), content_value(2, 0, 8));
    teardown();
}
END_TEST

static void refuse_modules(const char *format, const char *word1, const char *word2)
{
    g_autofree uint8_t *image = flat_image();
    g_autofree char *one = NULL, *list = NULL;

    setup();
    one = write_file("one", "0123456789", 10);
    list = g_strdup_printf(format, one, f.dir);
    f.boot.initrd = list;
    expect_refused(load_kernel(image, IMAGE_SIZE), word1, word2);
    teardown();
}

START_TEST(modules_refused)
{
    g_autofree uint8_t *image = flat_image();
    g_autofree char *text = NULL, *one = NULL, *list = NULL;

    refuse_modules("%s,", "-initrd", "module 2");
    refuse_modules(",%s", "-initrd", "module 1");
    refuse_modules("%s, ,%s", "-initrd", "module 2");
    refuse_modules("%s,%s/none", "/none", "No such file");
    refuse_modules("%s,%s", "module '", "regular");

    /* One byte more than there is memory for, and as much as there is. */
    setup();
    one = write_file("one", "", 0);
    expect(truncate(one, RAM_SIZE - KERNEL_AT - 0x1000 + 1) == 0, "truncate");
    f.boot.initrd = one;
    expect_refused(load_kernel(image, IMAGE_SIZE), one, "-m");
    expect(truncate(one, RAM_SIZE - KERNEL_AT - 0x1000) == 0, "truncate");
    expect(load_kernel(image, IMAGE_SIZE), "%s", f.err ? f.err->message : "?");
    /* A second one starts where there is nothing any more. */
    list = g_strconcat(one, ",", one, NULL);
    f.boot.initrd = list;
    expect_refused(load_kernel(image, IMAGE_SIZE), one, "0x2000000");
    teardown();

    setup();
    text = g_strnfill(BOOT_MULTIBOOT_MAX, 'x');
    f.boot.cmdline = text;
    expect_refused(load_kernel(image, IMAGE_SIZE), "-append", "too long");
    teardown();
}
END_TEST

/* ---- files that are wrong -------------------------------------------------------------- */

START_TEST(fields)
{
    static const struct {
        unsigned field;
        uint32_t value;
        const char *word1, *word2;
    } cases[] = {
        { LOAD_ADDR, KERNEL_AT, "load_addr", "header_addr" },
        { LOAD_ADDR, KERNEL_AT - ELF_TEXT - 1, "load_addr", "not in the file" },
        { LOAD_ADDR, 0, "load_addr", "not in the file" },
        { HEADER_ADDR, UINT32_MAX, "load_addr", "0xffffffff" },
        { HEADER_ADDR, 0, "load_addr", "0x0" },
        { LOAD_END_ADDR, 1, "load_end_addr", "below" },
        { LOAD_END_ADDR, KERNEL_AT + TEXT_SIZE + 1, "load_end_addr", "truncated" },
        { LOAD_END_ADDR, UINT32_MAX, "load_end_addr", "truncated" },
        { BSS_END_ADDR, 1, "bss_end_addr", "below" },
        { BSS_END_ADDR, KERNEL_AT + TEXT_SIZE - 1, "bss_end_addr", "below" },
        { BSS_END_ADDR, RAM_SIZE + 1, "do not fit", "0x2000000" },
        { BSS_END_ADDR, UINT32_MAX, "do not fit", "0x2000000" },
        { ENTRY_ADDR, 0, "entry", "0x0" },
        { ENTRY_ADDR, KERNEL_AT + 2 * TEXT_SIZE, "entry", "not in" },
        { ENTRY_ADDR, UINT32_MAX, "entry", "0xffffffff" },
    };
    g_autofree uint8_t *low = flat_image();
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *image = flat_image();

        image_put(image, HEADER + cases[i].field, cases[i].value, 4);
        refuse(image, IMAGE_SIZE, cases[i].word1, cases[i].word2);
    }
    /* All of it moved: below 1 MiB, and beyond the end of memory. */
    for (i = 0; i < 2; i++) {
        uint32_t at = i ? RAM_SIZE + 4 : MIB - 4;

        image_put(low, HEADER + HEADER_ADDR, at, 4);
        image_put(low, HEADER + LOAD_ADDR, at, 4);
        image_put(low, HEADER + LOAD_END_ADDR, 0, 4);
        image_put(low, HEADER + BSS_END_ADDR, 0, 4);
        refuse(low, IMAGE_SIZE, "load_addr", "0x100000");
    }
}
END_TEST

START_TEST(elf_fields)
{
    g_autofree uint8_t *image = elf32_image();
    Elf32_Ehdr *e = (Elf32_Ehdr *)image;
    Elf32_Phdr *p = (Elf32_Phdr *)(e + 1);

    p->p_memsz = RAM_SIZE;
    refuse(image, IMAGE_SIZE, "p_memsz", "0x2000000");
    p->p_memsz = 2 * TEXT_SIZE;
    e->e_entry = KERNEL_AT - 1;
    refuse(image, IMAGE_SIZE, "entry", "0x1fffff");
    e->e_entry = ENTRY;
    p->p_type = PT_NULL;
    refuse(image, IMAGE_SIZE, "entry", "not in");
    p->p_type = PT_LOAD;
    e->e_machine = EM_ARM;
    refuse(image, IMAGE_SIZE, "e_machine", "40");
}
END_TEST

/* Every length of the images: loaded or refused with its name, no more. */
START_TEST(any_length)
{
    g_autofree uint8_t *flat = flat_image();
    g_autofree uint8_t *elf = elf32_image();
    size_t len;

    for (len = 1; len < IMAGE_SIZE; len += len < 0x210 ? 1 : 97) {
        refuse(flat, len, len < HEADER + 12 ? "neither" : "truncated", "");
        refuse(elf, len, len < 4 ? "neither" : len < HEADER + 12 ? "" : "truncated", "");
    }
}
END_TEST

/* Up to eight bytes of a header: any, or what makes sums overflow; the checksum is
 * right most of the time. */
static void mutate(GRand *rand, uint8_t *image)
{
    static const uint64_t ends[] = { 0, 1, 4, KERNEL_AT, RAM_SIZE, INT32_MAX, UINT32_MAX,
                                     UINT32_MAX - 15, INT64_MAX, UINT64_MAX };
    uint64_t value = g_rand_boolean(rand)
                         ? g_rand_int(rand)
                         : ends[g_rand_int_range(rand, 0, G_N_ELEMENTS(ends))];

    if (g_rand_boolean(rand)) {
        image_put(image, HEADER + FLAGS + 4 * g_rand_int_range(rand, 0, 7), value, 4);
    } else {
        image_put(image, g_rand_int_range(rand, 0, 0xa0), value,
                  1 << g_rand_int_range(rand, 0, 4));
    }
    if (g_rand_int_range(rand, 0, 4)) {
        uint32_t flags;

        memcpy(&flags, image + HEADER + FLAGS, 4);
        put_header(image, HEADER, flags & g_rand_int(rand) & ~0xfff8u);
    }
}

START_TEST(any_content)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 1);
    uint64_t images = test_number("FLATVIEW_IMAGES", 1500);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    unsigned i, n, loaded = 0;

    for (i = 0; i < images; i++) {
        g_autofree uint8_t *image =
            i % 3 == 0 ? flat_image() : i % 3 == 1 ? elf32_image() : elf64_image();
        g_autofree char *list = NULL;
        size_t len = IMAGE_SIZE;

        g_snprintf(test_context, sizeof(test_context),
                   "FLATVIEW_SEED=%" PRIu64 ", image %u", seed, i);
        for (n = g_rand_int_range(rand, 1, 5); n; n--) {
            mutate(rand, image);
        }
        if (g_rand_int_range(rand, 0, 8) == 0) {
            len = g_rand_int_range(rand, 1, len);
        }
        setup();
        list = g_strdup_printf("%s,%s x", f.kernel, f.kernel);
        f.boot.initrd = list;
        if (load_kernel(image, len)) {
            expect(loader_load(f.boot.loader, true, &f.err), "%s",
                   f.err ? f.err->message : "?");
            loaded++;
        } else {
            expect(f.err && strstr(f.err->message, f.kernel), "file not named");
        }
        teardown();
    }
    test_context[0] = 0;
    expect(images < 1500 || (loaded > images / 20 && loaded < images),
           "%u of %" PRIu64 " were loaded", loaded, images);
}
END_TEST

TEST_MAIN("multiboot", layout, address_fields, search, flags, information, modules,
          modules_refused, fields, elf_fields, any_length, any_content)
