# SPDX-License-Identifier: GPL-2.0-or-later
"""
The interval timer of the board pc and port 0x61 beside QEMU's: programs of chance that
set counts, latch and read them. Prints TAP. See test-compare-pit.sh.

Ticks begin here when the clock says so, and a count is loaded with the first tick after
it was written, as the data sheet has it; in QEMU all begin with the write. So counts are
two ticks apart at most, and outputs change with as much between them.

What differs, and is left out, QEMU not doing what the data sheet says: counts in decimal,
a count of 1, the output of a control word (which rises in all modes but 0), whether a
count was loaded (the null bit), the gate of modes 0 and 4, a count that is written to
modes 2, 3 and 5 without a control word, modes 4 and 5, whose output is low for a tick;
the refresh of memory, which QEMU toggles with each read of port 0x61.
"""
import os
import sys

import peer
from peer_clock import ClockPair

OPTIONS = ['-m', '16', '-rtc', 'base=2020-01-01,clock=vm']
CONTROL, PORT_61 = 0x43, 0x61
REFRESH = 0x10
OUT, NULL = 0x80, 0x40
LOW, HIGH, BOTH = 1, 2, 3


class PITPair(ClockPair):
    # QEMU stops where its timer is due, which is two ticks later here.
    late_most = 60

    def alike_irqs(self, irqs):
        """QEMU's mode 2 is the wrong way round: high for a tick, not low."""
        return [irq for irq in irqs if irq == 'raise 0']


class Guest:
    def __init__(self, pair, rng):
        self.pair = pair
        self.rng = rng
        self.modes = [None] * 3
        self.counts = [0] * 3
        self.gate = False

    def out(self, port, value):
        self.pair.do(f'outb {port:#x} {value:#x}')

    def set_up(self, n):
        """As guests do: the control word, and the count."""
        mode = self.rng.choice((0, 2, 3) if n < 2 else (0, 2, 3, 1))
        if mode == 0 and n == 2 and not self.gate:
            mode = 2
        self.modes[n] = mode
        self.out(CONTROL, n << 6 | BOTH << 4 | mode << 1)
        self.write(n)

    def write(self, n):
        count = self.rng.choice((0, 0xffff, 1193, 11932,
                                 self.rng.randrange(0x400, 0x4000),
                                 self.rng.randrange(0x400, 0x10000)))
        self.counts[n] = count or 0x10000
        self.out(0x40 + n, count & 0xff)
        self.out(0x40 + n, count >> 8)
        if n == 0:
            self.pair.forget_irqs()
        self.pair.step(slow=True)

    def near(self, n, here, there):
        """Up to two ticks apart, which are two each in a square wave."""
        around = self.counts[n] if self.modes[n] in (2, 3) else 0x10000
        apart = (here - there) % around
        return min(apart, around - apart) <= (6 if self.modes[n] == 3 else 2)

    def latch(self, n):
        self.out(CONTROL, n << 6)
        values = [0, 0]
        for shift in (0, 8):
            for side, byte in enumerate(self.pair.both(f'inb {0x40 + n:#x}')):
                values[side] |= byte << shift
        self.pair.log.append(f'count {n}: {values[0]:#x}')
        stands = self.modes[n] in (1, 2, 3) and n == 2 and not self.gate
        if not stands and self.modes[n] not in (None, 1) and not self.near(n, *values):
            self.pair.differ(f'count of channel {n}', values)

    def status(self, n):
        self.out(CONTROL, 0xe0 | 2 << n)
        self.pair.do(f'inb {0x40 + n:#x}',
                     lambda here, there: (here ^ there) & ~NULL & 0xff in (0, OUT))

    def go_on(self):
        n = self.rng.randrange(3)
        choice = self.rng.randrange(20)
        if choice < 9:
            self.pair.step(self.rng.choice((0, 0, 0.001, 0.003)),
                           self.rng.random() < 0.5)
        elif choice < 12:
            self.set_up(n)
        elif choice < 13:
            if self.modes[n] == 0:
                self.write(n)
        elif choice < 16:
            self.latch(n)
        elif choice < 17:
            if self.modes[n] is not None:
                self.status(n)
        elif choice < 18 and self.modes[2] != 0:
            self.gate = self.rng.random() < 0.7
            self.out(PORT_61, self.gate | self.rng.choice((0, 2)))
            self.pair.step(slow=True)
        else:
            self.pair.do(f'inb {PORT_61:#x}',
                         lambda here, there: (here ^ there) & ~(REFRESH | 0x20) == 0)


def programs(pair_of, rng):
    """Counts, and the interrupt of channel 0"""
    pair = pair_of(OPTIONS)
    for _ in range(int(os.environ.get('FLATVIEW_SEQUENCES', 3))):
        guest = Guest(pair, rng)
        pair.start_clock()
        guest.out(PORT_61, 0)
        for _ in range(200):
            guest.go_on()
            if pair.differences:
                return
        pair.reset()


sys.exit(peer.main([programs], PITPair))
