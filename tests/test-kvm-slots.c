/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory slots, dirty pages, zones and doorbells over a stand-in for KVM: for
 * random graphs they equal, after every commit, what the reference model shows;
 * no vCPU is in the guest while a slot is replaced; no written page is lost or
 * made up; running out of slots has a message.
 *
 * FLATVIEW_SEED=n runs sequence n alone, FLATVIEW_SEQUENCES=n the first n.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysemu.h"
#include "tests/kvm-world.h"
#include "tests/random-graph.h"

#define SEQUENCES 1500
#define CHANGES 60
#define PAGE TARGET_PAGE_SIZE
#define PAGES (RAM_MAX / PAGE)

/* ---- random graphs ------------------------------------------------------- */

/* What vCPUs see, and what they see in system management mode: the same through an
 * alias, and what the changes put around that. */
enum { MEMORY, SMM, SPACES };
static struct {
    AddressSpace as;
    Node *root;   /* NULL: there is none */
    ModelMap map; /* as of the last commit */
} graph[SPACES];
static bool modelled; /* the models could hold that */
static Recorder *graph_recorder;
static bool global_log;
static bool written[NODES_MAX][PAGES]; /* by the guest, and not cleared since */

/* The slot that @s should have; false: none. */
static bool wanted_slot(const ModelSegment *s, FakeSlot *slot)
{
    Node *node = node_of(s->answer.region);
    bool romd = node->m.kind == MODEL_ROM_DEVICE && node->m.romd;
    model_size first = ((model_size)s->first + PAGE - 1) / PAGE * PAGE;
    model_size end = ((model_size)s->last + 1) / PAGE * PAGE;
    uint8_t *host;

    end = MIN(end, HWADDR_MAX / PAGE * PAGE); /* KVM's limit */
    if ((node->m.kind != MODEL_RAM && !romd) || first >= end) {
        return false;
    }
    host = romd ? memory_region_get_ram_ptr(&node->mr) : ram_of(node);
    host += s->answer.offset + (hwaddr)(first - s->first);
    if ((uintptr_t)host % PAGE) {
        return false;
    }
    slot->first = first;
    slot->size = end - first;
    slot->host = host;
    slot->readonly = s->answer.readonly || romd;
    slot->logging = !slot->readonly && (node->m.log_mask || global_log);
    return true;
}

/* The slots of one space are there; how many they are. */
static unsigned check_space(unsigned space)
{
    const ModelMap *map = &graph[space].map;
    unsigned wanted = 0;
    unsigned i;

    for (i = 0; i < map->nr; i++) {
        FakeSlot want;
        FakeSlot *have;

        if (!wanted_slot(&map->segments[i], &want)) {
            continue;
        }
        wanted++;
        have = space == SMM ? fake_smm_slot_at(&fake, want.first) :
                              fake_slot_at(&fake, want.first);
        expect(have && have->first == want.first && have->size == want.size &&
                   have->host == want.host,
               "space %u: no such slot: 0x%" PRIx64 "+0x%" PRIx64, space,
               want.first, want.size);
        expect(have->readonly == want.readonly,
               "space %u, 0x%" PRIx64 ": readonly is %d", space, want.first,
               have->readonly);
        expect(have->logging == want.logging,
               "space %u, 0x%" PRIx64 ": logging is %d", space, want.first,
               have->logging);
    }
    return wanted;
}

static void check_slots(void)
{
    unsigned wanted = 0;
    unsigned i;

    modelled = true;
    for (i = 0; i < SPACES; i++) {
        modelled = modelled && (!graph[i].root ||
                                model_map(&graph[i].root->m, &graph[i].map));
    }
    if (!modelled) {
        return;
    }
    for (i = 0; i < SPACES && graph[i].root; i++) {
        wanted += check_space(i);
    }
    expect(fake_slots_present(&fake) == wanted, "%u slots, not %u",
           fake_slots_present(&fake), wanted);
}

static bool have_doorbell(const RecordedDoorbell *want)
{
    unsigned i;

    for (i = 0; i < fake.doorbells->len; i++) {
        FakeDoorbell *bell = &g_array_index(fake.doorbells, FakeDoorbell, i);

        if (bell->addr == want->addr && bell->len == want->size &&
            bell->fd == event_notifier_get_fd(want->e) &&
            bell->flags ==
                (want->match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u) &&
            (!want->match_data || bell->datamatch == want->data)) {
            return true;
        }
    }
    return false;
}

