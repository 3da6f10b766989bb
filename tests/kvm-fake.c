/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for the kernel's KVM; see kvm-fake.h.
 */
#include "tests/kvm-fake.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MSR_FEATURE_CONTROL 0x3a
#define FD_KVM 100000
#define FD_VM 100001
#define FD_CPU 100002 /* and behind */

#define PAGE 4096u
#define BITS 64u
#define RUN_SIZE (3 * PAGE)
#define RING_PAGE 2
#define COALESCED_MAX                                                          \
    ((PAGE - sizeof(struct kvm_coalesced_mmio_ring)) /                         \
     sizeof(struct kvm_coalesced_mmio))

/* ---- memory slots -------------------------------------------------------- */

static size_t dirty_words(const FakeSlot *slot)
{
    return (slot->size / PAGE + BITS - 1) / BITS;
}

static bool overlaps(const FakeSlot *slot, hwaddr first, uint64_t size)
{
    return slot->present && first <= slot->first + (slot->size - 1) &&
           slot->first <= first + (size - 1);
}

/* Between a deletion and the additions of the same commit no vCPU runs. */
static void check_nobody_inside(FakeKVM *fake, bool deletion)
{
    unsigned entries = 0;
    unsigned i;

    for (i = 0; i < FAKE_CPUS_MAX; i++) {
        entries += __atomic_load_n(&fake->cpus[i].entries, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&fake->cpus[i].in_run, __ATOMIC_SEQ_CST)) {
            fake->intrusions++;
        }
    }
    if (fake->hole && entries != fake->entries_at_hole) {
        fake->intrusions++;
    }
    fake->hole |= deletion;
    fake->entries_at_hole = entries;
}

static int delete_slot(FakeKVM *fake, FakeSlot *slot)
{
    if (!slot->present) {
        return -EINVAL;
    }
    check_nobody_inside(fake, true);
    fake->slot_deletes++;
    g_clear_pointer(&slot->dirty, g_free);
    slot->present = false;
    return 0;
}

/* Each space has slots from 0 on. NULL: no such slot. */
static FakeSlot *slot_of_number(FakeKVM *fake, uint32_t number)
{
    unsigned id = number & 0xffff;

    return number >> 16 < FAKE_SPACES && id < fake->max_slots ?
               &fake->slots[(number >> 16) * fake->max_slots + id] : NULL;
}

static uint32_t number_of_slot(FakeKVM *fake, const FakeSlot *slot)
{
    unsigned index = slot - fake->slots;

    return index / fake->max_slots << 16 | index % fake->max_slots;
}

static int set_slot(FakeKVM *fake, const struct kvm_userspace_memory_region *r)
{
    FakeSlot *slot = slot_of_number(fake, r->slot);
    FakeSlot *space = fake->slots + (r->slot >> 16) * fake->max_slots;
    bool readonly = r->flags & KVM_MEM_READONLY;
    unsigned i;

    fake->slot_calls++;
    if (!slot || r->memory_size % PAGE ||
        r->guest_phys_addr % PAGE || r->userspace_addr % PAGE ||
        r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
        r->flags & ~(KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES)) {
        return -EINVAL;
    }
    if (!r->memory_size) {
        return delete_slot(fake, slot);
    }
    if (slot->present &&
        (slot->size != r->memory_size || slot->readonly != readonly ||
         slot->host != (uint8_t *)(uintptr_t)r->userspace_addr)) {
        return -EINVAL;
    }
    for (i = 0; i < fake->max_slots; i++) {
        if (&space[i] != slot &&
            overlaps(&space[i], r->guest_phys_addr, r->memory_size)) {
            return -EEXIST;
        }
    }
    if (fake->hole && !slot->present) {
        check_nobody_inside(fake, false);
    }
    slot->present = true;
    slot->first = r->guest_phys_addr;
    slot->size = r->memory_size;
    slot->host = (uint8_t *)(uintptr_t)r->userspace_addr;
    slot->readonly = readonly;
    slot->logging = r->flags & KVM_MEM_LOG_DIRTY_PAGES;
    if (!slot->logging) {
        g_clear_pointer(&slot->dirty, g_free);
    } else if (!slot->dirty) {
        slot->dirty = g_new0(uint64_t, dirty_words(slot));
    }
    return 0;
}

