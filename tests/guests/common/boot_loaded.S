/*
 * boot_loaded.S: boot.S for a program without an operating system: whoever loaded it has initialised the caches.
 */
#define LOADED
#include "common/boot.S"
