/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map in words: the exact text for a small machine, and that the text stays
 * as small as the graph where its aliases make very many paths.
 */
#include <stdarg.h>
#include <string.h>

#include "memory-internal.h"
#include "mtree.h"
#include "test-util.h"

/* A stream that is a GString. */
static int print_to_string(FILE *f, const char *fmt, ...)
{
    GString *s = (GString *)f;
    gsize before = s->len;
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(s, fmt, ap);
    va_end(ap);
    return (int)(s->len - before);
}

static char *mtree_text(unsigned flags)
{
    GString *s = g_string_new(NULL);

    mtree_info_flags(print_to_string, s, flags);
    return g_string_free(s, FALSE);
}

static void expect_text(unsigned flags, const char *wanted)
{
    char *text = mtree_text(flags);

    expect(!strcmp(text, wanted), "the text is\n%s\nand not\n%s", text, wanted);
    g_free(text);
}

/* ---- a small machine ----------------------------------------------------- */

static MemoryRegion sysmem, ram, lomem, himem, pci, hole, vga, rom, lapic, flash;
static MemoryRegion iospace, later;
static IoDevice uart;
static AddressSpace memory, dma, io;

static void machine_setup(void)
{
    memory_region_init(&sysmem, "system", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", 0x200000);
    memory_region_init_alias(&lomem, "lomem", &ram, 0, 0x100000);
    memory_region_init_alias(&himem, "himem", &ram, 0x100000, 0x100000);
    memory_region_init(&pci, "pci", 0x100000000);
    memory_region_init_alias(&hole, "pci-hole", &pci, 0xe0000000, 0x10000000);
    memory_region_init_ram(&vga, "vga.vram", 0x10000);
    memory_region_init_rom(&rom, "bios", 0x10000);
    memory_region_init_rom_device(&flash, &io_device_ops, &uart, "flash",
                                  0x1000);
    memory_region_init_reservation(&lapic, "lapic", 0x1000);
    memory_region_init(&iospace, "io", 0x10000);
    memory_region_init(&later, "later", 0x1000);
    io_device_init(&uart, 1, "uart", 8);

    memory_region_add_subregion(&sysmem, 0x100000000, &himem);
    memory_region_add_subregion(&sysmem, 0, &lomem);
    memory_region_add_subregion_overlap(&sysmem, 0xe0000000, &hole, -1);
    memory_region_add_subregion_overlap(&sysmem, 0xf0000, &rom, 1);
    memory_region_add_subregion(&sysmem, 0xfee00000, &lapic);
    memory_region_add_subregion(&sysmem, 0xffe00000, &flash);
    memory_region_add_subregion(&sysmem, 0xd0000000, &later);
    memory_region_set_enabled(&later, false);
    memory_region_set_readonly(&lomem, true);
    memory_region_add_subregion(&pci, 0xe8000000, &vga);
    memory_region_add_subregion(&iospace, 0x3f8, &uart.mr);
    address_space_init_named(&memory, &sysmem, "memory");
    address_space_init_named(&dma, &sysmem, "dma");
    address_space_init(&io, &iospace);
}

static void machine_teardown(void)
{
    MemoryRegion *subs[] = { &himem, &lomem, &hole, &rom, &lapic, &flash,
                             &later };

    address_space_destroy(&memory);
    address_space_destroy(&dma);
    address_space_destroy(&io);
    for (unsigned i = 0; i < G_N_ELEMENTS(subs); i++) {
        memory_region_del_subregion(&sysmem, subs[i]);
        memory_region_destroy(subs[i]);
    }
    memory_region_del_subregion(&pci, &vga);
    memory_region_del_subregion(&iospace, &uart.mr);
    memory_region_destroy(&vga);
    memory_region_destroy(&pci);
    memory_region_destroy(&ram);
    memory_region_destroy(&uart.mr);
    memory_region_destroy(&iospace);
    memory_region_destroy(&sysmem);
}

static const char tree_text[] =
    "address-space: memory, dma\n"
    "  0000000000000000-ffffffffffffffff (prio 0, container): system\n"
    "    0000000000000000-00000000000fffff (prio 0, alias): alias lomem @ram "
    "0000000000000000-00000000000fffff [read-only]\n"
    "    00000000000f0000-00000000000fffff (prio 1, rom): bios\n"
    "    00000000d0000000-00000000d0000fff (prio 0, container): later "
    "[disabled]\n"
    "    00000000e0000000-00000000efffffff (prio -1, alias): alias pci-hole "
    "@pci 00000000e0000000-00000000efffffff\n"
    "    00000000fee00000-00000000fee00fff (prio 0, reservation): lapic\n"
    "    00000000ffe00000-00000000ffe00fff (prio 0, romd): flash\n"
    "    0000000100000000-00000001000fffff (prio 0, alias): alias himem @ram "
    "0000000000100000-00000000001fffff\n"
    "\n"
    "address-space: io\n"
    "  0000000000000000-000000000000ffff (prio 0, container): io\n"
    "    00000000000003f8-00000000000003ff (prio 0, i/o): uart\n"
    "\n"
    "memory-region: ram\n"
    "  0000000000000000-00000000001fffff (prio 0, ram): ram\n"
    "\n"
    "memory-region: pci\n"
    "  0000000000000000-00000000ffffffff (prio 0, container): pci\n"
    "    00000000e8000000-00000000e800ffff (prio 0, ram): vga.vram\n"
    "\n";

static const char flat_text[] =
    "flat-view: memory, dma\n"
    "  0000000000000000-00000000000effff (rom): ram @0000000000000000\n"
    "  00000000000f0000-00000000000fffff (rom): bios @0000000000000000\n"
    "  00000000e8000000-00000000e800ffff (ram): vga.vram @0000000000000000\n"
    "  00000000fee00000-00000000fee00fff (reservation): lapic "
    "@0000000000000000\n"
    "  00000000ffe00000-00000000ffe00fff (romd): flash @0000000000000000\n"
    "  0000000100000000-00000001000fffff (ram): ram @0000000000100000\n"
    "\n"
    "flat-view: io\n"
    "  00000000000003f8-00000000000003ff (i/o): uart @0000000000000000\n"
    "\n";

START_TEST(nothing_to_print)
{
    expect_text(MTREE_TREE | MTREE_FLAT | MTREE_DISPATCH, "");
}
END_TEST

START_TEST(tree)
{
    GString *s = g_string_new(NULL);

    machine_setup();
    expect_text(MTREE_TREE, tree_text);
    mtree_info(print_to_string, s);
    expect(!strcmp(s->str, tree_text), "mtree_info printed\n%s", s->str);
    g_string_free(s, TRUE);
    machine_teardown();
}
END_TEST

START_TEST(flat)
{
    char *both = g_strconcat(tree_text, flat_text, NULL);

    machine_setup();
    expect_text(MTREE_FLAT, flat_text);
    expect_text(MTREE_TREE | MTREE_FLAT, both);
    expect_text(0, "");
    memory_region_rom_device_set_readable(&flash, false);

    char *text = mtree_text(MTREE_FLAT);

    expect(strstr(text, "(i/o): flash"), "romd off:\n%s", text);
    g_free(text);
    machine_teardown();
    g_free(both);
}
END_TEST

START_TEST(dispatch)
{
    char *text;

    machine_setup();
    text = mtree_text(MTREE_DISPATCH);
    expect(g_str_has_prefix(text, "flat-view: memory, dma\n") &&
           strstr(text, "\n  6 ranges, 1 nodes of up to ") &&
           strstr(text, "\n  1 ranges, 1 nodes of up to ") &&
           strstr(text, "flat-view: io\n") && !strstr(text, "vga.vram"),
           "dispatch:\n%s", text);
    g_free(text);
    machine_teardown();
}
END_TEST

/* Through stdio, as a program would. */
START_TEST(to_a_file)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    machine_setup();
    mtree_info_flags(fprintf, f, MTREE_FLAT);
    fclose(f);
    expect(!strcmp(text, flat_text), "printed\n%s", text);
    free(text);
    machine_teardown();
}
END_TEST

