# variant.mk: the test program of one configuration. Called by Makefile with TOP, OUT, VARIANT and CROSS_COMPILE.

DIR := $(OUT)/$(VARIANT)
include $(DIR)/config.mk
BOARD_CODE := $(CONFIG_BOARD_CODE)
include $(OUT)/sources.mk

# As SRC in the hypervisor's Makefile: a test of an option's file is built where the option is on.
TEST-y := layout emulate spr interrupt timer fault memory lifecycle
TEST-$(or $(CONFIG_SCHED_RR),$(CONFIG_SCHED_PRIO)) += sched
TEST-$(CONFIG_FIT_WATCHDOG) += events
TEST-$(CONFIG_UIC)          += uic
TEST-$(CONFIG_INTC)         += intc
TEST-$(CONFIG_BOARD_VIRTEX) += board_virtex board_speed
TEST-$(CONFIG_UART_16550)   += console mmio
TEST-$(and $(CONFIG_UIC),$(CONFIG_UART_UARTLITE)) += uartlite bus
TEST-$(CONFIG_UART_SECOND)  += second_uart
TEST-$(CONFIG_FORWARD)      += forward
TEST-$(CONFIG_MESSAGES)     += message
TEST-$(CONFIG_STATS)        += stats
TEST-$(CONFIG_SERVICES)     += services hypercall
TEST-$(CONFIG_LIFECYCLE)    += health
TEST-$(CONFIG_CONTROL)      += control
TEST-$(CONFIG_WATCHDOG)     += watchdog
TEST-$(CONFIG_TRACE_SCHED)  += trace
TEST-$(CONFIG_IPCM)         += ipcm
TEST-$(CONFIG_DRIVERS)      += drivers hypercall
TEST-$(CONFIG_PREVIRT)      += previrt
TEST-$(CONFIG_IRFM)         += page
TEST-$(CONFIG_OPTIMIZE)     += optimize
TEST-$(CONFIG_TLB_VIRT)     += tlb tlb_model
TEST-$(CONFIG_TLB_CHECK)    += tlbcheck
TEST-$(CONFIG_TLB_CALLS)    += tlb_calls
FAKE     := cpu board_$(BOARD_CODE)
SOURCES  := $(SRC-y:%=src/%) $(sort $(HCALL-y))
# Of VMs that are not equal, no test but the scheduler's own: the others let slices end until it is a VM's turn.
ONLY-levels := sched_prio watchdog trace
ONLY-care := health control
ONLY-tunnels := ipcm
ONLY-frame  := sched_cyclic watchdog trace message
ONLY-reserve := sched_reserve watchdog
ONLY-optimized := optimize
ONLY-optimizedtlb := optimize
TESTS    := $(or $(ONLY-$(VARIANT)),$(sort $(TEST-y)))

CPPFLAGS := -include $(DIR)/gen/autoconf.h -MMD -MP -I. -Ifake -I$(TOP)/config -I$(DIR)/gen -I$(DIR) -I$(OUT) \
            -I$(TOP)/src $(ROOMS:%=-I$(TOP)/src/%) -I$(TOP)/asm -I$(TOP)/hypercalls -I$(TOP)/previrt
CFLAGS   := -std=gnu11 -g -fno-pie -fno-common -ffunction-sections -Wall -Wextra -Werror -Wno-override-init \
            -Wno-pointer-to-int-cast
# Of what is tested; what tests it compiles in half the time without
CHECKED  := -O1 -fsanitize=undefined -fno-sanitize-recover=all
# Addresses of the host fit 32 bits, and are no addresses of the fake machine's RAM.
LDFLAGS  := -no-pie -Wl,--gc-sections -Wl,-Ttext-segment=0x60000000 -fsanitize=undefined

.PHONY: all
.DELETE_ON_ERROR:
.SECONDARY:
all: $(DIR)/tests

# The same offsets, as the target's compiler sees them.
TARGET := $(CROSS_COMPILE)gcc -mcpu=405 -msoft-float -ffreestanding -fno-pic -Ulinux -Uunix \
          -include $(DIR)/gen/autoconf.h -I$(DIR)/gen $(addprefix -I$(TOP)/,config src $(ROOMS:%=src/%) asm hypercalls)
$(DIR)/target_offsets.h: $(TOP)/src/offsets.c $(TOP)/asm/offsets.def \
    $(wildcard $(TOP)/src/*.h $(TOP)/src/*/*.h $(TOP)/config/*.def $(TOP)/config/*.h $(TOP)/hypercalls/*.def \
        $(TOP)/hypercalls/*.h)
	$(TARGET) -S -o $(DIR)/offsets.s $<
	sed -n 's/^[[:space:]]*@define /#define TARGET_/p' $(DIR)/offsets.s > $@
$(DIR)/test_layout.o: $(DIR)/target_offsets.h

$(SOURCES:%=$(DIR)/%.o): $(DIR)/%.o: $(TOP)/%.c variant.mk
	mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) $(CHECKED) -c -o $@ $<
# The sources' data gets a section of its own: a test clears it, as start.S does.
$(DIR)/sources.o: $(SOURCES:%=$(DIR)/%.o)
	ld -r -o $@ $^
	objcopy --set-section-flags .bss=alloc,load,contents,data --rename-section .bss=proteus_data $@
# harness.c puts a row behind this table.
$(DIR)/gen/partitions.o: $(DIR)/gen/partitions.c variant.mk
	$(CC) $(CPPFLAGS) $(CFLAGS) -Dtlb_rows=generated_rows -c -o $@ $<
$(DIR)/test_%.o: test_%.c variant.mk
	$(CC) $(CPPFLAGS) $(CFLAGS) -Dmain=main_$* -c -o $@ $<
$(DIR)/main.o: main.c $(DIR)/config.mk variant.mk
	$(CC) $(CPPFLAGS) $(CFLAGS) '-DTESTS=$(patsubst %,TEST(%),$(TESTS))' -c -o $@ $<
$(DIR)/%.o: %.c variant.mk
	mkdir -p $(@D); $(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(DIR)/tests: $(TESTS:%=$(DIR)/test_%.o) $(addprefix $(DIR)/,main.o harness.o $(FAKE:%=fake/%.o) sources.o gen/partitions.o)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka

-include $(wildcard $(DIR)/*.d $(DIR)/src/*/*.d $(DIR)/fake/*.d $(DIR)/hypercalls/*.d $(DIR)/previrt/*.d)
