# SPDX-License-Identifier: GPL-2.0-or-later
"""
The VGA beside that of QEMU 7.2: both programs get the same programs of accesses through
qtest, made by chance: registers by ports and by memory, the window in all its modes, VBE.
What they read is the same, and so is all of video memory afterwards. Prints TAP. See
test-compare-vga.sh.

What differs, and is left out:
- QEMU's DAC has no mask (0x3c6);
- while a VBE mode of 16 colours is on, QEMU's window is linear, so that nobody can draw in
  it; here it has planes, as the registers say;
- a port access of 4 bytes is one to each port here, none there;
- QEMU keeps the latches over a reset.
"""
import os
import random
import sys

import peer

DEVFN = 0x20
VRAM, MMIO = 0xe0000000, 0xe1000000
VRAM_SIZE = 0x100000
WINDOW, WINDOW_SIZE = 0xa0000, 0x20000
MMIO_PORTS, MMIO_VBE, MMIO_ORDER = 0x400, 0x500, 0x604

SR, GR, AR, CR, CR_MONO = 0x3c4, 0x3ce, 0x3c0, 0x3d4, 0x3b4
STATUS, MISC, DAC_MASK = 0x3da, 0x3c2, 0x3c6
VBE_INDEX, VBE_DATA = 0x1ce, 0x1d0
VBE_BPP, VBE_ENABLE, VBE_BANK = 3, 4, 5
PORTS = [0x3b4, 0x3b5, 0x3ba, *range(0x3c0, 0x3d0), 0x3d4, 0x3d5, 0x3da]
PORTS.remove(DAC_MASK)

# Programs, and accesses in each.
PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '30'))
ACCESSES = 1500


class Program:
    """Lines of qtest's protocol, made by chance."""

    def __init__(self, rng):
        self.rng = rng
        self.lines = []
        for _ in range(ACCESSES):
            rng.choices((self.sequencer, self.graphics, self.attribute, self.crtc,
                         self.misc, self.dac, self.read_port, self.word_port, self.vbe,
                         self.mmio, self.window, self.mode),
                        (3, 6, 2, 3, 0.5, 3, 8, 1, 2, 2, 60, 2))[0]()

    def out(self, port, value, width='b'):
        self.lines.append(f'out{width} {port:#x} {value:#x}')

    def byte(self):
        return self.rng.choice((0, 0xff, self.rng.randrange(256)))

    def indexed(self, port, index, value):
        self.out(port, index)
        self.out(port + 1, value)
        if self.rng.random() < 0.3:
            self.lines.append(f'inb {port + 1:#x}')

    def sequencer(self):
        index = self.rng.choice((2, 2, 4, self.rng.randrange(256)))
        self.indexed(SR, index, self.byte())

    def graphics(self):
        self.indexed(GR, self.rng.choice((*range(9), self.rng.randrange(256))), self.byte())

    def attribute(self):
        if self.rng.random() < 0.7:
            self.lines.append(f'inb {STATUS:#x}')
        self.out(AR, self.rng.choice((self.rng.randrange(0x20), self.byte())))
        if self.rng.random() < 0.9:
            self.out(AR, self.byte())
        self.lines.append(f'inb {AR + 1:#x}')

    def crtc(self):
        port = self.rng.choice((CR, CR, CR_MONO))
        self.indexed(port, self.rng.choice((self.rng.randrange(25), self.byte())),
                     self.byte())

    def misc(self):
        self.out(MISC, self.byte())

    def dac(self):
        self.out(self.rng.choice((0x3c7, 0x3c8)), self.byte())
        for _ in range(self.rng.randrange(8)):
            self.lines.append(f'outb 0x3c9 {self.byte():#x}' if self.rng.random() < 0.6
                              else 'inb 0x3c9')

    def read_port(self):
        self.lines.append(f'inb {self.rng.choice(PORTS):#x}')

    def word_port(self):
        port = self.rng.choice((SR, GR, CR, CR_MONO))
        if self.rng.random() < 0.5:
            self.out(port, self.rng.randrange(0x10000), 'w')
        else:
            self.lines.append(f'inw {port:#x}')

    def vbe_set(self, index, value):
        self.out(VBE_INDEX, index, 'w')
        self.out(self.rng.choice((VBE_DATA, VBE_DATA - 1)), value, 'w')

    def vbe(self):
        index = self.rng.choice((*range(12), self.rng.randrange(0x10000), VBE_BANK))
        value = self.rng.choice((0, 0xffff, self.rng.randrange(0x10000),
                                 self.rng.randrange(0x400), self.rng.randrange(16)))
        if index == VBE_ENABLE:
            # Off most of the time, for what is not VBE.
            value = self.rng.choice((0, 0, value & ~1, value | 1))
            self.vbe_set(VBE_BPP, self.rng.choice((8, 15, 16, 24, 32)))
        elif index == VBE_BPP:
            value = self.rng.choice((8, 15, 16, 24, 32, value if value != 4 else 5))
        self.vbe_set(index, value)
        self.lines.append(f'inw {VBE_DATA:#x}')

    def mmio(self):
        kind = self.rng.randrange(5)
        if kind == 0:
            port = self.rng.choice([port for port in PORTS if port >= 0x3c0])
            self.lines.append(f'readb {MMIO + MMIO_PORTS + port - 0x3c0:#x}')
        elif kind == 1:
            port = self.rng.choice((SR, GR, CR))
            self.lines.append(f'writew {MMIO + MMIO_PORTS + port - 0x3c0:#x} '
                              f'{self.rng.randrange(0x10000):#x}')
        elif kind == 2:
            self.lines.append(f'readw {MMIO + MMIO_VBE + 2 * self.rng.randrange(11):#x}')
        elif kind == 3:
            self.lines.append(f'writew {MMIO + MMIO_VBE + 2 * VBE_BANK:#x} '
                              f'{self.rng.randrange(0x20):#x}')
        else:
            self.lines.append(f'readl {MMIO + MMIO_ORDER:#x}')

    def window(self):
        width = self.rng.choice('bbbbwlq')
        offset = self.rng.choice((self.rng.randrange(WINDOW_SIZE),
                                  self.rng.randrange(0x40),
                                  self.rng.choice((0x7ffc, 0xfffc, 0x10000, 0x17ffa, 0x18000,
                                                   0x1ffe0)) + self.rng.randrange(8)))
        if self.rng.random() < 0.5:
            self.lines.append(f'read{width} {WINDOW + offset:#x}')
        else:
            value = self.rng.getrandbits({'b': 8, 'w': 16, 'l': 32, 'q': 64}[width])
            self.lines.append(f'write{width} {WINDOW + offset:#x} {value:#x}')

    def mode(self):
        """Something that guests use."""
        memory, mode = self.rng.choice(((6, 0), (6, 1), (6, 2), (6, 3), (6, 8), (2, 0x10),
                                        (0, 0x10), (0xe, 0x40), (6, 0x40)))
        self.indexed(SR, 2, self.rng.choice((0xf, 3, 1, 4, 0xf)))
        self.indexed(SR, 4, memory)
        self.indexed(GR, 5, mode)
        self.indexed(GR, 6, self.rng.choice((1, 5, 9, 0xd)) ^ (memory == 2))
        self.indexed(GR, 8, self.rng.choice((0xff, self.byte())))


