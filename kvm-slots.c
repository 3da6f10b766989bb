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

static KVMSlot *slot_at(const KVMSpace *space, unsigned index)
{
    return g_ptr_array_index(space->slots, index);
}

unsigned kvm_slots_find(const KVMSpace *space, hwaddr addr)
{
    unsigned low = 0;
    unsigned high = space->slots->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (slot_last(slot_at(space, middle)) < addr) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The slot that starts at @first, or NULL. */
static KVMSlot *find_exact(KVMSpace *space, hwaddr first)
{
    unsigned index = kvm_slots_find(space, first);

    if (index < space->slots->len && slot_at(space, index)->first == first) {
        return slot_at(space, index);
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
static bool insert_slot(KVMSlot *slot)
{
    KVMSpace *space = slot->space;

    if (space->free_ids->len) {
        slot->id = g_array_index(space->free_ids, unsigned,
                                 space->free_ids->len - 1);
        g_array_set_size(space->free_ids, space->free_ids->len - 1);
        g_ptr_array_index(space->by_id, slot->id) = slot;
    } else if (space->by_id->len < space->kvm->max_slots) {
        slot->id = space->by_id->len;
        g_ptr_array_add(space->by_id, slot);
    } else {
        return false;
    }
    g_ptr_array_insert(space->slots, kvm_slots_find(space, slot->first), slot);
    return true;
}

/* Take the slot out of the table, which then no longer owns it. */
static void remove_slot(KVMSlot *slot)
{
    KVMSpace *space = slot->space;

    g_ptr_array_steal_index(space->slots, kvm_slots_find(space, slot->first));
    g_ptr_array_index(space->by_id, slot->id) = NULL;
    g_array_append_val(space->free_ids, slot->id);
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
static KVMSlot *slot_for(KVMSpace *space, MemoryRegionSection *section)
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
        (readonly && !space->kvm->readonly_memory)) {
        return NULL;
    }
    offset = section->offset_within_region +
             (first - section->offset_within_address_space);
    host = (uint8_t *)memory_region_get_ram_ptr(section->mr) + offset;
    if ((uintptr_t)host & PAGE_MASK) {
        return NULL;
    }
    slot = g_new0(KVMSlot, 1);
    slot->space = space;
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
    KVMSpace *space = kvm_space_of(listener);
    KVMSlot *slot = slot_for(space, section);

    if (slot) {
        g_ptr_array_add(space->added, slot);
    }
}

static void region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    KVMSpace *space = kvm_space_of(listener);
    KVMSlot *slot;
    uint64_t size;
    hwaddr first;

    /* By its place: a ROM device may by now no longer be readable. */
    if (section_pages(section, &first, &size) &&
        (slot = find_exact(space, first)) && !slot->doomed) {
        slot->doomed = true;
        g_ptr_array_add(space->deleted, slot);
    }
}

static void change_log(MemoryListener *listener, MemoryRegionSection *section,
                       bool wanted)
{
    KVMSpace *space = kvm_space_of(listener);
    LogChange change = { .wanted = wanted };
    uint64_t size;

    if (section_pages(section, &change.first, &size)) {
        g_array_append_val(space->log_changes, change);
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

unsigned kvm_slot_number(const KVMSlot *slot)
{
    return slot->space->id << 16 | slot->id;
}

int kvm_slot_set(KVMSlot *slot, uint64_t size)
{
    struct kvm_userspace_memory_region region = {
        .slot = kvm_slot_number(slot),
        .flags = (slot->readonly ? KVM_MEM_READONLY : 0) |
                 (slot->logging ? KVM_MEM_LOG_DIRTY_PAGES : 0),
        .guest_phys_addr = slot->first,
        .memory_size = size,
        .userspace_addr = (uintptr_t)slot->host,
    };

    return kvm_vm_ioctl(slot->space->kvm, KVM_SET_USER_MEMORY_REGION, &region);
}

static void slot_refused(const KVMSlot *slot, const char *step, int error)
{
    kvm_refused(slot->space->kvm,
                "KVM refuses to %s the memory slot of region '%s' at"
                " 0x%" PRIx64 "-0x%" PRIx64 "%s (%s, offset 0x%" PRIx64
                "): %s", step, memory_region_name(slot->mr), slot->first,
                slot_last(slot),
                slot->space->id ? " of system management mode" : "",
                slot->readonly ? "read-only" : "RAM",
                slot->offset, g_strerror(-error));
}

void kvm_slot_update_logging(KVMSlot *slot)
{
    bool wanted = slot->log_wanted || slot->space->log_global;
    int result;

    if (wanted == slot->logging || slot->readonly) {
        return;
    }
    slot->logging = wanted;
    if (!slot->present) {
        return;
    }
    result = kvm_slot_set(slot, slot->size);
    if (result < 0) {
        slot->logging = !wanted;
        slot_refused(slot, wanted ? "log writes to" :
                                         "stop logging writes to", result);
    } else if (!wanted) {
        g_clear_pointer(&slot->dirty, g_free);
    }
}

/* Out of KVM and the table; what the guest wrote is collected first. */
static void delete_slot(KVMSlot *slot)
{
    KVMSpace *space = slot->space;
    int result;

    if (slot->logging) {
        kvm_slot_collect_dirty(slot);
    }
    result = kvm_slot_set(slot, 0);
    if (result < 0) {
        /* It stays KVM's. The section it stood for is gone: so is the slot for
         * all but its number, which is never used again. */
        slot_refused(slot, "delete", result);
        g_ptr_array_index(space->by_id, slot->id) = NULL;
        g_ptr_array_remove_index(space->slots, kvm_slots_find(space, slot->first));
        return;
    }
    remove_slot(slot);
    slot_free(slot);
}

static void create_slot(KVMSlot *slot)
{
    int result = kvm_slot_set(slot, slot->size);

    slot->present = result >= 0;
    if (result < 0) {
        slot_refused(slot, "make", result);
        remove_slot(slot);
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
static void spare_equal(KVMSpace *space)
{
    unsigned kept = 0;
    unsigned i;

    for (i = 0; i < space->added->len; i++) {
        KVMSlot *new = g_ptr_array_index(space->added, i);
        KVMSlot *old = find_exact(space, new->first);

        if (old && old->doomed && slot_equal(old, new)) {
            old->doomed = false;
            slot_free(new);
        } else {
            g_ptr_array_index(space->added, kept++) = new;
        }
    }
    g_ptr_array_set_size(space->added, kept);
}

static void apply_log_changes(KVMSpace *space)
{
    unsigned i;

    for (i = 0; i < space->log_changes->len; i++) {
        LogChange *change = &g_array_index(space->log_changes, LogChange, i);
        KVMSlot *slot = find_exact(space, change->first);

        if (slot) {
            slot->log_wanted = change->wanted;
        }
    }
    for (i = 0; i < space->log_changes->len; i++) {
        LogChange *change = &g_array_index(space->log_changes, LogChange, i);
        KVMSlot *slot = find_exact(space, change->first);

        if (slot) {
            kvm_slot_update_logging(slot);
        }
    }
    g_array_set_size(space->log_changes, 0);
}

static void commit(MemoryListener *listener)
{
    KVMSpace *space = kvm_space_of(listener);
    bool pause = false;
    unsigned i;

    if (space->kvm->closing) {
        g_ptr_array_set_size(space->deleted, 0);
        return;
    }
    spare_equal(space);
    /* From the end, so that the table moves only what stays in it. */
    for (i = space->deleted->len; i-- > 0;) {
        KVMSlot *slot = g_ptr_array_index(space->deleted, i);

        if (!slot->doomed) {
            continue;
        }
        if (!pause) {
            cpus_pause_all();
            pause = true;
        }
        delete_slot(slot);
    }
    g_ptr_array_set_size(space->deleted, 0);

    for (i = 0; i < space->added->len; i++) {
        KVMSlot *slot = g_ptr_array_index(space->added, i);

        if (insert_slot(slot)) {
            slot->logging = space->log_global && !slot->readonly;
        } else {
            kvm_refused(space->kvm,
                        "KVM has only %u memory slots: none is left for region"
                        " '%s' at 0x%" PRIx64 "-0x%" PRIx64 ": use fewer, larger"
                        " pieces of RAM", space->kvm->max_slots,
                        memory_region_name(slot->mr), slot->first,
                        slot_last(slot));
            slot_free(slot);
            g_ptr_array_index(space->added, i) = NULL;
        }
    }
    apply_log_changes(space);
    for (i = 0; i < space->added->len; i++) {
        if (g_ptr_array_index(space->added, i)) {
            create_slot(g_ptr_array_index(space->added, i));
        }
    }
    g_ptr_array_set_size(space->added, 0);
    if (pause) {
        cpus_resume_all();
    }
}

void kvm_space_init(KVMState *kvm, KVMSpace *space, unsigned id)
{
    space->kvm = kvm;
    space->id = id;
    space->slots = g_ptr_array_new_with_free_func(slot_free);
    space->by_id = g_ptr_array_new();
    space->free_ids = g_array_new(FALSE, FALSE, sizeof(unsigned));
    space->added = g_ptr_array_new();
    space->deleted = g_ptr_array_new();
    space->log_changes = g_array_new(FALSE, FALSE, sizeof(LogChange));
}

void kvm_space_free(KVMSpace *space)
{
    g_ptr_array_unref(space->slots);
    g_ptr_array_unref(space->by_id);
    g_array_unref(space->free_ids);
    g_ptr_array_unref(space->added);
    g_ptr_array_unref(space->deleted);
    g_array_unref(space->log_changes);
}

void kvm_slots_listen(MemoryListener *listener)
{
    listener->commit = commit;
    listener->region_add = region_add;
    listener->region_del = region_del;
    listener->log_start = log_start;
    listener->log_stop = log_stop;
}
