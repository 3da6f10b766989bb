/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt chips and the timer chip that KVM has in the kernel: two 8259A, an
 * 82093AA I/O APIC, an 8254. Specifications: Linux Documentation/virt/kvm/api.rst,
 * KVM_SET_IRQCHIP, KVM_SET_GSI_ROUTING, KVM_SET_PIT2; Intel IA-PC HPET 1.0a, 2.4.5
 * (an HPET in place of the 8254).
 */
#include <linux/kvm.h>
#include <string.h>

#include "target-i386/arch.h"
#include "target-i386/cpu.h"

#define PIC_PINS 8
#define TIMER_IOAPIC_PIN 2

bool x86_chips_init(KVMState *kvm, GError **err)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
    const char *step;
    int result;

    if (!kvm->irqchip) {
        return true;
    }
    step = "in-kernel interrupt chips";
    result = kvm_vm_ioctl(kvm, KVM_CREATE_IRQCHIP, NULL);
    if (result < 0) {
        goto refused;
    }
    step = "an in-kernel timer chip";
    result = kvm_vm_ioctl(kvm, KVM_CREATE_PIT2, &pit);
    if (result < 0) {
        goto refused;
    }
    kvm->tsc_deadline = kvm_extension(kvm, KVM_CAP_TSC_DEADLINE_TIMER);
    return true;

refused:
    g_set_error(err, KVM_ERROR, 0,
                "KVM refuses %s, without which no board runs: does the host's kernel"
                " have them (CONFIG_KVM_IOAPIC)? %s", step, g_strerror(-result));
    return false;
}

/* ---- reset --------------------------------------------------------------- */

/* Whether KVM did it; if not, that is told. */
static bool vm_do(KVMState *kvm, unsigned long request, void *arg, const char *what)
{
    int result = kvm_vm_ioctl(kvm, request, arg);

    if (result < 0) {
        kvm_refused(kvm, "KVM refuses to %s: %s", what, g_strerror(-result));
    }
    return result >= 0;
}

void kvm_arch_reset_vm(KVMState *kvm)
{
    struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
    struct kvm_pit_state2 pit = { .flags = 0 };
    unsigned i;

    if (!kvm->irqchip) {
        return;
    }
    chip.chip.pic.elcr_mask = 0xf8;
    vm_do(kvm, KVM_SET_IRQCHIP, &chip, "reset the first PIC");
    chip.chip_id = KVM_IRQCHIP_PIC_SLAVE;
    chip.chip.pic.elcr_mask = 0xde;
    vm_do(kvm, KVM_SET_IRQCHIP, &chip, "reset the second PIC");

    memset(&chip, 0, sizeof(chip));
    chip.chip_id = KVM_IRQCHIP_IOAPIC;
    chip.chip.ioapic.base_address = X86_IOAPIC_BASE;
    for (i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
        chip.chip.ioapic.redirtbl[i].fields.mask = 1;
    }
    vm_do(kvm, KVM_SET_IRQCHIP, &chip, "reset the IOAPIC");

    for (i = 0; i < G_N_ELEMENTS(pit.channels); i++) {
        pit.channels[i].mode = 0xff; /* not programmed: no timer runs */
        pit.channels[i].gate = i != 2;
    }
    vm_do(kvm, KVM_SET_PIT2, &pit, "reset the PIT");
}

void kvm_set_level_irqs(KVMState *kvm, uint16_t irqs)
{
    for (unsigned i = 0; kvm->irqchip && i < 2; i++) {
        struct kvm_irqchip chip = { .chip_id = i ? KVM_IRQCHIP_PIC_SLAVE
                                                 : KVM_IRQCHIP_PIC_MASTER };

        if (!vm_do(kvm, KVM_GET_IRQCHIP, &chip, "tell the state of a PIC")) {
            return;
        }
        chip.chip.pic.elcr = irqs >> 8 * i & chip.chip.pic.elcr_mask;
        vm_do(kvm, KVM_SET_IRQCHIP, &chip, "set which interrupts are of levels");
    }
}

/* ---- as a PC is wired ---------------------------------------------------- */

static void add_route(struct kvm_irq_routing *routing, unsigned gsi, unsigned chip,
                      unsigned pin)
{
    routing->entries[routing->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

bool kvm_route_pc_timer(KVMState *kvm, GError **err)
{
    g_autofree struct kvm_irq_routing *routing =
        g_malloc0(sizeof(*routing) + 2 * KVM_IOAPIC_NUM_PINS *
                                         sizeof(routing->entries[0]));
    unsigned gsi;
    int result;

    if (!kvm->irqchip) {
        return true;
    }
    for (gsi = 0; gsi < KVM_IOAPIC_NUM_PINS; gsi++) {
        /* That one is on the PIC the second one's own. */
        if (gsi < 2 * PIC_PINS && gsi != TIMER_IOAPIC_PIN) {
            add_route(routing, gsi,
                      gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                      gsi % PIC_PINS);
        }
        add_route(routing, gsi, KVM_IRQCHIP_IOAPIC, gsi ? gsi : TIMER_IOAPIC_PIN);
    }
    result = kvm_vm_ioctl(kvm, KVM_SET_GSI_ROUTING, routing);
    if (result < 0) {
        g_set_error(err, KVM_ERROR, 0,
                    "KVM refuses to wire interrupts as on a PC: %s",
                    g_strerror(-result));
    }
    return result >= 0;
}

bool kvm_pit_set_reinject(KVMState *kvm, bool on, GError **err)
{
    struct kvm_reinject_control control = { .pit_reinject = on };
    int result = kvm->irqchip ? kvm_vm_ioctl(kvm, KVM_REINJECT_CONTROL, &control) : 0;

    if (result < 0) {
        g_set_error(err, KVM_ERROR, 0, "KVM refuses to %s the timer's late ticks: %s",
                    on ? "keep" : "drop", g_strerror(-result));
    }
    return result >= 0;
}

void kvm_pit_enable(KVMState *kvm, bool on)
{
    struct kvm_pit_state2 pit;

    if (!kvm->irqchip || !vm_do(kvm, KVM_GET_PIT2, &pit, "tell the state of the PIT")) {
        return;
    }
    /* Setting starts the count of every channel anew: not for nothing. */
    if (!(pit.flags & KVM_PIT_FLAGS_HPET_LEGACY) != on) {
        pit.flags ^= KVM_PIT_FLAGS_HPET_LEGACY;
        vm_do(kvm, KVM_SET_PIT2, &pit, "let the HPET replace the PIT, or undo that");
    }
}