void fake_commit_over(FakeKVM *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->hole = false;
    pthread_mutex_unlock(&fake->mutex);
}

static FakeSlot *slot_at(FakeKVM *fake, unsigned space, hwaddr addr)
{
    unsigned i;

    for (i = 0; i < fake->max_slots; i++) {
        FakeSlot *slot = &fake->slots[space * fake->max_slots + i];

        if (overlaps(slot, addr, 1)) {
            return slot;
        }
    }
    return NULL;
}

FakeSlot *fake_slot_at(FakeKVM *fake, hwaddr addr)
{
    return slot_at(fake, 0, addr);
}

FakeSlot *fake_smm_slot_at(FakeKVM *fake, hwaddr addr)
{
    return slot_at(fake, 1, addr);
}

unsigned fake_slots_present(FakeKVM *fake)
{
    unsigned count = 0;
    unsigned i;

    for (i = 0; i < FAKE_SPACES * fake->max_slots; i++) {
        count += fake->slots[i].present;
    }
    return count;
}

/* ---- dirty pages --------------------------------------------------------- */

static FakeSlot *logging_slot(FakeKVM *fake, uint32_t number)
{
    FakeSlot *slot = slot_of_number(fake, number);

    return slot && slot->present && slot->logging && !fake->dirty_ring ? slot : NULL;
}

static int get_dirty(FakeKVM *fake, const struct kvm_dirty_log *log)
{
    FakeSlot *slot = logging_slot(fake, log->slot);
    size_t bytes;

    fake->dirty_fetches++;
    if (!slot) {
        return -ENOENT;
    }
    bytes = dirty_words(slot) * sizeof(uint64_t);
    memcpy(log->dirty_bitmap, slot->dirty, bytes);
    if (!fake->manual_clear) {
        memset(slot->dirty, 0, bytes);
    }
    return 0;
}

static int clear_dirty(FakeKVM *fake, const struct kvm_clear_dirty_log *log)
{
    FakeSlot *slot = logging_slot(fake, log->slot);
    const uint64_t *bitmap = log->dirty_bitmap;
    uint64_t pages;
    uint64_t i;

    fake->dirty_clears++;
    if (!slot || !fake->manual_clear) {
        return -ENOENT;
    }
    pages = slot->size / PAGE;
    if (log->first_page % BITS || log->first_page > pages ||
        log->num_pages > pages - log->first_page ||
        (log->num_pages % BITS &&
         log->first_page + log->num_pages != pages)) {
        return -EINVAL;
    }
    for (i = 0; i < log->num_pages; i++) {
        uint64_t page = log->first_page + i;

        if (bitmap[i / BITS] >> (i % BITS) & 1) {
            slot->dirty[page / BITS] &= ~((uint64_t)1 << (page % BITS));
        }
    }
    return 0;
}

static void mark_dirty(FakeKVM *fake, FakeCPU *cpu, FakeSlot *slot,
                       uint64_t page)
{
    uint64_t bit = (uint64_t)1 << (page % BITS);
    struct kvm_dirty_gfn *entry;

    if (!slot->logging || slot->dirty[page / BITS] & bit) {
        return;
    }
    slot->dirty[page / BITS] |= bit;
    if (fake->dirty_ring) {
        entry = &cpu->ring[cpu->ring_next++ % fake->dirty_ring];
        expect(!entry->flags, "the fake's dirty ring is full");
        entry->slot = number_of_slot(fake, slot);
        entry->offset = page;
        __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_DIRTY,
                         __ATOMIC_RELEASE);
    }
}