static void check_doorbells(void)
{
    Recorder *r = graph_recorder;
    unsigned zones = 0;
    unsigned i, k;

    expect(fake.doorbells->len == r->doorbells->len, "%u doorbells, not %u",
           fake.doorbells->len, r->doorbells->len);
    for (i = 0; i < r->doorbells->len; i++) {
        expect(have_doorbell(&g_array_index(r->doorbells, RecordedDoorbell, i)),
               "doorbell %u is missing", i);
    }
    for (i = 0; i < r->zones->len; i++) {
        RecordedZone *want = &g_array_index(r->zones, RecordedZone, i);
        bool found = want->len > UINT32_MAX; /* too large for KVM */

        zones += !found;
        for (k = 0; k < fake.zones->len && !found; k++) {
            struct kvm_coalesced_mmio_zone *zone = &g_array_index(
                fake.zones, struct kvm_coalesced_mmio_zone, k);

            found = zone->addr == want->addr && zone->size == want->len;
        }
        expect(found, "zone 0x%" PRIx64 " is missing", want->addr);
    }
    expect(fake.zones->len == zones, "%u zones, not %u", fake.zones->len, zones);
}

/* Some page of some slot is written by the guest. */
static void write_somewhere(void)
{
    unsigned space = below(SPACES);
    FakeSlot *slots = &fake.slots[space * fake.max_slots];
    FakeSlot *slot;
    unsigned nr = 0;
    uint8_t *host;
    unsigned page;
    unsigned i;

    while (nr < fake.max_slots && slots[nr].present) {
        nr++;
    }
    slot = &slots[below(nr + 1)];
    if (!slot->present || slot->readonly) {
        return;
    }
    page = below(slot->size / PAGE);
    host = slot->host + page * PAGE;
    fake.cpus[0].run->flags = space == SMM ? FAKE_RUN_SMM : 0;
    expect(fake_guest_write(&fake, 0, false, slot->first + page * PAGE, *host, 1),
           "RAM takes no write");
    for (i = 0; i < NODES_MAX; i++) {
        if (host >= ram_of(&nodes[i]) && host < ram_of(&nodes[i]) + RAM_MAX) {
            written[i][(host - ram_of(&nodes[i])) / PAGE] = true;
        }
    }
}

/* Exactly what was written is dirty; then some pages are cleared. */
static void check_dirty(void)
{
    unsigned i, page;

    for (i = 0; i < SPACES && graph[i].root; i++) {
        memory_global_sync_dirty_bitmap(&graph[i].root->mr);
    }
    for (i = 0; i < NODES_MAX; i++) {
        for (page = 0; nodes[i].live && nodes[i].m.kind == MODEL_RAM &&
                       (page + 1) * PAGE <= nodes[i].m.size; page++) {
            bool dirty = memory_region_get_dirty(&nodes[i].mr, page * PAGE, PAGE,
                                                 DIRTY_MEMORY_MIGRATION);

            expect(dirty == written[i][page], "node-%u page %u: dirty is %d", i,
                   page, dirty);
            if (one_in(3)) {
                memory_region_reset_dirty(&nodes[i].mr, page * PAGE, PAGE,
                                          DIRTY_MEMORY_MIGRATION);
                written[i][page] = false;
            }
        }
    }
}

static void forget_dead(void)
{
    unsigned i;

    for (i = 0; i < NODES_MAX; i++) {
        if (!nodes[i].live) {
            memset(written[i], 0, sizeof(written[i]));
        }
    }
}

static bool is_root(const Node *node)
{
    return node == graph[MEMORY].root || node == graph[SMM].root;
}

static bool is_shown(const Node *node)
{
    unsigned i, space;

    for (space = 0; space < SPACES && graph[space].root; space++) {
        for (i = 0; i < graph[space].map.nr; i++) {
            if (graph[space].map.segments[i].answer.region == &node->m) {
                return true;
            }
        }
    }
    return false;
}

static void committed(void)
{
}

/* One change, or several in one commit. */
static void change_something(void)
{
    unsigned changes = modelled && one_in(3) ? 2 + below(5) : 1;
    unsigned i;

    if (changes > 1) {
        transaction_depth++;
        memory_region_transaction_begin();
    }
    for (i = 0; i < changes; i++) {
        if (graph[SMM].root && one_in(8)) {
            master_change(graph[SMM].root);
        } else {
            graph_change();
        }
        forget_dead();
    }
    if (changes > 1) {
        memory_region_transaction_commit();
        transaction_depth--;
    }
}

