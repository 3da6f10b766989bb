# SPDX-License-Identifier: GPL-2.0-or-later
"""
The devices that test programs and drivers talk to, beside those of QEMU 7.2: pc-testdev,
isa-debugcon, isa-debug-exit and pvpanic get the same accesses of all widths by qtest. What
is read, written out, told by events and given as the exit status is the same. Prints TAP.
See test-compare-testdevs.sh.

What differs, and is left out:
- QEMU aborts where pc-testdev drives an interrupt from 16 on;
- it tells of a panic although the property of pvpanic says that a guest cannot;
- the wire of pc-testdev's interrupt 0 is not the timer's, too; its memory stays over a reset;
- what is wider than isa-debug-exit reads as 0 beyond it;
- an access of 4 bytes that reaches a debug console with its third byte is lost there.
"""
import os
import sys
import tempfile

import peer

PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '2'))
ACCESSES = 2000

CONSOLE, CONSOLE2, PANIC = 0x402, 0x500, 0x505
WORD, IRQS, IRQS_NR = 0xe0, 0x2000, 16
MEMORY, MEMORY_SIZE = 0xff000000, 0x10000


class Program:
    """Lines of qtest's protocol, made by chance."""

    def __init__(self, rng):
        self.rng = rng
        self.lines = []
        for _ in range(ACCESSES):
            rng.choice((self.word, self.irqs, self.console, self.memory))()

    def value(self):
        return self.rng.choice((0, 1, 0xffffffff, self.rng.randrange(1 << 32)))

    def port(self, first, last):
        width = self.rng.choice('bwl')
        port = self.rng.randint(first, last)
        self.lines.append(f'in{width} {port:#x}' if self.rng.random() < 0.5 else
                          f'out{width} {port:#x} {self.value():#x}')

    def word(self):
        self.port(WORD, WORD + 12)

    def irqs(self):
        self.port(IRQS + 1, IRQS + IRQS_NR - 4)

    def console(self):
        port = self.rng.choice((CONSOLE, CONSOLE2))
        self.port(port, port)

    def memory(self):
        width = self.rng.choice('bwlq')
        address = MEMORY + self.rng.choice((self.rng.randrange(16),
                                            self.rng.randrange(MEMORY_SIZE - 8),
                                            MEMORY_SIZE - 8 - self.rng.randrange(9)))
        self.lines.append(f'read{width} {address:#x}' if self.rng.random() < 0.5 else
                          f'write{width} {address:#x} '
                          f'{self.value() << self.rng.choice((0, 32)):#x}')


def devices(pair_of, rng):
    """pc-testdev and debug consoles: ports, memory, interrupts, and what is written"""
    for _ in range(PROGRAMS):
        pair = pair_of(['-m', '16', '-chardev', 'ringbuf,id=x,size=65536',
                        '-device', f'isa-debugcon,iobase={CONSOLE:#x},chardev=x',
                        '-chardev', 'null,id=y', '-device', 'pc-testdev', '-device',
                        f'isa-debugcon,iobase={CONSOLE2:#x},readback=0x77,chardev=y'])
        pair.intercept()
        pair.run(Program(rng).lines, 'by chance')
        pair.same('what was written', [vm.qmp('ringbuf-read', device='x', size=65536,
                                              format='base64') for vm in pair.vms])
        if pair.differences:
            break


def panic(pair_of, rng):
    """pvpanic: what a guest says, and what becomes of it"""
    for events in range(4):
        # The processor waits for ever.
        with tempfile.NamedTemporaryFile() as rom:
            rom.write(b'\xf4' * 0x10000)
            rom.flush()
            pair = pair_of(['-m', '16', '-no-shutdown', '-bios', rom.name,
                            '-device', f'pvpanic,ioport={PANIC:#x},events={events}'])
        for value in (2, 0, 0xfc, *rng.sample(range(256), 4), 1, 3):
            line = f'out{rng.choice("bwl")} {PANIC:#x} {value & (events | 0xfc):#x}'
            told = []
            for vm in pair.vms:
                vm.qmp('cont')
                vm.events = []
                vm.qtest(line)
                status = vm.qmp('query-status')
                told.append((vm.qtest(f'inb {PANIC:#x}'), status['status'], vm.events))
            pair.same(f'events={events}: {line}', told)


def exits(pair_of, rng):
    """isa-debug-exit: the status that the program ends with"""
    for width, size in (('b', 1), ('b', 4), ('w', 2), ('w', 4), ('l', 4)):
        pair = pair_of(['-m', '16', '-device', f'isa-debug-exit,iobase=0xf4,iosize={size}'])
        at = rng.randrange(size) if width == 'b' else 0
        pair.run([f'in{width} {0xf4 + at:#x}'], f'iosize={size}')
        line = f'out{width} {0xf4 + at:#x} {rng.randrange(1 << 32):#x}'
        for vm in pair.vms:
            vm.send([line])
        pair.same(f'iosize={size}: {line}', [vm.child.wait(60) for vm in pair.vms])


sys.exit(peer.main((devices, panic, exits)))
