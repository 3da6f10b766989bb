/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map changes while vCPUs use it: each access sees the map before or after,
 * none finds a hole, and no write is lost. Needs KVM.
 *
 * FLATVIEW_MOVES in the environment: how many changes each test makes.
 */
#include <linux/kvm.h>
#include <string.h>

#include "kvm-internal.h"
#include "tests/kvm-robot.h"

#define MMIO 0xd0000000u
#define BAR_SIZE 0x10000u
#define WINDOW 0x100000u
#define STEADY 0xf8000u /* in the window, where the BAR never is */
#define PLACES 8        /* of the BAR: 0x18000 apart, so that they overlap none */
#define PLACE(n) ((n) % PLACES * 0x18000u)
#define SPOT 0x1234u    /* what is read of it; in the window's first place */

static unsigned moves(void)
{
    return test_number("FLATVIEW_MOVES", 500);
}

/* ---- stray exits ---------------------------------------------------------- */

/* A vCPU that meets a hole in the slots leaves the guest with an access to what
 * is RAM all the time, and is served from the map: it would not notice. The
 * linker puts this before kvm_cpu_handle_exit(). */
static unsigned stray;
static hwaddr stray_addr;
static hwaddr device_page; /* where exits are wanted; 0: nowhere */

void __real_kvm_cpu_handle_exit(CPUState *cpu, int result);
void __wrap_kvm_cpu_handle_exit(CPUState *cpu, int result);

void __wrap_kvm_cpu_handle_exit(CPUState *cpu, int result)
{
    const struct kvm_run *run = cpu->accel->run;

    if (result >= 0 && run->exit_reason == KVM_EXIT_MMIO &&
        (run->mmio.phys_addr & TARGET_PAGE_MASK) != device_page) {
        __atomic_store_n(&stray_addr, run->mmio.phys_addr, __ATOMIC_RELAXED);
        __atomic_add_fetch(&stray, 1, __ATOMIC_RELEASE);
    }
    __real_kvm_cpu_handle_exit(cpu, result);
}

static void expect_no_stray_exit(Robot *r)
{
    unsigned nr = __atomic_load_n(&stray, __ATOMIC_ACQUIRE);

    expect(nr == 0, "%u exits for what is RAM, the last at 0x%" PRIx64, nr,
           __atomic_load_n(&stray_addr, __ATOMIC_RELAXED));
    robot_expect_no_unassigned(r);
}

static void hammer(Robot *r, unsigned cpu, hwaddr addr, uint64_t value,
                   uint64_t value2)
{
    robot_post(r, cpu, (RobotOp){ .code = ROBOT_HAMMER, .addr = addr, .size = 4,
                                  .value = value, .value2 = value2 });
    robot_until(robot_progress(r, cpu) > 10);
}

static void count_up(Robot *r, unsigned cpu, hwaddr addr)
{
    robot_post(r, cpu, (RobotOp){ .code = ROBOT_COUNT_UP, .addr = addr,
                                  .size = 4 });
    robot_until(robot_progress(r, cpu) > 10);
}

/* The counting of @cpu into @memory has lost nothing. */
static void stop_count(Robot *r, unsigned cpu, const uint8_t *memory)
{
    RobotOp op = robot_stop(r, cpu, 100);
    uint32_t last;

    memcpy(&last, memory, 4);
    expect_hex(last, op.value);
}

/* ---- a BAR ---------------------------------------------------------------- */

static MemoryRegion window, bar, second;
static uint8_t *window_host;

static void bar_moves(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    robot_start_cpu(r, 2);
    hammer(r, 1, MMIO + SPOT, content_value(1, SPOT, 4),
           content_value(2, SPOT, 4));
    count_up(r, 2, MMIO + STEADY);
    hammer(r, 0, MMIO + PLACE(3) + SPOT, content_value(1, PLACE(3) + SPOT, 4),
           content_value(2, SPOT, 4));
    for (i = 0; i < moves(); i++) {
        memory_region_set_address(&bar, PLACE(i));
    }
    robot_stop(r, 0, 100);
    robot_stop(r, 1, 100);
    stop_count(r, 2, window_host + STEADY);
    expect_no_stray_exit(r);

    /* It is where it was put last, and the window shows elsewhere. */
    for (i = 0; i < PLACES; i++) {
        bool here = PLACE(i) == PLACE(moves() - 1);

        expect_hex(robot_read(r, MMIO + PLACE(i) + SPOT, 8),
                   here ? content_value(2, SPOT, 8) :
                          content_value(1, PLACE(i) + SPOT, 8));
    }
}

