/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory slots: the RAM, ROM and readable ROM devices of the flat view, as KVM
 * maps them into the guest. Specification: Linux Documentation/virt/kvm/api.rst,
 * KVM_SET_USER_MEMORY_REGION.
 *
 * KVM can change nothing of a slot but its place and its logging, and no two
 * changes at once. So the changes of one commit are collected and applied at
 * its end: what went away and came back equal is left alone; what only came, or
 * only changes its logging, is done while the guest runs; and only where a slot
 * really goes away do the vCPUs wait outside the guest, from the first
 * deletion to the last addition. A section whose addresses and host memory do
 * not lie alike in their pages has no slot; its accesses exit and are served
 * through the address space.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "kvm-internal.h"

#define PAGE_MASK (TARGET_PAGE_SIZE - 1)

/* Somebody begins, or ends, to follow writes to the slot at @first. */
typedef struct LogChange {
    hwaddr first;
    bool wanted;
} LogChange;

/* ---- the table ----------------------------------------------------------- */

static hwaddr slot_last(const KVMSlot *slot)
{
    return slot->first + (slot->size - 1);
}

static KVMSlot *slot_at(KVMState *kvm, unsigned index)
{
    return g_ptr_array_index(kvm->slots, index);
}

unsigned kvm_slots_find(KVMState *kvm, hwaddr addr)
{
    unsigned low = 0;
    unsigned high = kvm->slots->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (slot_last(slot_at(kvm, middle)) < addr) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The slot that starts at @first, or NULL. */
static KVMSlot *find_exact(KVMState *kvm, hwaddr first)
{
    unsigned index = kvm_slots_find(kvm, first);

    if (index < kvm->slots->len && slot_at(kvm, index)->first == first) {
        return slot_at(kvm, index);
    }
    return NULL;
}

static void slot_free(void *pointer)
{
    KVMSlot *slot = pointer;

    g_free(slot->dirty);
    g_free(slot);
}

/* Give the slot a number and its place in the table. */
static bool insert_slot(KVMState *kvm, KVMSlot *slot)
{
    if (kvm->free_ids->len) {
        slot->id = g_array_index(kvm->free_ids, unsigned,
                                 kvm->free_ids->len - 1);
        g_array_set_size(kvm->free_ids, kvm->free_ids->len - 1);
        g_ptr_array_index(kvm->by_id, slot->id) = slot;
    } else if (kvm->by_id->len < kvm->max_slots) {
        slot->id = kvm->by_id->len;
        g_ptr_array_add(kvm->by_id, slot);
    } else {
        return false;
    }
    g_ptr_array_insert(kvm->slots, kvm_slots_find(kvm, slot->first), slot);
    return true;
}

/* Take the slot out of the table, which then no longer owns it. */
static void remove_slot(KVMState *kvm, KVMSlot *slot)
{
    g_ptr_array_steal_index(kvm->slots, kvm_slots_find(kvm, slot->first));
    g_ptr_array_index(kvm->by_id, slot->id) = NULL;
    g_array_append_val(kvm->free_ids, slot->id);
}

/* ---- sections ------------------------------------------------------------ */

/* The whole pages of @section: false if there are none. */
static bool section_pages(const MemoryRegionSection *section, hwaddr *first,
                          uint64_t *size)
{
    hwaddr start = section->offset_within_address_space;
    hwaddr last = section->last_within_address_space;
    hwaddr first_page = start / TARGET_PAGE_SIZE + !!(start & PAGE_MASK);
    hwaddr end_page = last / TARGET_PAGE_SIZE + ((last & PAGE_MASK) == PAGE_MASK);

    /* KVM's own sums end before 2^64, and no processor gets there. */
    end_page = MIN(end_page, HWADDR_MAX / TARGET_PAGE_SIZE);
    if (first_page >= end_page) {
        return false;
    }
    *first = first_page * TARGET_PAGE_SIZE;
    *size = (end_page - first_page) * TARGET_PAGE_SIZE;
    return true;
}

/* The slot that @section should have, not yet in the table; NULL if none. */
static KVMSlot *slot_for(KVMState *kvm, MemoryRegionSection *section)
{
    bool romd = memory_region_is_romd(section->mr);
    bool readonly = section->readonly || romd;
    uint64_t size;
    hwaddr first;
    hwaddr offset;
    uint8_t *host;
    KVMSlot *slot;

    if (!(memory_region_is_ram(section->mr) || romd) ||
        !section_pages(section, &first, &size) ||
        (readonly && !kvm->readonly_memory)) {
        return NULL;
    }
    offset = section->offset_within_region +
             (first - section->offset_within_address_space);
    host = (uint8_t *)memory_region_get_ram_ptr(section->mr) + offset;
    if ((uintptr_t)host & PAGE_MASK) {
        return NULL;
    }
    slot = g_new0(KVMSlot, 1);
    slot->first = first;
    slot->size = size;
    slot->host = host;
    slot->mr = section->mr;
    slot->offset = offset;
    slot->readonly = readonly;
    return slot;
}

static void region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    KVMState *kvm = kvm_of_memory_listener(listener);
    KVMSlot *slot = slot_for(kvm, section);

    if (slot) {
        g_ptr_array_add(kvm->added, slot);
    }
}

