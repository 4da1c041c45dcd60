#!/usr/bin/python3
"""Check a product's partition file against its board and configuration, and write the const tables of the hypervisor.

  partition.py --board config/boards/ref405ep.toml --config build/demo/.config --out build/demo/gen \\
               config/demo/partitions.toml
      writes partitions.c, partitions.h, board_values.h and partitions.json; and <vm>.peers of each VM with tunnels
  partition.py ... --check     only checks
  partition.py ... --table     prints the partitions

The keys of both files are the table of tools/partitions/keys.py (for people: config/README.md), the C structures are in
src/vm/partition.h, the bits of a VM's feature word in hypercalls/abi.h. All faults are reported at once, each with file,
line, cause and a hint; with a fault nothing is written.
"""

import sys

sys.dont_write_bytecode = True      # generated files belong under build/ only

import argparse
import json
import os

from kconfig import InputError, read_config, run_tool, write_if_changed
from partitions import board_checks, write
from partitions.board import Board
from partitions.product import Product


def main(argv=None):
    """Parse the command line, check, and write or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="\n".join(__doc__.split("\n")[1:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("partitions", help="the partition file, config/<product>/partitions.toml")
    parser.add_argument("--board", required=True, help="the board file, config/boards/<board>.toml")
    parser.add_argument("--config", required=True, help="the configuration, build/<product>/.config")
    parser.add_argument("--out", help="folder for the generated files, build/<product>/gen")
    parser.add_argument("--check", action="store_true", help="only check")
    parser.add_argument("--accept-idle", action="store_true",
                        help="pass VMs on that nobody can start: the hypervisor's own tests have one")
    parser.add_argument("--table", action="store_true", help="print the partitions")
    args = parser.parse_args(argv)
    if not (args.out or args.check or args.table):
        parser.error("nothing to do: give --out, --check or --table")
    faults = []
    config = read_config(args.config)
    board = Board(args.board, faults)
    board_checks.check_config(board, config)
    if faults:
        raise InputError(*faults)
    product = Product(args.partitions, board, config, faults, args.accept_idle)
    if faults:
        raise InputError(*sorted(faults, key=lambda text: int(text[len(args.partitions) + 1:].split(":")[0])))
    if args.table:
        print(write.render_table(product))
    if args.out and not args.check:
        files = {"partitions.h": write.render_header(product), "partitions.c": write.render_c(product),
                 "board_values.h": write.render_board(board),
                 "partitions.json": json.dumps(write.as_json(product), indent=2) + "\n",
                 **{f"{vm.name}.peers": write.render_peers(vm) for vm in product.vms if vm.ends}}
        for name, text in files.items():
            write_if_changed(os.path.join(args.out, name), text)
    return 0


if __name__ == "__main__":
    sys.exit(run_tool(main))
