/*
 * ramdisk.h: memory as the device of a disk's server (diskserver.h), and of a program that has it to itself.
 */
#ifndef RAMDISK_H
#define RAMDISK_H

#include "diskserver.h"

static uint8_t *ramdisk_at;

static bool ramdisk_read(uint32_t first, uint32_t sectors, uint8_t *to)
{
    ipc_copy_in(to, ramdisk_at + first * DISK_SECTOR, sectors * DISK_SECTOR);
    return true;
}

static bool ramdisk_write(uint32_t first, uint32_t sectors, const uint8_t *from)
{
    ipc_copy_out(ramdisk_at + first * DISK_SECTOR, from, sectors * DISK_SECTOR);
    return true;
}

/* A device's pages are not cached: when the stores are performed they are there. */
static bool ramdisk_flush(void)
{
    ipc_order();
    return true;
}

static const struct disk_device ramdisk = {ramdisk_read, ramdisk_write, ramdisk_flush};

#endif
