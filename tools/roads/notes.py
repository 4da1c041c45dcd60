"""notes.py: facts that stand beside the code, in comments: no byte of the image knows of them.

  loop: N            how often the body of the loop of this line is begun at most, for each time that the loop is entered; of a
                     loop that is all condition, how often that is asked. On a line that only says this, of the next line's
  loop: N; in all M  and M times at most for each call of the function that it is in
  once: WHY          a call of its function executes this line once at most
  either: NAME       of all lines with this name, a call of their function executes one at most, and that once
  never: F > G, H    while F runs, nobody calls G or H: neither itself nor whom it calls
  most: F > N G, H   N of the calls that F makes at most, G and H included, are of G or H, or lead there
  total: F > N G     G is called N times at most while F runs, by whomever
  calls: W > F, G    what the word W holds that the assembler calls by, or whom the function W calls by a pointer

N is made of numbers, + - * / ( ), max(), min(), and names: of gen/autoconf.h, gen/partitions.h and the other headers, enumerators
of the sources; of gen/partitions.json: most.X, how many X the VM has that has the most, and all.X, those of all VMs together; of
the image: bytes.X, the size of an object, and longest.text, the longest of its texts. Division rounds up.
"""

import ast
import glob
import json
import os
import re

from kconfig import InputError, fault, read_text

