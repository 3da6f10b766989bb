#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare two results of query-qmp-schema: what clients of the second know must
hold of the first. For each command and event that both have:

- an argument has the same name and type there, and one that must be there in
  the second need not be more than in the first, or the other way round;
- a member of a result has the same name and type there, and what must always be
  there in the second is there in the first;
- an enumeration has no value that the second lacks.

Types are followed by what they are made of, as their names say nothing.
usage: compare-schema.py OURS THEIRS
"""
import json
import sys


class Schema:
    def __init__(self, path):
        with open(path) as file:
            entities = json.load(file)
        self.entities = {(e["meta-type"] in ("command", "event"), e["name"]): e
                         for e in entities}
        self.named = {name: e for (named, name), e in self.entities.items() if named}

    def type(self, name):
        return self.entities[False, name]


class Comparison:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs
        self.errors = []
        self.compared = 0

    def error(self, where, what):
        self.errors.append(f"{where}: {what}")

    def types(self, where, our_name, their_name, is_result, seen=()):
        if (our_name, their_name) in seen:
            return
        seen += ((our_name, their_name),)
        our, their = self.ours.type(our_name), self.theirs.type(their_name)
        if their.get("json-type") == "value":
            return
        if our["meta-type"] != their["meta-type"]:
            self.error(where, f"{our['meta-type']}, not {their['meta-type']}")
        elif our["meta-type"] == "builtin":
            if our["json-type"] != their["json-type"]:
                self.error(where, f"{our['json-type']}, not {their['json-type']}")
        elif our["meta-type"] == "enum":
            for value in our["values"]:
                if value not in their["values"]:
                    self.error(where, f"no client knows the value '{value}'")
        elif our["meta-type"] == "array":
            self.types(where + "[]", our["element-type"], their["element-type"],
                       is_result, seen)
        elif our["meta-type"] == "object":
            self.objects(where, our, their, is_result, seen)

    def objects(self, where, our, their, is_result, seen):
        self.members(where, our, their, is_result, seen)
        if "tag" in our and our["tag"] != their.get("tag"):
            self.error(where, f"'{our['tag']}' chooses, not {their.get('tag')}")
        elif "tag" in our:
            cases = {v["case"]: v["type"] for v in their["variants"]}
            for variant in our["variants"]:
                case = variant["case"]
                if case in cases:
                    self.types(f"{where}({case})", variant["type"], cases[case],
                               is_result, seen)

    def members(self, where, our, their, is_result, seen):
        ours = {m["name"]: m for m in our["members"]}
        theirs = {m["name"]: m for m in their["members"]}
        if not is_result and "tag" in their and "tag" not in our:
            # What some case of theirs takes, ours takes at any time.
            for variant in their["variants"]:
                for member in self.theirs.type(variant["type"])["members"]:
                    theirs.setdefault(member["name"], dict(member, default=None))
        for name, member in ours.items():
            if name not in theirs:
                self.error(where, f"no client knows the member '{name}'")
                continue
            other = theirs[name]
            self.compared += 1
            if is_result:
                if "default" in member and "default" not in other:
                    self.error(where, f"'{name}' may be missing")
            elif "default" in other and "default" not in member:
                self.error(where, f"'{name}' must be there")
            self.types(f"{where}.{name}", member["type"], other["type"],
                       is_result, seen)
        for name, other in theirs.items():
            if name not in ours and "default" not in other:
                self.error(where, f"'{name}' is missing" if is_result else
                           f"'{name}', which clients always give, is refused")


def main():
    comparison = Comparison(Schema(sys.argv[1]), Schema(sys.argv[2]))
    ours, theirs = comparison.ours, comparison.theirs
    both = sorted(set(ours.named) & set(theirs.named))
    for name in both:
        our, their = ours.named[name], theirs.named[name]
        comparison.types(f"{name} arguments", our["arg-type"], their["arg-type"],
                         our["meta-type"] == "event")
        if our["meta-type"] == "command":
            comparison.types(f"{name} result", our["ret-type"],
                             their["ret-type"], True)
    for error in comparison.errors:
        print(error)
    print(f"{len(both)} commands and events, {comparison.compared} members:"
          f" {len(comparison.errors)} differences")
    for name in sorted(set(ours.named) - set(theirs.named)):
        print(f"only here: {name}")
    return 1 if comparison.errors or not comparison.compared else 0


sys.exit(main())