static void random_sequence(uint64_t seed, const KVMOptions *options,
                            bool manual)
{
    GError *err = NULL;
    unsigned i;

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
             seed);
    chance_seed(seed);
    scale = (Scale[]){ SCALE_PAGES, SCALE_PAGES, SCALE_RAGGED, SCALE_TOP,
                       SCALE_BYTES, SCALE_SUBPAGE, SCALE_ANY }[below(7)];
    fake_init(&fake);
    if (!manual) {
        fake.missing[0] = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2;
    }
    fake.max_slots = 300;
    kvm = fake_kvm_new(&fake, options, &err);
    expect(kvm, "kvm_new: %s", err->message);
    graph_make();
    graph[MEMORY].root = &nodes[0];
    graph[SMM].root = one_in(2) ? master_make(&nodes[0]) : NULL;
    for (i = 0; i < SPACES && graph[i].root; i++) {
        address_space_init(&graph[i].as, &graph[i].root->mr);
    }
    memset(written, 0, sizeof(written));
    global_log = one_in(2);
    if (global_log) {
        memory_global_dirty_log_start();
    }
    /* One vCPU, for the rings. */
    address_space_init(&ports, &ports_root);
    expect(cpus_create(kvm, 1, &graph[MEMORY].as, &ports, &err), "cpus_create: %s",
           err ? err->message : "");
    expect(kvm_attach(kvm, &graph[MEMORY].as, &ports, &err), "kvm_attach: %s",
           err ? err->message : "");
    expect(!graph[SMM].root || kvm_attach_smm(kvm, &graph[SMM].as, &err),
           "kvm_attach_smm: %s", err ? err->message : "");
    graph_recorder = recorder_new(&graph[MEMORY].as, 1, false);
    for (i = 0; i < CHANGES; i++) {
        check_slots();
        check_doorbells();
        write_somewhere();
        write_somewhere();
        if (global_log && one_in(4)) {
            check_dirty();
        }
        change_something();
        expect(kvm_check(kvm, &err), "%s", err ? err->message : "");
    }
    if (global_log) {
        check_dirty();
        memory_global_dirty_log_stop();
        global_log = false;
        check_slots();
    }
    cpus_destroy();
    kvm_free(kvm);
    address_space_destroy(&ports);
    recorder_free(graph_recorder);
    for (i = 0; i < SPACES && graph[i].root; i++) {
        address_space_destroy(&graph[i].as);
        graph[i].root = NULL;
    }
    graph_destroy_nodes();
    fake_destroy(&fake);
}

static void random_sequences(const KVMOptions *options, bool manual)
{
    uint64_t only = test_number("FLATVIEW_SEED", 0);
    uint64_t n = test_number("FLATVIEW_SEQUENCES", SEQUENCES) / 3;
    uint64_t seed;

    graph_init();
    node_is_root = is_root;
    node_is_shown = is_shown;
    graph_committed = committed;
    memory_region_init(&ports_root, "ports", 0x10000);
    for (seed = only ? only : 1; seed <= (only ? only : n); seed++) {
        random_sequence(seed, options, manual);
    }
    memory_region_destroy(&ports_root);
    graph_cleanup();
}

START_TEST(test_random_manual_clear)
{
    random_sequences(&(KVMOptions){ 0 }, true);
}
END_TEST

START_TEST(test_random_fetch_clears)
{
    random_sequences(&(KVMOptions){ 0 }, false);
}
END_TEST

START_TEST(test_random_dirty_ring)
{
    random_sequences(&(KVMOptions){ .dirty_ring_size = 512 }, true);
}
END_TEST
/* ---- numbers ------------------------------------------------------------- */

START_TEST(test_numbers_are_used_again)
{
    MemoryRegion ram;
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 16 * PAGE);
    world_attach(0);
    for (i = 0; i < 10 * fake.max_slots; i++) {
        memory_region_set_address(&ram, (i % 7) * 16 * PAGE);
        ck_assert_ptr_nonnull(fake_slot_at(&fake, (i % 7) * 16 * PAGE));
    }
    ck_assert(kvm_check(kvm, NULL));
    ck_assert_uint_eq(fake_slots_present(&fake), 1);
    drop(&ram);
    world_free();
}
END_TEST

/* ---- running out --------------------------------------------------------- */

