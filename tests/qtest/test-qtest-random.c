/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A million random commands over the whole address space of a board and its
 * ports: the machine must live, each must get its reply, and RAM must hold what
 * was written there. On the board pc, whose devices write to RAM and move about,
 * only the first two; there functions come and go meanwhile, too.
 *
 * FLATVIEW_SEED replays a run, FLATVIEW_COMMANDS=n makes it n commands long.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <unistd.h>

#define COMMANDS 1000000
#define BATCH 500 /* commands sent at a time */
#define RAM (16u << 20)
#define BLOCK 200 /* bytes of a block, at most, but for memset */
#define FILL 20000

/* Of the address spaces, from the monitor. */
static uint64_t edges[1024], port_edges[1024];
static unsigned edges_nr, port_edges_nr;

static uint8_t *ram; /* what the machine's holds */
static bool pc;
static GRand *rand_;

static uint64_t random_64(void)
{
    return (uint64_t)g_rand_int(rand_) << 32 | g_rand_int(rand_);
}

static unsigned random_below(unsigned n)
{
    return g_rand_int(rand_) % n;
}

/* ---- addresses ------------------------------------------------------------------------ */

static void edge_add(uint64_t *list, unsigned *nr, uint64_t edge)
{
    if (*nr < G_N_ELEMENTS(edges)) {
        list[(*nr)++] = edge;
    }
}

/* The borders of all flat ranges. */
static void edges_find(QVM *vm)
{
    g_autofree char *map = qvm_hmp(vm, "info mtree -f");
    g_auto(GStrv) lines = g_strsplit(map, "\n", 0);

    for (char **line = lines; *line; line++) {
        uint64_t first, last;

        if (sscanf(*line, " %16" SCNx64 "-%16" SCNx64, &first, &last) == 2) {
            edge_add(edges, &edges_nr, first);
            edge_add(edges, &edges_nr, last);
            if (last < 0x10000) {
                edge_add(port_edges, &port_edges_nr, first);
                edge_add(port_edges, &port_edges_nr, last);
            }
        }
    }
    edge_add(edges, &edges_nr, 0);
    edge_add(edges, &edges_nr, 1ull << 32);
    edge_add(edges, &edges_nr, UINT64_MAX);
    expect(edges_nr > 8 && port_edges_nr > 8, "the map is\n%s", map);
}

static uint64_t random_address(void)
{
    switch (random_below(8)) {
    case 0:
        return random_64();
    case 1:
        return random_64() >> random_below(64);
    case 2:
    case 3:
        return random_below(RAM);
    default:
        return edges[random_below(edges_nr)] + random_below(24) - 12;
    }
}

static unsigned random_port(void)
{
    return (random_below(4) ? port_edges[random_below(port_edges_nr)] +
                                  random_below(12) - 6
                            : g_rand_int(rand_)) & 0xffff;
}

/* ---- what RAM holds ---------------------------------------------------------------------- */

static void ram_set(uint64_t addr, uint8_t byte)
{
    if (addr < RAM) {
        ram[addr] = byte;
    }
}

/* The digits of the byte at @addr; of a byte that is not RAM's, anything. */
static void ram_digits(uint64_t addr, char *digits)
{
    if (addr < RAM && !pc) {
        digits[0] = "0123456789abcdef"[ram[addr] >> 4];
        digits[1] = "0123456789abcdef"[ram[addr] & 0xf];
    } else {
        digits[0] = digits[1] = '?';
    }
}

/* ---- commands ------------------------------------------------------------------------------ */

/* A configuration access to some function that is likely there: two commands, which
 * a later one reads or writes. */
static void config_address_add(GString *text)
{
    unsigned devfn = random_below(2) ? random_below(8) << 3 | random_below(4)
                                     : random_below(256);

    g_string_append_printf(text, "outl 0xcf8 0x%x\n",
                           1u << 31 | random_below(3) << 16 | devfn << 8 |
                               (random_below(64) << 2));
}

