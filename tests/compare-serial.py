# SPDX-License-Identifier: GPL-2.0-or-later
"""
The 16550A at COM1 beside that of QEMU 7.2: both get the same accesses by qtest, made by
chance, of registers, in loopback, and with a line to which the test listens and sends.
What is read is the same, and so are the interrupt after each step and the characters at
the line's end. Prints TAP. See test-compare-serial.sh.

What differs, and is left out:
- what is sent goes out, and interrupts, when the guest looks or soon, here; so each
  character sent is followed by a look;
- the time-out of a FIFO comes at once here, in QEMU after four characters' time of a clock
  that stands in this test;
- QEMU has OUT2 set at a reset, does not tell of changes of the modem's lines in loopback,
  nor of a second character there over the first without FIFOs.
"""
import os
import socket
import sys
import tempfile
import time

import peer

PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '12'))
STEPS = 150

COM1 = 0x3f8
DATA, IER, FCR, LCR, MCR, LSR, MSR, SCR = range(COM1, COM1 + 8)
IIR = FCR
IER_RECEIVED, IER_MODEM, FCR_TRIGGER, MSR_CHANGES = 0x01, 0x08, 0xc0, 0x0f
LSR_READY = 0x01


class Program:
    """
    Steps, each of lines of qtest's protocol. At the end of a step all has been sent, and
    nothing waits that has come back.
    """

    def __init__(self, rng):
        self.rng = rng
        self.steps = []
        # The time-out comes at once here, and so only where it does not matter when.
        self.ier_mask, self.fcr_mask = rng.choice(((~IER_MODEM, ~FCR_TRIGGER),
                                                   (~IER_MODEM & ~IER_RECEIVED, ~0)))
        parts = {self.read: 8, self.divisor: 1, self.ier: 3, self.lcr: 1, self.mcr: 2,
                 self.scratch: 0.5, self.send: 3, self.send_back: 4, self.wide: 1}
        for part in rng.choices(list(parts), list(parts.values()), k=STEPS):
            part()

    def byte(self):
        return self.rng.choice((0, 0xff, self.rng.randrange(256)))

    def out(self, port, value):
        self.steps.append([f'outb {port:#x} {value:#x}'])

    def look(self):
        return f'inb {self.rng.choice((IER, IIR, LCR, MCR, LSR, MSR, SCR)):#x}'

    def read(self):
        self.steps.append([self.look()])

    def divisor(self):
        self.steps.append([f'outb {LCR:#x} {self.byte() | 0x80:#x}',
                           f'outb {DATA:#x} {self.byte():#x}',
                           f'outb {IER:#x} {self.byte():#x}',
                           f'inb {DATA:#x}', f'inb {IER:#x}', f'inb {LCR:#x}',
                           f'outb {LCR:#x} 3'])

    def ier(self):
        self.out(IER, self.rng.choice((0, 1, 2, 3, 4, 5, 7, self.byte())) & self.ier_mask)

    def lcr(self):
        self.out(LCR, self.byte() & 0x7f)

    def mcr(self):
        self.out(MCR, self.rng.choice((0, 3, 0xb, 0x13, self.byte())))

    def scratch(self):
        self.out(SCR, self.byte())

    def fifo(self):
        """How many characters it is good for, after what clears it."""
        if self.rng.random() < 0.3:
            self.steps.append([f'outb {FCR:#x} 0'])
            return 1
        self.steps.append([f'outb {FCR:#x} {self.byte() & self.fcr_mask | 3:#x}'])
        return 16

    def send(self):
        """To the line."""
        self.fifo()
        self.steps[-1] += [f'outb {MCR:#x} {self.byte() & ~0x10:#x}']
        for _ in range(self.rng.choice((1, 1, 2, 5, 17))):
            self.steps[-1] += [f'outb {DATA:#x} {self.byte():#x}', f'inb {LSR:#x}']

    def send_back(self):
        """It comes back, and is read."""
        most = self.fifo()
        self.steps[-1] += [f'outb {MCR:#x} {self.byte() | 0x10:#x}']
        for _ in range(1 if most == 16 else self.rng.randrange(4)):
            count = self.rng.randint(1, most)
            for line in (f'outb {DATA:#x} {self.byte():#x}', f'inb {DATA:#x}'):
                for _ in range(count):
                    self.steps[-1] += [line, f'inb {LSR:#x}', f'inb {IIR:#x}',
                                       f'inb {MSR:#x}'][:self.rng.choice((2, 3, 4))]

    def wide(self):
        width = self.rng.choice('wl')
        port = self.rng.choice((IER, FCR, SCR, SCR + 1))
        self.steps.append([f'in{width} {port:#x}'])
        if width == 'w':
            port = self.rng.choice((LCR, MSR))
            self.steps.append([f'outw {port:#x} {self.byte() & 0x0f | self.byte() << 8:#x}'])


