# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is behind PCI-to-PCI bridges beside QEMU 7.2's: bridges, one behind another, get bus
numbers, windows and commands by chance, the functions behind them BARs; what is read at
many addresses and ports is the same. Prints TAP. See test-compare-bridge.sh.
FLATVIEW_SEQUENCES: how many programs the test runs.

Behind each bridge are a bochs-display, whose BAR 0 is memory, and a pci-testdev with
registers in memory and ports.

What differs, and is left out: where nothing answers reads as all-ones here, as zeros in
QEMU; while a bridge resets its bus, only what is behind another one cannot be found in
QEMU, and its bochs-display keeps its registers; QEMU has no modes of the bridge control
register for ISA, and for VGA with 16 bits of port addresses; and it has ports above 0xffff,
where nobody gets.
"""
import os
import sys

import peer

SEQUENCES = int(os.environ.get('FLATVIEW_SEQUENCES', 6))
STEPS = 60

# By bus, and number there.
BRIDGES = ((0, 0x30), (1, 0x10))
FUNCTIONS = ((0, 0x28), (1, 0x08), (1, 0x18), (2, 0x08), (2, 0x18))
OPTIONS = ['-m', '16',
           '-device', 'pci-testdev,addr=5',
           '-device', 'pci-bridge,id=b1,addr=6,chassis_nr=1,shpc=off',
           '-device', 'pci-bridge,id=b2,bus=b1,addr=2,chassis_nr=2,shpc=off',
           '-device', 'bochs-display,bus=b1,addr=1,vgamem=4M',
           '-device', 'pci-testdev,bus=b1,addr=3,membar=1M',
           '-device', 'bochs-display,bus=b2,addr=1,vgamem=4M',
           '-device', 'pci-testdev,bus=b2,addr=3']

# No window lies over a BAR beside its bridge, and no BAR over another: which of two is
# seen is nobody's word. Where BARs may be, by bus, function and register.
BARS = {(0, 0x28, 0x10): (0xd0000000, 0xd0400000), (0, 0x28, 0x14): (0x800, 0x900),
        (1, 0x08, 0x10): (0xe0000000,), (1, 0x08, 0x18): (0xe0400000, 0xe0500000),
        (1, 0x18, 0x10): (0xe0600000, 0xe0700000), (1, 0x18, 0x14): (0xc000, 0xc100),
        (2, 0x08, 0x10): (0xe0800000, 0xf0000000), (2, 0x08, 0x18): (0xe0c00000, 0xf0400000),
        (2, 0x18, 0x10): (0xe0d00000, 0xf0500000), (2, 0x18, 0x14): (0xd000, 0xd100)}
BASES = ((0xe0000000, 0xe0100000, 0xe0400000, 0xe0800000, 0xf0000000, 0xa0000, 0),
         (0xe0800000, 0xe0c00000, 0xf0000000, 0xf0100000, 0xa0000, 0))
PORTS = ((0xc000, 0xd000, 0x1000, 0xf000), (0xd000, 0xe000, 0xf000))


def config(bus, devfn, reg, value, width='l'):
    return [f'outl 0xcf8 {0x80000000 | bus << 16 | devfn << 8 | reg & 0xfc:#x}',
            f'out{width} {0xcfc + reg % 4:#x} {value:#x}']


def numbers(rng):
    """Bus numbers: nearly always what they should be, so that all is found."""
    return config(0, 0x30, 0x18, 0x020100) + config(1, 0x10, 0x18, 0x020201)


def window(rng):
    bus, devfn = rng.choice(BRIDGES)
    base = rng.choice(BASES[bus])
    limits = [base, base + 0x400000, base + 0x7fffff, 0]
    limit = rng.choice(limits + [0xffefffff] if base > 0xd0000000 else limits)
    kind = rng.randrange(3)
    if kind == 0:
        return config(bus, devfn, 0x20, base >> 16 & 0xfff0 | limit & 0xfff00000)
    if kind == 1:
        upper = rng.choice((0, 0, 0, 1))
        return config(bus, devfn, 0x24, base >> 16 & 0xfff0 | limit & 0xfff00000) + \
            config(bus, devfn, 0x28, upper) + config(bus, devfn, 0x2c, upper)
    port, last = rng.choice(PORTS[bus]), rng.choice(PORTS[bus])
    return config(bus, devfn, 0x1c, port >> 8 & 0xf0 | last & 0xf000, 'w')


def bar(rng):
    place = rng.choice(sorted(BARS))
    return config(*place, rng.choice(BARS[place]))


def command(rng):
    bus, devfn = rng.choice(BRIDGES + FUNCTIONS)
    return config(bus, devfn, 4, rng.choice((7, 7, 7, 7, 3, 1, 2, 0)), 'w')


def control(rng):
    bus, devfn = rng.choice(BRIDGES)
    if rng.randrange(4):
        return config(bus, devfn, 0x3e, rng.choice((0, 8)), 'w')
    return config(bus, devfn, 0x3e, 0x40, 'w') + config(bus, devfn, 0x3e, 0, 'w')


def look(rng):
    """Writes, and reads, wherever something may be."""
    lines = []
    places = [at for where in BARS.values() for at in where]
    for _ in range(6):
        at = rng.choice([at for at in places if at > 0xffff]) + \
            rng.choice((0, 4, 0x10, 0xffffc, 0x40000))
        if rng.randrange(8) == 0:
            at = 0xa0000 + 4 * rng.randrange(0x8000)
        width = rng.choice('bwl')
        if rng.randrange(2):
            lines.append(f'write{width} {at:#x} {rng.randrange(1, 200):#x}')
        lines.append(f'read{width} {at:#x}')
        port = rng.choice([at for at in places if at <= 0xffff]) + rng.randrange(0x20)
        if rng.randrange(3) == 0:
            lines.append(f'outb {port:#x} {rng.randrange(4)}')
        lines.append(f'inb {port:#x}')
    return lines


def set_up(rng):
    """As firmware would: everything is found."""
    lines = numbers(rng)
    for bus, devfn in BRIDGES:
        lines += config(bus, devfn, 0x20, 0xe0f0e000) + config(bus, devfn, 0x24, 0xf0f0f000)
        lines += config(bus, devfn, 0x28, 0) + config(bus, devfn, 0x2c, 0)
        lines += config(bus, devfn, 0x1c, 0xd0c0, 'w') + config(bus, devfn, 4, 7, 'w')
    for bus, devfn in FUNCTIONS:
        lines += config(bus, devfn, 4, 7, 'w')
    for place in sorted(BARS):
        lines += config(*place, BARS[place][0])
    return lines


def nothing_there(line, here, there):
    width = {'b': 8, 'w': 16, 'l': 32}[line.split()[0][-1]]
    return line.startswith('read') and there == 0 and here == (1 << width) - 1


def windows(pair_of, rng):
    """what is found behind bridges, whatever their windows are"""
    pair = pair_of(OPTIONS)
    steps = (window, window, bar, bar, command, control, look, look, look)
    for _ in range(SEQUENCES):
        lines = set_up(rng)
        for _ in range(STEPS):
            step = rng.choice(steps)
            lines += step(rng)
            if step is control:
                # What a reset of the bus behind it took away.
                lines += numbers(rng)
                if rng.randrange(2):
                    lines += set_up(rng)
        if not pair.run(lines, 'windows', nothing_there):
            return


if __name__ == '__main__':
    sys.exit(peer.main((windows,)))
