#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests scripts/mtree-svg: pictures of machines, and of regions by chance, are
well-formed, have every region once, each as high as it must be and where it must be;
what is no map is refused in words. Prints TAP.

usage: mtree-svg.py SCRIPT PROGRAM
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

SCRIPT, PROGRAM = map(os.path.abspath, sys.argv[1:3])
SVG = "{http://www.w3.org/2000/svg}"
number = 0
failed = False


def point(well, what, why=""):
    global number, failed
    number += 1
    failed = failed or not well
    print(f"{'ok' if well else 'not ok'} {number} - {what}")
    for line in str(why).splitlines() if not well else ():
        print(f"# {line}")


def run(*args, text=""):
    return subprocess.run([sys.executable, SCRIPT, *args], input=text.encode(),
                          capture_output=True, timeout=60, check=False)


# ---- a picture, read again -------------------------------------------------------------


class Box:
    def __init__(self, group):
        rect = group.find(SVG + "rect")
        self.x, self.y, self.width, self.height = (
            float(rect.get(name)) for name in ("x", "y", "width", "height"))
        self.classes = group.get("class").split()
        self.title = group.find(SVG + "title").text
        self.label = "".join(group.find(f".//{SVG}text").itertext())
        link = group.find(SVG + "a")
        self.target = link.get("href") if link is not None else None
        self.id = group.get("id")

    def meets(self, other):
        return (self.x < other.x + other.width and other.x < self.x + self.width and
                self.y + 0.2 < other.y + other.height and
                other.y + 0.2 < self.y + self.height)


def check(svg, entry):
    """What is wrong with the picture @svg of @entry, in words; nothing is right."""
    root = ElementTree.fromstring(svg)
    wrong = []
    boxes, panels = {}, {}
    for panel in root.findall(SVG + "g"):
        if not (panel.get("id") or "").startswith("panel-"):
            continue
        panels[panel.get("id")] = [Box(g) for g in panel.findall(SVG + "g")]
        for box in panels[panel.get("id")]:
            if box.id:
                if box.id in boxes:
                    wrong.append(f"{box.id} is there twice")
                boxes[box.id] = box
            for other in panels[panel.get("id")]:
                if other is not box and box.meets(other):
                    wrong.append(f"{box.label} and {other.label} lie on each other")
    regions = {}
    for region in entry["regions"]:
        regions.setdefault(region["id"], region)
    if set(boxes) != {f"region-{i}" for i in regions}:
        wrong.append(f"regions: {sorted(set(boxes) ^ {f'region-{i}' for i in regions})}")
        return wrong
    names = {i: region["name"] for i, region in regions.items()}
    tops = {}
    for i, region in regions.items():
        tops[i] = tops[region["parent"]] if "parent" in region else i
        box = boxes[f"region-{i}"]
        if region["kind"] not in box.classes or ("off" in box.classes) == region["enabled"]:
            wrong.append(f"{i}: {box.classes}")
        if f"priority {region['priority']}" not in box.title.splitlines():
            wrong.append(f"{i}: {box.title}")
        if "alias" in region:
            target = region["alias"]["target"]
            if box.target != f"#region-{target}" or \
                    f"shows {names[target]} from {region['alias']['offset']} on" not in box.title:
                wrong.append(f"alias {i}: {box.target}, {box.title}")
        elif box.target:
            wrong.append(f"{i} leads to {box.target}")
        if "parent" in region and boxes[f"region-{region['parent']}"].x >= box.x and \
                "place" in region and "place" in regions[region["parent"]]:
            wrong.append(f"{i} is left of its parent")
    placed = [(i, int(r["place"]["first"], 16), int(r["place"]["last"], 16) + 1)
              for i, r in regions.items() if "place" in r]
    for i, first, end in placed:
        box = boxes[f"region-{i}"]
        for j, other_first, other_end in placed:
            other = boxes[f"region-{j}"]
            if i >= j or tops[i] != tops[j]:
                continue
            beside = min(box.y + box.height, other.y + other.height) - max(box.y, other.y)
            if (beside > 0.2) != (first < other_end and other_first < end):
                wrong.append(f"{i} and {j}: beside each other by {beside}")
            if (box.y < other.y - 0.2) != (first < other_first):
                wrong.append(f"{i} and {j}: wrong order")
            a, b = regions[i], regions[j]
            if first < other_end and other_first < end and "parent" in a and \
                    a.get("parent") == b.get("parent"):
                over = (a["priority"], a["order"]) > (b["priority"], b["order"])
                if (box.x < other.x) != over:
                    wrong.append(f"{i} and {j}: what is on top is not left")
    for view in entry["views"]:
        if f"panel-{view['root']}" not in panels:
            wrong.append(f"no panel of the root {view['root']}")
            continue
        seen = [b for b in panels[f"panel-{view['root']}"] if "seen" in b.classes]
        if len(seen) != len(view["ranges"]):
            wrong.append(f"{len(seen)} ranges, not {len(view['ranges'])}")
        for box, item in zip(seen, view["ranges"]):
            if item["kind"] not in box.classes or \
                    box.target != f"#region-{item['region']}" or \
                    f"{item['first']} to {item['last']} " not in box.title or \
                    f"from {item['offset']} in it" not in box.title:
                wrong.append(f"range {item}: {box.title}")
    return wrong


