/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes that need not wake a vCPU's thread: coalesced zones, whose writes KVM
 * puts off in a ring; doorbells (ioeventfd), where it signals a descriptor; and
 * interrupts raised by a descriptor (irqfd). Specification: Linux
 * Documentation/virt/kvm/api.rst, KVM_REGISTER_COALESCED_MMIO, KVM_IOEVENTFD,
 * KVM_IRQFD.
 *
 * A zone or doorbell that KVM refuses costs only speed, since the memory core
 * does the same with the write when it exits: that is told once and the machine
 * goes on.
 *
 * Order: a put-off write is taken from the ring under the memory lock, and
 * leaves it only when its device has seen it. So a vCPU that finds the ring
 * empty after an exit knows that its earlier writes are done, and one that finds
 * it occupied waits for the lock. A device with a lock of its own gets its
 * writes under both, the memory lock first: nobody inside it may want that one.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "kvm-internal.h"

/* How often the ring is looked at: soon after it held something, less and less often
 * while guests have nothing to put off. */
#define DRAIN_MIN_MS 10
#define DRAIN_MAX_MS 160

/* What KVM did not take: kept in order, as there may be thousands. */
typedef struct Refused {
    bool ports;
    hwaddr addr;
    uint64_t size;
    bool match_data;
    uint64_t data;
} Refused;

static KVMState *ports_state(MemoryListener *listener)
{
    return (KVMState *)((char *)listener - offsetof(KVMState, ports_listener));
}

