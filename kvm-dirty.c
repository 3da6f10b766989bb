/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages the guest wrote, as KVM records it: in a bitmap for each slot, or
 * in a ring for each vCPU (-accel kvm,dirty-ring-size=N). Specification: Linux
 * Documentation/virt/kvm/api.rst, KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG and
 * section 8.29, KVM_CAP_DIRTY_LOG_RING.
 *
 * With a bitmap, where the kernel can do it, fetching leaves the pages
 * unwatched: only when a client has cleared its bits (log_clear) are exactly
 * those that were fetched watched again. So a page that is written all the time
 * costs one fault for each look at it, not one for each fetch.
 *
 * What is taken from a ring goes to the core at once, page by page: a ring
 * costs what was written, and nothing for what was not.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "kvm-internal.h"

#define BITS 64u

static uint64_t slot_pages(const KVMSlot *slot)
{
    return slot->size / TARGET_PAGE_SIZE;
}

static size_t bitmap_words(const KVMSlot *slot)
{
    return (slot_pages(slot) + BITS - 1) / BITS;
}

static void log_refused(const KVMSlot *slot, const char *step, int error)
{
    kvm_refused(slot->space->kvm,
                "KVM refuses to %s the dirty log of region '%s' at"
                " 0x%" PRIx64 "-0x%" PRIx64 ": %s", step,
                memory_region_name(slot->mr), slot->first,
                slot->first + (slot->size - 1), g_strerror(-error));
}

/* Bit i of @bitmap says that the guest wrote page @first + i of @slot: hand
 * that to the core. */
static void merge(KVMSlot *slot, uint64_t first, const uint64_t *bitmap,
                  uint64_t pages)
{
    hwaddr offset = slot->offset + first * TARGET_PAGE_SIZE;
    hwaddr down = offset & TARGET_PAGE_MASK;

    memory_region_merge_dirty(slot->mr, down, bitmap, pages);
    if (down != offset) {
        /* A page of the guest is parts of two pages of the region. */
        memory_region_merge_dirty(slot->mr, down + TARGET_PAGE_SIZE, bitmap,
                                  pages);
    }
}

static void collect_bitmap(KVMSlot *slot)
{
    struct kvm_dirty_log log = { .slot = kvm_slot_number(slot) };
    int result;

    if (!slot->dirty) {
        slot->dirty = g_new0(uint64_t, bitmap_words(slot));
    }
    log.dirty_bitmap = slot->dirty;
    result = kvm_vm_ioctl(slot->space->kvm, KVM_GET_DIRTY_LOG, &log);
    if (result < 0) {
        log_refused(slot, "fetch", result);
        /* Nothing may be taken for clean that is not. */
        memory_region_set_dirty(slot->mr, slot->offset, slot->size);
        return;
    }
    merge(slot, 0, slot->dirty, slot_pages(slot));
}

void kvm_slot_collect_dirty(KVMSlot *slot)
{
    KVMState *kvm = slot->space->kvm;

    if (kvm->dirty_ring_size) {
        kvm_dirty_ring_reap(kvm);
    } else {
        collect_bitmap(slot);
    }
}

/* ---- the rings ----------------------------------------------------------- */

/* The slot of KVM's number @number; NULL where it has just gone. */
static KVMSlot *slot_of_number(KVMState *kvm, uint32_t number)
{
    KVMSpace *space = number >> 16 ? &kvm->smm : &kvm->memory;
    unsigned id = number & 0xffff;

    return id < space->by_id->len ? g_ptr_array_index(space->by_id, id) : NULL;
}

/* Hand one vCPU's entries to the core; their number. Whatever clears a bit does
 * so under the lock: not before the page is watched again. */
static unsigned reap_cpu(KVMState *kvm, struct KVMCPU *accel)
{
    unsigned count = 0;

    for (;; count++) {
        struct kvm_dirty_gfn *entry =
            &accel->dirty_ring[accel->dirty_next % kvm->dirty_ring_size];
        KVMSlot *slot;

        if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) &
              KVM_DIRTY_GFN_F_DIRTY)) {
            return count;
        }
        slot = slot_of_number(kvm, entry->slot);
        if (slot && entry->offset < slot_pages(slot)) {
            merge(slot, entry->offset, &(const uint64_t){ 1 }, 1);
        }
        __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET,
                         __ATOMIC_RELEASE);
        accel->dirty_next++;
    }
}