/* What is on the board pc alone. */
static char *pc_command_add(GString *text)
{
    static const char widths[] = "bwl";
    static const uint32_t values[] = { 0, 1, 7, 0xffff, 0x7f, 0x00ff00ff, UINT32_MAX };
    unsigned w = random_below(3);
    uint32_t value = random_below(2) ? values[random_below(G_N_ELEMENTS(values))]
                                     : g_rand_int(rand_) >> random_below(32);

    switch (random_below(8)) {
    case 0 ... 1:
        config_address_add(text);
        return g_strdup("OK");
    case 2 ... 4:
        g_string_append_printf(text, "out%c 0x%x 0x%x\n", widths[w],
                               0xcfc + random_below(4), value);
        return g_strdup("OK");
    case 5: /* fw_cfg: an item, or a transfer as a structure in RAM says */
        if (random_below(2)) {
            g_string_append_printf(text, "outw 0x510 0x%x\n", random_below(64));
        } else {
            g_string_append_printf(text, "outl 0x518 0x%x\n",
                                   __builtin_bswap32(random_below(RAM)));
        }
        return g_strdup("OK");
    case 6: /* flash, at its end */
        g_string_append_printf(text, "write%c 0x%llx 0x%x\n", widths[w],
                               (1ull << 32) - 4 - random_below(1 << 18), value);
        return g_strdup("OK");
    default: /* hot plug */
        g_string_append_printf(text, "out%c 0x%x 0x%x\n", widths[w],
                               0xae00 + random_below(0x18),
                               random_below(2) ? 1u << random_below(32) : value);
        return g_strdup("OK");
    }
}

/* Append a command to @text; what its reply must be, to be freed: '?' stands for
 * any character, and '*' at the end for anything. */
static char *command_add(GString *text)
{
    static const char widths[] = "bwlq";
    unsigned w = random_below(4), size = 1 << w, n = 1 + random_below(BLOCK);
    uint64_t addr = random_address(), value = random_64();
    unsigned port = random_port();
    GString *reply;

    if (pc && random_below(3) == 0) {
        return pc_command_add(text);
    }
    switch (random_below(20)) {
    case 0 ... 3:
        w %= 3;
        g_string_append_printf(text, "in%c 0x%x\n", widths[w], port);
        return g_strdup("OK 0x*");
    case 4 ... 7:
        g_string_append_printf(text, "out%c 0x%x 0x%x\n", widths[w % 3], port,
                               (unsigned)value);
        return g_strdup("OK");
    case 8 ... 11:
        g_string_append_printf(text, "read%c 0x%" PRIx64 "\n", widths[w], addr);
        reply = g_string_new("OK 0x0000000000000000");
        for (unsigned i = 0; i < size; i++) {
            /* A value of which a part cannot be read is all-ones. */
            ram_digits(addr <= RAM - size ? addr + i : UINT64_MAX,
                       reply->str + reply->len - 2 - 2 * i);
        }
        return g_string_free(reply, FALSE);
    case 12 ... 14:
        g_string_append_printf(text, "write%c 0x%" PRIx64 " 0x%" PRIx64 "\n",
                               widths[w], addr, value);
        for (unsigned i = 0; i < size; i++) {
            ram_set(addr + i, value >> 8 * i);
        }
        return g_strdup("OK");
    case 15:
        g_string_append_printf(text, "read 0x%" PRIx64 " %u\n", addr, n);
        reply = g_string_new("OK 0x");
        g_string_set_size(reply, 5 + 2 * n);
        for (unsigned i = 0; i < n; i++) {
            ram_digits(addr + i, reply->str + 5 + 2 * i);
        }
        return g_string_free(reply, FALSE);
    case 16:
        g_string_append_printf(text, "write 0x%" PRIx64 " %u 0x", addr, n);
        for (unsigned i = 0; i < n; i++) {
            uint8_t byte = g_rand_int(rand_);

            g_string_append_printf(text, "%02x", byte);
            ram_set(addr + i, byte);
        }
        g_string_append_c(text, '\n');
        return g_strdup("OK");
    case 17:
        n = random_below(10) ? n : random_below(FILL);
        g_string_append_printf(text, "memset 0x%" PRIx64 " %u %u\n", addr, n,
                               (unsigned)value & 0xff);
        for (unsigned i = 0; i < n; i++) {
            ram_set(addr + i, value);
        }
        return g_strdup("OK");
    case 18:
        g_string_append_printf(text, "set_irq_in ioapic unnamed-gpio-in %u %u\n",
                               random_below(24), random_below(2));
        return g_strdup("OK");
    default:
        g_string_append_printf(text, "clock_step %u\n", random_below(2000000));
        return g_strdup("OK *");
    }
}

static bool reply_is(const char *reply, const char *wanted)
{
    while (*wanted && *wanted != '*' && *reply) {
        if (*wanted != '?' && *wanted != *reply) {
            return false;
        }
        wanted++;
        reply++;
    }
    return *wanted == '*' || *wanted == *reply;
}