/* Empty regions, and places past the last address. */
START_TEST(odd_ranges)
{
    MemoryRegion root, inner, empty, beyond, last;
    AddressSpace as;

    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init(&inner, "inner", UINT64_MAX);
    memory_region_init(&empty, "empty", 0);
    memory_region_init(&beyond, "beyond", 0x1000);
    memory_region_init(&last, "last", 0x1000);
    memory_region_add_subregion(&root, 0x8000000000000000, &inner);
    memory_region_add_subregion_overlap(&inner, 0, &empty, 1);
    memory_region_add_subregion(&inner, 0x8000000000000000, &beyond);
    memory_region_add_subregion_overlap(&inner, 0x7ffffffffffff800, &last, 0);
    address_space_init(&as, &root);
    memory_region_set_readonly(&inner, true);
    memory_region_set_enabled(&inner, false);
    expect_text(MTREE_TREE | MTREE_FLAT,
        "address-space: root\n"
        "  0000000000000000-ffffffffffffffff (prio 0, container): root\n"
        "    8000000000000000-ffffffffffffffff (prio 0, container): inner "
        "[read-only] [disabled]\n"
        "      8000000000000000-empty            (prio 1, container): empty\n"
        "      fffffffffffff800-ffffffffffffffff (prio 0, container): last\n"
        "      past the last address             (prio 0, container): beyond\n"
        "\n"
        "flat-view: root\n"
        "  nothing\n"
        "\n");
    address_space_destroy(&as);
    memory_region_del_subregion(&inner, &empty);
    memory_region_del_subregion(&inner, &beyond);
    memory_region_del_subregion(&inner, &last);
    memory_region_del_subregion(&root, &inner);
    memory_region_destroy(&empty);
    memory_region_destroy(&beyond);
    memory_region_destroy(&last);
    memory_region_destroy(&inner);
    memory_region_destroy(&root);
}
END_TEST