void kvm_dirty_ring_reap(KVMState *kvm)
{
    unsigned count = 0;
    unsigned i;
    int result;

    for (i = 0; i < cpus_count(); i++) {
        struct KVMCPU *accel = cpus_get(i)->accel;

        if (accel && accel->dirty_ring) {
            count += reap_cpu(kvm, accel);
        }
    }
    if (!count) {
        return;
    }
    result = kvm_vm_ioctl(kvm, KVM_RESET_DIRTY_RINGS, NULL);
    if (result < 0) {
        kvm_refused(kvm, "KVM refuses to reset the dirty rings: %s",
                    g_strerror(-result));
    }
}

bool kvm_dirty_ring_map(CPUState *cpu, GError **err)
{
    KVMState *kvm = cpu->kvm;

    if (!kvm->dirty_ring_size) {
        return true;
    }
    cpu->accel->dirty_ring =
        kvm->calls->map(kvm->calls_opaque, cpu->accel->fd,
                        kvm->dirty_ring_size * sizeof(struct kvm_dirty_gfn),
                        KVM_DIRTY_LOG_PAGE_OFFSET * TARGET_PAGE_SIZE);
    if (!cpu->accel->dirty_ring) {
        g_set_error(err, KVM_ERROR, 0,
                    "KVM refuses to map the dirty ring of vCPU %u: %s",
                    cpu->index, g_strerror(errno));
        return false;
    }
    return true;
}

void kvm_dirty_ring_unmap(CPUState *cpu)
{
    KVMState *kvm = cpu->kvm;

    if (cpu->accel->dirty_ring) {
        kvm->calls->unmap(kvm->calls_opaque, cpu->accel->dirty_ring,
                          kvm->dirty_ring_size * sizeof(struct kvm_dirty_gfn));
        cpu->accel->dirty_ring = NULL;
    }
}

/* ---- the listener -------------------------------------------------------- */

/* Index of the first slot that ends in @section or behind it. */
static unsigned first_slot(const KVMSpace *space, const MemoryRegionSection *section)
{
    return kvm_slots_find(space, section->offset_within_address_space);
}

static KVMSlot *slot_in(const KVMSpace *space, unsigned index,
                        const MemoryRegionSection *section)
{
    KVMSlot *slot;

    if (index >= space->slots->len) {
        return NULL;
    }
    slot = g_ptr_array_index(space->slots, index);
    return slot->first <= section->last_within_address_space ? slot : NULL;
}

/* A section that is followed is one slot: KVM fetches all of it, or nothing. */
static void log_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    KVMSpace *space = kvm_space_of(listener);
    KVMState *kvm = space->kvm;
    KVMSlot *slot;
    unsigned i;

    for (i = first_slot(space, section); (slot = slot_in(space, i, section)); i++) {
        if (!slot->logging) {
            continue;
        }
        if (!kvm->dirty_ring_size) {
            collect_bitmap(slot);
            continue;
        }
        /* What a processor has buffered reaches the ring when it exits. The
         * rings are for all slots. */
        cpus_pause_all();
        kvm_dirty_ring_reap(kvm);
        cpus_resume_all();
        return;
    }
}

/* The fetched pages from @first up to @end that word @index is about. */
static uint64_t fetched(const KVMSlot *slot, uint64_t first, uint64_t end,
                        uint64_t index)
{
    uint64_t mask = UINT64_MAX;

    if (index == first / BITS) {
        mask &= UINT64_MAX << (first % BITS);
    }
    if (index == end / BITS) {
        mask &= ~(UINT64_MAX << (end % BITS));
    }
    return slot->dirty[index] & mask;
}

