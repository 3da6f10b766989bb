# SPDX-License-Identifier: GPL-2.0-or-later
"""
Hot plug beside QEMU 7.2's: functions come and go by chance, at the user's and at the
guest's will, on the root bus and behind a bridge. What commands answer, the registers, the
event, its interrupt and what is found in the slots are the same. Prints TAP. See
test-compare-pcihp.sh. FLATVIEW_SEQUENCES: how many programs the test runs.

What differs, and is left out: of several slots that are given up at once QEMU takes the
lowest, and this board all of them; a device that the user has asked for may be asked for
again here; events tell of every function here; a reset leaves UP and SELECT there; bridges
that are there from the start are said to stay in QEMU; no bus after the 256th can be
selected there; bytes and words read as all-ones here.
"""
import os
import sys
import time

import peer

SEQUENCES = int(os.environ.get('FLATVIEW_SEQUENCES', 6))
STEPS = 60

UP, DOWN, EJECT, REMOVABLE, SELECT = range(0xae00, 0xae14, 4)
GPE = 0xafe0
SLOTS = (2, 8, 9, 0x1f)
BRIDGE = 6
OPTIONS = ['-m', '16', '-device', f'pci-bridge,id=b,addr={BRIDGE:x},chassis_nr=1,shpc=off',
           '-device', 'pci-testdev,addr=7,id=c0', '-device', 'pci-testdev,addr=3,bus=b,id=c1']


class Program:
    """One program of chance. What is there, as the user knows it."""

    def __init__(self, pair, rng):
        self.pair = pair
        self.rng = rng
        self.next_id = 0
        self.there = {}      # id: bus, slot
        self.asked = set()   # ids
        self.history = []

    def command(self, name, **arguments):
        """Whether it is done; the same in both."""
        done = []
        for vm in self.pair.vms:
            try:
                vm.qmp(name, **arguments)
                done.append(True)
            except KeyError:
                done.append(False)
        self.history.append(f'{name} {arguments}: {done}')
        self.pair.same(f'{name} {arguments}', done)
        return all(done)

    def add(self):
        function = self.rng.choice((0, 0, 0, 0, 1, 7))
        slot = self.rng.choice(SLOTS)
        bus = self.rng.choice(('pci.0', 'pci.0', 'b'))
        name = f'e{self.next_id}'
        self.next_id += 1
        if self.command('device_add', driver='pci-testdev', id=name, bus=bus,
                        addr=f'{slot:x}.{function:x}',
                        multifunction=self.rng.randrange(2) == 0):
            self.there[name] = bus, slot

    def ask(self):
        names = sorted(set(self.there) - self.asked) or ['nobody']
        name = self.rng.choice(names)
        if self.command('device_del', id=name):
            self.asked.add(name)

    def gone(self, bus, slot):
        """Both take the slot out."""
        gone = {name for name in self.there if self.there[name] == (bus, slot)}
        left = []
        for vm in self.pair.vms:
            deadline = time.monotonic() + 5
            names = gone
            while names & gone and time.monotonic() < deadline:
                names = {child['name'] for child in
                         vm.qmp('qom-list', path='/machine/peripheral')}
            left.append(sorted(names))
        self.pair.same(f'without {gone}', left)
        for name in gone:
            del self.there[name]
            self.asked.discard(name)

    def eject(self):
        bus = self.rng.choice(('pci.0', 'b'))
        slot = self.rng.choice(SLOTS)
        self.history.append(f'eject {bus} {slot:x}')
        self.pair.run([f'outl {SELECT:#x} {int(bus == "b")}', f'outl {EJECT:#x} {1 << slot:#x}'])
        self.gone(bus, slot)

    def look(self):
        reg = self.rng.choice((UP, DOWN, DOWN, EJECT, SELECT, REMOVABLE, SELECT + 4))
        lines = []
        if self.rng.randrange(2):
            lines = [f'outl {SELECT:#x} {self.rng.choice((0, 0, 1, 1, 2, 0xff)):#x}']
        lines.append(f'inl {reg:#x}')
        if reg == REMOVABLE:
            self.pair.run([f'outl {SELECT:#x} {self.rng.randrange(2)}'])
            self.pair.same('REMOVABLE', [bits & ~(1 << BRIDGE) for bits in
                                         self.pair.both(lines[-1])])
        else:
            self.pair.run(lines, 'registers')

    def nonsense(self):
        port = self.rng.randrange(UP, SELECT + 8)
        width = self.rng.choice('bw')
        self.pair.run([f'out{width} {port:#x} 0xff', f'inl {SELECT:#x}', f'inl {DOWN:#x}'],
                      'widths')

    def event(self):
        at, width = self.rng.choice(((GPE, 'w'), (GPE, 'b'), (GPE + 2, 'w'), (GPE + 2, 'b'),
                                     (GPE + 1, 'b'), (GPE + 3, 'b')))
        value = self.rng.choice((2, 2, 2, 0, 0xff, 1))
        self.pair.run([f'in{width} {at:#x}', f'out{width} {at:#x} {value}',
                       f'inw {GPE:#x}', f'inw {GPE + 2:#x}'], 'events')

    def find(self):
        bus, slot = self.rng.choice((0, 1)), self.rng.choice(SLOTS)
        lines = []
        for function in (0, 1, 7):
            address = 0x80000000 | bus << 16 | slot << 11 | function << 8
            lines += [f'outl 0xcf8 {address:#x}', 'inl 0xcfc']
        self.pair.run(lines, 'slots')

    def reset(self):
        self.history.append('reset')
        self.pair.reset()
        self.pair.both('inb 0x80')    # with interrupts of the timer, which was reset, too
        for line in (f'outl {SELECT:#x} 1', f'inl {UP:#x}', f'outl {SELECT:#x} 0',
                     f'inl {UP:#x}'):
            self.pair.both(line)
        gone = {self.there[name] for name in self.asked}
        for place in gone:
            for name in [name for name in self.there if self.there[name] == place]:
                del self.there[name]
        self.asked = set()
        self.set_up()

    def set_up(self):
        self.pair.run(['outb 0xb2 0xf1', 'outl 0xcf8 0x80003018', 'outl 0xcfc 0x10100',
                       f'outw {GPE + 2:#x} 2'], 'set up')

    def go(self):
        self.set_up()
        steps = (self.add, self.add, self.add, self.ask, self.ask, self.eject, self.eject,
                 self.look, self.look, self.look, self.nonsense, self.event, self.event,
                 self.find)
        for _ in range(STEPS):
            step = self.reset if self.rng.randrange(40) == 0 else self.rng.choice(steps)
            step()
            if self.pair.differences:
                self.pair.differences.append('\n'.join(f'# {line}' for line in
                                                        ['before:'] + self.history))
                return False
        return True


def hot_plug(pair_of, rng):
    """functions that come and go, and how the guest hears of it"""
    for _ in range(SEQUENCES):
        pair = pair_of(OPTIONS)
        pair.intercept()
        if not Program(pair, rng).go():
            return


if __name__ == '__main__':
    sys.exit(peer.main((hot_plug,)))
