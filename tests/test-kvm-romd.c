/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ROM devices in a guest: a small flash chip, whose array is a read-only slot of KVM's
 * and whose commands are writes that exit, seen at two places. What each access of a
 * table shows; and commands of one vCPU while others read and write. Needs KVM.
 */
#include <string.h>

#include "tests/kvm-robot.h"

#define PAGE TARGET_PAGE_SIZE
#define FLASH 0xe0000000u
#define FLASH_SIZE (4 * PAGE)
#define LOW 0x3f0000u /* the last page once more, over RAM */
#define LAST (FLASH + 3 * PAGE)
#define STATUS 0x80
#define ID 0x89

/* A write is a command: 0xff shows the array again, 0x70 the status, 0x90 an id; 0x40
 * has the next write clear bits, 0x20 has 0xd0 erase a page. */
typedef struct Flash {
    MemoryRegion mr, low;
    uint8_t *array;
    uint8_t command; /* whose second write is to come; 0: none */
    uint8_t shown;   /* in each byte; if not the array */
    unsigned reads;  /* atomic; of callbacks */
    unsigned writes[4]; /* atomic, in each page */
} Flash;

static Flash flash;

static uint64_t flash_read(void *opaque, hwaddr addr, unsigned size)
{
    __atomic_add_fetch(&flash.reads, 1, __ATOMIC_RELEASE);
    return 0x0101010101010101u * flash.shown;
}

static void show(uint8_t shown)
{
    flash.shown = shown;
    memory_region_rom_device_set_readable(&flash.mr, !shown);
}

static void flash_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    uint8_t command = flash.command;
    unsigned i;

    __atomic_add_fetch(&flash.writes[addr / PAGE], 1, __ATOMIC_RELEASE);
    flash.command = 0;
    if (command == 0x40) {
        for (i = 0; i < size; i++) {
            flash.array[addr + i] &= data >> 8 * i;
        }
        return;
    }
    if (command == 0x20) {
        if ((data & 0xff) == 0xd0) {
            memset(flash.array + addr / PAGE * PAGE, 0xff, PAGE);
        }
        return;
    }
    switch (data & 0xff) {
    case 0x20:
    case 0x40:
        flash.command = data;
        show(STATUS);
        break;
    case 0x70:
        show(STATUS);
        break;
    case 0x90:
        show(ID);
        break;
    case 0xff:
        show(0);
        break;
    }
}

static unsigned writes_to(unsigned page)
{
    return __atomic_load_n(&flash.writes[page], __ATOMIC_ACQUIRE);
}

static const MemoryRegionOps flash_ops = {
    .read = flash_read,
    .write = flash_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static void flash_test(unsigned cpus, void (*script)(Robot *r))
{
    Robot r;
    unsigned i;

    robot_init(&r);
    r.cpus = cpus;
    memset(&flash, 0, sizeof(flash));
    memory_region_init_rom_device(&flash.mr, &flash_ops, NULL, "flash", FLASH_SIZE);
    flash.array = memory_region_get_ram_ptr(&flash.mr);
    for (i = 0; i < FLASH_SIZE; i++) {
        flash.array[i] = 0x10 * (i / PAGE) + (i & 0xf);
    }
    memory_region_init_alias(&flash.low, "flash-low", &flash.mr, 3 * PAGE, PAGE);
    memory_region_add_subregion(&r.memory_root, FLASH, &flash.mr);
    memory_region_add_subregion_overlap(&r.memory_root, LOW, &flash.low, 1);
    ck_assert_int_eq(robot_run(&r, script), 0);
    robot_expect_no_unassigned(&r);
    memory_region_del_subregion(&r.memory_root, &flash.low);
    memory_region_destroy(&flash.low);
    memory_region_del_subregion(&r.memory_root, &flash.mr);
    memory_region_destroy(&flash.mr);
    robot_destroy(&r);
}

/* ---- a table ------------------------------------------------------------- */

typedef struct Access {
    enum { W, R, ADD, COPY } kind;
    hwaddr addr;
    unsigned size;  /* COPY: in all */
    uint64_t value; /* R: what it shows; COPY: of each byte, or 0: the array's */
    unsigned calls; /* how many callbacks read */
} Access;

static const Access table[] = {
    { R, FLASH, 1, 0x00, 0 },
    { R, FLASH + 4, 4, 0x07060504, 0 },
    { R, FLASH + PAGE + 8, 8, 0x1f1e1d1c1b1a1918, 0 },
    { R, FLASH + PAGE - 2, 4, 0x11100f0e, 0 },
    { R, LOW + 2, 2, 0x3332, 0 },
    { COPY, FLASH, FLASH_SIZE, 0, 0 },
    /* The status, at both places. */
    { W, FLASH + 0x10, 1, 0x70, 0 },
    { R, FLASH, 1, 0x80, 1 },
    { R, LAST + 0xffc, 4, 0x80808080, 1 },
    { R, LOW, 2, 0x8080, 1 },
    { COPY, LAST, 16, 0x80, 2 },
    /* Another command, and the array again, by the other place. */
    { W, LOW + 1, 1, 0x90, 0 },
    { R, FLASH + 3, 1, 0x89, 1 },
    { R, LOW + 8, 8, 0x8989898989898989, 1 },
    { W, LOW, 2, 0xff, 0 },
    { R, FLASH + 3, 1, 0x03, 0 },
    { R, LOW + 8, 8, 0x3f3e3d3c3b3a3938, 0 },
    /* A command in array mode that changes nothing. */
    { W, FLASH, 8, 0x1122334455667700, 0 },
    { R, FLASH, 8, 0x0706050403020100, 0 },
    /* Program: bits are cleared. */
    { W, FLASH + PAGE, 4, 0x40, 0 },
    { W, FLASH + PAGE + 4, 4, 0xffff0ff0, 0 },
    { R, FLASH + PAGE + 4, 4, 0x80808080, 1 },
    { W, FLASH, 1, 0xff, 0 },
    { R, FLASH + PAGE, 8, 0x1716051013121110, 0 },
    /* Erase, and program what was erased, at the second place. */
    { W, LOW, 1, 0x20, 0 },
    { W, LOW, 1, 0xd0, 0 },
    { W, LOW, 1, 0xff, 0 },
    { R, LAST + 0x7fc, 4, 0xffffffff, 0 },
    { R, LAST - 4, 4, 0x2f2e2d2c, 0 },
    { W, LAST + 0x100, 1, 0x40, 0 },
    { W, LAST + 0x100, 8, 0x1122334455667788, 0 },
    { W, LAST, 1, 0xff, 0 },
    { R, LOW + 0x100, 8, 0x1122334455667788, 0 },
    /* Reads the array, and writes a command: 0x1f + 0x51. */
    { R, FLASH + PAGE + 0xf, 1, 0x1f, 0 },
    { ADD, FLASH + PAGE + 0xf, 1, 0x51, 0 },
    { R, FLASH + PAGE + 0xf, 1, 0x80, 1 },
    /* Reads the status, and writes a command: 0x80 + 0x7f. */
    { ADD, FLASH, 1, 0x7f, 1 },
    { R, FLASH + PAGE + 0xf, 1, 0x1f, 0 },
    { COPY, FLASH, FLASH_SIZE, 0, 0 },
};

static void check_copy(Robot *r, const Access *a)
{
    uint8_t *copy = r->host + ROBOT_FREE;
    unsigned i;

    robot_do_op(r, 0, .code = ROBOT_READ_REP, .size = 8, .addr = a->addr,
                .value = ROBOT_FREE, .count = a->size / 8);
    for (i = 0; i < a->size; i++) {
        expect_hex(copy[i], a->value ? a->value : flash.array[a->addr - FLASH + i]);
    }
}

static void do_table(Robot *r)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(table); i++) {
        const Access *a = &table[i];

        snprintf(test_context, sizeof(test_context), "row %u: ", i);
        __atomic_store_n(&flash.reads, 0, __ATOMIC_RELEASE);
        switch (a->kind) {
        case W:
            robot_write(r, a->addr, a->size, a->value);
            break;
        case R:
            expect_hex(robot_read(r, a->addr, a->size), a->value);
            break;
        case ADD:
            robot_do_op(r, 0, .code = ROBOT_ADD, .size = a->size, .addr = a->addr,
                        .value = a->value);
            break;
        case COPY:
            check_copy(r, a);
            break;
        }
        ck_assert_uint_eq(__atomic_load_n(&flash.reads, __ATOMIC_ACQUIRE), a->calls);
    }
    *test_context = 0;
}