/* Pages that were collected are watched again. */
static int reset_rings(FakeKVM *fake)
{
    int count = 0;
    unsigned i;

    fake->ring_resets++;
    for (i = 0; i < FAKE_CPUS_MAX && fake->dirty_ring; i++) {
        FakeCPU *cpu = &fake->cpus[i];

        while (cpu->ring && cpu->ring_reset != cpu->ring_next) {
            struct kvm_dirty_gfn *entry =
                &cpu->ring[cpu->ring_reset % fake->dirty_ring];
            FakeSlot *slot;

            if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) &
                  KVM_DIRTY_GFN_F_RESET)) {
                break;
            }
            slot = slot_of_number(fake, entry->slot);
            if (slot->dirty) {
                slot->dirty[entry->offset / BITS] &=
                    ~((uint64_t)1 << (entry->offset % BITS));
            }
            entry->flags = 0;
            cpu->ring_reset++;
            count++;
        }
    }
    return count;
}

/* ---- zones and doorbells ------------------------------------------------- */

static int del_zone(FakeKVM *fake, const struct kvm_coalesced_mmio_zone *zone)
{
    unsigned i;

    for (i = 0; i < fake->zones->len; i++) {
        struct kvm_coalesced_mmio_zone *have =
            &g_array_index(fake->zones, struct kvm_coalesced_mmio_zone, i);

        if (have->addr == zone->addr && have->size == zone->size &&
            have->pio == zone->pio) {
            g_array_remove_index(fake->zones, i);
            return 0;
        }
    }
    return -EINVAL; /* the kernel says 0, but it is our mistake */
}

static int set_doorbell(FakeKVM *fake, const struct kvm_ioeventfd *event)
{
    FakeDoorbell bell = {
        .flags = event->flags & ~KVM_IOEVENTFD_FLAG_DEASSIGN,
        .addr = event->addr,
        .len = event->len,
        .datamatch = event->datamatch,
        .fd = event->fd,
    };
    unsigned i;

    if ((event->len & (event->len - 1)) || event->len > 8 ||
        (!event->len && event->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)) {
        return -EINVAL;
    }
    for (i = 0; i < fake->doorbells->len; i++) {
        FakeDoorbell *have = &g_array_index(fake->doorbells, FakeDoorbell, i);

        if (have->flags == bell.flags && have->addr == bell.addr &&
            have->len == bell.len && have->datamatch == bell.datamatch &&
            have->fd == bell.fd) {
            if (!(event->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)) {
                return -EEXIST;
            }
            g_array_remove_index(fake->doorbells, i);
            return 0;
        }
    }
    if (event->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
        return -ENOENT;
    }
    g_array_append_val(fake->doorbells, bell);
    return 0;
}

static bool put_off(FakeKVM *fake, bool port, hwaddr addr, uint64_t value,
                    unsigned size)
{
    struct kvm_coalesced_mmio_ring *ring;
    struct kvm_coalesced_mmio *entry;
    unsigned next;
    unsigned i;

    for (i = 0; i < fake->zones->len; i++) {
        struct kvm_coalesced_mmio_zone *zone =
            &g_array_index(fake->zones, struct kvm_coalesced_mmio_zone, i);

        if (zone->pio == port && addr >= zone->addr &&
            addr - zone->addr + size <= zone->size) {
            break;
        }
    }
    if (i == fake->zones->len) {
        return false;
    }
    ring = (void *)((char *)fake->cpus[0].run + RING_PAGE * PAGE);
    next = (ring->last + 1) % COALESCED_MAX;
    if (next == __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE)) {
        return false;
    }
    entry = &ring->coalesced_mmio[ring->last];
    entry->phys_addr = addr;
    entry->len = size;
    entry->pio = port;
    memcpy(entry->data, &value, size);
    __atomic_store_n(&ring->last, next, __ATOMIC_RELEASE);
    return true;
}

