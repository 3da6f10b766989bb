# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two programs side by side whose clocks go on together: peer.py for what happens in time.

Debian's QEMU has no accelerator qtest, whose clock is moved by hand. So QEMU runs a guest
that does nothing, with a clock that counts its instructions (-icount), for a moment; what
its HPET has counted meanwhile, in ticks of 10 ns, is the step by which the clock here is
moved. Meanwhile interrupts do the same on both sides, in the same order.

The clocks are up to 10 ns apart, so what happens just there is seen one step later. As
QEMU often stops just after it has served a timer, the one here is ahead.
"""
import os
import queue
import threading
import time

import peer

HPET_CONFIG = 0xfed00010
HPET_COUNTER = 0xfed000f0
TICK_NS = 10
TICKS_LEAST = 100  # of a step, enough for the interval timer's 838 ns
STEPS_LATE = 2

# At the reset vector: while the byte at 0x500 is not 0, read port 0x80, too: it is slow.
#   1: mov 0x500, %al; test %al, %al; jz 1b; in $0x80, %al; jmp 1b
SPIN = bytes.fromhex('a0000584c074f9e480ebf5')


class Eager:
    """
    A connection that is read at once: QEMU's guest stands, and cannot be stopped, while
    a word about an interrupt finds the socket full.
    """

    def __init__(self, file):
        self.file = file
        self.write, self.flush, self.close = file.write, file.flush, file.close
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while line := self.file.readline():
                self.lines.put(line)
        except (OSError, ValueError):
            pass
        self.lines.put('')

    def readline(self):
        return self.lines.get(timeout=60)


class ClockPair(peer.Pair):
    """
    @shift: an instruction of QEMU's guest takes 1 << shift nanoseconds. `log` has what
    was done, in short. `counts`: the HPET counts the same on both sides, too.
    """

    counts = False
    # How many steps in a row may end just where an interrupt comes, each one anew.
    late_most = STEPS_LATE

    def __init__(self, programs, options, scratch, shift=4):
        rom = os.path.join(scratch, 'spin.rom')
        with open(rom, 'wb') as file:
            file.write(bytes(0xfff0) + SPIN.ljust(16, b'\0'))
        self.vms = [peer.VM(programs[0], options, scratch),
                    peer.VM(programs[1], options + ['-icount', f'shift={shift},sleep=off',
                                                    '-bios', rom], scratch)]
        self.vms[1].files[0] = Eager(self.vms[1].files[0])
        self.differences = []
        self.log = []
        self.forget_irqs()
        self.intercept()

    def differ(self, what, values):
        here, there = (f'{value:#x}' if isinstance(value, int) else value
                       for value in values)
        before = ''.join(f'#   {line}\n' for line in self.log[-40:])
        self.differences.append(f'# {what}\n{before}#   here    {here}\n'
                                f'#   in QEMU {there}')

    def do(self, line, alike=None):
        """
        The same line to both; whether the replies are the same, or @alike(here, there).
        """
        values = self.both(line)
        self.log.append(line if values[0] is None else f'{line}: {values[0]:#x}')
        if values[0] != values[1] and not (alike and alike(*values)):
            self.differ(line, values)
        return not self.differences

    def start_clock(self):
        """The HPET counts, and the interval timer comes to its end."""
        for line in (f'writel {HPET_CONFIG:#x} 1', 'outb 0x43 0x10', 'outb 0x40 1'):
            self.do(line)
        if not self.counts:
            self.vms[0].qtest(f'clock_step {TICK_NS}')
        self.step(quiet=True)

    def counter(self):
        """What QEMU's HPET has counted."""
        return self.vms[1].qtest(f'readq {HPET_COUNTER:#x}')

    def step(self, seconds=0.0, slow=False, quiet=False):
        """
        Lets time pass, about as much as in @seconds of the host's, plus what it takes to
        start and to stop; 20 times less if @slow. The HPET runs. Whether interrupts did
        the same; @quiet: of no interest so far.
        """
        here, there = self.vms
        before = self.counter()
        there.qtest(f'writeb 0x500 {int(slow)}')
        ticks = rounds = 0
        # QEMU often stops where a timer is due. Then it goes on for a little.
        while rounds < 2 or self.unfit():
            there.qmp('cont')
            time.sleep(0 if rounds else seconds)
            there.qmp('stop')
            there.events = []
            last, ticks = ticks, (self.counter() - before) % (1 << 64)
            if ticks - last >= TICKS_LEAST:
                rounds += 1
                there.qtest('writeb 0x500 1')
        here.qtest(f'clock_step {ticks * TICK_NS}')
        self.log.append(f'clock_step {ticks * TICK_NS}')
        if quiet:
            self.forget_irqs()
        return self.same_irqs()

    def unfit(self):
        """Whether this is no moment to compare anything."""
        return False

    def alike_irqs(self, irqs):
        """What there is to compare of what interrupts did."""
        return irqs

    def same_irqs(self):
        """What one side has more may come on the other one a little later."""
        irqs = [self.alike_irqs(vm.irqs) for vm in self.vms]
        common = min(len(irqs[0]), len(irqs[1]))
        late = len(irqs[0]) != len(irqs[1])
        self.late += late
        if common > self.common and self.late < self.late_most:
            self.common, self.waited = common, 0
        if irqs[0][:common] != irqs[1][:common] or (late and self.waited == STEPS_LATE):
            self.differ('interrupts', irqs)
        elif late:
            self.waited += 1
            return True
        self.forget_irqs()
        return not self.differences

    def forget_irqs(self):
        for vm in self.vms:
            vm.irqs = []
        self.waited = self.late = self.common = 0

    def reset(self):
        super().reset()
        self.log = ['system_reset']
        self.forget_irqs()
