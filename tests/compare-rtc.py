# SPDX-License-Identifier: GPL-2.0-or-later
"""
The real-time clock of the board pc beside QEMU's: programs of chance that set it, its
alarm and its interrupts as guests do. Prints TAP. See test-compare-rtc.sh.

What differs, and is left out:
- The data sheet has the periodic flag set whether its interrupt is enabled or not, at
  multiples of the period since the divider ran; QEMU only where it is, and from then on.
- A time register that is written while the clock runs: QEMU takes all others as the guest
  has last read them. Nor does it take a new format of hours or digits but with SET.
- While SET stops updates, and while the divider is held, QEMU's flags are set or lost.
- A reset ends the update-ended interrupt here, as the data sheet has it.
- Alarms of any second of one minute, or any minute of one hour: QEMU's are early.
"""
import os
import sys

import peer
from peer_clock import ClockPair

OPTIONS = ['-m', '16', '-rtc', 'base=2020-02-28T23:59:50,clock=vm']
A, B, C, D, CENTURY, CENTURY_PS2 = 10, 11, 12, 13, 0x32, 0x37
SET, PERIODIC, ALARM, UPDATE, BINARY, HOURS_24 = 0x80, 0x40, 0x20, 0x10, 4, 2
RUNS, HELD = 0x20, (0x60, 0x70)  # of A
ANY = (0xff, 0xc0)
TIME = (0, 2, 4, 6, 7, 8, 9, CENTURY)
DATES = ((20, 20, 2, 28), (20, 21, 2, 28), (19, 99, 12, 31), (21, 0, 2, 28),
         (20, 30, 4, 30))
TIMES = ((23, 59, 59), (11, 59, 59), (12, 0, 0), (0, 59, 58))


class Guest:
    def __init__(self, pair, rng):
        self.pair = pair
        self.rng = rng
        self.control = HOURS_24

    def set(self, reg, value):
        self.pair.do(f'outw 0x70 {value << 8 | reg:#x}')

    def get(self, reg):
        self.pair.do(f'outb 0x70 {reg:#x}')
        self.pair.do('inb 0x71', (lambda here, there: here & ~PERIODIC == there)
                     if reg == C else None)

    def encode(self, value):
        return value if self.control & BINARY else value // 10 << 4 | value % 10

    def hour(self, value):
        if self.control & HOURS_24:
            return self.encode(value)
        return self.encode(value % 12 or 12) | (0x80 if value >= 12 else 0)

    def set_time(self):
        self.set(B, self.control | SET)
        self.control = self.rng.choice((2, 2, 0, 4, 6)) | \
            self.rng.choice((0, ALARM, UPDATE, ALARM | UPDATE))
        self.set(B, self.control | SET)
        century, year, month, day = self.rng.choice(DATES)
        hour, minute, second = self.rng.choice(TIMES) if self.rng.random() < 0.6 else \
            (self.rng.randrange(24), self.rng.randrange(60), self.rng.randrange(60))
        for reg, value in ((CENTURY, century), (9, year), (8, month), (7, day),
                           (6, self.rng.randrange(1, 8)), (2, minute), (0, second)):
            self.set(reg, self.encode(value))
        self.set(4, self.hour(hour))
        if self.rng.random() < 0.3:
            for reg in TIME:
                self.get(reg)
        held = self.rng.random() < 0.3
        if held:
            self.hold()
        self.set(B, self.control)
        if held:
            self.release()
        self.get(0)

    def hold(self):
        self.set(A, self.rng.choice(HELD))
        self.pair.step(0.001)

    def release(self):
        """The next update comes half a second later."""
        self.forget_flags()
        self.set(A, RUNS)
        self.forget_flags()

    def forget_flags(self):
        self.pair.both(f'outb 0x70 {C}')
        self.pair.both('inb 0x71')

    def set_alarm(self):
        kind = self.rng.randrange(4)
        self.set(5, self.hour(self.rng.randrange(24)) if kind == 3 else
                 self.rng.choice(ANY))
        self.set(3, self.encode(self.rng.choice((0, self.rng.randrange(60))))
                 if kind >= 2 else self.rng.choice(ANY))
        self.set(1, self.encode(self.rng.choice((0, 0, 1, self.rng.randrange(60))))
                 if kind >= 1 else self.rng.choice(ANY))

    def go_on(self):
        choice = self.rng.randrange(40)
        if choice < 18:
            self.pair.step(self.rng.choice((0, 0.001, 0.005, 0.02)),
                           self.rng.random() < 0.3)
        elif choice < 27:
            self.get(self.rng.choice(TIME + (A, B, C, C, D, 1, 3, 5, 0x10, 0x7f,
                                             CENTURY_PS2)))
        elif choice < 29:
            self.set_time()
        elif choice < 33:
            self.set_alarm()
        elif choice < 37:
            self.control = self.control & 6 | \
                self.rng.choice((0, ALARM, UPDATE, ALARM | UPDATE))
            self.set(B, self.control)
        elif choice < 38:
            self.hold()
            self.release()
        else:
            self.set(self.rng.choice([reg for reg in range(0x10, 0x80)
                                      if reg not in (CENTURY, CENTURY_PS2)]),
                     self.rng.randrange(256))


def programs(pair_of, rng):
    """Time, alarm and updates"""
    pair = pair_of(OPTIONS, shift=7)
    for _ in range(int(os.environ.get('FLATVIEW_SEQUENCES', 3))):
        guest = Guest(pair, rng)
        pair.start_clock()
        guest.set(B, HOURS_24)
        guest.set(A, RUNS)
        pair.step(quiet=True)
        guest.forget_flags()
        for _ in range(200):
            guest.go_on()
            if pair.differences:
                return
        pair.reset()


sys.exit(peer.main([programs], ClockPair))
