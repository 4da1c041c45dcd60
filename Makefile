# Proteus: `make help` lists the targets.

PRODUCT ?= demo
TROUBLE := $(if $(filter-out help clean,$(MAKECMDGOALS)),$(shell tools/start.sh '$(PRODUCT)' '$(O)' '$(MAKECMDGOALS)'))
$(if $(TROUBLE),$(error $(TROUBLE)))
O       ?= build/$(PRODUCT)
# All that is generated: below build/, or in an O elsewhere
BUILD   := $(if $(filter build/%,$(O)),build,$(O))
PYTHON  := /usr/bin/python3
# A choice of the user's is in the environment of all that make runs; the default is not (tools/deps.sh)
CROSS_COMPILE ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
CC      := $(CROSS_COMPILE)gcc
GUESTS  := $(BUILD)/guests
LIMIT   := $(if $(TIMEOUT),--timeout $(TIMEOUT))
PRODUCTS := $(notdir $(patsubst %/defconfig,%,$(wildcard config/*/defconfig)))
Q       := $(if $(V),,@)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help run rom run-rom test test-quick check system unit footprint bench schedule flow bounds bench-linux linux readme mutate jitter fresh lint qemu menuconfig savedefconfig clean debug new bench-ipc soak guests kernel FORCE

help: ## this list
	@echo "Proteus, a hybrid hypervisor for the PowerPC 405. PRODUCT=$(PRODUCT), of: $(PRODUCTS)"
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: deps-run ## build PRODUCT and its guests, run them on QEMU, print what happened
	$(Q)$(MAKE) --no-print-directory $(O)/proteus.elf $(O)/run
	$(Q)$(PYTHON) tools/run.py --image $(O)/proteus.elf $(LIMIT) $(RUN)
debug: deps-debug ## gdb on one VM of PRODUCT, as on a board of its own: VM=<name>, DEBUG=<arguments for gdb>
	$(Q)$(MAKE) --no-print-directory $(O)/proteus.elf $(O)/run
	$(Q)$(PYTHON) tools/debug.py --image $(O)/proteus.elf --vm='$(VM)' -- $(DEBUG)
rom: deps-run ## the same as a ROM image: build/PRODUCT-rom/proteus.bin
	$(Q)$(MAKE) --no-print-directory O=$(O)-rom BUILD=$(BUILD) EXTRA_CONFIG="$(EXTRA_CONFIG) CONFIG_ROM=y" $(O)-rom/proteus.bin
run-rom: rom ## run the ROM image
	$(Q)$(MAKE) --no-print-directory O=$(O)-rom BUILD=$(BUILD) EXTRA_CONFIG="$(EXTRA_CONFIG) CONFIG_ROM=y" $(O)-rom/run
	$(Q)$(PYTHON) tools/run.py --rom $(O)-rom/proteus.bin $(LIMIT) $(RUN)
new: deps-run ## a product of a guest: make new PRODUCT=<name> GUEST=<ELF file> [BOARD=<board>]; then make run PRODUCT=<name>
	$(Q)$(PYTHON) tools/new.py --product='$(PRODUCT)' --board='$(BOARD)' --guest='$(GUEST)'
test: deps-test ## everything that can fail: unit, tool and system tests, coverage of rows, ledgers
	$(Q)$(PYTHON) tests/run.py all $(if $(V),-v)
test-quick: deps-test ## unit and tool tests only
	$(Q)$(PYTHON) tests/run.py quick $(if $(V),-v)
check: deps-config ## configuration: every product's options and partition file
	$(Q)for p in $(PRODUCTS); do \
	  $(MAKE) -s --no-print-directory PRODUCT=$$p O=$(BUILD)/$$p $(BUILD)/$$p/gen/partitions.h && echo "  OK    $$p" || exit 1; done
system: deps-test ## system tests on QEMU
	$(Q)$(PYTHON) tests/run.py system $(if $(V),-v)
unit: deps-test ## host unit tests of the real C sources
	$(Q)$(PYTHON) tests/run.py unit $(if $(V),-v)
footprint: deps-run ## bytes per file and option: build/footprint.json, build/footprint.svg
	$(Q)$(MAKE) -s guests
	$(Q)$(PYTHON) tools/footprint.py $(if $(GATE),--gate)
PATHS  := mfspr,mtspr,mfmsr,mtmsr,wrteei,rfi,sc_reflect,hypercall,ipcm_connect,ipcm_status,doorbell,tlbwe,tlb_refill,tlb_miss,pit_delivery,pit_delivery_reload,vm_switch,vm_switch_deliver,vm_switch_c,vm_switch_c_deliver
DECIDE := rr prio cyclic reserve
PATHS  := $(PATHS),$(subst $() ,$(),$(DECIDE:%=decision_%,))irfm_mfspr,irfm_mtspr,irfm_wrteei_0,irfm_wrteei_1,masked
TABLE1 := ctask ffttask simplefft
image   = build/table1-$(1)/proteus.elf
bench: deps-bench ## exact path lengths and Table 1: build/bench.json
	$(Q)for p in bench bench-reload bench-tlb $(foreach w,$(TABLE1),table1-$(w) table1-$(w)-previrt table1-$(w)-para); do $(MAKE) --no-print-directory PRODUCT=$$p build/$$p/proteus.elf || exit 1; done
	$(Q)for p in bench bench-reload; do $(MAKE) --no-print-directory PRODUCT=$$p O=build/$$p-with-tlb EXTRA_CONFIG=CONFIG_TLB_VIRT=y build/$$p-with-tlb/proteus.elf || exit 1; done
	$(Q)for s in $(DECIDE); do $(MAKE) --no-print-directory PRODUCT=bench O=build/bench-$$s PARTITIONS=config/bench/$$s.toml EXTRA_CONFIG="CONFIG_FAST_SWITCH=n CONFIG_SCHED_$$(echo $$s | tr a-z A-Z)=y" build/bench-$$s/proteus.elf || exit 1; done
	$(Q)for w in $(TABLE1); do $(MAKE) --no-print-directory PRODUCT=table1-$$w O=build/table1-$$w-optimize PARTITIONS=config/table1-$$w/optimize.toml EXTRA_CONFIG="CONFIG_IRFM=y CONFIG_OPTIMIZE=y CONFIG_TEXT_BUDGET=0 CONFIG_DATA_BUDGET=0" build/table1-$$w-optimize/proteus.elf || exit 1; done
	$(Q)tools/qemu/build.sh --machine ref405ep > /dev/null
	$(Q)$(PYTHON) tools/bench.py $(if $(GATE),--gate --require $(PATHS)) $(foreach p,bench bench-reload,--image build/$p/proteus.elf --with-tlb build/$p-with-tlb/proteus.elf) --walks $(GUESTS)/bench.elf --tlb build/bench-tlb/proteus.elf $(foreach s,$(DECIDE),--decision $s=build/bench-$s/proteus.elf) --out build/bench.json \
	  $(foreach w,$(TABLE1),--table1 $(w)=$(GUESTS)/$(w).elf,$(call image,$(w)),$(call image,$(w)-previrt),$(call image,$(w)-para),$(call image,$(w)-optimize))
TALKS := ipc ipc-equal disk
bench-ipc: deps-bench qemu ## messages between VMs, and drivers as partitions beside native ones: build/bench-ipc.json
	$(Q)for s in $(TALKS); do $(MAKE) --no-print-directory PRODUCT=bench O=build/bench-$$s PARTITIONS=config/bench/$$s.toml EXTRA_CONFIG="CONFIG_FAST_SWITCH=n CONFIG_SCHED_PRIO=y" build/bench-$$s/proteus.elf || exit 1; done
	$(Q)$(MAKE) --no-print-directory PRODUCT=bench O=build/bench-card PARTITIONS=config/bench/card.toml EXTRA_CONFIG="CONFIG_FAST_SWITCH=n CONFIG_SCHED_PRIO=y CONFIG_BOARD_ML403=y CONFIG_TEXT_BUDGET=0" build/bench-card/proteus.elf
	$(Q)$(PYTHON) tools/bench_ipc.py $(if $(GATE),--gate) --image ipc=build/bench-ipc/proteus.elf --image equal=build/bench-ipc-equal/proteus.elf --image disk=build/bench-disk/proteus.elf --image card=build/bench-card/proteus.elf \
	  --bare disk=$(GUESTS)/ipcbench.elf,ref405ep --bare card=$(GUESTS)/ml403/ipcbench.elf,virtex-ppc405 --out build/bench-ipc.json
SCHEDULE = $(PYTHON) tools/schedule.py --partitions $(GEN)/partitions.json --bench $(BUILD)/bench.json --out $(O)
schedule: deps-config ## prove that PRODUCT's tasks keep their deadlines: table, build/PRODUCT/schedule.svg and .json
	$(Q)$(MAKE) --no-print-directory $(GEN)/partitions.h
	$(Q)$(SCHEDULE) --show
flow: deps-flow ## who can influence whom in PRODUCT, and by what: text, build/PRODUCT/flow.svg
	$(Q)$(MAKE) --no-print-directory $(GEN)/partitions.h
	$(Q)$(PYTHON) tools/flow.py --partitions $(GEN)/partitions.json --out $(O)
bounds: deps-bounds ## the longest path of every road through PRODUCT's image, and of a run: build/PRODUCT/bounds.json
	$(Q)$(MAKE) --no-print-directory $(O)/proteus.elf
	$(Q)$(PYTHON) tools/bounds.py --image $(O)/proteus.elf $(if $(MEASURE),--measure)
LINUXES := linux linux-previrt linux-jitter
bench-linux: deps-bench linux qemu ## what Linux costs as a guest, by cause: build/bench-linux.json
	$(Q)for p in $(LINUXES); do $(MAKE) --no-print-directory PRODUCT=$$p O=build/$$p-bench EXTRA_CONFIG=CONFIG_STATS=n build/$$p-bench/proteus.elf || exit 1; done
	$(Q)$(MAKE) --no-print-directory PRODUCT=linux O=build/linux-optimize-bench PARTITIONS=config/linux/optimize.toml EXTRA_CONFIG="CONFIG_STATS=n CONFIG_IRFM=y CONFIG_OPTIMIZE=y CONFIG_TEXT_BUDGET=0 CONFIG_DATA_BUDGET=0" build/linux-optimize-bench/proteus.elf
	$(Q)$(PYTHON) tools/bench_linux.py $(if $(GATE),--gate) --native $(GUESTS)/linux.elf --full build/linux-bench/proteus.elf \
	  --optimize build/linux-optimize-bench/proteus.elf \
	  --previrt build/linux-previrt-bench/proteus.elf --patched $(GUESTS)/linux-previrt.elf \
	  --jitter build/linux-jitter-bench/proteus.elf --jitter-native $(GUESTS)/jitter.elf --out build/bench-linux.json
linux: deps-linux ## Linux for the products linux*: build/guests/linux.elf (minutes; kept while its inputs stay)
	$(Q)tests/guests/linux/build.sh $(BUILD)/kernel $(GUESTS)
readme: ## put what footprint and bench measured into README.md
	$(Q)$(PYTHON) tools/readme.py
	$(Q)$(PYTHON) tools/hypercalls.py --update-readme hypercalls/README.md
	$(Q)$(PYTHON) tools/reference.py
mutate: deps-test qemu ## 200 wrong hypervisors meet their tests: nightly, an hour or two (tests/mutants)
	$(Q)$(PYTHON) tests/mutants/mutate.py
jitter: deps-test ## how late a job is under each scheduler beside each neighbour: nightly, build/jitter.json, .svg
	$(Q)tools/qemu/build.sh --machine ref405ep > /dev/null
	$(Q)$(PYTHON) tests/jitter/jitter.py $(JITTER)
soak: deps-test qemu ## four VMs talk for a billion instructions under each scheduler, every message accounted for: build/soak.json
	$(Q)tools/qemu/build.sh --machine ref405ep > /dev/null
	$(Q)$(PYTHON) tests/soak/soak.py $(SOAK)
fresh: deps-fresh ## the README's quick start on a bare Debian 12 and 13, as root and with sudo (FULL=1: and make test)
	$(Q)$(PYTHON) tests/fresh/fresh.py $(if $(FULL),--full)
lint: deps-lint ## static checks
	$(Q)tools/lint.sh
qemu: ## build/qemu: the patched QEMU, with Virtex boards (tools/qemu; some minutes, once)
	$(Q)tools/qemu/build.sh
menuconfig: deps-config $(O)/extra ## choose options for PRODUCT (then: savedefconfig)
	$(Q)$(PYTHON) tools/kconfig.py --menuconfig --kconfig Kconfig --defconfig $(DEFCONFIG) --out $(O)
savedefconfig: deps-config ## write the chosen options to config/PRODUCT/defconfig
	$(Q)$(PYTHON) tools/kconfig.py --savedefconfig --kconfig Kconfig --defconfig $(DEFCONFIG) --out $(O)
clean: ## remove build/
	$(Q)rm -rf build
deps-%:
	$(Q)tools/deps.sh $*

# ---- configuration ---------------------------------------------------------------------------------------------------
DEFCONFIG  := config/$(PRODUCT)/defconfig
PARTITIONS := config/$(PRODUCT)/partitions.toml
OWN        := $(patsubst %/Makefile,%,$(wildcard config/$(PRODUCT)/Makefile))
GEN        := $(O)/gen
IMAGE_GOALS := $(filter build/% $(O)/%,$(MAKECMDGOALS))
ifneq ($(IMAGE_GOALS),)
include $(O)/config.mk
endif
BOARD := $(patsubst "%",%,$(CONFIG_BOARD))
# Of each board; ref405ep's are in build/guests itself
BOARD_GUESTS = $(GUESTS)$(if $(filter-out ref405ep,$(BOARD)),/$(BOARD))
BOARD_CODE := $(patsubst "%",%,$(CONFIG_BOARD_CODE))

$(PARTITIONS):
	@echo "$@: no such file. hint: a product has one beside its defconfig: a copy of config/demo/partitions.toml, say" >&2; exit 1

$(O)/config.mk: $(DEFCONFIG) Kconfig tools/kconfig.py $(O)/extra
	$(Q)$(PYTHON) tools/kconfig.py --kconfig Kconfig --defconfig $(DEFCONFIG) --out $(O) --set "$(EXTRA_CONFIG)"
	$(Q)touch $@

# EXTRA_CONFIG="CONFIG_X=n CONFIG_Y=3" overrides single options; a change of it is a change of configuration.
$(O)/extra: FORCE
	$(Q)mkdir -p $(O); echo '$(EXTRA_CONFIG)' | cmp -s - $@ || echo '$(EXTRA_CONFIG)' > $@

$(GEN)/partitions.h: $(PARTITIONS) config/boards/$(BOARD).toml tools/partition.py $(wildcard tools/partitions/*.py) hypercalls/abi.h $(O)/config.mk $(if $(CONFIG_SCHED_RESERVE),config/targets.toml tools/overheads.py)
	$(Q)$(PYTHON) tools/partition.py --board config/boards/$(BOARD).toml --config $(O)/.config $(PARTITIONS) --out $(GEN)
	$(Q)touch $@

# ---- hypervisor ------------------------------------------------------------------------------------------------------
# A feature is a file: each option adds its own. Rooms of src/: headers are included by name alone.
ROOMS := machine vm cpu mmu time irq ipcm devices sched boards report
ASM-$(CONFIG_PARAVIRT) += hypercall
ASM-$(CONFIG_IRFM)     += irfm
ASM-$(CONFIG_IPCM_CALLS) += ipcm
ASM-$(CONFIG_FAST_SWITCH) += turn
ASM-$(CONFIG_CONSOLE)  += uart
ASM-$(CONFIG_TLB_VIRT) += refill tlbwe
ASM := $(filter-out hypercall irfm ipcm turn uart refill tlbwe board_%,$(patsubst asm/%.S,%,$(wildcard asm/*.S))) board_$(BOARD_CODE) $(ASM-y)
SRC-y := vm/vcpu vm/lifecycle mmu/memory time/timer cpu/emulate cpu/spr cpu/fault boards/board_$(BOARD_CODE)
SRC-$(CONFIG_SCHED_RR)     += sched/sched_rr
SRC-$(CONFIG_SCHED_PRIO)   += sched/sched_prio
SRC-$(CONFIG_SCHED_CYCLIC) += sched/sched_cyclic
SRC-$(CONFIG_SCHED_RESERVE) += sched/sched_reserve
SRC-$(CONFIG_LIFECYCLE)    += vm/health irq/storm
SRC-$(CONFIG_CONTROL)      += vm/control
SRC-$(CONFIG_FIT_WATCHDOG) += time/events
SRC-$(CONFIG_WATCHDOG)     += time/watchdog
SRC-$(CONFIG_OPTIMIZE)     += cpu/optimize
SRC-$(CONFIG_IRQ)          += irq/irq
SRC-$(CONFIG_UIC)          += irq/uic
SRC-$(CONFIG_INTC)         += irq/intc
SRC-$(CONFIG_INTC_MMIO)    += irq/intc_mmio
SRC-$(CONFIG_MMIO)         += devices/mmio
SRC-$(CONFIG_MMIO_WORDS)   += devices/bus
SRC-$(CONFIG_FORWARD)      += devices/forward
SRC-$(CONFIG_IPCM)         += ipcm/tunnel
SRC-$(CONFIG_IPCM_REGS)    += ipcm/tunnel_regs
SRC-$(CONFIG_TLB_VIRT)     += mmu/tlb
SRC-$(CONFIG_TLB_CHECK)    += mmu/tlbcheck
SRC-$(CONFIG_UART_UARTLITE) += devices/uartlite
SRC-$(or $(CONFIG_UART_16550),$(CONFIG_UART_16550_WORDS)) += devices/uart_16550
SRC-$(CONFIG_CONSOLE)      += devices/uart devices/console devices/line
SRC-$(CONFIG_MESSAGES)     += report/message
SRC-$(CONFIG_STATS)        += report/stats
SRC-$(CONFIG_TRACE_SCHED)  += report/trace
HCALL-$(CONFIG_CALLS_IN_C) += hypercalls/hypercall
HCALL-$(CONFIG_SERVICES)   += hypercalls/services
HCALL-$(CONFIG_TLB_CALLS)  += hypercalls/tlb
HCALL-$(CONFIG_LIFECYCLE)  += hypercalls/lifecycle
HCALL-$(CONFIG_IPCM_CALLS) += hypercalls/ipcm
HCALL-$(CONFIG_DRIVERS)    += hypercalls/drivers
HCALL-$(CONFIG_PREVIRT)    += previrt/loader
OBJECTS := $(ASM:%=$(O)/asm/%.o) $(SRC-y:%=$(O)/src/%.o) $(patsubst %,$(O)/%.o,$(sort $(HCALL-y))) $(O)/gen/partitions.o
# Folders once, not with each file: a third of the programs that a build started
$(if $(IMAGE_GOALS),$(shell mkdir -p $(sort $(dir $(OBJECTS)))))

# r7-r10 and CTR stay the guest's while C runs: every road has less to save (asm/cold.S).
FIXED    := $(addprefix -ffixed-,r7 r8 r9 r10 ctr)
CODEGEN  := -Os -mmultiple -fno-jump-tables -fno-branch-count-reg -fno-tree-scev-cprop $(FIXED)
ARCH     := -mcpu=405 -msoft-float -mno-dlmzb -mno-eabi -msdata=data -G0 -fno-pic -fno-pie
CPPFLAGS := -include $(GEN)/autoconf.h -Iconfig -I$(GEN) -Isrc $(ROOMS:%=-Isrc/%) -Iasm -Ihypercalls -Iprevirt -Ulinux -Uunix -Upowerpc
CFLAGS   := $(ARCH) $(CODEGEN) -g -std=gnu11 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fno-common \
            -ffunction-sections -fdata-sections -Wall -Wextra -Wmissing-prototypes -Werror
ASFLAGS  := $(ARCH) -Wa,-mregnames -g -D__ASSEMBLER__
LDFLAGS  := $(ARCH) $(CODEGEN) -g -flto -nostdlib -static -no-pie \
            -Wl,--build-id=none,--gc-sections,--fatal-warnings,--no-warn-rwx-segments,-z,noexecstack

$(GEN)/offsets.h: src/offsets.c asm/offsets.def $(wildcard src/*.h src/*/*.h hypercalls/*.h hypercalls/*.def config/*.def config/*.h) $(GEN)/partitions.h
	$(Q)text=$$(tools/deps.sh --list run 2>&1) || { echo "$$text" >&2; exit 1; }
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -g,$(CFLAGS)) -Wno-missing-prototypes -S -o $(GEN)/offsets.s src/offsets.c
	$(Q)sed -n 's/^[[:space:]]*@define/#define/p' $(GEN)/offsets.s > $@
	$(Q)sed 's/#define /#define CHECKED_/' $@ > $(GEN)/offsets_checked.h

HEADERS := Makefile $(GEN)/offsets.h $(wildcard $(addsuffix /*.h,src src/* asm config hypercalls previrt) config/*.def hypercalls/*.def) asm/offsets.def
$(O)/asm/%.o: asm/%.S $(HEADERS)
	$(Q)$(CC) $(CPPFLAGS) $(ASFLAGS) -c -o $@ $<
$(O)/%.o: %.c $(HEADERS)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -flto -c -o $@ $<
$(GEN)/%.o: $(GEN)/partitions.h $(HEADERS)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -flto -c -o $@ $(GEN)/$*.c
$(O)/link.ld: src/proteus.lds.S $(HEADERS)
	$(Q)$(CC) $(CPPFLAGS) -E -P -x assembler-with-cpp -o $@ $<

# ---- image: hypervisor and guests ------------------------------------------------------------------------------------
# For a board of the user's own if it has a header; without the twin, which knows our boards (tests/guests/twin/board.py).
SAMPLES := . $(notdir $(patsubst %/Makefile,%,$(wildcard tests/guests/*/Makefile)))
ifneq ($(CONFIG_BOARD_OWN),)
SAMPLES := $(if $(wildcard tests/guests/board/$(BOARD).h),$(filter-out twin,$(SAMPLES)))
endif
guests:
	$(Q)mkdir -p $(GUESTS); exec 9>$(GUESTS)/lock; flock 9; for d in $(SAMPLES); do \
	  $(MAKE) -s -C tests/guests/$$d OUT=$(abspath $(BOARD_GUESTS)) PROTEUS=$(abspath $(BUILD)/gen) \
	    NEWLIB_CACHE=$(abspath $(BUILD)/newlib) BOARD=$(or $(BOARD),ref405ep) || exit 1; done
	$(Q)$(if $(OWN),$(MAKE) -s -C $(OWN) OUT=$(abspath $(O)/own))

