# SPDX-License-Identifier: GPL-2.0-or-later
"""
The HPET of the board pc beside QEMU's: programs of chance that set timers as guests do.
Prints TAP. See test-compare-hpet.sh.

What differs, and is left out:
- A timer with an interrupt that the board has not got (0 to 1, 3 to 15): QEMU raises it.
- A timer without TN_INT_ENB: the specification has its status bit set, QEMU has not.
- A timer of 64 bits that is set to what the counter showed 2^31 ticks ago or earlier,
  e.g. because the high half is as a reset made it, or that is switched on long after the
  counter has passed it: it matches at once in QEMU.
- One that is made edge-triggered while its level is high: it stays so in QEMU.
- A one-shot timer of 32 bits matches in QEMU when the low half of the counter wraps, too.
- A counter whose ticks do not fit in 64 bits as nanoseconds runs wrong in QEMU.
- A periodic timer that QEMU serves in the very tick in which it matches matches in the
  next one, too: comparators say how often it should have, and no step ends there. So that
  both are one after the other, no two timers match so near to each other.
"""
import os
import sys

import peer
from peer_clock import ClockPair

BASE = 0xfed00000
CONFIG, STATUS, COUNTER = 0x10, 0x20, 0xf0
LEVEL, ENABLE, PERIODIC, SET_VALUE, BITS_32 = 2, 4, 8, 0x40, 0x100
REGISTERS = [0, CONFIG, STATUS, COUNTER] + [0x100 + 0x20 * n + reg for n in range(3)
                                            for reg in (0, 8, 0x10)]
# Of ticks: each timer matches at moments of its own.
GRID, OWN = 64, 20
# So that each timer has its own interrupt, and nobody else's.
OPTIONS = ['-m', '16', '-rtc', 'base=2020-01-01,clock=vm',
           '-global', 'hpet.hpet-intcap=0xff0004']


class HPETPair(ClockPair):
    counts = True

    def unfit(self):
        there = self.vms[1]
        now = self.counter()
        return any((now - there.qtest(f'readl {BASE + reg:#x}')) % (1 << 32) < 2
                   for reg in (0x108, 0x128, 0x148))

    def alike_irqs(self, irqs):
        """A pulse is the same as several of one wire in a row."""
        pulses = []
        for irq in irqs:
            pulses.append(irq)
            if pulses[-4:-2] == pulses[-2:]:
                del pulses[-2:]
        return pulses


class Guest:
    def __init__(self, pair, rng):
        self.pair = pair
        self.rng = rng
        self.bits_32 = [False] * 3

    def write(self, reg, value, width='l'):
        self.pair.do(f'write{width} {BASE + reg:#x} {value:#x}')

    def configure(self, n, config):
        self.write(0x100 + 0x20 * n, config | (16 + n) << 9)

    def compare(self, n, value):
        reg = 0x108 + 0x20 * n
        if self.bits_32[n]:
            self.write(reg, value % (1 << 32))
        else:
            self.write(reg, value % (1 << 64), 'q')

    def soon(self):
        return self.rng.randrange(1, self.rng.choice((100, 1000, 20000, 100000)))

    def moment(self, n, ticks):
        """About so many from now."""
        return (self.pair.counter() + ticks) // GRID * GRID + n * OWN

    def one_shot(self, n):
        self.bits_32[n] = self.rng.random() < 0.5
        self.configure(n, 0)
        if self.rng.random() < 0.8:
            self.configure(n, ENABLE | self.rng.choice((0, LEVEL)) |
                           self.bits_32[n] * BITS_32)
        self.again(n)

    def again(self, n):
        """Sometimes too late."""
        self.compare(n, self.moment(n, self.soon() * (1 if self.rng.random() < 0.7 else -1)))
        self.pair.step(slow=True)

    def periodic(self, n):
        self.bits_32[n] = self.rng.random() < 0.5
        self.configure(n, 0)
        first = self.moment(n, GRID + self.soon())
        self.write(0x10c + 0x20 * n, first >> 32)
        self.configure(n, ENABLE | PERIODIC | SET_VALUE | self.rng.choice((0, LEVEL)) |
                       self.bits_32[n] * BITS_32)
        if self.bits_32[n]:
            self.compare(n, first)
        else:  # to QEMU, the first half of two is all
            self.write(0x108 + 0x20 * n, first % (1 << 32))
        self.compare(n, self.rng.randrange(5, 312) * GRID)

    def restart(self):
        for n in range(3):
            self.configure(n, 0)
        self.write(CONFIG, 0)
        if self.rng.random() < 0.5:
            self.write(COUNTER, self.rng.choice((0, 0x7ffff000, 0xf7ffff000,
                                                 self.rng.randrange(1 << 40))), 'q')
        self.write(CONFIG, self.rng.choice((1, 3)))

    def look(self):
        for _ in range(self.rng.randrange(6)):
            reg = BASE + self.rng.choice(REGISTERS)
            if self.rng.random() < 0.5:
                self.pair.do(f'readq {reg:#x}')
            else:
                self.pair.do(f'readl {reg + self.rng.choice((0, 4)):#x}')

    def go_on(self):
        n = self.rng.randrange(3)
        choice = self.rng.randrange(40)
        if choice < 20:
            self.pair.step(self.rng.choice((0, 0, 0.0003, 0.001)),
                           self.rng.random() < 0.7)
        elif choice < 24:
            self.one_shot(n)
        elif choice < 27:
            self.periodic(n)
        elif choice < 29:
            self.configure(n, 0)
        elif choice < 32:
            self.write(STATUS, self.rng.randrange(8))
        elif choice < 33:
            self.restart()
        else:
            self.look()


def programs(pair_of, rng):
    """One-shot and periodic timers, edges and levels, legacy replacement"""
    pair = pair_of(OPTIONS, shift=0)
    for _ in range(int(os.environ.get('FLATVIEW_SEQUENCES', 3))):
        pair.start_clock()
        guest = Guest(pair, rng)
        for _ in range(150):
            guest.go_on()
            if pair.differences:
                return
        pair.reset()


sys.exit(peer.main([programs], HPETPair))
