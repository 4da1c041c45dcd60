/*
 * qemu_plugin.h: the part of QEMU's TCG plugin interface that count.c uses, of version 1 (QEMU 7.2) and 3 (QEMU 10).
 *
 * Debian ships QEMU with plugins enabled but without the header. These declarations are written from the documented
 * interface ("QEMU TCG Plugins"); QEMU resolves the functions when it loads the plugin, and refuses the plugin when its
 * version is not one that it serves. The versions differ in qemu_plugin_insn_data(), and in functions that only the
 * newer one has: by one of those a plugin knows which QEMU has loaded it.
 */
#ifndef QEMU_PLUGIN_H
#define QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))
#define QEMU_PLUGIN_VERSION 1
#define QEMU_PLUGIN_VERSION_COPY 3      // from here on qemu_plugin_insn_data() copies

typedef uint64_t qemu_plugin_id_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

// What QEMU says of itself when it loads a plugin; valid during qemu_plugin_install() only.
typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus;
        int max_vcpus;
    } system;
} qemu_info_t;

// What a callback does with the guest's registers: nothing.
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS = 0 };

typedef void (*qemu_plugin_tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_exec_cb)(unsigned int vcpu_index, void *userdata);
typedef void (*qemu_plugin_atexit_cb)(qemu_plugin_id_t id, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_trans_cb callback);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb callback,
                                            enum qemu_plugin_cb_flags flags, void *userdata);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_atexit_cb callback, void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *copy, size_t size);    // the result: version 1
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size) __attribute__((weak));   // not in version 1

#endif