/* Among regions at one address the one on top comes first. */
START_TEST(order)
{
    MemoryRegion root, a, b, c, d;
    AddressSpace as;

    memory_region_init(&root, "root", 0x1000);
    memory_region_init(&a, "a", 16);
    memory_region_init(&b, "b", 16);
    memory_region_init(&c, "c", 16);
    memory_region_init(&d, "d", 16);
    memory_region_add_subregion_overlap(&root, 16, &a, 1);
    memory_region_add_subregion_overlap(&root, 16, &b, 2);
    memory_region_add_subregion_overlap(&root, 16, &c, 1);
    memory_region_add_subregion_overlap(&root, 0, &d, -5);
    address_space_init(&as, &root);
    expect_text(MTREE_TREE,
        "address-space: root\n"
        "  0000000000000000-0000000000000fff (prio 0, container): root\n"
        "    0000000000000000-000000000000000f (prio -5, container): d\n"
        "    0000000000000010-000000000000001f (prio 2, container): b\n"
        "    0000000000000010-000000000000001f (prio 1, container): c\n"
        "    0000000000000010-000000000000001f (prio 1, container): a\n"
        "\n");
    address_space_destroy(&as);
    memory_region_del_subregion(&root, &a);
    memory_region_del_subregion(&root, &b);
    memory_region_del_subregion(&root, &c);
    memory_region_del_subregion(&root, &d);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&c);
    memory_region_destroy(&d);
    memory_region_destroy(&root);
}
END_TEST

/* A target inside a tree that is nowhere: the whole tree is printed, once; one
 * inside a printed tree is not printed again. */
START_TEST(targets)
{
    MemoryRegion root, tree, leaf, other, x, y, z;
    AddressSpace as;

    memory_region_init(&root, "root", 0x1000);
    memory_region_init(&tree, "tree", 0x100);
    memory_region_init(&leaf, "leaf", 0x10);
    memory_region_init(&other, "other", 0x10);
    memory_region_add_subregion(&tree, 0x20, &leaf);
    memory_region_add_subregion(&tree, 0x40, &other);
    memory_region_init_alias(&x, "x", &leaf, 0, 0x10);
    memory_region_init_alias(&y, "y", &other, 0, 0x10);
    memory_region_init_alias(&z, "z", &x, 0, 0x10);
    memory_region_add_subregion(&root, 0x000, &x);
    memory_region_add_subregion(&root, 0x100, &y);
    memory_region_add_subregion(&root, 0x200, &z);
    address_space_init(&as, &root);
    expect_text(MTREE_TREE,
        "address-space: root\n"
        "  0000000000000000-0000000000000fff (prio 0, container): root\n"
        "    0000000000000000-000000000000000f (prio 0, alias): alias x @leaf "
        "0000000000000000-000000000000000f\n"
        "    0000000000000100-000000000000010f (prio 0, alias): alias y @other "
        "0000000000000000-000000000000000f\n"
        "    0000000000000200-000000000000020f (prio 0, alias): alias z @x "
        "0000000000000000-000000000000000f\n"
        "\n"
        "memory-region: tree\n"
        "  0000000000000000-00000000000000ff (prio 0, container): tree\n"
        "    0000000000000020-000000000000002f (prio 0, container): leaf\n"
        "    0000000000000040-000000000000004f (prio 0, container): other\n"
        "\n");
    address_space_destroy(&as);
    memory_region_del_subregion(&root, &x);
    memory_region_del_subregion(&root, &y);
    memory_region_del_subregion(&root, &z);
    memory_region_del_subregion(&tree, &leaf);
    memory_region_del_subregion(&tree, &other);
    memory_region_destroy(&z);
    memory_region_destroy(&x);
    memory_region_destroy(&y);
    memory_region_destroy(&leaf);
    memory_region_destroy(&other);
    memory_region_destroy(&tree);
    memory_region_destroy(&root);
}
END_TEST