START_TEST(test_bar_moves)
{
    Robot r;

    robot_init(&r);
    r.cpus = 3;
    memory_region_init_ram(&window, "window", WINDOW);
    memory_region_init_ram(&bar, "bar", BAR_SIZE);
    window_host = memory_region_get_ram_ptr(&window);
    content_fill(window_host, 1, 0, WINDOW);
    content_fill(memory_region_get_ram_ptr(&bar), 2, 0, BAR_SIZE);
    memory_region_add_subregion(&r.memory_root, MMIO, &window);
    memory_region_add_subregion_overlap(&window, 0, &bar, 1);
    ck_assert_int_eq(robot_run(&r, bar_moves), 0);
    memory_region_del_subregion(&window, &bar);
    memory_region_del_subregion(&r.memory_root, &window);
    memory_region_destroy(&bar);
    memory_region_destroy(&window);
    robot_destroy(&r);
}
END_TEST

/* Two change places, in one transaction: there is always one of them. */
static void swaps(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    hammer(r, 0, MMIO + SPOT, content_value(2, SPOT, 4),
           content_value(3, SPOT, 4));
    hammer(r, 1, MMIO + BAR_SIZE + SPOT, content_value(2, SPOT, 4),
           content_value(3, SPOT, 4));
    for (i = 0; i < moves(); i++) {
        memory_region_transaction_begin();
        memory_region_set_address(&bar, MMIO + i % 2 * BAR_SIZE);
        memory_region_set_address(&second, MMIO + (i + 1) % 2 * BAR_SIZE);
        memory_region_transaction_commit();
    }
    robot_stop(r, 0, 100);
    robot_stop(r, 1, 100);
    expect_no_stray_exit(r);
}

START_TEST(test_swap)
{
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    memory_region_init_ram(&bar, "bar", BAR_SIZE);
    memory_region_init_ram(&second, "second", BAR_SIZE);
    content_fill(memory_region_get_ram_ptr(&bar), 2, 0, BAR_SIZE);
    content_fill(memory_region_get_ram_ptr(&second), 3, 0, BAR_SIZE);
    memory_region_add_subregion(&r.memory_root, MMIO, &bar);
    memory_region_add_subregion(&r.memory_root, MMIO + BAR_SIZE, &second);
    ck_assert_int_eq(robot_run(&r, swaps), 0);
    memory_region_del_subregion(&r.memory_root, &bar);
    memory_region_del_subregion(&r.memory_root, &second);
    memory_region_destroy(&bar);
    memory_region_destroy(&second);
    robot_destroy(&r);
}
END_TEST

/* ---- the RAM that the vCPUs run from -------------------------------------- */

/* A page moves about in it, so its slots come and go with code, stack and page
 * tables in them. */
static void under_code(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    count_up(r, 0, ROBOT_FREE);
    count_up(r, 1, ROBOT_FREE + 8);
    for (i = 0; i < moves(); i++) {
        memory_region_set_address(&second, ROBOT_FREE + 0x10000 +
                                           i % 16 * 0x3000);
    }
    stop_count(r, 0, r->host + ROBOT_FREE);
    stop_count(r, 1, r->host + ROBOT_FREE + 8);
    expect_no_stray_exit(r);
}

START_TEST(test_under_code)
{
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    memory_region_init_ram(&second, "page", 0x1000);
    memory_region_add_subregion_overlap(&r.memory_root, ROBOT_FREE + 0x10000,
                                        &second, 1);
    ck_assert_int_eq(robot_run(&r, under_code), 0);
    memory_region_del_subregion(&r.memory_root, &second);
    memory_region_destroy(&second);
    robot_destroy(&r);
}
END_TEST

/* ---- kinds ---------------------------------------------------------------- */

static IoDevice dev;

/* RAM becomes ROM and back, a device comes and goes on top of it, an alias of it
 * moves: all the while it is read. */
