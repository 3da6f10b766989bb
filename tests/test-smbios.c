/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: the entry point as a guest finds it, a walk over every structure and
 * its strings, and what is in the fields for machines of several sizes.
 */
#include <string.h>

#include "hw/smbios/smbios.h"
#include "tests/test-util.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define BASE 0xf0000

typedef struct Structure {
    uint8_t type, length;
    uint16_t handle;
    const uint8_t *data;
    const char *strings[8];
    unsigned strings_nr;
} Structure;

static Structure structures[512];
static unsigned structures_nr;
static GByteArray *block;

static uint64_t number(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)p[i] << 8 * i;
    }
    return value;
}

#define field(s, offset, size) number((s)->data + (offset), size)

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t total = 0;

    while (len--) {
        total += *p++;
    }
    return total;
}

/* One structure at @p; returns what follows. */
static const uint8_t *read_structure(const uint8_t *p, const uint8_t *end)
{
    Structure *s = &structures[structures_nr++];
    const uint8_t *text;

    expect(structures_nr <= G_N_ELEMENTS(structures), "too many");
    expect(end - p >= 6, "a cut structure");
    *s = (Structure){ p[0], p[1], number(p + 2, 2), p, { NULL }, 0 };
    expect(s->length >= 4 && p + s->length + 2 <= end, "type %u has length %u",
           s->type, s->length);
    text = p + s->length;
    if (!*text) {
        expect(!text[1], "type %u: no end of the strings", s->type);
        return text + 2;
    }
    while (*text) {
        expect(s->strings_nr < G_N_ELEMENTS(s->strings), "too many strings");
        s->strings[s->strings_nr++] = (const char *)text;
        text = memchr(text, 0, end - text);
        expect(text && text + 1 < end, "type %u: a string without an end", s->type);
        text++;
    }
    return text + 1;
}

static void read_tables(const uint8_t *p, size_t len, unsigned count, unsigned largest)
{
    const uint8_t *end = p + len;
    size_t most = 0;

    structures_nr = 0;
    while (p < end) {
        const uint8_t *next = read_structure(p, end);

        most = MAX(most, (size_t)(next - p));
        p = next;
    }
    expect(structures_nr == count, "%u structures, not %u", structures_nr, count);
    expect(most == largest, "the largest has %zu bytes, not %u", most, largest);
    expect(structures[count - 1].type == 127, "no end");
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            expect(structures[i].handle != structures[j].handle,
                   "handle 0x%04x twice", structures[i].handle);
            expect(structures[j].type != 127, "something follows the end");
        }
    }
}

static void check_anchor(const uint8_t *p, size_t len, size_t tables, uint32_t address)
{
    expect(len >= 31 && memcmp(p, "_SM_", 4) == 0 && p[5] == 31, "no entry point");
    expect_hex(sum(p, 31), 0);
    expect_hex(sum(p + 16, 15), 0);
    expect_hex(p[6], 2);
    expect_hex(p[7], 8);
    expect_hex(p[10], 0);
    expect(memcmp(p + 16, "_DMI_", 5) == 0, "no second signature");
    expect_hex(number(p + 22, 2), tables);
    expect_hex(number(p + 24, 4), address);
    expect_hex(p[30], 0x28);
}

/* As a guest finds them: the entry point on a multiple of 16. */
static void build(const SMBIOSConfig *config)
{
    const uint8_t *p;
    uint32_t address;

    block = smbios_link(config, BASE, NULL);
    p = block->data;
    address = number(p + 24, 4);
    expect(address >= BASE + 31 && address < BASE + block->len, "tables at 0x%x",
           address);
    check_anchor(p, block->len, BASE + block->len - address, address);
    read_tables(p + (address - BASE), number(p + 22, 2), number(p + 28, 2),
                number(p + 8, 2));
}

static void forget(void)
{
    g_byte_array_free(block, TRUE);
}

