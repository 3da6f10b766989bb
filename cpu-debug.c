/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as a vCPU has it, for monitors and the debugger: no device ever
 * notices that somebody looks.
 */
#include "cpu-debug.h"
#include "kvm-internal.h"

/* As much of @len bytes at @paddr as one piece of memory holds; 0: none. */
static hwaddr rw_piece(AddressSpace *as, hwaddr paddr, void *buf, hwaddr len,
                       bool is_write)
{
    MemoryRegionSection section = memory_region_find(as->root, paddr, 1);

    if (!section.mr || !(memory_region_is_ram(section.mr) ||
                         memory_region_is_romd(section.mr))) {
        return 0;
    }
    section = memory_region_find(as->root, paddr, len);
    len = MIN(section.last_within_address_space - paddr, len - 1) + 1;
    if (is_write) {
        address_space_write_rom(as, paddr, buf, len);
    } else {
        address_space_rw_attrs(as, paddr, MEMTXATTRS_UNSPECIFIED, buf, len,
                               false);
    }
    return len;
}

size_t cpu_physical_rw(CPUState *cpu, hwaddr paddr, void *buf, size_t len,
                       bool is_write)
{
    AddressSpace *as = kvm_cpu_memory(cpu);
    uint8_t *bytes = buf;
    size_t done = 0;
    hwaddr n;

    memory_lock(); /* the map stays as it is between the look and the access */
    while (done < len && paddr + done >= paddr) {
        /* What lies beyond 2^64 does not wrap. */
        n = rw_piece(as, paddr + done, bytes + done,
                     MIN(len - done - 1, UINT64_MAX - (paddr + done)) + 1,
                     is_write);
        if (!n) {
            break;
        }
        done += n;
    }
    memory_unlock();
    return done;
}

size_t cpu_memory_rw(CPUState *cpu, uint64_t vaddr, void *buf, size_t len,
                     bool is_write)
{
    uint8_t *bytes = buf;
    size_t done = 0;

    while (done < len) {
        uint64_t addr = vaddr + done;
        size_t in_page = TARGET_PAGE_SIZE - addr % TARGET_PAGE_SIZE;
        size_t n = MIN(len - done, in_page);
        size_t got;
        hwaddr paddr;

        if (!cpu_translate(cpu, addr, &paddr)) {
            break;
        }
        got = cpu_physical_rw(cpu, paddr, bytes + done, n, is_write);
        done += got;
        if (got < n) {
            break;
        }
    }
    return done;
}