static bool ring_doorbell(FakeKVM *fake, bool port, hwaddr addr, uint64_t value,
                          unsigned size)
{
    const uint64_t one = 1;
    unsigned i;

    for (i = 0; i < fake->doorbells->len; i++) {
        FakeDoorbell *bell = &g_array_index(fake->doorbells, FakeDoorbell, i);

        if (!!(bell->flags & KVM_IOEVENTFD_FLAG_PIO) == port &&
            bell->addr == addr && (!bell->len || bell->len == size) &&
            (!(bell->flags & KVM_IOEVENTFD_FLAG_DATAMATCH) ||
             bell->datamatch == value)) {
            return write(bell->fd, &one, sizeof(one)) == sizeof(one);
        }
    }
    return false;
}

bool fake_guest_write(FakeKVM *fake, unsigned cpu, bool port, hwaddr addr,
                      uint64_t value, unsigned size)
{
    const struct kvm_run *run = fake->cpus[cpu].run;
    unsigned space = run && run->flags & FAKE_RUN_SMM;
    FakeSlot *slot;
    bool done;

    pthread_mutex_lock(&fake->mutex);
    slot = port ? NULL : slot_at(fake, space, addr);
    if (slot && !slot->readonly) {
        memcpy(slot->host + (addr - slot->first), &value, size);
        mark_dirty(fake, &fake->cpus[cpu], slot, (addr - slot->first) / PAGE);
        done = true;
    } else {
        done = !slot && (ring_doorbell(fake, port, addr, value, size) ||
                         put_off(fake, port, addr, value, size));
    }
    pthread_mutex_unlock(&fake->mutex);
    return done;
}

/* ---- vCPUs --------------------------------------------------------------- */

static int run_cpu(FakeKVM *fake, unsigned index)
{
    FakeCPU *cpu = &fake->cpus[index];
    int result = FAKE_IDLE;

    if (cpu->output_len && cpu->regs.rip == cpu->output_rip) {
        cpu->regs.rip += cpu->output_len;
        cpu->output_done = true;
    }
    cpu->output_len = 0;
    if (__atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_SEQ_CST)) {
        return -EINTR;
    }
    __atomic_store_n(&cpu->in_run, true, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&cpu->entries, 1, __ATOMIC_SEQ_CST);
    if (fake->guest) {
        result = fake->guest(fake, index, cpu->run);
    }
    while (result == FAKE_IDLE &&
           !__atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_SEQ_CST)) {
        g_usleep(20);
    }
    __atomic_store_n(&cpu->in_run, false, __ATOMIC_SEQ_CST);
    return result == FAKE_IDLE ? -EINTR : result;
}

static int make_cpu(FakeKVM *fake, unsigned id)
{
    unsigned i;

    for (i = 0; i < FAKE_CPUS_MAX && fake->cpus[i].made; i++) {
        if (fake->cpus[i].id == id) {
            return -EEXIST;
        }
    }
    if (i == FAKE_CPUS_MAX || (fake->max_ids && id >= fake->max_ids)) {
        return -EINVAL;
    }
    fake->cpus[i].made = true;
    fake->cpus[i].id = id;
    fake->open_fds++;
    return FD_CPU + i;
}

static int set_cpuid(FakeCPU *cpu, const struct kvm_cpuid2 *cpuid)
{
    cpu->nr_cpuid = cpuid->nent;
    g_free(cpu->cpuid);
    cpu->cpuid = g_memdup2(cpuid->entries,
                           cpuid->nent * sizeof(cpuid->entries[0]));
    return 0;
}

static int set_debug(FakeCPU *cpu, const struct kvm_guest_debug *debug)
{
    uint32_t injected = debug->control &
                        (KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_INJECT_DB);

    cpu->debug = *debug;
    cpu->step_rip = cpu->regs.rip;
    cpu->debug.control &= ~injected;
    cpu->debug_controls |= cpu->debug.control;
    if (injected) {
        cpu->injected = injected;
    }
    return 0;
}