START_TEST(test_exhaustion_while_starting)
{
    MemoryRegion ram[5];
    GError *err = NULL;
    unsigned i;

    world_make_slots(4);
    for (i = 0; i < 5; i++) {
        g_autofree char *name = g_strdup_printf("ram-%u", i);

        add_ram(&ram[i], name, i * 0x100000, PAGE);
    }
    ck_assert(!kvm_attach(kvm, &memory, &ports, &err));
    ck_assert_str_eq(err->message,
                     "KVM has only 4 memory slots: none is left for region"
                     " 'ram-4' at 0x400000-0x400fff: use fewer, larger pieces of"
                     " RAM");
    g_clear_error(&err);
    /* It still works, by exits. */
    address_space_write(&memory, 0x400000, (uint8_t *)"x", 1);
    ck_assert_int_eq(*(char *)memory_region_get_ram_ptr(&ram[4]), 'x');
    for (i = 0; i < 5; i++) {
        drop(&ram[i]);
    }
    ck_assert_uint_eq(fake_slots_present(&fake), 0);
    world_free();
}
END_TEST

static gboolean add_one_too_many(void *opaque)
{
    add_ram(opaque, "one-too-many", 0x40000000, PAGE);
    return G_SOURCE_REMOVE;
}

static gboolean end_it(void *opaque)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    return G_SOURCE_REMOVE;
}

START_TEST(test_exhaustion_while_running)
{
    MemoryRegion ram, more;
    GError *err = NULL;
    g_autofree char *messages = NULL;

    world_make_slots(1);
    add_ram(&ram, "ram", 0, PAGE);
    world_attach(2);
    fake_messages_begin();
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    g_idle_add(add_one_too_many, &more);
    g_timeout_add(50, end_it, NULL);
    ck_assert_int_eq(vm_main_loop(&(RunOptions){ 0 }, &(RunMachine){ 0 }),
                     EXIT_USAGE);
    messages = fake_messages_end();
    ck_assert_ptr_nonnull(strstr(messages, "KVM has only 1 memory slots: none is"
                                           " left for region 'one-too-many' at"
                                           " 0x40000000-0x40000fff"));
    ck_assert_ptr_nonnull(strstr(messages, "the machine is paused"));
    ck_assert(!vm_is_running());
    drop(&more);
    drop(&ram);
    world_free();
}
END_TEST

/* ---- no vCPU meets a hole ------------------------------------------------ */

/* Follows KVM's listener: when this hears of the commit, KVM's part is done. */
static void commit_over(MemoryListener *listener)
{
    fake_commit_over(&fake);
}

static MemoryListener last_listener = { .commit = commit_over, .priority = 9 };

#define HAMMERED 3
#define MOVES 500

/* Some guests stay inside, others come and go. */
static int restless_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    if (cpu % 2) {
        return FAKE_IDLE;
    }
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = 0x80000000;
    run->mmio.len = 4;
    run->mmio.is_write = false;
    return 0;
}

static unsigned calls_of(IoDevice *dev)
{
    unsigned calls;

    memory_lock();
    calls = dev->nr_calls;
    memory_unlock();
    return calls;
}

typedef struct Mover {
    MemoryRegion *mr;
    IoDevice *dev;
} Mover;

/* Until both it and the vCPUs have done something. */
static void *mover_thread(void *opaque)
{
    Mover *mover = opaque;
    MemoryRegion *mr = mover->mr;
    unsigned i;

    for (i = 0; i < MOVES || calls_of(mover->dev) < 100; i++) {
        switch (i % 3) {
        case 0:
            memory_region_set_address(mr, 0x100000 * (1 + i % 5));
            break;
        case 1:
            memory_region_set_readonly(mr, i % 2);
            break;
        default:
            memory_region_set_enabled(mr, false);
            memory_region_set_enabled(mr, true);
        }
    }
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    return NULL;
}

START_TEST(test_no_hole_is_seen)
{
    MemoryRegion ram, moving;
    IoDevice dev;
    Mover work = { &moving, &dev };
    pthread_t mover;
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    fake.guest = restless_guest;
    add_ram(&ram, "ram", 0, 16 * PAGE);
    add_ram(&moving, "moving", 0x100000, 16 * PAGE);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_add_subregion(&root, 0x80000000, &dev.mr);
    world_attach(HAMMERED);
    memory_listener_register(&last_listener, &memory);
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    pthread_create(&mover, NULL, mover_thread, &work);
    ck_assert_int_eq(vm_main_loop(&(RunOptions){ 0 }, &(RunMachine){ 0 }),
                     EXIT_GUEST_OFF);
    pthread_join(mover, NULL);
    ck_assert_uint_eq(fake.intrusions, 0);
    ck_assert_uint_gt(fake.slot_deletes, MOVES / 3);
    cpus_destroy();
    memory_listener_unregister(&last_listener);
    drop(&dev.mr);
    drop(&moving);
    drop(&ram);
    world_free();
}
END_TEST

