# SPDX-License-Identifier: GPL-2.0-or-later
"""
The keyboard controller with its keyboard and mouse beside that of QEMU 7.2: both get the
same accesses by qtest, and the same keys and movements by QMP, made by chance. What is
read is the same, and so is what the interrupts 1 and 12 do. Prints TAP. See
test-compare-i8042.sh.

What differs, and is left out. QEMU's controller
- does not tell in its status whether a command or data was written last, nor shows the
  configuration's bit of the self test, which that test does not set;
- shows in its data port the byte of whoever may send at the moment, here what was there
  first: so a guest of these programs reads all before it sends anything else; and it
  translates codes when a key is pressed, not when they arrive;
- has no memory but its first byte, and no command 0xe0, and keeps what is written to bits
  of the output port that tell of the data port;
- leaves the last byte in the data port at a reset.
Its keyboard
- acknowledges 0x00, knows neither resend nor the types of keys of set 3, of which it has
  other codes for two keys, is enabled by 0xf6, and does not see keys while disabled;
- repeats Pause and Print Screen as if pressed again, and sends the release of a key that is
  not down.
Its mouse
- knows neither resend nor 2:1, says nothing to a command that it does not know, wants its
  wheel asked for by three rates and no others before, stays in wrap mode over a reset, is
  not as after a reset when the power comes;
- does not see buttons while disabled, and its status never does; has 16 bytes of a movement
  and keeps the rest for the next; keeps what waits when it is disabled or its mode changes;
  reports where there is nothing to report.
"""
import os
import sys
import tempfile
import time

import peer

PROGRAMS = int(os.environ.get('FLATVIEW_SEQUENCES', '12'))
STEPS = 100

TIMER_ONCE = ['outb 0x43 0x30', 'outb 0x40 1', 'outb 0x40 0']
DATA, COMMAND = 0x60, 0x64
OUTPUT_FULL = 0x30 # bits of the output port that tell of the data port
STATUS_MEANT = 0x0c # bits of the status that are not compared
READ = [f'inb {COMMAND:#x}', f'inb {DATA:#x}']
ANSWERS = READ * 6
DRAIN = READ * 24
OPEN = [*DRAIN, f'outb {COMMAND:#x} 0xa8', f'outb {COMMAND:#x} 0xae', *DRAIN]

CONTROLLER = (0x20, 0x20, 0xa7, 0xa8, 0xa8, 0xa9, 0xab, 0xad, 0xae, 0xae, 0xc0, 0xd0,
              0xdd, 0xdf)
KEYBOARD = (0xed, 0xee, 0xf0, 0xf2, 0xf3, 0xf4, 0xf6, 0xff)
MOUSE = (0xe6, 0xe9, 0xea, 0xeb, 0xf2, 0xf4, 0xf4, 0xf4, 0xf5, 0xf6, 0xff)
KEYS = ('a', 'b', 'ret', 'esc', 'shift', 'shift_r', 'ctrl', 'ctrl_r',
        'caps_lock', 'num_lock', 'scroll_lock', 'up', 'delete', 'insert', 'kp_enter',
        'kp_divide', 'kp_5', 'f1', 'f12', 'pause', 'meta_l', 'meta_r',
        'less', 'asterisk', 'home', 'power', 'sleep', 'wake', 'mail', 'henkan',
        'muhenkan', 'yen', 'ro', 'kp_comma', 'kp_equals', 'hiragana',
        'katakanahiragana', 'compose', 'stop', 'calculator', 'volumeup', 'audiomute',
        'audionext', 'audioplay', 'computer')
SYSRQ = ('alt', 'alt_r', 'print')
# Keys that are not in set 2, or not the same in set 3 as IBM has it.
SUN = ('again', 'copy', 'cut', 'find', 'front', 'help', 'lang1', 'lang2', 'lf', 'menu',
       'open', 'paste', 'props', 'undo')
NOT_OF_SET_3 = ('ac_back', 'ac_bookmarks', 'ac_forward', 'ac_home', 'ac_refresh',
                'audiomute', 'audionext', 'audioplay', 'audioprev', 'audiostop',
                'calculator', 'computer', 'henkan', 'hiragana', 'katakanahiragana',
                'kp_comma', 'kp_divide', 'kp_equals', 'kp_subtract', 'mail',
                'mediaselect', 'muhenkan', 'power', 'sleep', 'stop', 'volumedown',
                'volumeup', 'wake', 'yen')
BUTTONS = ('left', 'middle', 'right', 'side', 'extra', 'wheel-up', 'wheel-down')
WHEEL = BUTTONS[5:]


def event(kind, name, down):
    data = {'key': {'type': 'qcode', 'data': name}} if kind == 'key' else {'button': name}
    return {'type': kind, 'data': dict(data, down=down)}