static int refused_compare(const Refused *a, const Refused *b)
{
    const uint64_t x[] = { a->ports, a->addr, a->size, a->match_data, a->data };
    const uint64_t y[] = { b->ports, b->addr, b->size, b->match_data, b->data };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(x); i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The first in @list that is not below @refused. */
static unsigned refused_find(GArray *list, const Refused *refused)
{
    unsigned low = 0;
    unsigned high = list->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (refused_compare(&g_array_index(list, Refused, middle),
                            refused) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void keep_refused(GArray *list, const Refused *refused)
{
    g_array_insert_vals(list, refused_find(list, refused), refused, 1);
}

static bool forget_refused(GArray *list, const Refused *refused)
{
    unsigned index = refused_find(list, refused);

    if (index == list->len ||
        refused_compare(&g_array_index(list, Refused, index), refused)) {
        return false;
    }
    g_array_remove_index(list, index);
    return true;
}

/* ---- coalesced zones ----------------------------------------------------- */

bool kvm_coalesced_pending(KVMState *kvm)
{
    struct kvm_coalesced_mmio_ring *ring = kvm->ring;

    return ring && __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE) !=
                       __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
}

/* Whether the device of @entry has been changing the map in the middle of an
 * access: it would refuse this write, which another vCPU made meanwhile. */
static bool entry_must_wait(KVMState *kvm,
                            const struct kvm_coalesced_mmio *entry)
{
    AddressSpace *as = entry->pio ? kvm->ports : kvm->memory.as;
    MemoryRegion *mr = memory_region_find(as->root, entry->phys_addr, 1).mr;

    return mr && memory_region_is_busy(mr);
}

void kvm_coalesced_drain(KVMState *kvm)
{
    const unsigned entries =
        (TARGET_PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) /
        sizeof(struct kvm_coalesced_mmio);
    struct kvm_coalesced_mmio_ring *ring;
    unsigned last;

    /* A device that is being given a put-off write asks for the others. */
    if (kvm->draining) {
        return;
    }
    kvm->draining = true;
    /* No further than to what is there by now: guests that go on writing must
     * not keep the lock from others. */
    ring = kvm->ring;
    last = ring ? __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) % entries : 0;
    while (ring && ring->first % entries != last) {
        struct kvm_coalesced_mmio entry =
            ring->coalesced_mmio[ring->first % entries];

        if (entry_must_wait(kvm, &entry)) {
            break;
        }
        address_space_rw_attrs(entry.pio ? kvm->ports : kvm->memory.as,
                               entry.phys_addr, (MemTxAttrs){ 0 }, entry.data,
                               MIN(entry.len, sizeof(entry.data)), true);
        __atomic_store_n(&ring->first, (ring->first + 1) % entries,
                         __ATOMIC_RELEASE);
    }
    kvm->draining = false;
}

static gboolean drain_timer(void *opaque);

/* Look at the ring in @ms milliseconds, if there is a zone and nobody looks before. Under
 * the memory lock. */
static void drain_later(KVMState *kvm, unsigned ms)
{
    if (kvm->zones && !kvm->drain_timer) {
        kvm->drain_ms = ms;
        kvm->drain_timer = g_timeout_add(ms, drain_timer, kvm);
    }
}

static gboolean drain_timer(void *opaque)
{
    KVMState *kvm = opaque;

    memory_lock();
    /* A vCPU may have taken the last zone away meanwhile, and this timer with it. */
    if (!g_source_is_destroyed(g_main_current_source())) {
        bool pending = kvm_coalesced_pending(kvm);

        kvm->drain_timer = 0;
        kvm_coalesced_drain(kvm); /* which may change the zones, too */
        drain_later(kvm, pending ? DRAIN_MIN_MS : MIN(2 * kvm->drain_ms, DRAIN_MAX_MS));
    }
    memory_unlock();
    return G_SOURCE_REMOVE;
}

static void count_zone(KVMState *kvm, int change)
{
    kvm->zones += change;
    if (!kvm->zones && kvm->drain_timer) {
        g_source_remove(kvm->drain_timer);
        kvm->drain_timer = 0;
    }
    drain_later(kvm, DRAIN_MIN_MS);
}

static void add_zone(KVMState *kvm, bool ports, MemoryRegionSection *section,
                     hwaddr addr, hwaddr len)
{
    struct kvm_coalesced_mmio_zone zone = {
        .addr = addr, .size = len, .pio = ports
    };
    Refused refused = { .ports = ports, .addr = addr, .size = len };
    int result = -EINVAL;

    /* KVM takes no larger zones than this. */
    if ((ports ? kvm->coalesced_pio : kvm->coalesced_mmio) &&
        len <= UINT32_MAX) {
        result = kvm_vm_ioctl(kvm, KVM_REGISTER_COALESCED_MMIO, &zone);
        if (result < 0 && !kvm->told_zone) {
            kvm->told_zone = true;
            g_printerr("flatview: KVM refuses to coalesce writes to region '%s'"
                       " at 0x%" PRIx64 " (%s); they exit one by one, as will"
                       " any others it refuses\n",
                       memory_region_name(section->mr), addr,
                       g_strerror(-result));
        }
    }
    if (result < 0) {
        keep_refused(kvm->zones_refused, &refused);
    } else {
        count_zone(kvm, 1);
    }
}

static void del_zone(KVMState *kvm, bool ports, MemoryRegionSection *section,
                     hwaddr addr, hwaddr len)
{
    struct kvm_coalesced_mmio_zone zone = {
        .addr = addr, .size = len, .pio = ports
    };
    Refused refused = { .ports = ports, .addr = addr, .size = len };
    int result = 0;

    if (forget_refused(kvm->zones_refused, &refused)) {
        return;
    }
    if (!kvm->closing) {
        result = kvm_vm_ioctl(kvm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
    }
    if (result < 0) {
        kvm_refused(kvm,
                    "KVM refuses to stop coalescing writes to region '%s' at"
                    " 0x%" PRIx64 ": %s", memory_region_name(section->mr), addr,
                    g_strerror(-result));
    }
    count_zone(kvm, -1);
}

static void coalesced_mmio_add(MemoryListener *listener,
                               MemoryRegionSection *section, hwaddr addr,
                               hwaddr len)
{
    add_zone(kvm_space_of(listener)->kvm, false, section, addr, len);
}

static void coalesced_mmio_del(MemoryListener *listener,
                               MemoryRegionSection *section, hwaddr addr,
                               hwaddr len)
{
    del_zone(kvm_space_of(listener)->kvm, false, section, addr, len);
}

static void coalesced_pio_add(MemoryListener *listener,
                              MemoryRegionSection *section, hwaddr addr,
                              hwaddr len)
{
    add_zone(ports_state(listener), true, section, addr, len);
}

static void coalesced_pio_del(MemoryListener *listener,
                              MemoryRegionSection *section, hwaddr addr,
                              hwaddr len)
{
    del_zone(ports_state(listener), true, section, addr, len);
}

static void flush_coalesced(MemoryListener *listener)
{
    kvm_coalesced_drain(kvm_space_of(listener)->kvm);
}

/* ---- doorbells ----------------------------------------------------------- */

/* A device's value as the guest, which is little-endian, writes it. */
static uint64_t guest_value(const MemoryRegionSection *section, uint64_t data)
{
    if (!section->size ||
        memory_region_endianness(section->mr) != DEVICE_BIG_ENDIAN) {
        return data; /* what has any width KVM does not match: it refuses */
    }
    return GUINT64_SWAP_LE_BE(data) >> (64 - 8 * section->size);
}

static int doorbell(KVMState *kvm, bool ports, bool assign,
                    MemoryRegionSection *section, bool match_data,
                    uint64_t data, EventNotifier *e)
{
    struct kvm_ioeventfd event = {
        .addr = section->offset_within_address_space,
        .len = section->size,
        .fd = event_notifier_get_fd(e),
        .flags = (ports ? KVM_IOEVENTFD_FLAG_PIO : 0) |
                 (assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN) |
                 (match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
        .datamatch = match_data ? guest_value(section, data) : 0,
    };

    return kvm_vm_ioctl(kvm, KVM_IOEVENTFD, &event);
}

static void add_doorbell(KVMState *kvm, bool ports,
                         MemoryRegionSection *section, bool match_data,
                         uint64_t data, EventNotifier *e)
{
    Refused refused = {
        .ports = ports, .addr = section->offset_within_address_space,
        .size = section->size, .match_data = match_data, .data = data
    };
    int result = -EINVAL;

    /* KVM cannot compare data without knowing their width. */
    if (kvm->ioeventfd &&
        (section->size || (kvm->ioeventfd_any_size && !match_data))) {
        result = doorbell(kvm, ports, true, section, match_data, data, e);
        if (result < 0 && !kvm->told_doorbell) {
            kvm->told_doorbell = true;
            g_printerr("flatview: KVM refuses a doorbell of region '%s' at"
                       " 0x%" PRIx64 " (%s); it exits instead, as will any"
                       " others it refuses\n", memory_region_name(section->mr),
                       section->offset_within_address_space,
                       g_strerror(-result));
        }
    }
    if (result < 0) {
        keep_refused(kvm->doorbells_refused, &refused);
    }
}

static void del_doorbell(KVMState *kvm, bool ports,
                         MemoryRegionSection *section, bool match_data,
                         uint64_t data, EventNotifier *e)
{
    Refused refused = {
        .ports = ports, .addr = section->offset_within_address_space,
        .size = section->size, .match_data = match_data, .data = data
    };
    int result;

    if (forget_refused(kvm->doorbells_refused, &refused) || kvm->closing) {
        return;
    }
    result = doorbell(kvm, ports, false, section, match_data, data, e);
    if (result < 0) {
        kvm_refused(kvm,
                    "KVM refuses to remove a doorbell of region '%s' at"
                    " 0x%" PRIx64 ": %s", memory_region_name(section->mr),
                    section->offset_within_address_space, g_strerror(-result));
    }
}

static void eventfd_add(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e)
{
    add_doorbell(kvm_space_of(listener)->kvm, false, section, match_data,
                 data, e);
}

static void eventfd_del(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e)
{
    del_doorbell(kvm_space_of(listener)->kvm, false, section, match_data,
                 data, e);
}

static void port_eventfd_add(MemoryListener *listener,
                             MemoryRegionSection *section, bool match_data,
                             uint64_t data, EventNotifier *e)
{
    add_doorbell(ports_state(listener), true, section, match_data, data, e);
}

static void port_eventfd_del(MemoryListener *listener,
                             MemoryRegionSection *section, bool match_data,
                             uint64_t data, EventNotifier *e)
{
    del_doorbell(ports_state(listener), true, section, match_data, data, e);
}

/* ---- interrupts from descriptors ----------------------------------------- */

int kvm_add_irqfd(KVMState *kvm, EventNotifier *e, EventNotifier *resample,
                  int gsi)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(e),
        .gsi = gsi,
        .flags = resample ? KVM_IRQFD_FLAG_RESAMPLE : 0,
        .resamplefd = resample ? event_notifier_get_fd(resample) : 0,
    };

    return MIN(kvm_vm_ioctl(kvm, KVM_IRQFD, &irqfd), 0);
}

int kvm_remove_irqfd(KVMState *kvm, EventNotifier *e, int gsi)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(e),
        .gsi = gsi,
        .flags = KVM_IRQFD_FLAG_DEASSIGN,
    };

    return MIN(kvm_vm_ioctl(kvm, KVM_IRQFD, &irqfd), 0);
}

