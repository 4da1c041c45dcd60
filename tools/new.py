#!/usr/bin/python3
"""Make a product of a guest's ELF file: config/<product> with a defconfig, a partition file and a copy of the guest.

  new.py --product mine --guest path/to/z.elf [--board ml403] [--top <the project's folder>]

The one VM has the memory that the ELF file's addresses ask for, with as much again for what its headers do not show (stack,
heap), and the shared console. A guest with instructions for the TLB gets option TLB_VIRT. What is made is checked as a build
checks it, and is there complete or not at all.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import os
import re
import shutil
import struct
import tempfile

import kconfig
import pack
from kconfig import InputError, fault, guess, run_tool, write_if_changed
from partitions import board_checks, write
from partitions.board import Board
from partitions.product import Product
from partitions.ranges import show_size

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY_MIN = 1 << 20                # the least a VM gets: one entry of the machine's TLB, as 64 KiB would take
TLBWE, TLBWE_MASK = 0x7C0007A4, 0xFC0007FF

DEFCONFIG = """\
{board}
CONFIG_STATS=y
{options}"""

PARTITIONS = """\
# {product}: one guest. Keys: config/README.md; a second VM is a second [[vm]].

[product]
name = "{product}"

[[vm]]
name = "{vm}"
image = "{image}"{space}# a copy, here; `make run PACK="--guest {vm}=<path>"` takes another one
memory = {memory}
console = "shared"{pad}# {console}
"""


def check_name(product, folder):
    """A name that make can take, and that nobody has."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", product):
        raise InputError(fault(f"PRODUCT={product}", None, "this is no name of a product", "letters, digits, _, - and ."))
    if os.path.lexists(folder):
        raise InputError(fault(folder, None, "is there already", "another name by PRODUCT=<name>, or remove it first"))


def read_board(name, place):
    """The board's file, read."""
    known = sorted(file[:-len(".toml")] for file in os.listdir(place) if file.endswith(".toml"))
    if name not in known:
        raise InputError(fault(f"BOARD={name}", None, f"there is no file config/boards/{name}.toml", guess(name, known)))
    faults = []
    board = Board(os.path.join(place, name + ".toml"), faults)
    if faults:
        raise InputError(*faults)
    return board


def board_options(board, kconf):
    """Lines of the defconfig that choose a board: one of ours, or a Virtex design of the user's."""
    if f"BOARD_{board.name.upper()}" in kconf.syms:
        return [f"CONFIG_BOARD_{board.name.upper()}=y"]
    if board.controller == "uic":
        raise InputError(fault(board.path, None, "a board of your own is a Virtex design, this one has a UIC",
                               "CONTRIBUTING.md says what else it takes"))
    return ["CONFIG_BOARD_OWN=y", f'CONFIG_BOARD="{board.name}"', *(["CONFIG_INTC_DCR=y"] if board.intc_base is None else [])]


def vm_name(path):
    """A VM's name out of its file's."""
    name = re.sub(r"[^a-z0-9_-]+", "-", os.path.splitext(os.path.basename(path))[0].lower()).strip("-")
    return name[:8].strip("-") or "guest"


def find_memory(path, pieces, board):
    """(guest address, bytes) of the memory of a guest: a power of two, from 0 if its addresses are near."""
    low, high = min(piece.paddr for piece in pieces), max(piece.paddr + piece.memsz for piece in pieces)
    ram = max(area["size"] for area in board.ram)
    taken = sum(area["size"] for area in board.reserved if area["base"] < ram)

    def size_for(base):
        size = max(MEMORY_MIN, 1 << (high - base - 1).bit_length())
        return size if 2 * (high - base) <= size or size == MEMORY_MIN and high - base <= size * 3 // 4 else 2 * size
    base, size = 0, size_for(0)
    if size > ram - taken:              # linked for another place: its memory begins there
        size = size_for(low)
        base = low // size * size
        size = max(size, size_for(base))
        base = low // size * size
    if size > ram - taken:
        raise InputError(fault(path, None, f"the guest is loaded from 0x{low:08X} to 0x{high - 1:08X}, that takes "
                               f"{show_size(size)} with its stack and heap, and the board {board.name} has {show_size(ram)}, of "
                               f"which {show_size(taken)} are the hypervisor's", "link it for less, or write partitions.toml by "
                               "hand (config/README.md)"))
    return base, size