def check_logarithm():
    """A stretch of 2^n bytes is as much higher than one of 2^(n-1) as that than ..."""
    regions = [region(0, "container", None, 0, 1 << 40)]
    addr = 0
    for n in range(38):
        regions.append(region(n + 1, "ram", 0, addr, 1 << n))
        addr += 1 << n
    svg = run(text=json.dumps({"spaces": [], "regions": regions, "views": []})).stdout
    boxes = [Box(g) for g in ElementTree.fromstring(svg).iter(SVG + "g")
             if (g.get("id") or "").startswith("region-")]
    heights = [box.height for box in sorted(boxes, key=lambda b: b.y) if box.label != "r0"]
    steps = [b - a for a, b in zip(heights, heights[1:])]
    point(len(heights) == 38 and min(steps) > 1 and max(steps) - min(steps) < 0.25 and
          heights[0] >= 10, "heights are logarithms of sizes", steps)


# ---- maps to draw -----------------------------------------------------------------------


def region(number, kind, parent, first, size, **more):
    entry = {"id": number, "name": f"r{number}", "kind": kind, "addr": hex(first),
             "size": hex(size), "priority": 0, "order": number, "enabled": True,
             "readonly": False}
    if size:
        entry["place"] = {"first": hex(first), "last": hex(first + size - 1)}
    if parent is not None:
        entry["parent"] = parent
    return entry | more


def map_by_chance(rand):
    regions = []
    for top in range(rand.randrange(1, 4)):
        start = len(regions)
        regions.append(region(start, "container", None, 0, rand.choice([1, 1 << 16, 1 << 64])))
        size = int(regions[start]["size"], 16)
        for i in range(rand.randrange(30)):
            first = rand.randrange(size)
            length = rand.choice([0, 1, 1 << rand.randrange(64), rand.randrange(size)])
            entry = region(len(regions), rand.choice(["container", "io", "ram", "rom", "romd",
                                                      "reservation"]),
                           rand.randrange(start, len(regions)), first,
                           min(length, size - first), priority=rand.randrange(-2, 3),
                           enabled=rand.random() < 0.8,
                           name=rand.choice(["<a & 'b'\">", "\x00\x1b\ud800", "x" * 90, "é→"]))
            if rand.random() < 0.3:
                entry |= {"kind": "alias", "alias": {"target": rand.randrange(start + 1),
                                                     "offset": hex(rand.randrange(99))}}
            regions.append(entry)
    return {"spaces": [], "regions": regions, "views": []}


def map_of(options):
    """The map of a machine, and all that it says on QMP."""
    commands = ["qmp_capabilities", "x-query-mtree", "quit"]
    said = subprocess.run(
        [PROGRAM, *options.split(), "-accel", "qtest", "-nodefaults", "-display", "none",
         "-qmp", "stdio"], input="".join(f'{{"execute":"{c}"}}\n' for c in commands),
        capture_output=True, text=True, timeout=60, check=False)
    for line in said.stdout.splitlines():
        value = json.loads(line).get("return", {})
        if "regions" in value:
            return value, said.stdout
    sys.exit(f"no map of {options}: {said.stdout}{said.stderr}")


