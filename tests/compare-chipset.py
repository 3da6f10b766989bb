# SPDX-License-Identifier: GPL-2.0-or-later
"""
The chipset of the board pc beside that of QEMU 7.2: both programs get the same accesses,
made by chance, to the ports of configuration space, to what PAM and SMRAM show, to power
management's registers and to the routes of interrupts. What is read is the same, and so
is what interrupts do. Prints TAP. See test-compare-chipset.sh.

What differs, and is left out:
- QEMU keeps what is written to bits and registers that the datasheets reserve, and, as
  PCI says that they are 0, in bits 0, 1 and 24 to 30 of 0xcf8, too; it answers narrow
  reads there, which go past that register to the bus;
- an access that is wider than a register here has the next one, and nothing where there
  is none; QEMU's has some registers again;
- what is written to a byte of power management's event registers, QEMU takes for both
  bytes, or drops; from any byte of its timer it reads the first;
- QEMU's timer status is 1 after a reset; events interrupt out of ACPI mode; the button
  has no effect while it is not enabled;
- QEMU has no hole of FDHC, no lock of SMRAM, and no segment that is read from PCI and
  written to RAM, where it shows RAM; what qtest writes there in the reverse state goes to
  RAM, too;
- an interrupt that is up when its PIRQ gets another route, is up for ever in QEMU;
- there are memories on QEMU's SMBus, whose controller does not interrupt, nor begin a
  block anew where its control register is read; how a transfer of a block to nobody, or
  one that is killed, ends there is left out;
- what QEMU's chips do not reset: most of configuration space, PMBA, ports 0x92 and 0xb2.
"""
import json
import os
import sys
import tempfile
import time

import peer

CONFIG_ADDRESS, CONFIG_DATA, RESET_CONTROL = 0xcf8, 0xcfc, 0xcf9
I440FX, PIIX3, PM = 0x00, 0x08, 0x0b
PIRQ_ROUTES, PAM, SMRAM, PMBA, PMREGMISC = 0x60, 0x59, 0x72, 0x40, 0x80
PM_PORT, GPE_PORT, APM_PORT, ELCR_PORT = 0x600, 0xafe0, 0xb2, 0x4d0
WIDTHS = {'b': 1, 'w': 2, 'l': 4}

# Programs of each kind.
PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '8'))


def table(*rows):
    """Of (first, last, mask)."""
    return {reg: mask for first, last, mask in rows for reg in range(first, last + 1)}


# What can be written in both; not PIRQs, FDHC and SMRAM, which have tests of their own.
HEADER = table((0x0c, 0x0c, 0xff), (0x3c, 0x3c, 0xff))
WRITABLE = {
    I440FX: HEADER | table((0x50, 0x51, 0xff), (0x53, 0x58, 0xff), (0x59, 0x59, 0x30),
                           (0x5a, 0x5f, 0x33), (0x60, 0x67, 0xff), (0x70, 0x71, 0xff),
                           (0x90, 0x90, 0xff)),
    PIIX3: HEADER | table((0x4c, 0x4c, 0xff), (0x4e, 0x4f, 0xff), (0x60, 0x63, 0x8f),
                          (0x69, 0x69, 0xff), (0x70, 0x70, 0xff), (0x76, 0x79, 0xff),
                          (0x80, 0x80, 0xff), (0x82, 0x82, 0xff), (0xa0, 0xa0, 0xff),
                          (0xa2, 0xa8, 0xff), (0xaa, 0xac, 0xff), (0xae, 0xae, 0xff)),
    PM: HEADER | table((0x44, 0x7f, 0xff), (0x84, 0x8f, 0xff), (0x94, 0xcf, 0xff),
                       (0xd4, 0xff, 0xff)),
}
# SMRAM, and where power management's blocks of ports are: 0 written to a bit that is
# always 1 is what QEMU keeps.
LEFT_ALONE = ((I440FX, 0x70), (PM, PMBA), (PM, PMREGMISC), (PM, 0x90), (PM, 0xd0))


