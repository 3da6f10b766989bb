# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a VGA shows beside QEMU's: both programs get the same registers and the same memory
through qtest, and their screendumps are the same, pixel for pixel. Prints TAP. See
test-compare-screen.sh.

What differs, as QEMU 7.2 leaves it out, and is not looked for: panning (attribute 0x13,
CRTC 8), blinking characters (attribute 0x10, bit 3), the DAC's mask, its 8 bits in modes
of 16 colours, and lines of text that are shown twice. QEMU takes some registers over only
when the mode changes: the picture is turned off and on again before each look.
"""
import os
import re
import sys

import peer

MODES = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'vga-modes.h')
VRAM, MMIO = 0xe0000000, 0xe1000000
VGA = 0x10  # 02.0
VRAM_MB = 2
OPTIONS = ['-m', '64', '-device', f'VGA,addr=2,vgamem_mb={VRAM_MB},edid=on']
ENABLE, XRES, YRES, BPP, VIRT_WIDTH, X_OFFSET, Y_OFFSET = 4, 1, 2, 3, 6, 8, 9
ENABLED, DAC_8BIT, LFB, NOCLEARMEM = 0x01, 0x20, 0x40, 0x80
ORDER = {False: 0x1e1e1e1e, True: 0xbebebebe}


def read_modes():
    """{name: {'sr': [...], 'gr': ..., 'ar': ..., 'cr': ...}} of tests/vga-modes.h."""
    with open(MODES, encoding='ascii') as file:
        text = file.read().replace('\\\n', ' ')
    for name, words in re.findall(r'#define (AR_\w+) (.*)', text):
        text = re.sub(rf'{{ {name}\b', '{ ' + words, text)
    modes = {}
    for name, body in re.findall(r'\{ "([^"]+)",\s*((?:\{[^}]*\},?\s*){4})\}', text):
        lists = [[int(word, 0) for word in part.replace(',', ' ').split()]
                 for part in re.findall(r'\{([^}]*)\}', body)]
        modes[name] = dict(zip(('sr', 'gr', 'ar', 'cr'), lists))
        assert [len(part) for part in lists] == [5, 9, 21, 25], name
    return modes


class Pair(peer.Pair):
    def __init__(self, programs, options, scratch):
        super().__init__(programs, options, scratch)
        for bar, address in ((0x10, VRAM), (0x18, MMIO)):
            self.config_set(VGA, bar, address, 'l')
        self.config_set(VGA, 4, 7, 'w')
        self.outb(0x3c2, 0x67)

    def outb(self, port, value):
        self.both(f'outb {port} {value}')

    def indexed(self, port, index, value):
        self.outb(port, index)
        self.outb(port + 1, value)

    def attribute(self, index, value):
        self.both('inb 0x3da')
        self.outb(0x3c0, index)
        self.outb(0x3c0, value)

    def picture(self, on):
        self.both('inb 0x3da')
        self.outb(0x3c0, 0x20 if on else 0)

    def mode(self, mode):
        self.vbe(ENABLE, 0)
        self.indexed(0x3d4, 0x11, 0)
        for port, registers in ((0x3c4, mode['sr']), (0x3ce, mode['gr']),
                                (0x3d4, mode['cr'])):
            for index, value in enumerate(registers):
                self.indexed(port, index, value)
        for index, value in enumerate(mode['ar']):
            self.attribute(index, value)

    def dac(self, values):
        self.outb(0x3c8, 0)
        for value in values:
            self.outb(0x3c9, value)

    def vbe(self, index, value):
        self.both(f'outw 0x1ce {index}')
        self.both(f'outw 0x1cf {value}')

    def look(self, what):
        """A line that says how the screens differ, or None."""
        self.picture(False)
        sizes = [vm.screen()[0] for vm in self.vms]
        self.picture(True)
        ours, qemus = [vm.screen() for vm in self.vms]
        if sizes[0] != sizes[1]:
            return f'# {what}, off: {sizes[0]}, in QEMU {sizes[1]}'
        if ours[0] != qemus[0]:
            return f'# {what}: {ours[0]}, in QEMU {qemus[0]}'
        if ours[1] == qemus[1]:
            return None
        wrong = [at for at in range(0, len(qemus[1]), 3)
                 if ours[1][at:at + 3] != qemus[1][at:at + 3]]
        y, x = divmod(wrong[0] // 3, ours[0][0])
        return (f'# {what}: {len(wrong)} of {len(qemus[1]) // 3} pixels, the first at '
                f'{x},{y}: {ours[1][wrong[0]:][:3].hex()}, in QEMU '
                f'{qemus[1][wrong[0]:][:3].hex()}')

    def same_screen(self, what, looks=1):
        """The screens are, at one of so many looks."""
        differences = [self.look(what) for _ in range(looks)]
        if None not in differences:
            self.differences.append(differences[0])


def is_text(mode):
    return not mode['gr'][6] & 1


def every_mode(pair_of, rng):
    """the modes as they are, with any contents and colours"""
    pair = pair_of(OPTIONS)
    for name, mode in read_modes().items():
        pair.mode(dict(mode, ar=[value & ~8 if index == 0x10 else value
                                 for index, value in enumerate(mode['ar'])]))
        pair.indexed(0x3d4, 0xa, 0x20)
        pair.write(VRAM, rng.randbytes(0x40000))
        pair.dac(rng.randbytes(768))
        pair.same_screen(name)


def moved(pair_of, rng):
    """with registers that choose what of memory is seen, and as which colours"""
    pair = pair_of(OPTIONS)
    modes = read_modes()
    for step in range(60):
        name, mode = list(modes.items())[step % len(modes)]
        mode = {kind: list(values) for kind, values in mode.items()}
        cr, ar = mode['cr'], mode['ar']
        cr[0xc], cr[0xd], cr[0x13] = rng.randrange(256), rng.randrange(256), rng.randrange(256)
        cr[0xa] |= 0x20
        ar[0x10] = ar[0x10] & ~8 ^ rng.choice((0, 4, 0x80))
        ar[0x14] = rng.randrange(16)
        ar[0x12] = rng.randrange(16)
        ar[:16] = [rng.randrange(64) for _ in range(16)]
        mode['sr'][3] = rng.randrange(64)
        rows = (cr[9] & 0x1f) + 1
        scans = rows << (cr[9] >> 7)
        split = rng.choice((0x3ff, rng.randrange(1, 12) * scans * 2 - 1))
        if not is_text(mode) and cr[0x17] & 1:
            cr[9] = cr[9] & 0x60 | rng.choice((0, 1, 0x80, 3))
            split = rng.choice((0x3ff, rng.randrange(1, 12) * 8 - 1))
        cr[0x18] = split & 0xff
        cr[7] = cr[7] & ~0x10 | (split >> 8 & 1) << 4
        cr[9] = cr[9] & ~0x40 | (split >> 9 & 1) << 6
        pair.mode(mode)
        pair.write(VRAM, rng.randbytes(0x40000))
        pair.dac(rng.randbytes(768))
        pair.same_screen(f'{name}, {mode}')


def cursors(pair_of, rng):
    """cursors of any shape, anywhere; in QEMU they are seen in every other picture"""
    pair = pair_of(OPTIONS)
    modes = [(name, mode) for name, mode in read_modes().items() if is_text(mode)]
    for name, mode in modes * 5:
        cr = list(mode['cr'])
        cr[0xa], cr[0xb] = rng.randrange(32), rng.randrange(32)
        cr[0xc], cr[0xd] = rng.randrange(4), rng.randrange(256)
        cr[0xe], cr[0xf] = cr[0xc] + rng.randrange(5), rng.randrange(256)
        pair.mode(dict(mode, cr=cr, ar=[value & ~8 if index == 0x10 else value
                                        for index, value in enumerate(mode['ar'])]))
        pair.write(VRAM, rng.randbytes(0x10000))
        pair.dac(rng.randbytes(768))
        pair.same_screen(f'{name}, cursor {cr[0xa]:x} {cr[0xb]:x}', looks=2)


def vbe(pair_of, rng):
    """every depth, lines of odd lengths, pictures from anywhere in memory"""
    pair = pair_of(OPTIONS)
    pair.mode(read_modes()['320x200 in 256 colours'])
    for step in range(72):
        bpp = (4, 8, 15, 16, 24, 32)[step % 6]
        dac = rng.choice((0, DAC_8BIT)) if bpp > 4 else 0
        size = rng.randrange(8, 700), rng.randrange(1, 500)
        pair.vbe(ENABLE, 0)
        for index, value in ((XRES, size[0]), (YRES, size[1]), (BPP, bpp),
                             (ENABLE, ENABLED | LFB | dac | NOCLEARMEM),
                             (VIRT_WIDTH, rng.choice((size[0], rng.randrange(1200)))),
                             (X_OFFSET, rng.choice((0, rng.randrange(100)))),
                             (Y_OFFSET, rng.choice((0, rng.randrange(400))))):
            pair.vbe(index, value)
        big = step >= 48
        pair.both(f'writel {MMIO + 0x604} {ORDER[big]}')
        pair.write(VRAM, rng.randbytes(0x80000) * (VRAM_MB * 2))
        pair.dac(rng.randbytes(768))
        pair.same_screen(f'VBE {size[0]}x{size[1]}x{bpp}{", high byte first" if big else ""}')
    pair.both(f'writel {MMIO + 0x604} {ORDER[False]}')
    pair.vbe(ENABLE, 0)


def transitions(pair_of, rng):
    """from any mode to any other, where only registers change"""
    pair = pair_of(OPTIONS)
    modes = list(read_modes().items())
    pair.write(VRAM, rng.randbytes(0x40000))
    for _ in range(20):
        name, mode = rng.choice(modes)
        if rng.randrange(3) == 0:
            name = 'VBE'
            for index, value in ((XRES, 640), (YRES, 400), (BPP, rng.choice((4, 8, 32))),
                                 (ENABLE, ENABLED | NOCLEARMEM)):
                pair.vbe(index, value)
        else:
            pair.mode(dict(mode, ar=[value & ~8 if index == 0x10 else value
                                     for index, value in enumerate(mode['ar'])]))
            pair.indexed(0x3d4, 0xa, 0x20)
        pair.same_screen(f'to {name}')


if __name__ == '__main__':
    sys.exit(peer.main((every_mode, moved, cursors, vbe, transitions), Pair))