/* Structure @n of @type; NULL: there are not so many. */
static const Structure *find(unsigned type, unsigned n)
{
    for (unsigned i = 0; i < structures_nr; i++) {
        if (structures[i].type == type && n-- == 0) {
            return &structures[i];
        }
    }
    return NULL;
}

static unsigned count(unsigned type)
{
    unsigned n = 0;

    while (find(type, n)) {
        n++;
    }
    return n;
}

/* The string that the byte at @offset names. */
static const char *string(const Structure *s, unsigned offset)
{
    unsigned n = s->data[offset];

    expect(n >= 1 && n <= s->strings_nr, "type %u names string %u of %u", s->type, n,
           s->strings_nr);
    return s->strings[n - 1];
}

static SMBIOSConfig simple(void)
{
    return (SMBIOSConfig){ .product = "pc", .topology = { 1, 1, 1, 1 },
                           .lomem_size = 128 * MIB };
}

START_TEST(each_type)
{
    static const struct {
        uint8_t type, length;
    } wanted[] = { { 0, 0x18 }, { 1, 0x1b }, { 3, 0x16 }, { 4, 0x2a }, { 16, 0x17 },
                   { 17, 0x28 }, { 19, 0x1f }, { 32, 0x0b }, { 127, 4 } };
    SMBIOSConfig config = simple();
    const Structure *s;

    config.bios = true;
    build(&config);
    expect(structures_nr == G_N_ELEMENTS(wanted), "%u structures", structures_nr);
    for (unsigned i = 0; i < structures_nr; i++) {
        expect_hex(structures[i].type, wanted[i].type);
        expect_hex(structures[i].length, wanted[i].length);
    }
    s = find(0, 0);
    ck_assert_str_eq(string(s, 4), "flatview");
    ck_assert_str_eq(string(s, 5), "no firmware");
    ck_assert_str_eq(string(s, 8), "01/01/2026");
    expect_hex(field(s, 10, 8), 0x08);
    expect_hex(field(s, 18, 6), 0xffffffff1000);
    s = find(1, 0);
    ck_assert_str_eq(string(s, 4), "flatview");
    ck_assert_str_eq(string(s, 5), "pc");
    expect_hex(field(s, 8, 8), 0);
    expect_hex(field(s, 16, 8), 0);
    expect_hex(field(s, 24, 1), 6);
    ck_assert_str_eq(string(find(3, 0), 4), "flatview");
    expect_hex(field(find(3, 0), 9, 4), 0x03030303);
    s = find(4, 0);
    ck_assert_str_eq(string(s, 4), "CPU 0");
    expect_hex(field(s, 5, 1), 3);
    expect_hex(field(s, 24, 1), 0x41);
    expect_hex(field(s, 26, 6), 0xffffffffffff);
    forget();
    /* Firmware says itself what it is. */
    config.bios = false;
    build(&config);
    expect(count(0) == 0 && structures_nr == G_N_ELEMENTS(wanted) - 1, "type 0");
    forget();
}
END_TEST

START_TEST(uuids)
{
    static const struct {
        const char *text;
        uint8_t bytes[16];
    } cases[] = {
        { "00112233-4455-6677-8899-aabbccddeeff",
          { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
            0xcc, 0xdd, 0xee, 0xff } },
        { "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
          { 0x10, 0xb8, 0xa7, 0x6b, 0xad, 0x9d, 0xd1, 0x11, 0x80, 0xb4, 0x00, 0xc0,
            0x4f, 0xd4, 0x30, 0xc8 } },
        { "", { 0 } },
        { NULL, { 0 } },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        SMBIOSConfig config = simple();

        config.uuid = cases[i].text;
        build(&config);
        expect(memcmp(find(1, 0)->data + 8, cases[i].bytes, 16) == 0, "%s",
               cases[i].text);
        forget();
    }
}
END_TEST