static void run_batch(QVM *vm, unsigned nr)
{
    g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < nr; i++) {
        g_ptr_array_add(wanted, command_add(text));
    }
    qvm_send(vm, text->str, text->len);
    for (unsigned i = 0; i < nr; i++) {
        const char *reply = qvm_reply(vm);

        if (!reply_is(reply, wanted->pdata[i])) {
            g_auto(GStrv) lines = g_strsplit(text->str, "\n", 0);

            test_fail("'%s' gives '%s', not '%s'", lines[i], reply,
                      (char *)wanted->pdata[i]);
        }
    }
    g_string_free(text, TRUE);
}

static void random_start(void)
{
    uint64_t seed = test_number("FLATVIEW_SEED", (uint64_t)g_get_real_time());

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
             seed);
    rand_ = g_rand_new_with_seed_array((guint32[]){ seed, seed >> 32 }, 2);
    ram = g_malloc0(RAM);
}

static void random_end(QVM *vm)
{
    /* It answers at the other door, too, which nobody opened meanwhile. */
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    qvm_end(vm);
    g_free(ram);
    g_rand_free(rand_);
}

START_TEST(random_commands)
{
    uint64_t commands = test_number("FLATVIEW_COMMANDS", COMMANDS);
    QVM *vm = qvm_start("-m 16 -serial null -chardev ringbuf,id=r "
                        "-serial chardev:r -debugcon null -no-shutdown");

    random_start();
    edges_find(vm);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    for (uint64_t done = 0; done < commands; done += BATCH) {
        run_batch(vm, MIN(BATCH, commands - done));
    }
    for (unsigned at = 0; at < RAM; at += 1 << 20) {
        uint8_t block[1 << 16];

        qvm_read(vm, at, block, sizeof(block));
        expect(memcmp(block, ram + at, sizeof(block)) == 0, "RAM at 0x%x", at);
    }
    random_end(vm);
}
END_TEST

/* A function comes, or is asked to go; either may be refused. */
static void hot_plug(QVM *vm)
{
    static const char *const types[] = { "edu", "pci-testdev", "pci-bridge",
                                         "bochs-display" };
    g_autofree char *command = NULL;
    unsigned n = random_below(4);

    command = random_below(2)
        ? g_strdup_printf("{'execute': 'device_add', 'arguments': {'driver': '%s', "
                          "'id': 'hot%u', 'addr': '%x'%s}}",
                          types[random_below(4)], n, 8 + random_below(4),
                          random_below(3) ? "" : ", 'multifunction': true")
        : g_strdup_printf("{'execute': 'device_del', 'arguments': {'id': 'hot%u'}}",
                          n);
    g_free(qvm_qmp(vm, "%s", command));
}

/* Look at a screen, whatever its registers say by now. */
static void look(QVM *vm)
{
    g_autofree char *command =
        g_strdup_printf("{'execute': 'screendump', 'arguments': {'filename': '/dev/null', "
                        "'device': '%s', 'format': '%s'}}",
                        random_below(2) ? "/machine/vga" : "screen",
                        random_below(20) ? "ppm" : "png");

    g_free(qvm_qmp(vm, "%s", command));
}

START_TEST(random_pc)
{
    uint64_t commands = test_number("FLATVIEW_COMMANDS", COMMANDS);
    g_autofree char *flash = NULL, *options = NULL;
    g_autofree char *image = g_malloc0(1 << 18);
    int fd = g_file_open_tmp("flash-XXXXXX", &flash, NULL);
    QVM *vm;

    expect(fd >= 0 && write(fd, image, 1 << 18) == 1 << 18, "cannot write %s", flash);
    close(fd);
    options = g_strdup_printf(
        "-M pc -m 16 -serial null -serial null -no-shutdown "
        "-drive if=pflash,format=raw,file=%s -device edu,addr=5,msix-vectors=8 "
        "-device bochs-display,id=screen,addr=6 "
        "-device pci-testdev,addr=3,membar=64K -device pci-bridge,id=b,chassis_nr=1,addr=4 "
        "-device edu,bus=b,addr=1 -device pci-bridge,bus=b,id=c,chassis_nr=2,addr=2 "
        "-device pci-testdev,bus=c,addr=1 -device pc-testdev -device pvpanic", flash);
    vm = qvm_start("%s", options);
    pc = true;
    random_start();
    for (uint64_t done = 0; done < commands; done += BATCH) {
        if (done % (100 * BATCH) == 0) {
            edges_nr = port_edges_nr = 0;
            edges_find(vm);
        }
        hot_plug(vm);
        look(vm);
        run_batch(vm, MIN(BATCH, commands - done));
    }
    random_end(vm);
    unlink(flash);
}
END_TEST

TEST_MAIN("qtest-random", random_commands, random_pc)