/* Containers of which each shows the next one twice: 2^LEVELS ways to the last
 * one. Nothing but its first byte is shown, so that the view stays small. */
#define LEVELS 20

START_TEST(many_paths)
{
    MemoryRegion containers[LEVELS + 1], aliases[LEVELS][2];
    AddressSpace as;
    unsigned lines = 0;
    char *text;

    for (unsigned i = 0; i <= LEVELS; i++) {
        memory_region_init(&containers[i], "container", 1);
    }
    for (unsigned i = 0; i < LEVELS; i++) {
        for (unsigned j = 0; j < 2; j++) {
            memory_region_init_alias(&aliases[i][j], "alias",
                                     &containers[i + 1], 0, 1);
            memory_region_add_subregion_overlap(&containers[i], 0,
                                                &aliases[i][j], (int)j);
        }
    }
    memory_region_set_enabled(&containers[0], false);
    address_space_init(&as, &containers[0]);
    text = mtree_text(MTREE_TREE);
    for (const char *p = text; *p; p++) {
        lines += *p == '\n';
    }
    /* For each container: a title, itself, two aliases, an empty line. */
    expect(lines == LEVELS * 5 + 3, "%u lines", lines);
    g_free(text);
    address_space_destroy(&as);
    for (unsigned i = 0; i < LEVELS; i++) {
        for (unsigned j = 0; j < 2; j++) {
            memory_region_del_subregion(&containers[i], &aliases[i][j]);
            memory_region_destroy(&aliases[i][j]);
        }
    }
    for (unsigned i = 0; i <= LEVELS; i++) {
        memory_region_destroy(&containers[i]);
    }
}
END_TEST

/* More ranges than one node of the tree holds: its inner nodes are printed. */
START_TEST(inner_nodes)
{
    static MemoryRegion root, subs[2 * FLAT_FANOUT];
    AddressSpace as;
    unsigned lines = 0;
    char *text;

    memory_region_init(&root, "root", 0x10000);
    for (unsigned i = 0; i < G_N_ELEMENTS(subs); i++) {
        memory_region_init_reservation(&subs[i], "sub", 0x10);
        memory_region_add_subregion(&root, 0x100 + i * 0x20, &subs[i]);
    }
    address_space_init(&as, &root);
    text = mtree_text(MTREE_DISPATCH);
    expect(strstr(text, "flat-view: root\n  30 ranges, ") &&
           strstr(text, ", height 1, ") &&
           strstr(text, "\n    0000000000000100-00000000000004af: "),
           "dispatch:\n%s", text);
    for (const char *p = text; *p; p++) {
        lines += *p == '\n';
    }
    expect(lines == 4, "%u lines:\n%s", lines, text);
    g_free(text);
    address_space_destroy(&as);
    for (unsigned i = 0; i < G_N_ELEMENTS(subs); i++) {
        memory_region_del_subregion(&root, &subs[i]);
        memory_region_destroy(&subs[i]);
    }
    memory_region_destroy(&root);
}
END_TEST

/* More levels than a stack holds: all are printed, the deep ones in line. */
#define DEEP 100000