static __u64 *find_msr(FakeCPU *cpu, uint32_t index)
{
    unsigned i;

    for (i = 0; i < cpu->nr_msrs && cpu->msrs[i].index != index; i++) {
    }
    if (i == cpu->nr_msrs) {
        expect(i < FAKE_MSRS, "too many registers");
        cpu->msrs[cpu->nr_msrs++] = (struct kvm_msr_entry){ .index = index };
    }
    return &cpu->msrs[i].data;
}

/* One register. */
static int access_msr(FakeCPU *cpu, struct kvm_msrs *msrs, bool is_write)
{
    struct kvm_msr_entry *entry = msrs->entries;

    if (msrs->nmsrs != 1) {
        return msrs->nmsrs;
    }
    if (is_write) {
        *find_msr(cpu, entry->index) = entry->data;
        cpu->vmx = cpu->vmx && !(entry->index == MSR_FEATURE_CONTROL && !entry->data);
    } else {
        entry->data = *find_msr(cpu, entry->index);
    }
    return 1;
}

static int cpu_ioctl(FakeKVM *fake, FakeCPU *cpu, unsigned long request,
                     void *arg)
{
    switch (request) {
    case KVM_GET_FPU:
        *(struct kvm_fpu *)arg = cpu->fpu;
        return 0;
    case KVM_SET_FPU:
        cpu->fpu = *(struct kvm_fpu *)arg;
        return 0;
    case KVM_GET_DEBUGREGS:
        *(struct kvm_debugregs *)arg = cpu->debugregs;
        return 0;
    case KVM_SET_DEBUGREGS:
        cpu->debugregs = *(struct kvm_debugregs *)arg;
        return 0;
    case KVM_SET_GUEST_DEBUG:
        return set_debug(cpu, arg);
    case KVM_GET_MSRS:
        return access_msr(cpu, arg, false);
    case KVM_SET_CPUID2:
        return set_cpuid(cpu, arg);
    case KVM_GET_REGS:
        *(struct kvm_regs *)arg = cpu->regs;
        return 0;
    case KVM_SET_REGS:
        cpu->regs = *(struct kvm_regs *)arg;
        if (cpu->regs.rip != cpu->step_rip) { /* Linux then loses the step */
            cpu->debug.control &= ~KVM_GUESTDBG_SINGLESTEP;
        }
        return 0;
    case KVM_GET_SREGS:
        *(struct kvm_sregs *)arg = cpu->sregs;
        return 0;
    case KVM_SET_SREGS:
        if (cpu->vmx) {
            return -EINVAL;
        }
        cpu->sregs = *(struct kvm_sregs *)arg;
        return 0;
    case KVM_NMI:
        cpu->nmis++;
        return 0;
    case KVM_SMI:
        cpu->smis++;
        return 0;
    case KVM_SET_MP_STATE:
        cpu->mp_state = ((struct kvm_mp_state *)arg)->mp_state;
        return 0;
    case KVM_GET_MP_STATE:
        ((struct kvm_mp_state *)arg)->mp_state = cpu->mp_state;
        return 0;
    case KVM_TRANSLATE: {
        struct kvm_translation *where = arg;

        where->physical_address = where->linear_address;
        where->valid = true;
        return 0;
    }
    case KVM_GET_LAPIC:
        memset(arg, 0, sizeof(struct kvm_lapic_state));
        return 0;
    case KVM_SET_MSRS:
        return access_msr(cpu, arg, true);
    case KVM_SET_LAPIC:
        memcpy(&cpu->lapic_id, ((struct kvm_lapic_state *)arg)->regs + 0x20,
               sizeof(cpu->lapic_id));
        return 0;
    case KVM_SET_VCPU_EVENTS:
        cpu->events = *(struct kvm_vcpu_events *)arg;
        return 0;
    case KVM_SET_XSAVE:
    case KVM_SET_XCRS:
        return 0;
    default:
        return -ENOTTY;
    }
}

/* ---- the VM -------------------------------------------------------------- */

