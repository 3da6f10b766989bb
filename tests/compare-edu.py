# SPDX-License-Identifier: GPL-2.0-or-later
"""
edu with MSI, and pci-testdev, beside those of QEMU 7.2: programs of chance of a driver's
accesses and of nonsense, whose replies, interrupts and messages are the same. Prints TAP.
See test-compare-edu.sh. FLATVIEW_SEQUENCES: how many programs each test runs.

QEMU's clock is that of instructions, of which its CPU executes one again and again, while
the machine is not stopped: only in order that a transfer ends. What interrupts do then,
QEMU does not tell; the header's status bit does. No message goes to that CPU.

What differs, and is left out. What cannot be read is all-ones here and zeros in QEMU: edu
by bytes and words, where nothing answers, and while DMA is off. QEMU's edu ends the process
at a transfer that is not inside its buffer, or ends where the buffer does; its factorial
takes real time, and a reset leaves its registers. Bytes of configuration space where
nothing is can be written in QEMU.
"""
import os
import sys
import tempfile
import time

import peer

SEQUENCES = int(os.environ.get('FLATVIEW_SEQUENCES', 4))
STEPS = 100

SLOT = 4 << 3
BAR = 0xf0000000
BUFFER = 0x40000
RAM = 0x200000
MESSAGES = 0x300000     # in RAM, where messages can be seen
PAGE = 4096

TIME = None             # among lines: until a transfer has ended

WIDTHS = {'b': 1, 'w': 2, 'l': 4, 'q': 8}


def pick(rng, often, bits=32):
    return rng.choice(often) if rng.randrange(4) else rng.randrange(1 << bits)


def config(devfn, reg, width, value=None):
    """A write of configuration space, or a read."""
    select = f'outl 0xcf8 {0x80000000 | devfn << 8 | reg & 0xfc:#x}'
    port = f'{0xcfc + reg % 4:#x}'
    if value is None:
        return [select, f'in{width} {port}']
    return [select, f'out{width} {port} {value & (1 << 8 * WIDTHS[width]) - 1:#x}']


def memory(addr, width, value=None):
    if value is None:
        return [f'read{width} {addr:#x}']
    return [f'write{width} {addr:#x} {value & (1 << 8 * WIDTHS[width]) - 1:#x}']


def set_up(devfn, command=6):
    """A BAR of memory, and the interrupts of all pins at 10 and 11."""
    return config(devfn, 0x10, 'l', BAR) + config(devfn, 4, 'w', command) + \
        config(8, 0x60, 'l', 0x0b0a0b0a)


def messages_seen():
    """Reads, and clears, where messages go; 0xee is what no device sends."""
    lines = [f'readl {MESSAGES + 4 * n:#x}' for n in range(8)]
    return lines + [f'memset {MESSAGES:#x} {PAGE} 0xee']


# ---- edu ------------------------------------------------------------------------------

def msi_step(rng, at):
    """What a driver does with the capability of MSI, or nonsense."""
    reg, width, often = rng.choice((
        (at + 2, 'w', (0, 1, 1, 1, 0x70, 0x71, 0xffff)),
        (at + 4, 'l', (MESSAGES, MESSAGES + 4, MESSAGES + 0xb)),
        (at + 8, 'l', (0, 0, 0, 1)),
        (at + 12, 'w', (0x4041, 0xffff, 0))))
    if rng.randrange(8) == 0:
        reg, width = at + rng.randrange(0xe), 'b'
    return config(SLOT, reg, width, pick(rng, often)) + config(SLOT, reg, width)


def registers_step(rng):
    reg = pick(rng, (0, 4, 8, 0x20, 0x24, 0x60, 0x64, 0x80, 0x88, 0x90, 0x98), 8)
    width = rng.choice('lllqqbw')
    reg -= reg % WIDTHS[width]
    # Neither a factorial that takes for ever, nor a transfer: see these.
    harmless = reg < 1 or 0xc < reg < 0x91
    if rng.randrange(2) or not harmless:
        return memory(BAR + reg, width)
    if 0x1d <= reg <= 0x20 or 0x58 < reg < 0x60:
        return memory(BAR + 0x20, 'l', rng.choice((0, 0x80, 0xff, 0x7f)))
    return memory(BAR + reg, width, pick(rng, (0, 1, 0x100, 0xffffffff, RAM), 64))