def set_config(devfn, reg, value, width='b'):
    return [f'outl {CONFIG_ADDRESS} {0x80000000 | devfn << 8 | (reg & ~3):#x}',
            f'out{width} {CONFIG_DATA + reg % 4:#x} {value:#x}']


def number(rng, bits):
    """Often at an end."""
    return rng.choice((0, (1 << bits) - 1, rng.getrandbits(bits), rng.getrandbits(bits)))


# ---- configuration space ---------------------------------------------------------------

def config_data(rng, devfn, base):
    """Any access to CONFIG_DATA while the address is @base of @devfn."""
    width = rng.choice('bwl')
    offset = rng.randrange(4)
    if rng.randrange(2) or (devfn, base) in LEFT_ALONE:
        return f'in{width} {CONFIG_DATA + offset:#x}'
    value = 0
    for n in range(WIDTHS[width]):
        mask = WRITABLE.get(devfn, {}).get(base + offset + n, 0)
        value |= (number(rng, 8) & mask if offset + n < 4 else 0) << 8 * n
    return f'out{width} {CONFIG_DATA + offset:#x} {value:#x}'


def config_program(rng):
    lines = []
    for _ in range(400):
        devfn = rng.choice((I440FX, PIIX3, PM, PM, 0x28, 0x29, rng.randrange(0x10, 256)))
        base = rng.randrange(0, 256, 4)
        bus = rng.choice((0, 0, 0, 0, 1, 0xff))
        enable = rng.choice((1, 1, 1, 1, 0))
        address = enable << 31 | bus << 16 | devfn << 8 | base
        lines.append(f'outl {CONFIG_ADDRESS} {address:#x}')
        for _ in range(rng.randrange(6)):
            if rng.randrange(4):
                lines.append(config_data(rng, None if bus or not enable else devfn, base))
            else:
                lines.append(rng.choice((
                    f'inl {CONFIG_ADDRESS}', f'inb {RESET_CONTROL}',
                    f'outb {RESET_CONTROL} {rng.choice((0, 1, 2, 3, 0xfa, 0xf8)):#x}',
                    f'outb {CONFIG_ADDRESS} {number(rng, 8):#x}',
                    f'outb {CONFIG_ADDRESS + 2} {number(rng, 8):#x}',
                    f'outb {CONFIG_ADDRESS + 3} {number(rng, 8):#x}',
                    f'outw {CONFIG_ADDRESS} {number(rng, 8):#x}',
                    f'outw {CONFIG_ADDRESS + 2} {number(rng, 16):#x}')))
    return lines


def configuration(pair_of, rng):
    """configuration space, by accesses of any width and place"""
    pair = pair_of(['-m', '64', '-device', 'edu,addr=5'])
    for _ in range(PROGRAMS):
        if not pair.run(config_program(rng)):
            return


# ---- memory ----------------------------------------------------------------------------

PAM_BASE, PAM_END, SMRAM_BASE = 0xc0000, 0x100000, 0xa0000
ROM_SIZE = 0x8000
LETTERS = {1: 'b', 2: 'w', 4: 'l', 8: 'q'}
SEGMENT_EDGES = [PAM_BASE + n * 0x4000 for n in range(13)] + [PAM_END]


def screen_mode():
    """All of 0xa0000 to 0xaffff is video memory, byte after byte."""
    lines = []
    for index, value in ((2, 0x0f), (4, 0x0e)):
        lines += [f'outb 0x3c4 {index}', f'outb 0x3c5 {value}']
    for index, value in ((5, 0x40), (6, 0x05)):
        lines += [f'outb 0x3ce {index}', f'outb 0x3cf {value}']
    return lines


READ, WRITE = 1, 2