START_TEST(processors)
{
    static const struct {
        CPUTopology topology;
        unsigned cores, threads;
    } cases[] = {
        { { 1, 1, 4, 2 }, 4, 8 },
        { { 3, 2, 2, 1 }, 4, 4 },
        { { 254, 1, 1, 1 }, 1, 1 },
        { { 1, 1, 255, 1 }, 255, 255 },
        { { 1, 2, 200, 2 }, 255, 255 }, /* as many as a byte holds */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        SMBIOSConfig config = simple();

        config.topology = cases[i].topology;
        build(&config);
        expect(count(4) == cases[i].topology.sockets, "%u sockets", count(4));
        for (unsigned n = 0; n < count(4); n++) {
            g_autofree char *name = g_strdup_printf("CPU %u", n);
            const Structure *s = find(4, n);

            ck_assert_str_eq(string(s, 4), name);
            expect_hex(field(s, 35, 1), cases[i].cores);
            expect_hex(field(s, 36, 1), cases[i].cores);
            expect_hex(field(s, 37, 1), cases[i].threads);
        }
        forget();
    }
}
END_TEST

START_TEST(memory)
{
    static const struct {
        uint64_t low, high;
        unsigned devices;
    } cases[] = {
        { 1 * MIB, 0, 1 },
        { 1 * MIB + 4096, 0, 1 },
        { 3 * GIB, 1 * GIB, 1 },
        { 3 * GIB, 13 * GIB, 1 },
        { 3 * GIB, 13 * GIB + 4096, 2 },
        { 3 * GIB, 1021 * GIB, 64 },
        { 3 * GIB, 1022 * GIB, 33 }, /* larger ones, not more */
        { 3 * GIB, 1053 * GIB - MIB, 33 }, /* the last is just too large for 15 bits */
        { 3 * GIB, 16 * 1024 * GIB, 33 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        SMBIOSConfig config = simple();
        uint64_t total = cases[i].low + cases[i].high, mib = 0;
        const Structure *s;

        config.lomem_size = cases[i].low;
        config.himem_size = cases[i].high;
        build(&config);
        s = find(16, 0);
        if (total < 2048 * GIB) {
            expect_hex(field(s, 7, 4), total / KIB);
            expect_hex(field(s, 15, 8), 0);
        } else {
            expect_hex(field(s, 7, 4), 0x80000000);
            expect_hex(field(s, 15, 8), total);
        }
        expect_hex(field(s, 13, 2), cases[i].devices);
        expect(count(17) == cases[i].devices, "%u devices", count(17));
        for (unsigned n = 0; n < cases[i].devices; n++) {
            const Structure *d = find(17, n);

            expect_hex(field(d, 4, 2), s->handle);
            mib += field(d, 12, 2) == 0x7fff ? field(d, 28, 4) : field(d, 12, 2);
            expect(field(d, 12, 2) && !(field(d, 12, 2) & 0x8000), "its size");
        }
        expect_hex(mib, (total + MIB - 1) / MIB);

        expect(count(19) == (cases[i].high ? 2 : 1), "%u ranges", count(19));
        expect_hex(field(find(19, 0), 4, 4), 0);
        expect_hex(field(find(19, 0), 8, 4), (cases[i].low - 1) / KIB);
        expect_hex(field(find(19, 0), 12, 2), s->handle);
        if (cases[i].high) {
            const Structure *range = find(19, 1);
            uint64_t last = 4 * GIB + cases[i].high - 1;

            if (last / KIB < UINT32_MAX) {
                expect_hex(field(range, 4, 4), 4 * MIB);
                expect_hex(field(range, 8, 4), last / KIB);
                expect_hex(field(range, 15, 8), 0);
            } else {
                expect_hex(field(range, 4, 8), UINT64_MAX);
                expect_hex(field(range, 15, 8), 4 * GIB);
                expect_hex(field(range, 23, 8), last);
            }
        }
        forget();
    }
}
END_TEST

/* ---- what a user says ---------------------------------------------------------------- */

static SMBIOSSettings *settings_of(const char *const *texts)
{
    SMBIOSSettings *settings = smbios_settings_new();
    g_autoptr(GError) err = NULL;

    for (; *texts; texts++) {
        expect(smbios_settings_add(settings, *texts, &err), "%s: %s", *texts,
               err ? err->message : "?");
    }
    return settings;
}

#define SETTINGS(...) settings_of((const char *const[]){ __VA_ARGS__, NULL })

/* Every key that is a text, and the byte that names it. */
START_TEST(said_texts)
{
    static const struct {
        uint8_t type;
        const char *key;
        uint8_t offset;
    } cases[] = {
        { 0, "vendor", 4 }, { 0, "version", 5 }, { 0, "date", 8 },
        { 1, "manufacturer", 4 }, { 1, "product", 5 }, { 1, "version", 6 },
        { 1, "serial", 7 }, { 1, "sku", 25 }, { 1, "family", 26 },
        { 2, "manufacturer", 4 }, { 2, "product", 5 }, { 2, "version", 6 },
        { 2, "serial", 7 }, { 2, "asset", 8 }, { 2, "location", 10 },
        { 3, "manufacturer", 4 }, { 3, "version", 6 }, { 3, "serial", 7 },
        { 3, "asset", 8 }, { 3, "sku", 21 },
        { 4, "manufacturer", 7 }, { 4, "version", 16 }, { 4, "serial", 32 },
        { 4, "asset", 33 }, { 4, "part", 34 },
        { 17, "bank", 17 }, { 17, "manufacturer", 23 }, { 17, "serial", 24 },
        { 17, "asset", 25 }, { 17, "part", 26 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("type=%u,%s=it,, a=b", cases[i].type,
                                                cases[i].key);
        SMBIOSConfig config = simple();
        SMBIOSSettings *settings = SETTINGS("type=1,serial=first", text);

        config.settings = settings;
        build(&config);
        expect(count(cases[i].type) == 1, "%s: %u structures", text,
               count(cases[i].type));
        ck_assert_str_eq(string(find(cases[i].type, 0), cases[i].offset), "it, a=b");
        /* And nowhere else. */
        for (unsigned n = 0, times = 0; n < structures_nr; n++) {
            for (unsigned j = 0; j < structures[n].strings_nr; j++) {
                times += strcmp(structures[n].strings[j], "it, a=b") == 0;
            }
            expect(times <= 1, "%s: %u times", text, times);
        }
        forget();
        smbios_settings_free(settings);
    }
}
END_TEST

START_TEST(said_others)
{
    SMBIOSSettings *settings =
        SETTINGS("type=0,uefi=on,release=4.255",
                 "type=1,uuid=00112233-4455-6677-8899-aabbccddeeff,serial=",
                 "type=4,sock_pfx=Socket,max-speed=3000,current-speed=2500",
                 "type=4,processor-id=0x1122334455667788", "type=17,loc_pfx=Slot",
                 "type=17,speed=3200", "type=11,value=one,value=two", "type=11,value=a=b");
    SMBIOSConfig config = simple();
    const Structure *s;

    config.settings = settings;
    config.uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    build(&config);
    s = find(0, 0);
    expect_hex(field(s, 18, 6), 0xffffff041800);
    ck_assert_str_eq(string(s, 4), "flatview");
    s = find(1, 0);
    expect_hex(field(s, 8, 8), 0x6677445500112233);
    expect_hex(field(s, 7, 1), 0);
    s = find(4, 0);
    ck_assert_str_eq(string(s, 4), "Socket 0");
    expect_hex(field(s, 8, 8), 0x1122334455667788);
    expect_hex(field(s, 20, 2), 3000);
    expect_hex(field(s, 22, 2), 2500);
    s = find(17, 0);
    ck_assert_str_eq(string(s, 16), "Slot 0");
    expect_hex(field(s, 21, 2), 3200);
    expect_hex(field(s, 32, 2), 3200);
    s = find(11, 0);
    expect_hex(field(s, 4, 1), 3);
    ck_assert_str_eq(s->strings[0], "one");
    ck_assert_str_eq(s->strings[1], "two");
    ck_assert_str_eq(s->strings[2], "a=b");
    expect(!find(2, 0), "a mainboard that nobody spoke of");
    forget();
    smbios_settings_free(settings);
}
END_TEST

START_TEST(said_wrong)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        { "", "it wants file=FILE, or type=" },
        { "serial=1", "it wants file=FILE, or type=" },
        { "type", "it wants file=FILE, or type=" },
        { "type=5,serial=1", "it wants file=FILE, or type=" },
        { "type=256", "it wants file=FILE, or type=" },
        { "type=1,file=x", "file= stands alone" },
        { "type=1,serial=x,type=2", "type=1 and another type=" },
        { "type=1,location=x", "type 1 has no property 'location'" },
        { "type=1,serial", "type 1: property 'serial' needs a value" },
        { "type=0,release=4", "release=4: it is MAJOR.MINOR" },
        { "type=0,release=4.5.6", "release=4.5.6: it is" },
        { "type=0,release=4.256", "release=4.256: it is" },
        { "type=0,uefi=perhaps", "uefi" },
        { "type=1,uuid=12", "uuid=12: it is no UUID" },
        { "type=4,max-speed=65536", "max-speed" },
        { "type=11,text=x", "type 11 has no 'text'; there are value= and path=" },
        { "type=11,value=", "value=: a string is not empty" },
        { "type=11,path=/nowhere/x", "path=/nowhere/x: cannot be read: No such file" },
        { "type=11,path=/dev/zero", "path=/dev/zero: a string has 65535 bytes at most" },
        { "type=11,path=/dev/null", "path=/dev/null: a string is not empty" },
    };
    SMBIOSSettings *settings = smbios_settings_new();
    g_autoptr(GError) err = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        expect(!smbios_settings_add(settings, cases[i].text, &err), "'%s' is right",
               cases[i].text);
        expect(strstr(err->message, cases[i].error), "'%s': %s", cases[i].text,
               err->message);
        g_clear_error(&err);
    }
    for (unsigned i = 0; i < 255; i++) {
        expect(smbios_settings_add(settings, "type=11,value=x", &err), "string %u", i);
    }
    expect(!smbios_settings_add(settings, "type=11,value=x", &err) &&
           strstr(err->message, "255 strings at most"), "too many");
    smbios_settings_free(settings);
}
END_TEST

