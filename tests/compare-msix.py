# SPDX-License-Identifier: GPL-2.0-or-later
"""
MSI-X beside QEMU 7.2's: programs of chance of writes to the table, the pending bits and
the capability, and of interrupts; replies and messages are the same. Prints TAP. See
test-compare-msix.sh. FLATVIEW_SEQUENCES: how many programs the test runs.

QEMU's edu has no MSI-X; its rocker has, and a register that sends what vector it is told.
Lines name what each function has somewhere else.

What differs, and is left out: accesses of 1 and 2 bytes, and whatever cannot be read.
Vectors are sent while MSI-X is enabled, as drivers of devices are to see it: rocker's are
pending otherwise.
"""
import os
import sys

import peer

SEQUENCES = int(os.environ.get('FLATVIEW_SEQUENCES', 12))
STEPS = 200

SLOT = 4 << 3
VECTORS = 4
BAR = 0xf0000000
TABLE = 0xf1000000
MESSAGES = 0x300000     # in RAM, where messages can be seen

# Where the registers of the capability are, the bit of vector n, and what sends vector n.
EDU = {'config': 0x50, 'pending': TABLE + 0x800,
       'send': [f'writel {BAR + 0x60:#x} {1 << n:#x}' for n in range(VECTORS)]}
ROCKER = {'config': None, 'pending': None,
          'send': [f'writel {BAR + 0x20:#x} {n}' for n in range(VECTORS)]}


class VM(peer.VM):
    """Fills in what is where."""

    def send(self, lines):
        names = ROCKER if self.is_qemu else EDU
        super().send([line.format(**names) for line in lines])


class Pair(peer.Pair):
    def __init__(self, programs, scratch):
        self.vms = [VM(program, ['-m', '16', '-device', device], scratch) for program, device
                    in zip(programs, (f'edu,addr=4,msix-vectors={VECTORS}', 'rocker,addr=4'))]
        self.differences = []


def find_capability(vm):
    """Offset of MSI-X, and where its pending bits are."""
    at = vm.config_get(SLOT, 0x34)
    while vm.config_get(SLOT, at) != 0x11:
        at = vm.config_get(SLOT, at + 1)
        assert at, 'no MSI-X'
    words = [sum(vm.config_get(SLOT, at + reg + n) << 8 * n for n in range(4))
             for reg in (4, 8)]
    assert words[0] == 1 and words[1] & 7 == 1, words
    return {'config': at, 'pending': TABLE + (words[1] & ~7)}


def set_up(pair):
    for vm in pair.vms:
        vm.config_set(SLOT, 0x10, BAR, 'l')
        vm.config_set(SLOT, 0x14, TABLE, 'l')
        vm.config_set(SLOT, 4, 6, 'w')


def flags(rng):
    """Enable, mask all, or not."""
    value = rng.choice((0x80, 0x80, 0x80, 0xc0, 0xc0, 0, 0x40, 0xff))
    write = f'outb 0xcff {value:#x}' if rng.randrange(4) == 0 else \
        f'outw 0xcfe {value << 8 | rng.choice((0, 0xff)):#x}'
    return value & 0x80, ['outl 0xcf8 {config:#x}', write, 'inw 0xcfe']


def table(rng):
    entry = TABLE + 16 * rng.randrange(VECTORS)
    often = {0: (MESSAGES, MESSAGES + 4, MESSAGES + 0x10, 0xfffff000), 4: (0, 0, 0, 1),
             8: (0x4041, 0xffffffff, 0x12345678), 12: (0, 1, 0, 1, 0xfffffffe)}
    reg = rng.choice((0, 4, 8, 12, 12, 12, 12))
    if rng.randrange(4) == 0:
        return [f'readq {entry + (reg & 8):#x}']
    if rng.randrange(4) == 0:
        reg &= 8
        value = rng.choice(often[reg]) | rng.choice(often[reg + 4]) << 32
        return [f'writeq {entry + reg:#x} {value:#x}']
    return [f'writel {entry + reg:#x} {rng.choice(often[reg]):#x}',
            f'readl {entry + reg:#x}']


def pending(rng):
    return rng.choice((['readl {pending:#x}'], ['readq {pending:#x}'],
                       ['writel {pending:#x} 0xffffffff', 'readl {pending:#x}'],
                       ['writeq {pending:#x} 0', 'readl {pending:#x}']))


def send(rng):
    return [f'{{send[{rng.randrange(VECTORS)}]}}']


def command(rng):
    return [f'outl 0xcf8 {0x80000000 | SLOT << 8 | 4:#x}',
            f'outw 0xcfc {rng.choice((6, 6, 6, 2)):#x}']


def messages(rng):
    return [f'readq {MESSAGES + 8 * n:#x}' for n in range(4)] + \
        [f'memset {MESSAGES:#x} 32 0xee']


def msix(pair_of, rng):
    """MSI-X: the table, masks, pending bits and messages"""
    pair = pair_of([])
    for vm, names in zip(pair.vms, (EDU, ROCKER)):
        names.update(find_capability(vm))
        names['config'] += 0x80000000 | SLOT << 8
    steps = (flags, table, table, table, pending, send, send, send, command, messages)
    for _ in range(SEQUENCES):
        set_up(pair)
        enabled = False
        lines = ['outl 0xcf8 {config:#x}', 'outw 0xcfe 0']
        lines += [f'writeq {TABLE + 16 * n:#x} {MESSAGES + 8 * n:#x}'
                  for n in range(VECTORS)]
        for _ in range(STEPS):
            step = rng.choice(steps)
            if step is send and not enabled:
                continue
            if step is flags:
                enabled, more = flags(rng)
                lines += more + pending(rng) + messages(rng)
            else:
                lines += step(rng)
        if not pair.run(lines, 'MSI-X'):
            return
        if rng.randrange(2):
            pair.reset()
            set_up(pair)
            pair.run([f'readq {TABLE + 8 * n:#x}' for n in range(2 * VECTORS)] +
                     ['readq {pending:#x}'] + flags(rng)[1], 'after a reset')


if __name__ == '__main__':
    sys.exit(peer.main((msix,), lambda programs, options, scratch: Pair(programs, scratch)))