START_TEST(test_table)
{
    flash_test(1, do_table);
}
END_TEST

/* ---- among several vCPUs ------------------------------------------------- */

#define ROUNDS 60

static void start(Robot *r)
{
    unsigned cpu;

    robot_wait_alive(r, 0);
    for (cpu = 1; cpu < r->cpus; cpu++) {
        robot_start_cpu(r, cpu);
    }
}

/* Others see the array or the status, at both places, and nothing else. */
static void others_read(Robot *r)
{
    unsigned i;

    start(r);
    robot_post(r, 1, (RobotOp){ .code = ROBOT_HAMMER, .size = 4, .addr = LAST + 4,
                                .value = 0x37363534, .value2 = 0x80808080,
                                .count = ROBOT_RUN_ALWAYS });
    robot_post(r, 2, (RobotOp){ .code = ROBOT_HAMMER, .size = 8, .addr = LOW + 8,
                                .value = 0x3f3e3d3c3b3a3938,
                                .value2 = 0x8080808080808080,
                                .count = ROBOT_RUN_ALWAYS });
    for (i = 0; i < ROUNDS; i++) {
        robot_write(r, FLASH, 1, 0x70);
        robot_write(r, LOW, 1, 0xff);
    }
    robot_stop(r, 1, ROUNDS);
    robot_stop(r, 2, ROUNDS);
    ck_assert_uint_eq(writes_to(0), ROUNDS);
    ck_assert_uint_eq(writes_to(3), ROUNDS);
}

START_TEST(test_others_read)
{
    flash_test(3, others_read);
}
END_TEST

/* Each write is a call of the device, once, whatever becomes of the slot meanwhile. */
static void others_write(Robot *r)
{
    unsigned cpu, i;

    start(r);
    for (cpu = 1; cpu < r->cpus; cpu++) {
        robot_post(r, cpu, (RobotOp){ .code = ROBOT_STRIDE, .size = 4,
                                      .addr = FLASH + cpu * PAGE, .value = 0,
                                      .count = ROUNDS });
    }
    for (i = 0; i < ROUNDS; i++) {
        memory_lock();
        show(i % 2 ? 0 : STATUS);
        memory_unlock();
    }
    for (cpu = 1; cpu < r->cpus; cpu++) {
        robot_wait(r, cpu);
        ck_assert_uint_eq(writes_to(cpu), ROUNDS);
    }
    ck_assert_uint_eq(writes_to(0), 0);
    expect_hex(robot_read(r, FLASH, 4), 0x03020100);
}

START_TEST(test_others_write)
{
    flash_test(4, others_write);
}
END_TEST

ROBOT_MAIN("kvm-romd", test_table, test_others_read, test_others_write)