static GByteArray *bytes(const void *data, size_t len)
{
    return g_byte_array_append(g_byte_array_new(), data, len);
}

START_TEST(structures_of_users)
{
    static const struct {
        const char *data;
        size_t len;
        const char *error; /* NULL: it is right */
    } cases[] = {
        { "\x02\x04\x34\x12\0\0", 6, NULL },
        { "\x80\x05\x34\x12\x01" "text\0\0", 11, NULL },
        { "\x80\x05\x34\x12\x01" "a\0b\0\0", 10, NULL },
        { "", 0, "it is no structure" },
        { "\x02\x04\x34", 3, "it is no structure" },
        { "\x02\x03\x34\x12\0\0", 6, "it is no structure" },
        { "\x02\xff\x34\x12\0\0", 6, "that is not all of 6 bytes" },
        { "\x02\x04\x34\x12\0", 5, "that is not all of 5 bytes" },
        { "\x02\x04\x34\x12" "text\0", 9, "that is not all of 9 bytes" },
        { "\x02\x04\x34\x12\0\0\0", 7, "that is not all of 7 bytes" },
        { "\x7f\x04\x34\x12\0\0", 6, "type 127 ends the tables" },
    };
    g_autoptr(GPtrArray) users = g_ptr_array_new();
    SMBIOSConfig config = simple();
    g_autoptr(GError) err = NULL;
    const uint8_t big[] = { 0x80, 4, 1, 0 };
    GByteArray *one;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        one = bytes(cases[i].data, cases[i].len);
        expect(smbios_check_structure(one, &err) == !cases[i].error, "case %u: %s", i,
               err ? err->message : "it is right");
        expect(!err || strstr(err->message, cases[i].error), "case %u: %s", i,
               err->message);
        g_clear_error(&err);
        g_byte_array_unref(one);
    }
    /* One stands in for all of its type, and they stand in order. */
    g_ptr_array_add(users, bytes("\x80\x05\x34\x12\x01" "text\0\0", 11));
    g_ptr_array_add(users, bytes("\x01\x04\x35\x12\0\0", 6));
    g_ptr_array_add(users, bytes("\x80\x04\x36\x12\0\0", 6));
    config.structures = users;
    build(&config);
    expect(count(1) == 1 && find(1, 0)->handle == 0x1235, "ours is there");
    expect(count(128) == 2 && find(128, 0)->handle == 0x1234 &&
           find(128, 1)->handle == 0x1236, "not both");
    ck_assert_str_eq(string(find(128, 0), 4), "text");
    forget();
    /* All together can be too much: 64 KiB less one byte fit, as the anchor says. */
    one = bytes(big, sizeof(big));
    g_byte_array_set_size(one, UINT16_MAX - 6000);
    memset(one->data + sizeof(big), 'x', one->len - sizeof(big) - 2);
    memset(one->data + one->len - 2, 0, 2);
    expect(smbios_check_structure(one, NULL), "a large one");
    g_ptr_array_add(users, one);
    build(&config);
    forget();
    g_ptr_array_add(users, g_byte_array_ref(one));
    expect(!smbios_tables(&config, &err) &&
           strstr(err->message, "-smbios: all structures have "), "%s",
           err ? err->message : "fits");
    expect(!smbios_link(&config, BASE, NULL), "fits");
    g_ptr_array_foreach(users, (GFunc)(void (*)(void))g_byte_array_unref, NULL);
}
END_TEST