static int extension(FakeKVM *fake, long capability)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(fake->missing); i++) {
        if (fake->missing[i] && fake->missing[i] == capability) {
            return 0;
        }
    }
    switch (capability) {
    case KVM_CAP_NR_MEMSLOTS:
        return fake->max_slots;
    case KVM_CAP_MAX_VCPUS:
        return FAKE_CPUS_MAX;
    case KVM_CAP_MAX_VCPU_ID:
        return fake->max_ids;
    case KVM_CAP_MULTI_ADDRESS_SPACE:
        return FAKE_SPACES;
    case KVM_CAP_COALESCED_MMIO:
        return RING_PAGE;
    case KVM_CAP_DIRTY_LOG_RING:
    case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
        return FAKE_RING_ENTRIES * sizeof(struct kvm_dirty_gfn);
    case KVM_CAP_READONLY_MEM:
    case KVM_CAP_COALESCED_PIO:
    case KVM_CAP_IOEVENTFD:
    case KVM_CAP_IOEVENTFD_ANY_LENGTH:
    case KVM_CAP_TSC_DEADLINE_TIMER:
    case KVM_CAP_XCRS:
    case KVM_CAP_X86_SMM:
        return 1;
    case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
        return KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
    case KVM_CAP_SET_GUEST_DEBUG2:
        return KVM_GUESTDBG_BLOCKIRQ;
    default:
        return 0;
    }
}

static int enable(FakeKVM *fake, const struct kvm_enable_cap *cap)
{
    switch (cap->cap) {
    case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
        fake->manual_clear = true;
        return 0;
    case KVM_CAP_DIRTY_LOG_RING:
    case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
        fake->dirty_ring = cap->args[0] / sizeof(struct kvm_dirty_gfn);
        return 0;
    default:
        return -EINVAL;
    }
}

static int set_routes(FakeKVM *fake, const struct kvm_irq_routing *routing)
{
    unsigned i;

    memset(fake->routes, 0, sizeof(fake->routes));
    for (i = 0; i < routing->nr; i++) {
        const struct kvm_irq_routing_entry *entry = &routing->entries[i];

        if (routing->flags || entry->flags || entry->gsi >= FAKE_GSIS ||
            entry->type != KVM_IRQ_ROUTING_IRQCHIP ||
            entry->u.irqchip.irqchip >= FAKE_CHIPS) {
            return -EINVAL;
        }
        fake->routes[entry->gsi][entry->u.irqchip.irqchip] |=
            1u << entry->u.irqchip.pin;
    }
    return 0;
}

/* The I/O APIC is only set. */
static void move_chip(FakeKVM *fake, struct kvm_irqchip *chip, bool set)
{
    if (chip->chip_id >= G_N_ELEMENTS(fake->pics)) {
        return;
    }
    if (set) {
        fake->pics[chip->chip_id] = chip->chip.pic;
    } else {
        chip->chip.pic = fake->pics[chip->chip_id];
    }
}