static void kinds(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    hammer(r, 0, MMIO + SPOT, content_value(1, SPOT, 4),
           content_value(1, SPOT, 4));
    hammer(r, 1, MMIO + 0x10004, content_value(1, 0x10004, 4),
           content_value(4, 4, 4));
    for (i = 0; i < moves(); i++) {
        switch (i % 3) {
        case 0:
            memory_region_set_readonly(&window, i % 2);
            break;
        case 1:
            memory_region_set_enabled(&dev.mr, i % 2);
            break;
        case 2:
            memory_region_set_alias_offset(&second, i % 5 * 0x1000);
            break;
        }
    }
    robot_stop(r, 0, 100);
    robot_stop(r, 1, 100);
    expect_no_stray_exit(r);
}

START_TEST(test_kinds)
{
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    memory_region_init_ram(&window, "window", WINDOW);
    content_fill(memory_region_get_ram_ptr(&window), 1, 0, WINDOW);
    io_device_init(&dev, 4, "dev", 0x1000);
    device_page = MMIO + 0x10000;
    memory_region_init_alias(&second, "alias", &window, 0, 0x4000);
    memory_region_add_subregion(&r.memory_root, MMIO, &window);
    memory_region_add_subregion_overlap(&r.memory_root, MMIO + 0x10000, &dev.mr,
                                        1);
    memory_region_add_subregion_overlap(&r.memory_root, MMIO + 0x20000, &second,
                                        1);
    ck_assert_int_eq(robot_run(&r, kinds), 0);
    memory_region_del_subregion(&r.memory_root, &second);
    memory_region_del_subregion(&r.memory_root, &dev.mr);
    memory_region_del_subregion(&r.memory_root, &window);
    memory_region_destroy(&second);
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&window);
    robot_destroy(&r);
}
END_TEST

/* ---- a guest that moves it itself ----------------------------------------- */

/* As a guest programs a BAR: the write's callback moves the region. What it
 * reads next is the new place. */
static void bar_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    memory_region_set_address(&bar, data * BAR_SIZE);
}

static const MemoryRegionOps bar_ops = { .write = bar_write };

static void guest_moves(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    hammer(r, 1, MMIO + 2 * BAR_SIZE + SPOT,
           content_value(1, 2 * BAR_SIZE + SPOT, 4), content_value(2, SPOT, 4));
    for (i = 0; i < moves(); i++) {
        unsigned place = i * 7 % 15;

        robot_out(r, 0x1000, 4, place);
        expect_hex(robot_read(r, MMIO + place * BAR_SIZE + SPOT, 4),
                   content_value(2, SPOT, 4));
        place = (place + 3) % 15;
        expect_hex(robot_read(r, MMIO + place * BAR_SIZE + SPOT, 4),
                   content_value(1, place * BAR_SIZE + SPOT, 4));
    }
    robot_stop(r, 1, 100);
    expect_no_stray_exit(r);
}

START_TEST(test_guest_moves)
{
    MemoryRegion control;
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    memory_region_init_ram(&window, "window", WINDOW);
    memory_region_init_ram(&bar, "bar", BAR_SIZE);
    memory_region_init_io(&control, &bar_ops, NULL, "control", 4);
    content_fill(memory_region_get_ram_ptr(&window), 1, 0, WINDOW);
    content_fill(memory_region_get_ram_ptr(&bar), 2, 0, BAR_SIZE);
    memory_region_add_subregion(&r.memory_root, MMIO, &window);
    memory_region_add_subregion_overlap(&window, 0, &bar, 1);
    memory_region_add_subregion(&r.ports_root, 0x1000, &control);
    ck_assert_int_eq(robot_run(&r, guest_moves), 0);
    memory_region_del_subregion(&r.ports_root, &control);
    memory_region_del_subregion(&window, &bar);
    memory_region_del_subregion(&r.memory_root, &window);
    memory_region_destroy(&control);
    memory_region_destroy(&bar);
    memory_region_destroy(&window);
    robot_destroy(&r);
}
END_TEST

ROBOT_MAIN("kvm-move", test_bar_moves, test_swap, test_under_code, test_kinds,
           test_guest_moves)