def transfer_step(rng):
    """A transfer, always inside the buffer; where to and from is the guest's to say."""
    size = pick(rng, (1, 4, 8, 100, PAGE - 1), 0) or 64
    inside = BUFFER + rng.randrange(PAGE - size)
    outside = pick(rng, (RAM, RAM + 1, RAM | 1 << 24, RAM + PAGE - 4, 0xa0000, 0xf0100000 - 40,
                         0x3ffffe0, 0xfffffff0, 0xe0000, 1 << 40, 0), 30)
    command = rng.choice((1, 3, 5, 7, 5, 7))
    lines = []
    # Not into itself, and from what can be read.
    if outside + size > BAR and outside < BAR + 0x100000:
        outside = RAM
    if not command & 2:
        outside %= 0x90000
        lines = config(SLOT, 4, 'w', 6)
    source, destination = (inside, outside) if command & 2 else (outside, inside)
    lines += memory(BAR + 0x80, 'q', source) + memory(BAR + 0x88, 'q', destination)
    lines += memory(BAR + 0x90, rng.choice('lq'), size)
    lines += memory(BAR + 0x98, rng.choice('lq'), command)
    for _ in range(rng.randrange(4)):
        # What is written now is ignored.
        lines += rng.choice((registers_step(rng), memory(BAR + 0x98, 'q'),
                             memory(BAR + rng.choice((0x80, 0x88, 0x90)), 'q', RAM)))
    return lines + [TIME, f'readq {BAR + 0x98:#x}', f'read {RAM:#x} 64'] + \
        config(SLOT, 6, 'w')


def interrupt_step(rng):
    reg = rng.choice((0x60, 0x60, 0x64))
    value = pick(rng, (1, 2, 0x100, 0xffffffff, 0, 1 << 31))
    return memory(BAR + reg, 'l', value) + config(SLOT, 6, 'w')


def command_step(rng):
    return config(SLOT, 4, 'w', rng.choice((6, 6, 6, 7, 0x406, 2, 4, 0x402)))


def edu_program(rng):
    lines = config(SLOT, 4, 'w', 6)
    steps = (registers_step, registers_step, interrupt_step, interrupt_step,
             command_step, transfer_step, lambda rng: msi_step(rng, 0x40))
    for _ in range(STEPS):
        lines += rng.choice(steps)(rng)
        if rng.randrange(6) == 0:
            lines += config(SLOT, 2 * rng.randrange(0x27), 'w')
        if rng.randrange(4) == 0:
            lines += messages_seen()
    return lines


def cannot_be_read(line, here, there):
    word = line.split()[0]
    return word[:4] == 'read' and word[4:] in WIDTHS and there == 0 and \
        here == (1 << 8 * WIDTHS[word[4]]) - 1


class Pair(peer.Pair):
    def __init__(self, programs, options, scratch, of_qemu=()):
        self.vms = [peer.VM(program, options + list(more), scratch)
                    for program, more in zip(programs, ((), of_qemu))]
        self.differences = []

    def pass_time(self, before):
        """Until a transfer has ended, if one has begun."""
        if not self.config_get(SLOT, 4)[0] & 2:
            return
        here, qemu = self.vms
        here.qtest('clock_step 99999999')
        self.same(f'a transfer before its end\n{before}',
                  [here.qtest(f'readq {BAR + 0x98:#x}'),
                   qemu.qtest(f'readq {BAR + 0x98:#x}')])
        here.qtest('clock_step 1')
        qemu.qmp('cont')
        wait_until(lambda: not qemu.qtest(f'readq {BAR + 0x98:#x}') & 1)
        qemu.qmp('stop')

    def run_program(self, lines):
        """Whether all is the same, with the ends of transfers where TIME is."""
        part = []
        for line in lines + [TIME]:
            if line is not TIME:
                part.append(line)
                continue
            if not self.run(part, 'edu', cannot_be_read):
                return False
            self.pass_time('\n'.join(f'#   {line}' for line in part[-12:]))
            part = []
        return not self.differences


def pair_with_edu(pair_of, mask):
    """QEMU's CPU does nothing but jump to where it is."""
    with tempfile.NamedTemporaryFile() as bios:
        bios.write(bytes(0xfff0) + b'\xeb\xfe' + bytes(14))
        bios.flush()
        pair = pair_of(['-m', '64', '-bios', bios.name,
                        '-device', f'edu,addr=4,dma_mask={mask:#x}'],
                       of_qemu=('-icount', 'shift=10'))
    return pair


def edu(pair_of, rng):
    """edu's registers, transfers, interrupts and messages"""
    pair = pair_with_edu(pair_of, 0xffffffffffffffff)
    # HPET, not PIT, has interrupt 0, and is silent.
    pair.run(set_up(SLOT) + ['writel 0xfed00010 2'])
    pair.intercept()
    for _ in range(SEQUENCES):
        if not pair.run_program(edu_program(rng)):
            return


