# Proteus: `make help` lists the targets.

PRODUCT ?= demo
O       ?= build/$(PRODUCT)
PYTHON  := /usr/bin/python3
CROSS_COMPILE ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
CC      := $(CROSS_COMPILE)gcc
GUESTS  := build/guests
Q       := $(if $(V),,@)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- configuration ---------------------------------------------------------------------------------------------------
DEFCONFIG  := config/$(PRODUCT)/defconfig
PARTITIONS := config/$(PRODUCT)/partitions.toml
GEN        := $(O)/gen
-include $(O)/config.mk
BOARD := $(patsubst "%",%,$(CONFIG_BOARD))

$(O)/config.mk: $(DEFCONFIG) Kconfig tools/kconfig.py $(O)/extra
	$(Q)$(PYTHON) tools/kconfig.py --kconfig Kconfig --defconfig $(DEFCONFIG) --out $(O) --set "$(EXTRA_CONFIG)"
	$(Q)touch $@

# EXTRA_CONFIG="CONFIG_X=n CONFIG_Y=3" overrides single options; a change of it is a change of configuration.
$(O)/extra: FORCE
	$(Q)mkdir -p $(O); echo '$(EXTRA_CONFIG)' | cmp -s - $@ || echo '$(EXTRA_CONFIG)' > $@
FORCE:

$(GEN)/partitions.h: $(PARTITIONS) config/boards/$(BOARD).toml tools/partition.py $(O)/config.mk
	$(Q)$(PYTHON) tools/partition.py --board config/boards/$(BOARD).toml --config $(O)/.config $(PARTITIONS) --out $(GEN)
	$(Q)touch $@

# ---- hypervisor ------------------------------------------------------------------------------------------------------
# A feature is a file: each option adds its own.
ASM := $(patsubst asm/%.S,%,$(wildcard asm/*.S))
SRC-y := vcpu memory timer emulate spr fault board_$(BOARD)
SRC-$(CONFIG_SCHED_RR)     += sched_rr
SRC-$(CONFIG_FIT_WATCHDOG) += events
SRC-$(CONFIG_UIC)          += uic
SRC-$(CONFIG_MMIO)         += mmio
SRC-$(CONFIG_CONSOLE)      += console
SRC-$(CONFIG_MESSAGES)     += message
SRC-$(CONFIG_STATS)        += stats
OBJECTS := $(ASM:%=$(O)/asm/%.o) $(SRC-y:%=$(O)/src/%.o) $(O)/gen/partitions.o

CPPFLAGS := -include $(GEN)/autoconf.h -Iconfig -I$(GEN) -Isrc -Isrc/cpu -Iasm -Ulinux -Uunix -Upowerpc
# r7-r10 and CTR stay the guest's while C runs: every road has less to save (asm/cold.S).
FIXED    := $(addprefix -ffixed-,r7 r8 r9 r10 ctr)
CODEGEN  := -mmultiple -fno-jump-tables $(FIXED)
ARCH     := -mcpu=405 -msoft-float -mno-dlmzb -mno-eabi -msdata=data -G0 -fno-pic -fno-pie
CFLAGS   := $(ARCH) -Os -g -std=gnu11 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-common \
            -ffunction-sections -fdata-sections -Wall -Wextra -Wmissing-prototypes -Wno-pedantic -Werror -fstack-usage -flto $(CODEGEN)
ASFLAGS  := $(ARCH) -Wa,-mregnames -g -D__ASSEMBLER__
LDFLAGS  := -flto -Os $(CODEGEN) -Wl,--no-warn-rwx-segments -nostdlib -static -no-pie -Wl,--build-id=none,--gc-sections,--fatal-warnings,-z,noexecstack

$(GEN)/offsets.h: src/offsets.c asm/offsets.def $(wildcard src/*.h config/*.def config/*.h) $(GEN)/partitions.h
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -g -fstack-usage -flto,$(CFLAGS)) -Wno-missing-prototypes -S -o $(GEN)/offsets.s src/offsets.c
	$(Q)sed -n 's/^[[:space:]]*@define/#define/p' $(GEN)/offsets.s > $@
	$(Q)sed 's/#define /#define CHECKED_/' $@ > $(GEN)/offsets_checked.h

HEADERS := Makefile $(GEN)/offsets.h $(GEN)/partitions.h $(wildcard src/*.h src/cpu/*.h asm/*.h config/*.def config/*.h) asm/offsets.def
$(O)/asm/%.o: asm/%.S $(HEADERS)
	$(Q)mkdir -p $(@D); $(CC) $(CPPFLAGS) $(ASFLAGS) -c -o $@ $<
$(O)/src/%.o: src/%.c $(HEADERS)
	$(Q)mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(O)/gen/%.o: $(GEN)/partitions.h
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $(GEN)/$*.c
$(O)/link.ld: src/proteus.lds.S $(HEADERS) Makefile
	$(Q)$(CC) $(CPPFLAGS) -E -P -x assembler-with-cpp -o $@ $<

# ---- image: hypervisor and guests ------------------------------------------------------------------------------------
$(O)/images.S: $(GEN)/partitions.h tools/pack.py | guests
	$(Q)$(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --guest-dir $(GUESTS) --out $@ --depfile $@.d
-include $(O)/images.S.d
.PHONY: guests
guests:
	$(Q)$(MAKE) -s -C tests/guests OUT=$(abspath $(GUESTS)) CROSS_COMPILE=$(CROSS_COMPILE)
$(O)/images.o: $(O)/images.S
	$(Q)$(CC) $(ASFLAGS) -c -o $@ $<
$(O)/proteus.elf: $(OBJECTS) $(O)/src/verify.o $(O)/images.o $(O)/link.ld
	$(Q)$(CC) $(ARCH) $(LDFLAGS) -Wl,-Map=$(O)/proteus.map -T $(O)/link.ld -o $@ $(OBJECTS) $(O)/images.o
	$(Q)$(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --image $@
	@echo "  IMAGE $@"
