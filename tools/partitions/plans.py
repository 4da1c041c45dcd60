"""[[plan]] of a partition file: the windows of a cyclic scheduler, read and checked."""

from kconfig import guess
from partitions.keys import PARTITIONS


def read(product, data):
    """[{name, line, frame_us, windows}] of the plans; a window is {vm: its index, at_us, us, line}, in order and apart."""
    reader, cyclic = product.reader, product.config.get("SCHED_CYCLIC")
    tables = reader.tables(data, "plan")
    if tables and not cyclic:
        reader.fault(("plan", 0), "a plan needs CONFIG_SCHED_CYCLIC",
                     "set CONFIG_SCHED_CYCLIC=y in the defconfig, or remove [[plan]]")
    elif cyclic and not tables:
        reader.fault((), "CONFIG_SCHED_CYCLIC needs a plan", '[[plan]] with name and windows = [{ vm = "a", us = 1000 }, ...]')
    plans = [read_plan(product, path, table) for path, table in tables]
    check(product, plans)
    return plans


def read_plan(product, path, table):
    """One table."""
    reader = product.reader
    values = reader.values(PARTITIONS["plan"], table, path)
    windows, end = [], 0
    for index, item in enumerate(values["windows"]):
        place = (*path, "windows", index)
        if not isinstance(item, dict):
            reader.fault(place, "a window has to be a table", 'windows = [{ vm = "a", us = 1000 }]')
            continue
        row = reader.values(PARTITIONS["windows"], item, place)
        begin = end if row["at_us"] is None else row["at_us"]
        if begin < end:
            reader.fault(place, f"the window begins at {begin} us, and the one before it ends at {end} us",
                         f"at_us = {end} at least, or leave it out")
            begin = end
        end = begin + row["us"]
        windows.append({"vm": vm_of(product, row["vm"], place), "at_us": begin, "us": row["us"], "line": reader.toml.line(place)})
    frame = values["frame_us"]
    if frame is not None and frame < end:
        reader.fault((*path, "frame_us"), f"the windows end at {end} us, and the frame at {frame} us",
                     f"frame_us = {end}, or less in it")
    if not windows and "windows" in table:
        reader.fault((*path, "windows"), "a plan without a window", 'windows = [{ vm = "a", us = 1000 }]')
    return {"name": values["name"], "path": path, "line": reader.toml.line(path), "frame_us": max(frame or 0, end),
            "windows": windows}


def vm_of(product, name, place):
    """The index of a VM."""
    names = [vm.name for vm in product.vms]
    if name in names:
        return names.index(name)
    if name != "?":
        product.reader.fault(place, f"there is no vm '{name}'", guess(name, names))
    return 0


def check(product, plans):
    """Names are unique; each VM has its time in one of the plans, and somebody can ask for those behind the first."""
    names = [plan["name"] for plan in plans]
    for index, plan in enumerate(plans):
        if plan["name"] in names[:index] and plan["name"] != "?":
            product.reader.fault((*plan["path"], "name"), f"plan '{plan['name']}' is there twice", "names are unique")
    seen = {window["vm"] for plan in plans for window in plan["windows"]}
    for vm in product.vms if plans else []:
        if vm.index not in seen:
            vm.fault((), "no plan has a window for it", f'windows = [..., {{ vm = "{vm.name}", us = 1000 }}]')
    choosers = [vm for vm in product.vms if vm.plans]
    if plans[1:] and not choosers:
        product.reader.fault(plans[1]["path"], f"nobody can ask for plan '{plans[1]['name']}'", "plans = true for one of the VMs")
    for vm in choosers:
        if not (vm.paravirt and product.config.get("SERVICES")):
            vm.fault("plans", "it chooses the plan by a hypercall of CONFIG_SERVICES",
                     "paravirt = true, and CONFIG_SERVICES=y in the defconfig")


def ticks(product, microseconds):
    """A point of the frame in ticks of the time base."""
    return (microseconds * product.board.tb_hz + 500_000) // 1_000_000


def rows(product, plan):
    """[(ticks, vm's index or None)]: the windows, and what is between them."""
    result, end = [], 0
    for window in [*plan["windows"], {"vm": None, "at_us": plan["frame_us"], "us": 0}]:
        for vm, begin, until in ((None, end, window["at_us"]), (window["vm"], window["at_us"], window["at_us"] + window["us"])):
            if until > begin:
                result.append((ticks(product, until) - ticks(product, begin), vm))
        end = window["at_us"] + window["us"]
    return result