class Shadow:
    """What PAM says, so that what a segment's state has in common can be done."""

    def __init__(self):
        self.pam = bytearray(7)

    def states(self, first, last):
        """Of all segments of these addresses."""
        found = set()
        for base in range(first & ~0x3fff, last + 1, 0x4000):
            if PAM_BASE <= base < PAM_END:
                half = 1 if base >= 0xf0000 else 2 + (base - PAM_BASE) // 0x4000
                found.add(self.pam[half // 2] >> (half % 2 * 4) & 3)
        return found

    def allows(self, first, size, state):
        """Whether no part is in @state."""
        return state not in self.states(first, first + size - 1)


def place(rng):
    """An address where something ends, mostly."""
    return rng.choice((*SEGMENT_EDGES, SMRAM_BASE, SMRAM_BASE, 0xb0000, 0xa0000, 0x80000,
                       0xd8000, 0xd8000 + ROM_SIZE, rng.randrange(0x7ff00, PAM_END),
                       rng.randrange(PAM_BASE, PAM_END))) + rng.randrange(-12, 13)


def store(rng, at, size):
    if size in LETTERS:
        return f'write{LETTERS[size]} {at:#x} {number(rng, 8 * size):#x}'
    return f'write {at:#x} {size:#x} 0x{rng.randbytes(size).hex()}'


def memory_program(rng, shadow, rom, end):
    lines = []
    for _ in range(500):
        match rng.randrange(12):
            case 0 | 1:
                width = rng.choice('bbbwl')
                first = rng.randrange(PAM - 1, PAM + 7)
                first &= ~(WIDTHS[width] - 1)
                value = bytes(rng.randrange(256) & WRITABLE[I440FX][first + n]
                              for n in range(WIDTHS[width]))
                for n, byte in enumerate(value, first - PAM):
                    if n >= 0:
                        shadow.pam[n] = byte
                lines += set_config(I440FX, first, int.from_bytes(value, 'little'), width)
            case 2:
                lines += set_config(I440FX, SMRAM, rng.choice((0x02, 0x0a, 0x4a, 0x42)))
            case 3 if rng.randrange(4) == 0:
                # A ROM of a card, where others may be.
                lines += set_config(rom, 0x30, rng.choice((0xd8001, 0xd8000, 0xe0001,
                                                           0xc0001, 0xf8001, 0)), 'l')
                lines += set_config(rom, 4, rng.choice((0, 2, 2)), 'w')
            case 3 | 4 | 5 | 6 | 7:
                at, size = place(rng), rng.choice((1, 2, 4, 8, rng.randrange(1, 200)))
                if at + size <= end and shadow.allows(at, size, READ):
                    lines.append(store(rng, at, size))
            case _:
                at, size = place(rng), rng.choice((1, 2, 4, 8, rng.randrange(1, 200)))
                if at + size <= end and shadow.allows(at, size, WRITE):
                    lines.append(f'read{LETTERS[size]} {at:#x}' if size in LETTERS else
                                 f'read {at:#x} {size:#x}')
    return lines


def all_of(first, end, shadow=None):
    return [f'read {at:#x} 0x1000' for at in range(first, end, 0x1000)
            if not shadow or shadow.allows(at, 1, WRITE)]


def memory_below_1m(pair_of, rng):
    """what PAM and SMRAM show below 1 MiB, and what is under it"""
    for mib, bios in ((16, 256), (1, 64)):
        pair = None
        for _ in range(PROGRAMS):
            if not pair:
                pair = start_with_roms(pair_of, rng, mib, bios)
                shadow = Shadow()
                if not pair.run(screen_mode(), 'screen_mode'):
                    return
            if not pair.run(memory_program(rng, shadow, 0x20, mib << 20)) or \
                    not pair.run(all_of(0x80000, 0x100000, shadow), 'all of it'):
                return
        # All of RAM that the rest has hidden.
        lines = [line for n in range(7) for line in set_config(I440FX, PAM + n, 0x33)]
        lines += set_config(I440FX, SMRAM, 0x4a)
        if not pair.run(lines + all_of(0x80000, 0x100000), 'RAM'):
            return


def start_with_roms(pair_of, rng, mib, bios_kib):
    with tempfile.NamedTemporaryFile() as bios, tempfile.NamedTemporaryFile() as rom:
        for file, size in ((bios, bios_kib << 10), (rom, ROM_SIZE)):
            file.write(b'\x55\xaa' + bytes([min(size >> 9, 255)]) +
                       rng.randbytes(size - 3))
            file.flush()
        return pair_of(['-m', str(mib), '-bios', bios.name,
                        '-device', 'VGA,addr=3,vgamem_mb=1',
                        '-device', f'edu,addr=4,romfile={rom.name}'])


def memory_above(pair_of, rng):
    """RAM on both sides of the hole below 4 GiB"""
    pair = pair_of(['-m', '3585M'])
    # Nothing is read across the ends of RAM: where nobody answers, QEMU says 0.
    ends = (0x100000, 0xf00000, 0x1000000, 0xbffffff0, 0x100000010, 0x120000000,
            0x1200ffff0)
    for _ in range(PROGRAMS):
        lines = []
        for _ in range(300):
            at, size = rng.choice(ends) + rng.randrange(-16, 9), rng.choice((1, 2, 4, 8))
            lines.append(f'read{LETTERS[size]} {at:#x}' if rng.randrange(2) else
                         store(rng, at, size))
        if not pair.run(lines):
            return


# ---- power management ------------------------------------------------------------------

EVENTS = 0x0521


def power_start(pair):
    """As firmware does it; in ACPI mode, and nothing has happened."""
    lines = set_config(PM, PMBA, PM_PORT | 1, 'l') + set_config(PM, PMREGMISC, 1)
    lines += [f'outw {PM_PORT + 2} 0', f'outw {PM_PORT} 0xffff', f'outw {APM_PORT} 0xf1']
    return pair.run(lines, 'power_start')


def power_access(rng):
    match rng.randrange(9):
        case 0:
            return f'outw {PM_PORT + 2:#x} {rng.getrandbits(16) & EVENTS:#x}'
        case 1:
            return f'outw {PM_PORT:#x} {number(rng, 16):#x}'
        case 2:
            # SLP_TYP and BM_RLD, in ACPI mode
            return f'outw {PM_PORT + 4:#x} {rng.getrandbits(16) & 0x1c02 | 1:#x}'
        case 3:
            return rng.choice((f'inw {PM_PORT:#x}', f'inw {PM_PORT + 2:#x}',
                               f'inl {PM_PORT:#x}', f'inw {PM_PORT + 4:#x}',
                               f'inl {PM_PORT + 4:#x}', f'inl {PM_PORT + 6:#x}',
                               f'inl {PM_PORT + 8:#x}', f'inb {PM_PORT + 12:#x}'))
        case 4 | 5:
            width = rng.choice('bwl')
            return f'in{width} {GPE_PORT + rng.randrange(-1, 5):#x}'
        case 6:
            width = rng.choice('bwl')
            return (f'out{width} {GPE_PORT + rng.randrange(-3, 4):#x} '
                    f'{number(rng, 8 * WIDTHS[width]):#x}')
        case 7:
            return f'outb {APM_PORT + rng.randrange(2):#x} {rng.randrange(0xf0):#x}'
        case _:
            return rng.choice((f'inb {APM_PORT}', f'inb {APM_PORT + 1}',
                               f'inw {APM_PORT}'))


def press_button(pair):
    """Enabled, as nothing else has an effect in QEMU."""
    pair.run([f'outw {PM_PORT + 2} {EVENTS:#x}'])
    for vm in pair.vms:
        vm.events = []
        vm.qmp('system_powerdown')
        while 'POWERDOWN' not in vm.events:
            vm.qmp('query-status')
        vm.qtest('inb 0x80')


def power(pair_of, rng):
    """events of power management, their interrupt, and the ports of APM"""
    pair = pair_of(['-m', '16'])
    pair.intercept()
    if not power_start(pair):
        return
    for n in range(8 * PROGRAMS):
        match rng.randrange(5):
            case 0 | 1 | 2:
                press_button(pair)
            case 3:
                for vm in pair.vms:
                    vm.qmp('device_add', driver='edu', id=f'e{n}')
                    vm.qtest('inb 0x80')
            case 4 if n > 8:
                pair.reset()
                for vm in pair.vms:
                    vm.qtest('inb 0x80')
                    vm.irqs = []
                if not power_start(pair):
                    return
        if n % 20 == 19:
            # The bus is full.
            pair = pair_of(['-m', '16'])
            pair.intercept()
            if not power_start(pair):
                return
        if not pair.run([power_access(rng) for _ in range(60)], f'step {n}'):
            return


SMBUS_PORT = 0xb100


def smbus_program(rng):
    lines = []
    status, control = SMBUS_PORT, SMBUS_PORT + 2
    for _ in range(200):
        match rng.randrange(3):
            case 0:
                # Commands, data, and addresses where nobody is.
                reg, value = rng.choice(((3, number(rng, 8)), (5, number(rng, 8)),
                                         (6, number(rng, 8)), (4, rng.randrange(2, 0xa0)),
                                         (4, rng.randrange(0xb0, 0x100))))
                lines.append(f'outb {SMBUS_PORT + reg:#x} {value:#x}')
            case 1:
                lines += [f'outb {control:#x} {0x40 | rng.randrange(4) << 2:#x}',
                          f'inb {status:#x}', f'inw {status:#x}',
                          f'outb {status:#x} {rng.choice((4, 0xff)):#x}',
                          f'inw {status:#x}']
            case _:
                lines += [f'inl {SMBUS_PORT + 3:#x}', f'outb {control:#x} 0',
                          f'inb {SMBUS_PORT + rng.randrange(8, 13):#x}']
    return lines


def smbus(pair_of, rng):
    """an SMBus where nobody is"""
    # QEMU's is busy until somebody looks.
    def busy(line, here, there):
        return line == f'inb {SMBUS_PORT:#x}' and there == 1

    pair = pair_of(['-m', '16'])
    pair.both(f'outb {SMBUS_PORT + 4:#x} 0x20')  # 0 is for all
    for _ in range(PROGRAMS):
        if not pair.run(smbus_program(rng), ignore=busy):
            return


HPET_CONFIG, HPET_COUNTER, HPET_PERIOD = 0xfed00010, 0xfed000f0, 10
PM_TIMER_HZ, NS_PER_S = 3579545, 1000000000


def timer(pair_of, rng):
    """the timer of power management, and what its overflow does"""
    # QEMU's clock goes while its processor halts; the HPET says how far, to 10 ns, and
    # ours is moved to the same moment.
    with tempfile.NamedTemporaryFile() as bios:
        bios.write(b'\xfa\xf4\xeb\xfc' * 0x4000)  # cli; again: hlt; jmp again
        bios.flush()
        pair = pair_of(['-m', '16', '-bios', bios.name])
    here, qemu = pair.vms
    pair.both(f'writel {HPET_CONFIG:#x} 1')
    power_start(pair)
    now = 0
    for seconds in [0.001] * 5 + [0.01] * 5 + [2.4]:
        qemu.qmp('cont')
        time.sleep(seconds)
        qemu.qmp('stop')
        then = qemu.qtest(f'readq {HPET_COUNTER:#x}') * HPET_PERIOD
        here.qtest(f'clock_step {then - now}')
        now = then
        if now * PM_TIMER_HZ // NS_PER_S == \
                (now + HPET_PERIOD - 1) * PM_TIMER_HZ // NS_PER_S:
            pair.run([f'inl {PM_PORT + 8:#x}'], f'{now} ns')
        status = f'inw {PM_PORT:#x}'
        pair.run([status, f'outw {PM_PORT:#x} 0x20', status, f'outw {PM_PORT:#x} 1',
                  status], f'status at {now} ns')


# ---- interrupts ------------------------------------------------------------------------

EDUS = (3, 4, 5, 6, 7)
IRQS = (3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15)


def edu_base(slot):
    return 0xf0000000 + slot * 0x100000


def edu_set_up():
    lines = []
    for slot in EDUS:
        lines += set_config(slot << 3, 0x10, edu_base(slot), 'l')
        lines += set_config(slot << 3, 4, 2, 'w')
    return lines


def lower_all():
    return [f'writel {edu_base(slot) + 0x64:#x} 0xffffffff' for slot in EDUS]


def route_program(rng):
    lines = []
    for _ in range(40):
        lines += lower_all()
        width = rng.choice('bwl')
        reg = rng.randrange(0, 4, WIDTHS[width])
        value = 0
        for n in range(WIDTHS[width]):
            value |= (rng.choice(IRQS) | rng.choice((0, 0, 0, 0x80))) << 8 * n
        lines += set_config(PIIX3, PIRQ_ROUTES + reg, value, width)
        for _ in range(rng.randrange(12)):
            base = edu_base(rng.choice(EDUS))
            slot = rng.choice(EDUS)
            lines += rng.choice((
                [f'writel {base + 0x60:#x} {rng.choice((1, 2)):#x}'],
                [f'writel {base + 0x64:#x} {rng.choice((1, 2, 3)):#x}'],
                [f'readl {base + 0x24:#x}'],
                # INTx off and on
                set_config(slot << 3, 4, rng.choice((2, 0x402)), 'w'),
                [f'outb {ELCR_PORT + rng.randrange(2):#x} {number(rng, 8):#x}'],
                [f'inb {ELCR_PORT:#x}', f'inb {ELCR_PORT + 1:#x}']))
    return lines


def routes(pair_of, rng):
    """ways of PCI's interrupts, edges and levels"""
    pair = pair_of(['-m', '64'] + [word for slot in EDUS
                                   for word in ('-device', f'edu,addr={slot}')])
    pair.intercept()
    if not pair.run(edu_set_up(), 'set up'):
        return
    for _ in range(PROGRAMS):
        if not pair.run(route_program(rng)):
            return


# ---- resets ----------------------------------------------------------------------------

def event_of(vm, line):
    """What RESET says after @line, or QMP's command."""
    if line:
        vm.qtest(line)
    else:
        vm.files[1].write('{"execute": "system_reset"}\n')
        vm.files[1].flush()
    while True:
        reply = json.loads(vm.files[1].readline())
        if reply.get('event') == 'RESET':
            return reply['data']


def resets(pair_of, rng):
    """who is told of a reset, and what it resets in both"""
    pair = pair_of(['-m', '16', '-device', 'edu,addr=4'])
    for line in ('outb 0xcf9 6', 'outb 0xcf9 4', 'outb 0xcf9 0xe', 'outw 0xcf9 6',
                 'outb 0x92 1', 'outb 0x64 0xfe', 'outb 0x64 0xf0', None):
        lines = set_config(PIIX3, PIRQ_ROUTES, 0x0b0b0a0a, 'l')
        for reg in (0x4c, 0x4e, 0x4f, 0x69, 0x70, 0x76, 0x82, 0xa0, 0xa2, 0xa8, 0xae):
            lines += set_config(PIIX3, reg, number(rng, 8))
        lines += set_config(0x20, 0x10, 0xf0000000, 'l') + set_config(0x20, 4, 7, 'w')
        lines += ['writel 0xf0000060 1', f'outb {RESET_CONTROL} 2',
                  f'outw {ELCR_PORT} 0x0c0c', f'outw {GPE_PORT + 2} 0xffff',
                  f'outb {ELCR_PORT + 1} 0xde', 'readl 0xf0000024']
        pair.run(lines, f'before {line}')
        power_start(pair)
        press_button(pair)
        pair.same(f'the event of {line}', [event_of(vm, line) for vm in pair.vms])
        lines = [f'inb {RESET_CONTROL}', f'inb {ELCR_PORT}', f'inb {ELCR_PORT + 1}',
                 f'inl {GPE_PORT}', f'inl {PM_PORT}']
        for devfn, regs in ((PIIX3, range(0, 256, 4)), (PM, (0x80,)), (0x20, (4, 0x10))):
            for reg in regs:
                address = 0x80000000 | devfn << 8 | reg
                lines += [f'outl {CONFIG_ADDRESS} {address:#x}', f'inl {CONFIG_DATA}']
        pair.run(lines, f'after {line}')
        # In ACPI mode, and without the timer's status.
        power_start(pair)
        pair.run([f'inl {PM_PORT}', f'inw {PM_PORT + 4}'], f'events after {line}')


if __name__ == '__main__':
    sys.exit(peer.main([configuration, memory_below_1m, memory_above, power, smbus, timer,
                        routes, resets]))