class Pair(peer.Pair):
    def set_up(self):
        self.config_set(DEVFN, 0x10, VRAM, 'l')
        self.config_set(DEVFN, 0x18, MMIO, 'l')
        self.config_set(DEVFN, 4, 2, 'w')
        self.both(f'readb {WINDOW}')  # the latches

    def reset(self):
        super().reset()
        self.set_up()

    def vram(self, what):
        """All bytes of video memory."""
        heard = []
        for vm in self.vms:
            vm.send([f'read {VRAM:#x} {VRAM_SIZE:#x}'])
            heard.append(vm.reply()[1][2:])
        here, there = heard
        if here != there:
            at = next(n for n in range(VRAM_SIZE)
                      if here[2 * n:2 * n + 2] != there[2 * n:2 * n + 2])
            self.same(f'{what}: byte {at:#x} of video memory',
                      [text[2 * at:2 * at + 8] for text in heard])


def registers():
    """Reads of all that there is, in an order that needs no luck."""
    lines = []
    for misc in (0xff, 0xfe):
        lines.append(f'outb {MISC:#x} {misc:#x}')
        lines += [f'inb {port:#x}' for port in PORTS]
        lines += [f'inb {port:#x}' for port in range(0x3b0, 0x3e0) if port != DAC_MASK]
        for port, count in ((SR, 8), (GR, 16), (CR, 256), (CR_MONO, 256)):
            for index in range(count):
                lines += [f'outb {port:#x} {index:#x}', f'inb {port + 1:#x}']
        for index in range(0x20):
            lines += [f'inb {STATUS:#x}', f'inb {CR_MONO + 6:#x}',
                      f'outb {AR:#x} {index:#x}', f'inb {AR + 1:#x}']
    lines.append('outb 0x3c7 0')
    lines += ['inb 0x3c9'] * 768
    for index in range(12):
        lines += [f'outw {VBE_INDEX:#x} {index:#x}', f'inw {VBE_DATA:#x}']
    lines += [f'readb {MMIO + MMIO_PORTS + n:#x}' for n in range(0x20)
              if 0x3c0 + n != DAC_MASK]
    lines += [f'readw {MMIO + MMIO_VBE + n:#x}' for n in range(0, 0x16, 2)]
    return lines


def vga(pair_of):
    pair = pair_of(['-m', '32', '-device',
                    f'VGA,addr={DEVFN >> 3},vgamem_mb={VRAM_SIZE >> 20}'])
    pair.set_up()
    return pair


def at_reset(pair_of, rng):
    """registers after a reset"""
    pair = vga(pair_of)
    pair.run(registers())


def by_chance(pair_of, rng):
    """programs of chance, registers and all video memory after each, and after a reset"""
    pair = vga(pair_of)
    for n in range(PROGRAMS):
        pair.reset()
        pair.run(Program(random.Random(rng.random())).lines, f'program {n}')
        pair.run(registers(), f'after program {n}')
        pair.vram(f'after program {n}')
        if pair.differences:
            return
    pair.reset()
    pair.run(registers(), 'after a reset')


if __name__ == '__main__':
    sys.exit(peer.main((at_reset, by_chance), Pair))