def check_document(folder, picture):
    """What docs/monitor.md says to type makes @picture."""
    source = os.path.dirname(os.path.dirname(SCRIPT))
    with open(os.path.join(source, "docs/monitor.md"), encoding="utf-8") as file:
        lines = re.findall(r"^    \$ scripts/mtree-svg( .* -o (\S+))$", file.read(), re.M)
    for arguments, out in lines:
        typed = subprocess.run([sys.executable, SCRIPT, *arguments.split()], cwd=folder,
                               capture_output=True, timeout=60, check=False)
        with open(os.path.join(folder, out), "rb") as file:
            point(not typed.returncode and file.read() == picture,
                  f"as in docs/monitor.md:{arguments}", typed.stderr.decode())
    point(len(lines) == 1, "docs/monitor.md has a line to type", lines)


def main():
    for options in "-M microvm -m 2", "-M pc -m 64 -vga std -device bochs-display", "-M none":
        entry, said = map_of(options)
        drawn = run(text=said)
        wrong = [drawn.stderr.decode()] if drawn.returncode else check(drawn.stdout, entry)
        point(not wrong, f"the picture of {options}", "\n".join(wrong[:9]))
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "map"), os.path.join(folder, "svg")
        for text, form in (json.dumps(entry), "the result"), \
                          (json.dumps({"return": entry}, indent=1), "the reply"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            written = run(path, "-o", out)
            with open(out, "rb") as file:
                same = file.read() == run(text=said).stdout
            point(same and not written.stdout + written.stderr, f"from a file: {form}")
        address = os.path.join(folder, "qmp.sock")
        program = subprocess.Popen(
            [PROGRAM, "-M", "pc", "-accel", "qtest", "-nodefaults", "-display", "none",
             "-qmp", f"unix:{address},server=on,wait=off"])
        try:
            while not os.path.exists(address) and program.poll() is None:
                time.sleep(0.01)
            drawn = run("--qmp", f"unix:{address}")
            again = run("--qmp", address)
            point(not drawn.returncode and drawn.stdout == again.stdout and
                  b"pam-shadow" in drawn.stdout, "from a QMP server, twice",
                  drawn.stderr + again.stderr)
            check_document(folder, drawn.stdout)
        finally:
            program.terminate()
            program.wait(30)
        refused = [
            ((), "", "standard input: there is no map"),
            ((), "[]", "standard input: there is no map"),
            ((), '{"return": {}}', "standard input: there is no map"),
            ((), '{"regions": 5}', "not as x-query-mtree returns it"),
            ((), '{"regions": [], "views": [{}]}', "not as x-query-mtree returns it"),
            ((os.path.join(folder, "no"),), "", "No such file or directory"),
            ((folder,), "", "Is a directory"),
            (("--qmp", os.path.join(folder, "no")), "", "No such file or directory"),
            (("--qmp", path), "", "refused"),
            (("--qmp", "x", path), "", "either from --qmp or from a file"),
            (("-o", "/dev/full"), json.dumps(entry), "/dev/full: No space left"),
        ]
        bad = [region(0, "ram", 1, 0, 1)], \
              [region(0, "ram", None, 0, 1), region(0, "ram", 0, 0, 1)], \
              [region(0, "alias", None, 0, 1, alias={"target": 7, "offset": "0x0"})]
        for regions, words in zip(bad, ("the parent 1 of the region 0", "twice in a tree",
                                        "the target 7 is no region")):
            refused.append(((), json.dumps({"regions": regions, "views": []}), words))
        for args, text, words in refused:
            answer = run(*args, text=text)
            point(answer.returncode and words.encode() in answer.stderr and
                  b"Traceback" not in answer.stderr, f"refused: {words}",
                  answer.stderr.decode())
    rand = random.Random(int(os.environ.get("FLATVIEW_SEED", 5)))
    for _ in range(20):
        entry = map_by_chance(rand)
        drawn = run(text=json.dumps(entry))
        names = [re.sub("[\x00-\x1f\ud800]", "?", r["name"]) for r in entry["regions"]]
        for r, name in zip(entry["regions"], names):
            r["name"] = name
        wrong = [drawn.stderr.decode()] if drawn.returncode else check(drawn.stdout, entry)
        if wrong:
            break
    point(not wrong, "pictures of regions by chance",
          "\n".join(wrong[:9]) + "\n" + json.dumps(entry)[:2000])
    check_logarithm()
    print(f"1..{number}")
    return failed


sys.exit(main())
