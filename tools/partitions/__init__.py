"""What tools/partition.py does: the keys of both files, how they are read, what is checked, what is written.

  keys.py       every key, its type, default, limits and meaning: the one table
  lines.py      the line of each key of a TOML file
  reader.py     typed access to such a file by the table of keys; faults are collected
  ranges.py     address ranges, pages of the TLB, the hypervisor's ABI
  board.py      a board file, read                    board_checks.py     its rules
  vm.py         one [[vm]], read
  plans.py      [[plan]]: the windows of a cyclic scheduler
  product.py    a partition file, read as a whole     product_checks.py   its rules
  flow.py       who can influence whom, and what [flow] forbids of it
  place.py      where VMs and register pages are in memory, the static TLB
  write.py      the tables for the hypervisor and for other tools
"""