static int vm_ioctl(FakeKVM *fake, unsigned long request, void *arg)
{
    switch (request) {
    case KVM_CHECK_EXTENSION:
        return extension(fake, (long)arg);
    case KVM_ENABLE_CAP:
        return enable(fake, arg);
    case KVM_SET_USER_MEMORY_REGION:
        return set_slot(fake, arg);
    case KVM_GET_DIRTY_LOG:
        return get_dirty(fake, arg);
    case KVM_CLEAR_DIRTY_LOG:
        return clear_dirty(fake, arg);
    case KVM_RESET_DIRTY_RINGS:
        return reset_rings(fake);
    case KVM_REGISTER_COALESCED_MMIO:
        fake->zone_calls++;
        g_array_append_vals(fake->zones, arg, 1);
        return 0;
    case KVM_UNREGISTER_COALESCED_MMIO:
        fake->zone_calls++;
        return del_zone(fake, arg);
    case KVM_IOEVENTFD:
        fake->doorbell_calls++;
        return set_doorbell(fake, arg);
    case KVM_CREATE_VCPU:
        return make_cpu(fake, (long)arg);
    case KVM_IRQ_LINE: {
        struct kvm_irq_level *irq = arg;

        fake->irq_levels[irq->irq] = irq->level;
        return 0;
    }
    case KVM_SET_GSI_ROUTING:
        return set_routes(fake, arg);
    case KVM_SIGNAL_MSI:
        fake->msi = *(struct kvm_msi *)arg;
        return fake->msi.address_hi ? -EPERM : 1; /* as where nobody is meant */
    case KVM_GET_PIT2:
        *(struct kvm_pit_state2 *)arg = fake->pit;
        return 0;
    case KVM_SET_PIT2:
        fake->pit_sets++;
        fake->pit = *(struct kvm_pit_state2 *)arg;
        return 0;
    case KVM_REINJECT_CONTROL:
        fake->pit_late = *(struct kvm_reinject_control *)arg;
        return 0;
    case KVM_GET_IRQCHIP:
    case KVM_SET_IRQCHIP:
        move_chip(fake, arg, request == KVM_SET_IRQCHIP);
        return 0;
    case KVM_SET_IDENTITY_MAP_ADDR:
    case KVM_SET_TSS_ADDR:
    case KVM_CREATE_IRQCHIP:
    case KVM_CREATE_PIT2:
    case KVM_IRQFD:
        return 0;
    default:
        return -ENOTTY;
    }
}