/* ---- life ---------------------------------------------------------------- */

void kvm_doorbell_init(KVMState *kvm)
{
    kvm->zones_refused = g_array_new(FALSE, TRUE, sizeof(Refused));
    kvm->doorbells_refused = g_array_new(FALSE, TRUE, sizeof(Refused));
    kvm->ring_page = kvm_extension(kvm, KVM_CAP_COALESCED_MMIO);
    kvm->coalesced_mmio = kvm->ring_page;
    kvm->coalesced_pio = kvm->ring_page &&
                         kvm_extension(kvm, KVM_CAP_COALESCED_PIO);
    kvm->ioeventfd = kvm_extension(kvm, KVM_CAP_IOEVENTFD);
    kvm->ioeventfd_any_size = kvm_extension(kvm, KVM_CAP_IOEVENTFD_ANY_LENGTH);
}

void kvm_doorbell_free(KVMState *kvm)
{
    if (kvm->drain_timer) {
        g_source_remove(kvm->drain_timer);
    }
    g_clear_pointer(&kvm->zones_refused, g_array_unref);
    g_clear_pointer(&kvm->doorbells_refused, g_array_unref);
}

void kvm_doorbell_listen_memory(MemoryListener *listener)
{
    listener->coalesced_mmio_add = coalesced_mmio_add;
    listener->coalesced_mmio_del = coalesced_mmio_del;
    listener->flush_coalesced = flush_coalesced;
    listener->eventfd_add = eventfd_add;
    listener->eventfd_del = eventfd_del;
}

void kvm_doorbell_listen_ports(MemoryListener *listener)
{
    listener->coalesced_mmio_add = coalesced_pio_add;
    listener->coalesced_mmio_del = coalesced_pio_del;
    listener->eventfd_add = port_eventfd_add;
    listener->eventfd_del = port_eventfd_del;
}