NOTE = re.compile(r"(?:[*/.:]|^)[ \t]*\b(loop|either|once|never|most|total|calls): (.*?)[ \t]*(?:\*/|$)", re.M)
TEXT = re.compile(rb"[\t\r\n -~]+(?=\0)")
DEFINE = re.compile(r"^[ \t]*#define[ \t]+(\w+)[ \t]+([^\n]+)$", re.M)
ENUM = re.compile(r"\benum\b[^{;]*\{([^}]*)\}", re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
FOLDERS = ("src", "src/*", "asm", "hypercalls", "previrt")


class Notes:
    """All notes of the tree, by file and line; and the names that their numbers are made of."""

    def __init__(self, root, generated, image):
        self.root, self.generated, self.image = root, generated, image
        self.loops, self.eithers, self.never, self.calls, self.names, self.most, self.total = {}, {}, {}, {}, {}, {}, {}
        self.local = {}                             # of a file's own

        for folder in FOLDERS:
            for path in sorted(glob.glob(os.path.join(root, folder, "*.[chS]"))):
                self._read(path)
        self._name_headers()

    def _read(self, path):
        text, short = read_text(path, "source"), os.path.relpath(path, self.root)
        lines = text.splitlines()
        for match in NOTE.finditer(text):
            number, kind, what = text.count("\n", 0, match.start()) + 1, match[1], match[2]
            if lines[number - 1].strip().lstrip("/") == match[0].strip().lstrip("/"):
                number += 1
            if kind in ("never", "calls", "most", "total"):
                who, _, whom = what.partition(" > ")
                if kind in ("most", "total"):
                    count, _, whom = whom.partition(" ")
                    if who.strip() in getattr(self, kind):
                        raise InputError(fault(short, number, f"{kind}: another one of {who.strip()}", "one for each function"))
                    getattr(self, kind)[who.strip()] = ((short, number), count, [name.strip() for name in whom.split(",")])
                if not whom:
                    raise InputError(fault(short, number, f"`{kind}: {what}` names nobody", f"{kind}: F > G, H"))
                if kind in ("never", "calls"):
                    getattr(self, kind).setdefault(who.strip(), set()).update(name.strip() for name in whom.split(","))
            elif kind == "loop":
                self.loops[short, number] = what
            else:
                self.eithers[short, number] = what if kind == "either" else (short, number)

    def _name_headers(self):
        """{name: its text}; of one with several, all of them. Generated ones are the product's and come first."""
        sets = [[os.path.join(self.generated, name) for name in ("autoconf.h", "partitions.h", "board_values.h", "offsets.h")],
                [path for folder in ("config", *FOLDERS)
                 for path in sorted(glob.glob(os.path.join(self.root, folder, "*.[chS]")))]]
        for paths in sets:
            found = {}
            for path in filter(os.path.exists, paths):
                text = COMMENT.sub(" ", read_text(path, "header").replace("\\\n", " "))
                for name, value in DEFINE.findall(text):
                    found.setdefault(name, set()).add(value.strip())
                    self.local.setdefault((os.path.relpath(path, self.root), name), set()).add(value.strip())
                for body in ENUM.findall(text):
                    previous = "-1"
                    for item in filter(None, (part.strip() for part in body.split(","))):
                        name, _, value = (part.strip() for part in item.partition("="))
                        previous = value or f"({previous}) + 1"
                        if re.fullmatch(r"\w+", name):
                            found.setdefault(name, set()).add(previous)
            self.names = {**found, **self.names}
        path = os.path.join(self.generated, "partitions.json")
        self.vms = json.loads(read_text(path, "partition table")).get("vms", []) if os.path.exists(path) else []

    def _of(self, what, name, place):
        """A number of the partition table or of the image."""
        if what in ("most", "all"):
            owned = [vm.get(name) or () for vm in self.vms]
            counts = [len(one) if isinstance(one, (list, tuple)) else 1 for one in owned]
            return max(counts, default=0) if what == "most" else sum(counts)
        if what == "bytes":
            sizes = [size for symbol, size in self.image.sizes.items() if symbol.split(".")[0] == name and size]
            if sizes:
                return max(sizes)
        if (what, name) == ("longest", "text"):
            return max((len(text) for _, data in self.image.data for text in TEXT.findall(data)), default=0)
        raise InputError(fault(*place, f"no {what}.{name} is known", "most.X, all.X, bytes.X, longest.text"))

    def number(self, text, place, depth=0):
        """Value of an expression."""
        path, line = place
        text = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", text).replace("&&", " and ").replace("||", " or ")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except SyntaxError:
            raise InputError(fault(path, line, f"`{text}` is no number", "names, numbers, + - * / ( ), max(), min()")) from None

        def value(node):
            if isinstance(node, ast.Constant) and isinstance(node.value, int):
                return node.value
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                return self._of(node.value.id, node.attr, place)
            if isinstance(node, ast.Name):
                texts = self.local.get((path, node.id)) or self.names.get(node.id, ())
                if depth > 8 or not texts:
                    raise InputError(fault(path, line, f"no {node.id} is known", "a name of an option, or of a header"))
                values = {self.number(one, place, depth + 1) for one in texts}
                if len(values) > 1:
                    several = " or ".join(map(str, sorted(values)))
                    raise InputError(fault(path, line, f"{node.id} is {several}", "a name of one value"))
                return values.pop()
            if isinstance(node, ast.BinOp):
                a, b = value(node.left), value(node.right)
                how = {ast.Add: lambda: a + b, ast.Sub: lambda: a - b, ast.Mult: lambda: a * b, ast.Div: lambda: -(-a // b),
                       ast.LShift: lambda: a << b}.get(type(node.op))
                if how and (b or not isinstance(node.op, ast.Div)):
                    return how()
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                return -value(node.operand)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("max", "min"):
                return (max if node.func.id == "max" else min)(*map(value, node.args))
            raise InputError(fault(path, line, f"`{text}` is no number", "names, numbers, + - * / ( ), max(), min()"))
        return value(tree)

    def check_age(self, path, code):
        """Notes are found by lines: those of an image that is older than a source are other lines."""
        for short in sorted({place[0] for places in code.lines.values() for place in places}):
            source = os.path.join(self.root, short)
            if os.path.exists(source) and os.path.getmtime(source) > os.path.getmtime(path):
                raise InputError(fault(path, None, f"older than {short}", "build it again: make"))

    def loop(self, places):
        """[((file, line), its text)] of notes at these places."""
        found = sorted({place for place in places if place in self.loops})
        return [(place, self.loops[place]) for place in found]