static void region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    KVMState *kvm = kvm_of_memory_listener(listener);
    KVMSlot *slot;
    uint64_t size;
    hwaddr first;

    /* By its place: a ROM device may by now no longer be readable. */
    if (section_pages(section, &first, &size) &&
        (slot = find_exact(kvm, first)) && !slot->doomed) {
        slot->doomed = true;
        g_ptr_array_add(kvm->deleted, slot);
    }
}

static void change_log(MemoryListener *listener, MemoryRegionSection *section,
                       bool wanted)
{
    KVMState *kvm = kvm_of_memory_listener(listener);
    LogChange change = { .wanted = wanted };
    uint64_t size;

    if (section_pages(section, &change.first, &size)) {
        g_array_append_val(kvm->log_changes, change);
    }
}

static void log_start(MemoryListener *listener, MemoryRegionSection *section)
{
    change_log(listener, section, true);
}

static void log_stop(MemoryListener *listener, MemoryRegionSection *section)
{
    change_log(listener, section, false);
}

/* ---- telling KVM --------------------------------------------------------- */

int kvm_slot_set(KVMState *kvm, KVMSlot *slot, uint64_t size)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot->id,
        .flags = (slot->readonly ? KVM_MEM_READONLY : 0) |
                 (slot->logging ? KVM_MEM_LOG_DIRTY_PAGES : 0),
        .guest_phys_addr = slot->first,
        .memory_size = size,
        .userspace_addr = (uintptr_t)slot->host,
    };

    return kvm_vm_ioctl(kvm, KVM_SET_USER_MEMORY_REGION, &region);
}

static void slot_refused(KVMState *kvm, const KVMSlot *slot, const char *step,
                         int error)
{
    kvm_refused(kvm,
                "KVM refuses to %s the memory slot of region '%s' at"
                " 0x%" PRIx64 "-0x%" PRIx64 " (%s, offset 0x%" PRIx64
                "): %s", step, memory_region_name(slot->mr), slot->first,
                slot_last(slot), slot->readonly ? "read-only" : "RAM",
                slot->offset, g_strerror(-error));
}

void kvm_slot_update_logging(KVMState *kvm, KVMSlot *slot)
{
    bool wanted = slot->log_wanted || kvm->log_global;
    int result;

    if (wanted == slot->logging || slot->readonly) {
        return;
    }
    slot->logging = wanted;
    if (!slot->present) {
        return;
    }
    result = kvm_slot_set(kvm, slot, slot->size);
    if (result < 0) {
        slot->logging = !wanted;
        slot_refused(kvm, slot, wanted ? "log writes to" :
                                         "stop logging writes to", result);
    } else if (!wanted) {
        g_clear_pointer(&slot->dirty, g_free);
    }
}

/* Out of KVM and the table; what the guest wrote is collected first. */
static void delete_slot(KVMState *kvm, KVMSlot *slot)
{
    int result;

    if (slot->logging) {
        kvm_slot_collect_dirty(kvm, slot);
    }
    result = kvm_slot_set(kvm, slot, 0);
    if (result < 0) {
        /* It stays KVM's. The section it stood for is gone: so is the slot for
         * all but its number, which is never used again. */
        slot_refused(kvm, slot, "delete", result);
        g_ptr_array_index(kvm->by_id, slot->id) = NULL;
        g_ptr_array_remove_index(kvm->slots, kvm_slots_find(kvm, slot->first));
        return;
    }
    remove_slot(kvm, slot);
    slot_free(slot);
}

static void create_slot(KVMState *kvm, KVMSlot *slot)
{
    int result = kvm_slot_set(kvm, slot, slot->size);

    slot->present = result >= 0;
    if (result < 0) {
        slot_refused(kvm, slot, "make", result);
        remove_slot(kvm, slot);
        slot_free(slot);
    }
}