class Program:
    """Steps, each of lines of qtest's protocol and of events that a user makes."""

    def __init__(self, rng):
        self.rng = rng
        self.steps = []
        self.known = KEYS + rng.choice((SYSRQ[:2], SYSRQ[2:]))
        parts = {self.drain: 1, self.command: 4, self.config: 1, self.output: 1,
                 self.keyboard: 4, self.mouse: 3, self.scale: 0.3, self.wheel: 0.7,
                 self.wrap: 0.5, self.remote: 0.5,
                 self.keyboard_off: 0.5, self.move_behind: 1, self.keys: 5, self.move: 4,
                 self.click: 3}
        for part in rng.choices(list(parts), list(parts.values()), k=STEPS):
            part()

    def byte(self):
        return self.rng.choice((0, 1, 2, 3, 0xff, self.rng.randrange(256)))

    # ---- the guest ----

    def drain(self):
        self.steps.append(DRAIN)

    def out(self, command, byte):
        self.steps.append([*DRAIN, f'outb {COMMAND:#x} {command:#x}',
                           f'outb {DATA:#x} {byte:#x}'])

    def command(self):
        command = self.rng.choice(CONTROLLER + (0x80, 0x9f, 0xaf, 0xb0, 0xf1, 0xff))
        self.steps.append([*DRAIN, f'outb {COMMAND:#x} {command:#x}'])

    def config(self):
        byte = self.rng.choice((0x47, 0x03, 0x43, 0x67, 0x77, self.byte()))
        test = self.rng.choice(([], [f'outb {COMMAND:#x} 0xaa', *DRAIN]))
        self.steps.append([*OPEN, *test, f'outb {COMMAND:#x} 0x60',
                           f'outb {DATA:#x} {byte:#x}'])

    def output(self):
        command = self.rng.choice((0xd1, 0xd2, 0xd3))
        self.out(command, self.byte() & ~OUTPUT_FULL | 1 if command == 0xd1 else self.byte())

    def keyboard(self):
        command = self.rng.choice(KEYBOARD + (self.rng.randrange(1, 0xed),))
        self.steps.append([*OPEN, f'outb {DATA:#x} {command:#x}', *ANSWERS])
        if command in (0xed, 0xf0, 0xf3):
            byte = self.rng.choice((0, 1, 2, self.byte()))
            if command == 0xf0 and byte == 3:
                byte = 4
            self.steps[-1] += [f'outb {DATA:#x} {byte:#x}', *ANSWERS]

    def keyboard_off(self):
        self.steps.append([*OPEN, f'outb {DATA:#x} 0xf5', *ANSWERS,
                           event('key', 'a', True), *DRAIN,
                           event('key', 'a', False), *DRAIN,
                           f'outb {DATA:#x} 0xf4', *DRAIN])

    def to_mouse(self, *bytes_):
        self.steps.append(OPEN + [line for byte in bytes_ for line in
                                   (f'outb {COMMAND:#x} 0xd4', f'outb {DATA:#x} {byte:#x}',
                                    *ANSWERS)])

    def mouse(self):
        command = self.rng.choice(MOUSE + (0xe8, 0xf3))
        if command == 0xe8:
            self.to_mouse(command, self.rng.randrange(4))
        elif command == 0xf3:
            self.to_mouse(command, self.rng.choice((10, 20, 40, 60, 80, 100)))
        else:
            self.to_mouse(command)

    def scale(self):
        self.to_mouse(0xe7, 0xe9, 0xe6)

    def wrap(self):
        bytes_ = [self.byte() for _ in range(self.rng.randrange(8))]
        self.to_mouse(0xee, *[byte for byte in bytes_ if byte not in (0xec, 0xff)], 0xec)

    def wheel(self, *rates):
        rates = rates or self.rng.choice(((200, 100, 80), (200, 200, 80)))
        self.to_mouse(*[byte for rate in rates for byte in (0xf3, rate)], 0xf2, 0xf4)

    # ---- the user ----

    def presses(self):
        return [event('key', self.rng.choice(self.known), self.rng.random() < 0.6)
                for _ in range(self.rng.choice((1, 1, 2)))]

    def keys(self):
        self.steps.append([*DRAIN, *self.presses(), *DRAIN])

    def far(self):
        far = self.rng.choice((3, 8, 100, 240))
        return [{'type': 'rel', 'data': {
            'axis': axis, 'value': self.rng.choice((-1, 1)) * self.rng.randint(1, far)}}
            for axis in self.rng.sample(('x', 'y'), self.rng.choice((1, 2)))]

    def move(self):
        self.steps.append([*OPEN, *self.far(), *DRAIN])

    def move_behind(self):
        """A movement waits until its port is opened."""
        self.steps.append([*OPEN, f'outb {COMMAND:#x} 0xa7', self.far()[0], *OPEN])

    def remote(self):
        """A movement is asked for."""
        self.to_mouse(0xf4, 0xf0)
        self.steps[-1] = [*self.steps[-1], *self.far()]
        self.to_mouse(0xeb, 0xeb, 0xeb, 0xeb, 0xea)
        self.steps[-2:] = [sum(self.steps[-2:], [])]

    def click(self):
        """Buttons that the guest sees, while the mouse is enabled."""
        if self.rng.random() < 0.5:
            self.wheel(200, 200, 80)
            buttons = BUTTONS
        else:
            self.to_mouse(0xf4)
            buttons = BUTTONS[:3]
        buttons = self.rng.sample(buttons, self.rng.choice((1, 1, 2)))
        for down in (True, False):
            for button in buttons:
                if down or button not in WHEEL:
                    self.steps[-1] = [*self.steps[-1], event('btn', button, down), *DRAIN]
                if self.rng.random() < 0.3:
                    self.steps[-1] += [*self.far(), *DRAIN]