# Linux for a partition file that names it, unless it has its own beside it or in PACK
kernel: $(GEN)/partitions.h
	$(Q)! grep -q '"linux\(-previrt\|-tunnel\)\?\.elf"' $(GEN)/partitions.json || \
	  ! $(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --guest-dir $(dir $(PARTITIONS)) $(PACK) --list-missing 2> /dev/null | \
	  grep -qx 'linux\(-previrt\|-tunnel\)\?\.elf' || $(MAKE) --no-print-directory linux

# What a run needs: for a machine that the distribution's QEMU lacks, ours
$(O)/run: $(GEN)/partitions.h FORCE
	$(Q)$(if $(QEMU),:,tools/qemu/build.sh --machine "$$(sed -n 's/.*"machine": "\(.*\)".*/\1/p' $(GEN)/partitions.json)" > /dev/null)

# Guests are looked for beside the partition file, among what the product's own Makefile made, then among the samples; PACK="--guest vm=path" names one.
$(O)/pack: FORCE
	$(Q)mkdir -p $(O); echo '$(PACK)' | cmp -s - $@ || echo '$(PACK)' > $@
$(O)/images.S: $(GEN)/partitions.h tools/pack.py $(O)/pack | kernel guests
	$(Q)$(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --guest-dir $(dir $(PARTITIONS)) $(OWN:%=--guest-dir $(O)/own) --guest-dir $(BOARD_GUESTS) $(PACK) --out $@ --depfile $@.d
	$(Q)touch $@
-include $(O)/images.S.d
$(O)/images.o: $(O)/images.S
	$(Q)$(CC) $(ASFLAGS) -c -o $@ $<
$(O)/schedule.fits: $(GEN)/partitions.h tools/schedule.py tools/schedulability.py tools/overheads.py config/targets.toml $(wildcard $(BUILD)/bench.json)
	$(Q)$(SCHEDULE)
	$(Q)touch $@
# First of all, but no part of the image: a new measurement (bench.json) proves it again, and links nothing that is being run
$(OBJECTS) $(O)/src/verify.o $(O)/images.o: | $(O)/schedule.fits
$(O)/proteus.elf: $(OBJECTS) $(O)/src/verify.o $(O)/images.o $(O)/link.ld
	$(Q)$(PYTHON) tools/link.py --map $(O)/proteus.map --partitions $(GEN)/partitions.json --defconfig $(DEFCONFIG) -- \
	  $(CC) $(LDFLAGS) -Wl,-Map=$(O)/proteus.map -T $(O)/link.ld -o $@ $(OBJECTS) $(O)/images.o
	$(Q)$(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --image $@
	@echo "  IMAGE $@"
$(O)/proteus.bin: $(O)/proteus.elf
	$(Q)$(PYTHON) tools/pack.py --partitions $(GEN)/partitions.json --image $< --bin $@ $(if $(CONFIG_ROM_IMAGES),,--images $(O)/images.bin)
	@echo "  ROM   $@$(if $(CONFIG_ROM_IMAGES),,, $(O)/images.bin)"