/* ---- commits ------------------------------------------------------------- */

/* Whether @old, about to go, is what @new wants to be. */
static bool slot_equal(const KVMSlot *old, const KVMSlot *new)
{
    return old->first == new->first && old->size == new->size &&
           old->mr == new->mr && old->offset == new->offset &&
           old->host == new->host && old->readonly == new->readonly;
}

/* Leave alone what went away and came back equal. */
static void spare_equal(KVMState *kvm)
{
    unsigned kept = 0;
    unsigned i;

    for (i = 0; i < kvm->added->len; i++) {
        KVMSlot *new = g_ptr_array_index(kvm->added, i);
        KVMSlot *old = find_exact(kvm, new->first);

        if (old && old->doomed && slot_equal(old, new)) {
            old->doomed = false;
            slot_free(new);
        } else {
            g_ptr_array_index(kvm->added, kept++) = new;
        }
    }
    g_ptr_array_set_size(kvm->added, kept);
}

static void apply_log_changes(KVMState *kvm)
{
    unsigned i;

    for (i = 0; i < kvm->log_changes->len; i++) {
        LogChange *change = &g_array_index(kvm->log_changes, LogChange, i);
        KVMSlot *slot = find_exact(kvm, change->first);

        if (slot) {
            slot->log_wanted = change->wanted;
        }
    }
    for (i = 0; i < kvm->log_changes->len; i++) {
        LogChange *change = &g_array_index(kvm->log_changes, LogChange, i);
        KVMSlot *slot = find_exact(kvm, change->first);

        if (slot) {
            kvm_slot_update_logging(kvm, slot);
        }
    }
    g_array_set_size(kvm->log_changes, 0);
}

static void commit(MemoryListener *listener)
{
    KVMState *kvm = kvm_of_memory_listener(listener);
    bool pause = false;
    unsigned i;

    if (kvm->closing) {
        g_ptr_array_set_size(kvm->deleted, 0);
        return;
    }
    spare_equal(kvm);
    /* From the end, so that the table moves only what stays in it. */
    for (i = kvm->deleted->len; i-- > 0;) {
        KVMSlot *slot = g_ptr_array_index(kvm->deleted, i);

        if (!slot->doomed) {
            continue;
        }
        if (!pause) {
            cpus_pause_all();
            pause = true;
        }
        delete_slot(kvm, slot);
    }
    g_ptr_array_set_size(kvm->deleted, 0);

    for (i = 0; i < kvm->added->len; i++) {
        KVMSlot *slot = g_ptr_array_index(kvm->added, i);

        if (insert_slot(kvm, slot)) {
            slot->logging = kvm->log_global && !slot->readonly;
        } else {
            kvm_refused(kvm,
                        "KVM has only %u memory slots: none is left for region"
                        " '%s' at 0x%" PRIx64 "-0x%" PRIx64 ": use fewer, larger"
                        " pieces of RAM", kvm->max_slots,
                        memory_region_name(slot->mr), slot->first,
                        slot_last(slot));
            slot_free(slot);
            g_ptr_array_index(kvm->added, i) = NULL;
        }
    }
    apply_log_changes(kvm);
    for (i = 0; i < kvm->added->len; i++) {
        if (g_ptr_array_index(kvm->added, i)) {
            create_slot(kvm, g_ptr_array_index(kvm->added, i));
        }
    }
    g_ptr_array_set_size(kvm->added, 0);
    if (pause) {
        cpus_resume_all();
    }
}

void kvm_slots_init(KVMState *kvm)
{
    kvm->slots = g_ptr_array_new_with_free_func(slot_free);
    kvm->by_id = g_ptr_array_new();
    kvm->free_ids = g_array_new(FALSE, FALSE, sizeof(unsigned));
    kvm->added = g_ptr_array_new();
    kvm->deleted = g_ptr_array_new();
    kvm->log_changes = g_array_new(FALSE, FALSE, sizeof(LogChange));
}

void kvm_slots_free(KVMState *kvm)
{
    g_ptr_array_unref(kvm->slots);
    g_ptr_array_unref(kvm->by_id);
    g_array_unref(kvm->free_ids);
    g_ptr_array_unref(kvm->added);
    g_ptr_array_unref(kvm->deleted);
    g_array_unref(kvm->log_changes);
}

void kvm_slots_listen(MemoryListener *listener)
{
    listener->commit = commit;
    listener->region_add = region_add;
    listener->region_del = region_del;
    listener->log_start = log_start;
    listener->log_stop = log_stop;
}