START_TEST(test_additions_do_not_stop_the_guest)
{
    MemoryRegion ram, more;
    GError *err = NULL;
    unsigned before;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 16 * PAGE);
    world_attach(1);
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    ck_assert(vm_start(&err));
    while (!__atomic_load_n(&fake.cpus[0].in_run, __ATOMIC_SEQ_CST)) {
        g_usleep(10);
    }
    before = __atomic_load_n(&fake.cpus[0].entries, __ATOMIC_SEQ_CST);
    add_ram(&more, "more", 0x100000, 16 * PAGE);
    memory_region_set_log(&more, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&more, false, DIRTY_MEMORY_VGA);
    ck_assert(__atomic_load_n(&fake.cpus[0].in_run, __ATOMIC_SEQ_CST));
    ck_assert_uint_eq(__atomic_load_n(&fake.cpus[0].entries, __ATOMIC_SEQ_CST),
                      before);
    cpus_destroy();
    drop(&more);
    drop(&ram);
    world_free();
}
END_TEST

/* ---- dirty pages --------------------------------------------------------- */

static bool dirty_page(MemoryRegion *mr, unsigned page)
{
    return memory_region_get_dirty(mr, page * PAGE, PAGE, DIRTY_MEMORY_VGA);
}

static void guest_writes(hwaddr addr)
{
    ck_assert(fake_guest_write(&fake, 0, false, addr, 1, 1));
}

static void dirty_survives_replacement(const KVMOptions *options)
{
    MemoryRegion ram, on_top;
    unsigned page;

    world_make(options);
    add_ram(&ram, "ram", 0x100000, 200 * PAGE);
    world_attach(1);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    guest_writes(0x100000 + 3 * PAGE);
    guest_writes(0x100000 + 130 * PAGE);
    memory_region_set_address(&ram, 0x900000);
    guest_writes(0x900000 + 199 * PAGE);
    memory_region_init_reservation(&on_top, "on-top", PAGE);
    memory_region_add_subregion_overlap(&root, 0x900000 + 64 * PAGE, &on_top, 1);
    guest_writes(0x900000 + 65 * PAGE);
    memory_region_sync_dirty_bitmap(&ram);
    for (page = 0; page < 200; page++) {
        ck_assert_int_eq(dirty_page(&ram, page),
                         page == 3 || page == 130 || page == 199 || page == 65);
    }
    drop(&on_top);
    drop(&ram);
    world_free();
}

START_TEST(test_dirty_survives_replacement)
{
    dirty_survives_replacement(&(KVMOptions){ 0 });
    dirty_survives_replacement(&(KVMOptions){ .dirty_ring_size = 256 });
}
END_TEST

START_TEST(test_clear_watches_exactly_what_was_fetched)
{
    MemoryRegion ram;
    uint64_t *dirty;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 200 * PAGE);
    world_attach(0);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    dirty = fake_slot_at(&fake, 0)->dirty;
    guest_writes(70 * PAGE);
    guest_writes(71 * PAGE);
    guest_writes(90 * PAGE);
    guest_writes(199 * PAGE);
    memory_region_sync_dirty_bitmap(&ram);
    ck_assert_uint_eq(fake.dirty_clears, 0);
    guest_writes(72 * PAGE);
    /* 71 was fetched, 72 not yet: its bit must stay. */
    memory_region_reset_dirty(&ram, 71 * PAGE, 10 * PAGE, DIRTY_MEMORY_VGA);
    ck_assert_uint_eq(fake.dirty_clears, 1);
    ck_assert_uint_eq(dirty[1], 1u << 6 | 1u << 8 | 1u << 26);
    ck_assert_uint_eq(dirty[3], 1u << 7);
    /* Cleared already: nothing to tell, not even where a device wrote since,
     * and where the guest did its bit stays. */
    guest_writes(71 * PAGE);
    memory_region_set_dirty(&ram, 71 * PAGE, PAGE);
    memory_region_reset_dirty(&ram, 71 * PAGE, PAGE, DIRTY_MEMORY_VGA);
    ck_assert_uint_eq(fake.dirty_clears, 1);
    ck_assert_uint_eq(dirty[1], 1u << 6 | 1u << 7 | 1u << 8 | 1u << 26);
    memory_region_reset_dirty(&ram, 0, 200 * PAGE, DIRTY_MEMORY_VGA);
    ck_assert_uint_eq(dirty[1], 1u << 7 | 1u << 8);
    ck_assert_uint_eq(dirty[3], 0);
    memory_region_sync_dirty_bitmap(&ram);
    ck_assert(dirty_page(&ram, 71));
    ck_assert(dirty_page(&ram, 72));
    ck_assert(!dirty_page(&ram, 70));
    drop(&ram);
    world_free();
}
END_TEST