def is_meant(line, here, there):
    return line == f'inb {COMMAND:#x}' and (here ^ there) & ~STATUS_MEANT == 0


def run(pair, steps, what):
    """Whether both did the same."""
    lines, down = [], set()
    for item in (*sum(steps, []), None):
        if isinstance(item, str):
            lines.append(item)
            continue
        if lines and not pair.run(lines, what, is_meant):
            return False
        lines = [f'inb {COMMAND:#x}']
        if item is None:
            break
        press = str(item).replace('False', 'True')
        if item['data'].get('down'):
            if press in down and ('pause' in press or 'print' in press):
                continue
            down.add(press)
        elif 'down' in item['data']:
            if press not in down:
                continue
            down.remove(press)
        for vm in pair.vms:
            vm.qmp('input-send-event', events=[item])
    return True


def restart(pair):
    """As after power-on, nothing is pressed; but the timer's interrupt is over."""
    for vm in pair.vms:
        for kind, names in (('key', KEYS + SYSRQ), ('btn', BUTTONS)):
            vm.qmp('input-send-event', events=[event(kind, name, False) for name in names])
    pair.reset()
    for line in (*TIMER_ONCE, f'outb {COMMAND:#x} 0xd2',
                 f'outb {DATA:#x} 0', f'inb {DATA:#x}', f'outb {COMMAND:#x} 0xd4',
                 f'outb {DATA:#x} 0xff', *[f'inb {DATA:#x}'] * 3):
        pair.both(line)
    time.sleep(0.002)
    pair.both(f'inb {COMMAND:#x}')


def short(steps):
    """One line for each."""
    texts = ['\n#   ' + ' '.join(map(str, step)) for step in steps]
    for lines, name in ((OPEN, 'open'), (DRAIN, '...'), (ANSWERS, '..')):
        texts = [text.replace(' '.join(lines), name) for text in texts]
    return ''.join(texts)


def started(pair_of):
    """Both run, as only then keys get in; the processor waits for ever."""
    with tempfile.NamedTemporaryFile() as rom:
        rom.write(b'\xf4' * 0x10000)
        rom.flush()
        pair = pair_of(['-m', '16', '-bios', rom.name])
    for vm in pair.vms:
        vm.qmp('cont')
    pair.intercept()
    return pair


def everything(pair_of, rng):
    """commands, keys, buttons and movements by chance: bytes and interrupts"""
    pair = started(pair_of)

    def differ(steps):
        restart(pair)
        return not run(pair, steps, '')

    for _ in range(PROGRAMS):
        steps = Program(rng).steps
        if differ(steps):
            steps = peer.shortest(steps, differ)
            pair.differences.clear()
            restart(pair)
            run(pair, steps, f'the shortest program:{short(steps)}')
            break


def every_key(pair_of, rng):
    """what each key sends in each set, and what the controller makes of it"""
    pair = started(pair_of)
    names = next(entry['values'] for entry in pair.vms[1].qmp('query-qmp-schema')
                 if 'kp_divide' in entry.get('values', ()))
    for number, others in ((1, SUN), (2, ()), (3, SUN + NOT_OF_SET_3)):
        for config in (0x03, 0x43):
            restart(pair)
            run(pair, [[f'outb {COMMAND:#x} 0x60', f'outb {DATA:#x} {config:#x}',
                        f'outb {DATA:#x} 0xf0', *ANSWERS,
                        f'outb {DATA:#x} {number}', *ANSWERS]], f'set {number}')
            if number == 3:
                # All keys send releases, as QEMU's do anyway.
                for line in (f'outb {DATA:#x} 0xf8', f'inb {DATA:#x}'):
                    pair.vms[0].qtest(line)
            for name in names:
                if name not in others:
                    run(pair, [[event('key', name, True), *DRAIN,
                                event('key', name, False), *DRAIN]],
                        f'set {number}, configuration {config:#x}, key {name}')
            if pair.enough():
                return


sys.exit(peer.main((everything, every_key)))