/* Watch again the fetched pages of @slot from page @first up to @end. */
static void clear_slot(KVMSlot *slot, uint64_t first, uint64_t end)
{
    uint64_t start = first / BITS;
    uint64_t stop = (end + BITS - 1) / BITS;
    struct kvm_clear_dirty_log log = { .slot = kvm_slot_number(slot) };
    g_autofree uint64_t *bits = NULL;
    uint64_t i;
    int result;

    while (start < stop && !fetched(slot, first, end, start)) {
        start++;
    }
    while (start < stop && !fetched(slot, first, end, stop - 1)) {
        stop--;
    }
    if (start == stop) {
        return;
    }
    bits = g_new(uint64_t, stop - start);
    for (i = start; i < stop; i++) {
        bits[i - start] = fetched(slot, first, end, i);
    }
    log.first_page = start * BITS;
    log.num_pages = MIN(stop * BITS, slot_pages(slot)) - log.first_page;
    log.dirty_bitmap = bits;
    result = kvm_vm_ioctl(slot->space->kvm, KVM_CLEAR_DIRTY_LOG, &log);
    if (result < 0) {
        log_refused(slot, "clear", result);
        return;
    }
    for (i = start; i < stop; i++) {
        slot->dirty[i] &= ~bits[i - start];
    }
}

static void log_clear(MemoryListener *listener, MemoryRegionSection *section)
{
    KVMSpace *space = kvm_space_of(listener);
    KVMState *kvm = space->kvm;
    KVMSlot *slot;
    unsigned i;

    if (!kvm->manual_clear) {
        return;
    }
    for (i = first_slot(space, section); (slot = slot_in(space, i, section)); i++) {
        hwaddr first = MAX(section->offset_within_address_space, slot->first);
        hwaddr last = MIN(section->last_within_address_space,
                          slot->first + (slot->size - 1));

        if (slot->logging && slot->dirty) {
            clear_slot(slot, (first - slot->first) / TARGET_PAGE_SIZE,
                       (last - slot->first) / TARGET_PAGE_SIZE + 1);
        }
    }
}

static void set_global(MemoryListener *listener, bool on)
{
    KVMSpace *space = kvm_space_of(listener);
    unsigned i;

    space->log_global = on;
    if (space->kvm->closing) {
        return;
    }
    for (i = 0; i < space->slots->len; i++) {
        kvm_slot_update_logging(g_ptr_array_index(space->slots, i));
    }
}

static void log_global_start(MemoryListener *listener)
{
    set_global(listener, true);
}

static void log_global_stop(MemoryListener *listener)
{
    set_global(listener, false);
}

void kvm_dirty_listen(MemoryListener *listener)
{
    listener->log_sync = log_sync;
    listener->log_clear = log_clear;
    listener->log_global_start = log_global_start;
    listener->log_global_stop = log_global_stop;
}

/* ---- which of the two ---------------------------------------------------- */

static int enable(KVMState *kvm, unsigned capability, uint64_t value)
{
    struct kvm_enable_cap cap = { .cap = capability, .args = { value } };

    return kvm_vm_ioctl(kvm, KVM_ENABLE_CAP, &cap);
}

static bool init_ring(KVMState *kvm, unsigned entries, GError **err)
{
    unsigned capability = KVM_CAP_DIRTY_LOG_RING_ACQ_REL;
    unsigned max = kvm_extension(kvm, capability);
    unsigned size = sizeof(struct kvm_dirty_gfn);
    unsigned least = TARGET_PAGE_SIZE / size;
    int result;

    if (!max) {
        capability = KVM_CAP_DIRTY_LOG_RING;
        max = kvm_extension(kvm, capability);
    }
    if (!max) {
        g_set_error(err, KVM_ERROR, 0,
                    "this host's KVM has no dirty ring (Linux 5.11 has): leave"
                    " dirty-ring-size out");
        return false;
    }
    if (entries & (entries - 1) || entries < least || entries > max / size) {
        g_set_error(err, KVM_ERROR, 0,
                    "dirty-ring-size=%u: must be a power of two from %u to %u"
                    " on this host", entries, least, max / size);
        return false;
    }
    result = enable(kvm, capability, (uint64_t)entries * size);
    if (result < 0) {
        g_set_error(err, KVM_ERROR, 0,
                    "KVM refuses a dirty ring of %u entries: %s: leave"
                    " dirty-ring-size out", entries, g_strerror(-result));
        return false;
    }
    kvm->dirty_ring_size = entries;
    return true;
}

bool kvm_dirty_init(KVMState *kvm, unsigned ring_size, GError **err)
{
    if (ring_size) {
        return init_ring(kvm, ring_size, err);
    }
    /* Where this fails, fetching clears, and nothing else changes. */
    kvm->manual_clear =
        kvm_extension(kvm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) &&
        enable(kvm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
               KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) >= 0;
    return true;
}