START_TEST(deep)
{
    MemoryRegion *containers = g_new(MemoryRegion, DEEP);
    AddressSpace as;
    unsigned lines = 0;
    size_t size;
    char *text;

    memory_region_init(&containers[0], "c", 0x10);
    memory_region_set_enabled(&containers[0], false); /* nothing is drawn */
    for (unsigned i = 1; i < DEEP; i++) {
        memory_region_init(&containers[i], "c", 0x10);
        memory_region_add_subregion(&containers[i - 1], 0, &containers[i]);
    }
    address_space_init(&as, &containers[0]);
    text = mtree_text(MTREE_TREE);
    for (const char *p = text; *p; p++) {
        lines += *p == '\n';
    }
    size = strlen(text);
    expect(lines == DEEP + 2, "%u lines", lines);
    expect(size < DEEP * 256, "%zu bytes", size);
    expect(g_str_has_prefix(text, "address-space: c\n  0000000000000000-"
                                  "000000000000000f (prio 0, container): c "
                                  "[disabled]\n    0000000000000000-"),
           "it starts with %.120s", text);
    g_free(text);
    address_space_destroy(&as);
    for (unsigned i = DEEP - 1; i; i--) {
        memory_region_del_subregion(&containers[i - 1], &containers[i]);
        memory_region_destroy(&containers[i]);
    }
    memory_region_destroy(&containers[0]);
    g_free(containers);
}
END_TEST

/* Owners are printed where they are known, and asked for. */
static char *describe(void *owner)
{
    return g_strdup_printf("/machine/%s", (const char *)owner);
}

START_TEST(owners)
{
    static const char tree[] =
        "address-space: root\n"
        "  0000000000000000-0000000000000fff (prio 0, container): root\n"
        "    0000000000000000-000000000000000f (prio 0, reservation): a "
        "[disabled] owner:{/machine/uart}\n"
        "    0000000000000010-000000000000001f (prio 0, reservation): b "
        "owner:{/machine/rtc}\n"
        "    0000000000000020-000000000000002f (prio 0, reservation): c\n"
        "\n";
    static const char flat[] =
        "flat-view: root\n"
        "  0000000000000010-000000000000001f (reservation): b "
        "@0000000000000000 owner:{/machine/rtc}\n"
        "  0000000000000020-000000000000002f (reservation): c "
        "@0000000000000000\n"
        "\n";
    MemoryRegion root, subs[3];
    AddressSpace as;
    char *text;

    memory_region_init(&root, "root", 0x1000);
    for (unsigned i = 0; i < 3; i++) {
        char name[] = { 'a' + i, 0 };

        memory_region_init_reservation(&subs[i], name, 16);
        memory_region_add_subregion(&root, i * 16, &subs[i]);
    }
    memory_region_set_owner(&subs[0], describe, "uart");
    memory_region_set_owner(&subs[1], describe, "rtc");
    memory_region_set_enabled(&subs[0], false);
    address_space_init(&as, &root);
    expect_text(MTREE_TREE | MTREE_OWNER, tree);
    expect_text(MTREE_FLAT | MTREE_OWNER, flat);
    text = mtree_text(MTREE_TREE | MTREE_FLAT | MTREE_DISPATCH);
    expect(!strstr(text, "owner"), "nobody asked:\n%s", text);
    g_free(text);
    memory_region_set_owner(&subs[0], NULL, NULL);
    text = mtree_text(MTREE_TREE | MTREE_OWNER);
    expect(!strstr(text, "uart") && strstr(text, "rtc"), "forgotten:\n%s",
           text);
    g_free(text);
    address_space_destroy(&as);
    for (unsigned i = 0; i < 3; i++) {
        memory_region_del_subregion(&root, &subs[i]);
        memory_region_destroy(&subs[i]);
    }
    memory_region_destroy(&root);
}
END_TEST

/* ---- the walk: what the text does not tell ------------------------------------- */

typedef struct Seen {
    MtreeRegion regions[16];
    unsigned nr, trees, trees_ended;
    unsigned views, views_ended, ranges;
    unsigned range_region[16];
    MtreeView view[4];
} Seen;

static void see_tree(const GPtrArray *spaces, void *opaque)
{
    static const unsigned names[] = { 2, 1, 0, 0 };
    Seen *seen = opaque;

    ck_assert_uint_eq(seen->trees, seen->trees_ended);
    ck_assert_uint_lt(seen->trees, G_N_ELEMENTS(names));
    ck_assert_uint_eq(spaces->len, names[seen->trees]);
    ck_assert(memory_lock_held());
    seen->trees++;
}