def edu_masks(pair_of, rng):
    """what edu's DMA reaches with a mask of its own"""
    mask = 0x2fffff
    pair = pair_with_edu(pair_of, mask)
    pair.write(0, rng.randbytes(PAGE * 4))
    pair.run(set_up(SLOT))
    for _ in range(40):
        inside, size = BUFFER + rng.randrange(PAGE - 64), rng.randrange(1, 64)
        near = rng.choice((0, RAM)) + rng.randrange(PAGE * 3)
        far = near | rng.choice((0, 1 << 20, 1 << 22, 1 << 24, 1 << 31, 1 << 32, 1 << 63))
        lines = []
        # Fetched, and what was fetched put elsewhere: the buffer cannot be read.
        for source, destination, command in ((far, inside, 1), (inside, RAM, 3),
                                             (inside, far, 3)):
            lines += memory(BAR + 0x80, 'q', source)
            lines += memory(BAR + 0x88, 'q', destination)
            lines += memory(BAR + 0x90, 'q', size) + memory(BAR + 0x98, 'q', command)
            lines += [TIME, f'read {RAM:#x} {PAGE}', f'read {near:#x} 64',
                      f'read {near | 1 << 20:#x} 64', f'read {near | 1 << 22:#x} 64']
        if not pair.run_program(lines):
            return


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, 'it does not end'


def factorials(pair_of, rng):
    """edu's factorials, and that they interrupt"""
    pair = pair_with_edu(pair_of, 0xfffffff)
    pair.run(set_up(SLOT))
    for _ in range(30):
        number = pick(rng, (0, 1, 5, 12, 13, 33, 34, 35), 10)
        raises = rng.randrange(2)
        pair.run(memory(BAR + 0x64, 'l', 0xffffffff) +
                 memory(BAR + 0x20, 'l', 0x80 * raises))
        for vm in pair.vms:
            vm.qtest(f'writel {BAR + 8:#x} {number}')
        pair.vms[0].qtest('clock_step 1000000')
        for vm in pair.vms:
            wait_until(lambda: not vm.qtest(f'readl {BAR + 0x20:#x}') & 1 and
                       (not raises or vm.qtest(f'readl {BAR + 0x24:#x}') & 1))
        pair.run(memory(BAR + 8, 'l') + memory(BAR + 0x20, 'l') +
                 memory(BAR + 0x24, 'l') + config(SLOT, 6, 'w'), f'{number}!')


# ---- pci-testdev ------------------------------------------------------------------------

def testdev_program(rng):
    lines = []
    for _ in range(STEPS):
        port = rng.randrange(2)
        if rng.randrange(8) == 0:
            # A test, from its start to what it has counted.
            test, data = rng.randrange(3), rng.choice((0xfa, 0xce, 1))
            at, out, into = (0xc000, 'outb', 'inl') if port else (BAR, 'writeb', 'readl')
            lines += [f'{out} {at:#x} {test}',
                      f'{out} {at + (0x83 if port else 0x800) + test:#x} {data:#x}',
                      f'{into} {at + 12:#x}']
        size = 256 if port else 4096
        offset = rng.choice((0, 0, rng.randrange(0x40), rng.randrange(0x40),
                             0x800 + rng.randrange(4), 0x83 + rng.randrange(4),
                             rng.randrange(size))) % size
        width = rng.choice('bbbwl' if port else 'bbbwlq')
        offset = min(offset, size - WIDTHS[width])
        value = pick(rng, (0, 1, 2, 3, 0xfa, 0xce, 0xfa), 64)
        if port:
            at = f'{0xc000 + offset:#x}'
            lines.append(f'in{width} {at}' if rng.randrange(2) else
                         f'out{width} {at} {value & (1 << 8 * WIDTHS[width]) - 1:#x}')
        else:
            lines += memory(BAR + offset, width, value if rng.randrange(2) else None)
    return lines


def testdev(pair_of, rng):
    """pci-testdev's two BARs"""
    pair = pair_of(['-m', '16', '-device', 'pci-testdev,addr=4'])
    pair.run(set_up(SLOT, 3) + config(SLOT, 0x14, 'l', 0xc000))
    for _ in range(SEQUENCES):
        if not pair.run(testdev_program(rng), 'pci-testdev'):
            return


if __name__ == '__main__':
    sys.exit(peer.main((edu, edu_masks, factorials, testdev), Pair))