def meant(line, value):
    return value & ~MSR_CHANGES if line == f'inb {MSR:#x}' else value


class Pair(peer.Pair):
    def steps(self, steps, what):
        """
        Whether what is read is the same, and at the end of each step the level of each
        interrupt.
        """
        heard = []
        for vm in self.vms:
            levels, replies = {}, []
            for step in steps:
                vm.send(step)
                words = [meant(line, peer.value_of(vm.reply())) for line in step]
                levels.update(text.split()[::-1] for text in vm.irqs)
                vm.irqs = []
                raised = sorted(n for n, level in levels.items() if level == 'raise')
                replies.append((words, raised))
            heard.append(replies)
        for step, *replies in zip(steps, *heard):
            if replies[0] != replies[1]:
                found = [(words, f'interrupts {raised}') for words, raised in replies]
                at = [n for n in range(len(step)) if replies[0][0][n] != replies[1][0][n]][:1]
                self.same(f'{what}: {step} {at}', found)
                return False
        return True


def restart(pair):
    pair.reset()
    for line in ('outb 0x43 0x30', 'outb 0x40 1', 'outb 0x40 0', f'outb {MCR:#x} 0',
                 f'inb {MSR:#x}'):
        pair.both(line)


def registers(pair_of, rng):
    """registers by chance; what is sent comes back, or is gone"""
    pair = pair_of(['-m', '16', '-serial', 'null'])
    pair.intercept()

    def differ(steps):
        restart(pair)
        return not pair.steps(steps, '')

    for _ in range(PROGRAMS):
        steps = Program(rng).steps
        if differ(steps):
            steps = peer.shortest(steps, differ)
            pair.differences.clear()
            restart(pair)
            pair.steps(steps, f'the shortest program: {steps}')
            break


class Line:
    """The other end of COM1 of both: a listening socket, and then one for each."""

    def __init__(self, scratch):
        self.path = f'{scratch}/line'
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(2)
        self.ends = []

    def accept(self):
        for _ in range(2):
            self.ends.append(self.listener.accept()[0])
            self.ends[-1].settimeout(60)

    def send(self, data):
        for end in self.ends:
            end.sendall(data)

    def receive(self, count):
        """So many characters from each, and what there is more."""
        found = []
        for end in self.ends:
            data = b''
            while len(data) < count:
                data += end.recv(count - len(data))
            end.setblocking(False)
            try:
                data += end.recv(4096)
            except BlockingIOError:
                pass
            end.settimeout(60)
            found.append(data)
        return found

    def close(self):
        for end in (self.listener, *self.ends):
            end.close()


def wait_for(vm, port, mask):
    """Until the register has one of these bits, which is the host's business."""
    for _ in range(10000):
        if vm.qtest(f'inb {port:#x}') & mask:
            return
        time.sleep(0.001)
    raise TimeoutError(f'no {mask:#x} at {port:#x}')


def line(pair_of, rng):
    """with a line: what is sent arrives, both ways, with the same interrupts"""
    with tempfile.TemporaryDirectory() as scratch:
        wire = Line(scratch)
        pair = pair_of(['-m', '16', '-chardev', f'socket,id=wire,path={wire.path}',
                        '-serial', 'chardev:wire'])
        wire.accept()
        pair.intercept()
        for _ in range(PROGRAMS * 4):
            restart(pair)
            fifo = rng.choice((0, 1))
            ier = rng.randrange(16)
            pair.steps([[f'outb {FCR:#x} {fifo}', f'outb {IER:#x} {ier}', f'inb {IIR:#x}']],
                       'line')
            for _ in range(rng.randrange(1, 6)):
                data = rng.randbytes(rng.choice((1, 2, 3, 15, 16, 17, 40)))
                if rng.random() < 0.5:
                    pair.steps([[f'outb {DATA:#x} {byte:#x}', f'inb {LSR:#x}',
                                 f'inb {IIR:#x}'] for byte in data], 'to the line')
                    pair.same('at the end of the line', wire.receive(len(data)))
                    continue
                wire.send(data)
                for byte in data:
                    for vm in pair.vms:
                        wait_for(vm, LSR, LSR_READY)
                        vm.irqs = []
                    read = [f'inb {DATA:#x}']
                    if not fifo:
                        read = [f'inb {IIR:#x}', *read]
                    pair.same('from the line', [[vm.qtest(at) for at in read]
                                                for vm in pair.vms])
                for vm in pair.vms:
                    vm.qtest(f'inb {LSR:#x}')
                    vm.irqs = []
            if pair.enough():
                break
        wire.close()


sys.exit(peer.main((registers, line), Pair))