static const struct kvm_cpuid_entry2 intel[] = {
    { .function = 0, .eax = 0xd, .ebx = 0x756e6547, .ecx = 0x6c65746e,
      .edx = 0x49656e69 }, /* GenuineIntel */
    { .function = 1, .eax = 0x000306c3, .ecx = 0x80202001, .edx = 0x0f8bfbff },
    { .function = 4, .index = 0, .eax = 0x121,
      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
    { .function = 4, .index = 1, .eax = 0x163,
      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
    { .function = 4, .index = 2, .eax = 0,
      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
    { .function = 0x40000000 },
    { .function = 0x80000001, .edx = 1u << 29 },
};

static const struct kvm_cpuid_entry2 amd[] = {
    { .function = 0, .eax = 0xd, .ebx = 0x68747541, .ecx = 0x444d4163,
      .edx = 0x69746e65 }, /* AuthenticAMD */
    { .function = 1, .eax = 0x00800f12, .ecx = 0x80202001, .edx = 0x0f8bfbff },
    { .function = 0x80000001, .ecx = 1u << 22, .edx = 1u << 29 }, /* topoext */
    { .function = 0x80000008, .eax = 0x3030, .ecx = 0x50ff },
    { .function = 0x8000001d, .index = 0, .eax = 0x121,
      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
    { .function = 0x8000001d, .index = 1, .eax = 0x163,
      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
    { .function = 0x8000001e, .eax = 0xff, .ebx = 0xffff, .ecx = 0xffff },
};

static int supported_cpuid(FakeKVM *fake, struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *entries = fake->amd ? amd : intel;
    unsigned nr = fake->amd ? G_N_ELEMENTS(amd) : G_N_ELEMENTS(intel);

    if (cpuid->nent < nr) {
        return -E2BIG;
    }
    memcpy(cpuid->entries, entries, nr * sizeof(entries[0]));
    cpuid->nent = nr;
    return 0;
}

static int system_ioctl(FakeKVM *fake, unsigned long request, void *arg)
{
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_GET_VCPU_MMAP_SIZE:
        return RUN_SIZE;
    case KVM_CREATE_VM:
        fake->open_fds++;
        return FD_VM;
    case KVM_GET_SUPPORTED_CPUID:
        return supported_cpuid(fake, arg);
    default:
        return -ENOTTY;
    }
}

/* ---- the calls ----------------------------------------------------------- */

static int fake_open(void *opaque, const char *path)
{
    FakeKVM *fake = opaque;

    if (fake->fail_open) {
        return -fake->fail_open;
    }
    fake->open_fds++;
    return FD_KVM;
}

static int fake_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
    FakeKVM *fake = opaque;
    int result;

    if (request == KVM_RUN) {
        return run_cpu(fake, fd - FD_CPU);
    }
    pthread_mutex_lock(&fake->mutex);
    if (++fake->calls == fake->fail_at || request == fake->fail_request) {
        fake->failed_request = request;
        result = -fake->fail_errno;
    } else if (fd == FD_KVM) {
        result = system_ioctl(fake, request, arg);
    } else if (fd == FD_VM) {
        result = vm_ioctl(fake, request, arg);
    } else {
        result = cpu_ioctl(fake, &fake->cpus[fd - FD_CPU], request, arg);
    }
    pthread_mutex_unlock(&fake->mutex);
    return result;
}

static void *fake_map(void *opaque, int fd, size_t size, off_t offset)
{
    FakeKVM *fake = opaque;
    FakeCPU *cpu = &fake->cpus[fd - FD_CPU];
    void *memory;

    if (++fake->map_calls == fake->fail_map_at) {
        errno = fake->fail_errno;
        return NULL;
    }
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(memory != MAP_FAILED, "no memory for the fake");
    fake->maps++;
    if (offset) {
        cpu->ring = memory;
    } else {
        cpu->run = memory;
    }
    return memory;
}

static void fake_unmap(void *opaque, void *memory, size_t size)
{
    FakeKVM *fake = opaque;

    fake->maps--;
    munmap(memory, size);
}

static void fake_close(void *opaque, int fd)
{
    FakeKVM *fake = opaque;

    fake->open_fds--;
}

const KVMCalls fake_calls = {
    .open = fake_open,
    .ioctl = fake_ioctl,
    .map = fake_map,
    .unmap = fake_unmap,
    .close = fake_close,
};

/* ---- life ---------------------------------------------------------------- */

void fake_init(FakeKVM *fake)
{
    memset(fake, 0, sizeof(*fake));
    pthread_mutex_init(&fake->mutex, NULL);
    fake->max_slots = 64;
    fake->max_ids = 64;
    fake->zones = g_array_new(FALSE, FALSE,
                              sizeof(struct kvm_coalesced_mmio_zone));
    fake->doorbells = g_array_new(FALSE, FALSE, sizeof(FakeDoorbell));
}

void fake_destroy(FakeKVM *fake)
{
    unsigned i;

    ck_assert_int_eq(fake->open_fds, 0);
    ck_assert_int_eq(fake->maps, 0);
    for (i = 0; fake->slots && i < FAKE_SPACES * fake->max_slots; i++) {
        g_free(fake->slots[i].dirty);
    }
    for (i = 0; i < FAKE_CPUS_MAX; i++) {
        g_free(fake->cpus[i].cpuid);
    }
    g_free(fake->slots);
    g_array_unref(fake->zones);
    g_array_unref(fake->doorbells);
    pthread_mutex_destroy(&fake->mutex);
}

KVMState *fake_kvm_new(FakeKVM *fake, const KVMOptions *options, GError **err)
{
    fake->slots = g_new0(FakeSlot, FAKE_SPACES * fake->max_slots);
    return kvm_new_calls(&fake_calls, fake, options, err);
}

/* ---- messages ------------------------------------------------------------ */

static GString *messages;
static GPrintFunc old_handler;
static pthread_mutex_t messages_mutex = PTHREAD_MUTEX_INITIALIZER;

static void collect_message(const char *text)
{
    pthread_mutex_lock(&messages_mutex);
    g_string_append(messages, text);
    pthread_mutex_unlock(&messages_mutex);
}

void fake_messages_begin(void)
{
    messages = g_string_new(NULL);
    old_handler = g_set_printerr_handler(collect_message);
}

char *fake_messages_end(void)
{
    g_set_printerr_handler(old_handler);
    return g_string_free(messages, FALSE);
}