/* For firmware: the same in two files, and no address yet. */
START_TEST(files)
{
    SMBIOSConfig config = simple();
    g_autoptr(GByteArray) tables = smbios_tables(&config, NULL);
    g_autoptr(GByteArray) anchor = smbios_anchor(tables, 0);

    expect(anchor->len == 31, "%u bytes", anchor->len);
    check_anchor(anchor->data, anchor->len, tables->len, 0);
    read_tables(tables->data, tables->len, number(anchor->data + 28, 2),
                number(anchor->data + 8, 2));
}
END_TEST

/* The program that people look with, where it is installed. */
START_TEST(dmidecode)
{
    g_autofree char *program = g_find_program_in_path("dmidecode");
    g_autofree char *dir = NULL, *path = NULL, *out = NULL, *errors = NULL;
    SMBIOSConfig config = simple();
    g_autoptr(GByteArray) dump = NULL;
    int status;

    if (!program) {
        return;
    }
    /* Its own form of dump: the entry point, and the tables at 32. */
    dump = smbios_link(&config, 0, NULL);
    dir = g_dir_make_tmp("flatview-smbios-XXXXXX", NULL);
    path = g_build_filename(dir, "dump", NULL);
    expect(g_file_set_contents(path, (char *)dump->data, dump->len, NULL), "no %s",
           path);
    expect(g_spawn_sync(NULL, (char *[]){ program, "--from-dump", path, NULL }, NULL, 0,
                        NULL, NULL, &out, &errors, &status, NULL) && status == 0,
           "%s", errors);
    expect(strstr(out, "Product Name: pc") && strstr(out, "Size: 128 MB") &&
           !strstr(out, "<OUT OF SPEC>") && !strstr(out, "broken"), "%s%s", out,
           errors);
    remove(path);
    remove(dir);
}
END_TEST

TEST_MAIN("smbios", each_type, uuids, processors, memory, said_texts, said_others,
          said_wrong, structures_of_users, files, dmidecode)