static void see_region(const MtreeRegion *region, void *opaque)
{
    Seen *seen = opaque;

    expect(seen->nr < G_N_ELEMENTS(seen->regions), "too many");
    seen->regions[seen->nr++] = *region;
}

static void see_tree_end(void *opaque)
{
    ((Seen *)opaque)->trees_ended++;
}

static void see_view(const MtreeView *view, void *opaque)
{
    Seen *seen = opaque;

    ck_assert_uint_eq(seen->views, seen->views_ended);
    seen->view[seen->views++] = *view;
}

static void see_range(const MtreeFlatRange *range, void *opaque)
{
    Seen *seen = opaque;

    expect(seen->ranges < G_N_ELEMENTS(seen->range_region), "too many");
    seen->range_region[seen->ranges++] = range->region;
}

static void see_view_end(void *opaque)
{
    ((Seen *)opaque)->views_ended++;
}

static const MtreeVisitor seeing = {
    see_tree, see_region, see_tree_end, see_view, see_range, see_view_end,
};

static const MtreeRegion *seen_by_id(const Seen *seen, unsigned id)
{
    for (unsigned i = 0; i < seen->nr; i++) {
        if (seen->regions[i].id == id) {
            return &seen->regions[i];
        }
    }
    test_fail("no region has the id %u", id);
}

START_TEST(walk)
{
    static const char *const shown[] = { "ram", "bios", "vga.vram", "lapic",
                                         "flash", "ram", "uart" };
    Seen seen = { .nr = 0 };

    machine_setup();
    mtree_walk(MTREE_TREE | MTREE_FLAT, &seeing, &seen);
    ck_assert_uint_eq(seen.trees, 4);
    ck_assert_uint_eq(seen.trees_ended, 4);
    ck_assert_uint_eq(seen.nr, 13);
    for (unsigned i = 0; i < seen.nr; i++) {
        const MtreeRegion *r = &seen.regions[i];

        ck_assert_ptr_eq(seen_by_id(&seen, r->id), r);
        if (r->depth) {
            const MtreeRegion *parent = seen_by_id(&seen, r->parent);

            ck_assert_uint_eq(parent->depth + 1, r->depth);
            ck_assert_uint_lt(parent - seen.regions, i);
            expect_hex(r->range.first, parent->range.first + r->addr);
        } else {
            ck_assert_uint_eq(r->parent, MTREE_NONE);
        }
        if (r->kind == MTREE_KIND_ALIAS) {
            ck_assert_str_eq(seen_by_id(&seen, r->target)->name,
                             r->target_name);
        } else {
            ck_assert_uint_eq(r->target, MTREE_NONE);
        }
    }
    expect(seen.regions[0].size >> 64 == 1, "2^64 bytes");
    ck_assert_uint_eq(seen.views, 2);
    ck_assert_uint_eq(seen.views_ended, 2);
    ck_assert_uint_eq(seen.view[0].root, seen.regions[0].id);
    ck_assert_uint_eq(seen.view[0].ranges, 6);
    ck_assert_uint_eq(seen.view[0].nodes, 1);
    ck_assert_uint_eq(seen.view[0].height, 0);
    ck_assert_uint_eq(seen.ranges, G_N_ELEMENTS(shown));
    for (unsigned i = 0; i < seen.ranges; i++) {
        ck_assert_str_eq(seen_by_id(&seen, seen.range_region[i])->name,
                         shown[i]);
    }
    /* Views without trees have ids, too; and who cares for nothing. */
    memset(&seen, 0, sizeof(seen));
    mtree_walk(MTREE_DISPATCH, &seeing, &seen);
    ck_assert_uint_eq(seen.nr + seen.ranges, 0);
    ck_assert_uint_eq(seen.views_ended, 2);
    mtree_walk(MTREE_TREE | MTREE_FLAT, &(MtreeVisitor){ 0 }, NULL);
    machine_teardown();
}
END_TEST

TEST_MAIN("mtree", nothing_to_print, tree, flat, dispatch, to_a_file,
          odd_ranges, order, targets, many_paths, inner_nodes, deep, owners,
          walk)