def translates(pieces):
    """Has a guest an instruction that writes the TLB? Then it will turn translation on."""
    for piece in filter(lambda piece: piece.executable, pieces):
        data = pack.read_piece(piece)
        if any(word & TLBWE_MASK == TLBWE for word, in struct.iter_unpack(">I", data[:len(data) // 4 * 4])):
            return True
    return False


def texts(product, board, path, pieces, kconf):
    """(defconfig, partition file, file name of the copy)."""
    base, size = find_memory(path, pieces, board)
    vm = vm_name(path)
    image = f"{vm}.elf"
    memory = f'{{ size = "{show_size(size)}", guest = "0x{base:08X}" }}' if base else f'"{show_size(size)}"'
    device = board.devices[board.console] if board.console else None
    if device is None:
        raise InputError(fault(board.path, None, "the board has no console, which the guest would speak on",
                               'console = "<device>" in the board\'s file (config/README.md)'))
    column = max(len(f'image = "{image}"'), len('console = "shared"')) + 2
    options = ["CONFIG_TLB_VIRT=y"] if translates(pieces) else []
    return (DEFCONFIG.format(board="\n".join(board_options(board, kconf)), options="".join(line + "\n" for line in options)),
            PARTITIONS.format(product=product, vm=vm, image=image, memory=memory,
                              space=" " * (column - len(f'image = "{image}"')),
                              pad=" " * (column - len('console = "shared"')),
                              console=f"a {device['kind']} as the board's own {board.console}, at 0x{device['base']:08X}"), image)


def check(folder, board, kconf):
    """What a build checks before it compiles: options, partition file, guest."""
    partitions = os.path.join(folder, "partitions.toml")
    with tempfile.TemporaryDirectory() as out:
        kconfig.configure(kconf, argparse.Namespace(out=out, savedefconfig=False, menuconfig=False, set="",
                                                    defconfig=os.path.join(folder, "defconfig")))
        kconfig.write_outputs(kconf, out)
        config = kconfig.read_config(os.path.join(out, ".config"))
    faults = []
    board_checks.check_config(board, config)
    product = Product(partitions, board, config, faults)
    if faults:
        raise InputError(*faults)
    vm = write.as_json(product)["vms"][0]
    return pack.Guest(vm, os.path.join(folder, vm["image"]), [folder], partitions).notes


def make(product, board_name, guest, top):
    """Make the product. Returns what there is to say."""
    folder = os.path.relpath(os.path.join(top, "config", product))
    check_name(product, folder)
    board = read_board(board_name, os.path.relpath(os.path.join(top, "config", "boards")))
    _, pieces = pack.read_elf(guest)
    kconf = kconfig.load_kconfig(os.path.join(top, "Kconfig"))
    defconfig, partitions, image = texts(product, board, guest, pieces, kconf)
    try:
        draft = tempfile.mkdtemp(prefix=".new-", dir=os.path.dirname(folder))
    except OSError as error:
        raise InputError(fault(os.path.dirname(folder), None, f"can't write: {os.strerror(error.errno)}",
                               "is the folder writable?")) from None
    try:
        write_if_changed(os.path.join(draft, "defconfig"), defconfig)
        write_if_changed(os.path.join(draft, "partitions.toml"), partitions)
        shutil.copyfile(guest, os.path.join(draft, image))
        notes = check(draft, board, kconf)
        os.chmod(draft, 0o777 & ~umask())
        os.rename(draft, folder)
    except InputError as error:
        raise InputError(*(line.replace(draft, folder) for line in error.lines)) from None
    except OSError as error:
        raise InputError(fault(folder, None, f"can't write: {os.strerror(error.errno)}", "is there room?")) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [f"{folder}: defconfig, partitions.toml, {image}. Next: make run PRODUCT={product}",
            *(note.replace(draft, folder) for note in notes)]


def umask():
    """The process' own."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def main(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--product", required=True, help="its name, that of the folder")
    parser.add_argument("--board", default="ref405ep", help="of config/boards (%(default)s)")
    parser.add_argument("--guest", required=True, help="its ELF file")
    parser.add_argument("--top", default=TOP, help="the project's folder")
    args = parser.parse_args(argv)
    if not args.guest:
        raise InputError(fault("GUEST", None, "no guest is named", "make new PRODUCT=<name> BOARD=<board> GUEST=<its ELF file>"))
    for line in make(args.product, args.board or "ref405ep", args.guest, args.top):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