START_TEST(test_dirty_of_shifted_pages)
{
    g_autofree uint8_t *memory_block = g_malloc0(10 * PAGE);
    uint8_t *aligned = memory_block + (-(uintptr_t)memory_block & (PAGE - 1));
    MemoryRegion ram;

    /* The region begins in the middle of a page, of the host and the guest:
     * each page of the guest is halves of two of its own. */
    world_make(&(KVMOptions){ 0 });
    memory_region_init_ram_ptr(&ram, "ram", 8 * PAGE, aligned + PAGE / 2);
    memory_region_add_subregion(&root, PAGE / 2, &ram);
    world_attach(0);
    ck_assert_uint_eq(fake_slot_at(&fake, PAGE)->size, 7 * PAGE);
    ck_assert_ptr_eq(fake_slot_at(&fake, PAGE)->host, aligned + PAGE);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    guest_writes(3 * PAGE);
    memory_region_sync_dirty_bitmap(&ram);
    ck_assert(!dirty_page(&ram, 1));
    ck_assert(dirty_page(&ram, 2));
    ck_assert(dirty_page(&ram, 3));
    ck_assert(!dirty_page(&ram, 4));
    drop(&ram);
    world_free();
}
END_TEST

START_TEST(test_dirty_ring_sizes)
{
    static const struct {
        unsigned size;
        const char *message;
    } wrong[] = {
        { 1000, "dirty-ring-size=1000: must be a power of two from 256 to 1024"
                " on this host" },
        { 128, "dirty-ring-size=128: must be a power of two from 256 to 1024"
               " on this host" },
        { 2048, "dirty-ring-size=2048: must be a power of two from 256 to 1024"
                " on this host" },
    };
    GError *err = NULL;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        fake_init(&fake);
        ck_assert_ptr_null(fake_kvm_new(
            &fake, &(KVMOptions){ .dirty_ring_size = wrong[i].size }, &err));
        ck_assert_str_eq(err->message, wrong[i].message);
        g_clear_error(&err);
        fake_destroy(&fake);
    }
    fake_init(&fake);
    fake.missing[0] = KVM_CAP_DIRTY_LOG_RING;
    fake.missing[1] = KVM_CAP_DIRTY_LOG_RING_ACQ_REL;
    ck_assert_ptr_null(fake_kvm_new(
        &fake, &(KVMOptions){ .dirty_ring_size = 256 }, &err));
    ck_assert_str_eq(err->message, "this host's KVM has no dirty ring (Linux 5.11"
                                   " has): leave dirty-ring-size out");
    g_clear_error(&err);
    fake_destroy(&fake);
}
END_TEST

/* ---- without read-only slots --------------------------------------------- */

START_TEST(test_no_readonly_slots)
{
    MemoryRegion rom;
    GError *err = NULL;

    fake_init(&fake);
    fake.missing[0] = KVM_CAP_READONLY_MEM;
    kvm = fake_kvm_new(&fake, &(KVMOptions){ 0 }, &err);
    memory_region_init(&root, "memory", UINT64_MAX);
    memory_region_init(&ports_root, "ports", 0x10000);
    address_space_init(&memory, &root);
    address_space_init(&ports, &ports_root);
    memory_region_init_rom(&rom, "rom", 4 * PAGE);
    memory_region_add_subregion(&root, 0, &rom);
    world_attach(0);
    ck_assert_uint_eq(fake_slots_present(&fake), 0);
    memory_region_set_readonly(&rom, false);
    ck_assert_uint_eq(fake_slots_present(&fake), 1);
    drop(&rom);
    world_free();
}
END_TEST

TEST_MAIN("kvm-slots", test_random_manual_clear, test_random_fetch_clears,
          test_random_dirty_ring, test_numbers_are_used_again,
          test_exhaustion_while_starting, test_exhaustion_while_running,
          test_no_hole_is_seen, test_additions_do_not_stop_the_guest,
          test_dirty_survives_replacement,
          test_clear_watches_exactly_what_was_fetched,
          test_dirty_of_shifted_pages, test_dirty_ring_sizes,
          test_no_readonly_slots)
