# small.mk: a guest of one C file and one assembler file. Its Makefile sets NAME (and HERE) and includes this.
# BOARD is the name of a header in board/; every board has an OUT of its own.

CROSS_COMPILE ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
CC := $(CROSS_COMPILE)gcc
BOARD ?= ref405ep
BOARDS := $(HERE)/../board

# Without files of its own: those of common/ for a guest that takes external interrupts
SIMPLE := $(HERE)/../common/simple
START  := $(or $(wildcard $(HERE)/start.S),$(SIMPLE).S)
HEADER := $(or $(wildcard $(HERE)/$(NAME).h),$(SIMPLE).h)
SCRIPT := $(or $(wildcard $(HERE)/$(NAME).ld),$(SIMPLE).ld)

CFLAGS := -mcpu=405 -msoft-float -mno-dlmzb -mno-eabi -msdata=none -G0 -mlong-double-64 -std=gnu11 -O2 -Wall -Wextra \
          -Werror -ffreestanding -fno-builtin -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
          -Wa,-mregnames -I$(HERE) -I$(HERE)/../common -include $(BOARDS)/$(BOARD).h
LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,-n -Wl,-T,$(SCRIPT) -Wl,--fatal-warnings \
           -Wl,--no-warn-rwx-segments

ifeq ($(OUT),)
$(error OUT is not set. hint: make OUT=/absolute/build/directory)
endif
ifeq ($(wildcard $(BOARDS)/$(BOARD).h),)
$(error BOARD=$(BOARD): no such header in tests/guests/board. hint: write it after ml403.h)
endif
# CONSOLE=ipc: the same guest with another partition as its console, $(NAME)-ipc.elf
ELF := $(NAME)$(CONSOLE:%=-%)
ifeq ($(CONSOLE),ipc)
LIBRARY := $(sort $(LIBRARY) ipc port ring terminal)
CFLAGS  += -DCONSOLE_IPC
SHARED  := console_ipc
endif
B := $(OUT)/$(ELF).obj
BUILT_BY := $(HERE)/Makefile $(HERE)/../small.mk $(addprefix $(HERE)/../common/,print.h machine.h verdict.h clear.h) \
            $(wildcard $(BOARDS)/*.h)

.PHONY: all served
all: $(OUT)/$(ELF).elf $(and $(BOTH),$(if $(CONSOLE),,served))
served:
	$(MAKE) -f $(HERE)/Makefile CONSOLE=ipc OUT=$(OUT) BOARD=$(BOARD) PROTEUS=$(PROTEUS)

# The hypervisor's header, for a guest that makes hypercalls: -I$(PROTEUS)
TOP     := $(HERE)/../../..
PROTEUS ?= $(abspath $(TOP)/build/gen)
$(PROTEUS)/proteus/proteus.h: $(wildcard $(addprefix $(TOP)/,tools/hypercalls.py hypercalls/*.def hypercalls/*.h config/*.def))
	/usr/bin/python3 $(TOP)/tools/hypercalls.py --out $@ && touch $@

$(B)/start.o: $(START) $(HEADER) $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@

$(B)/$(NAME).o: $(HERE)/$(NAME).c $(HEADER) $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@

# LIBRARY: files of hypercalls/ipc, as they are, beside the guest
IPC := $(TOP)/hypercalls/ipc
ifneq ($(LIBRARY),)
CFLAGS += -I$(PROTEUS) -I$(IPC)
$(B)/$(NAME).o: $(PROTEUS)/proteus/proteus.h $(wildcard $(IPC)/*.h)
$(B)/library_%.o: $(IPC)/%.c $(wildcard $(IPC)/*.h) $(PROTEUS)/proteus/proteus.h $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@
endif

$(B)/console_ipc.o: $(HERE)/../common/console_ipc.c $(wildcard $(IPC)/*.h) $(PROTEUS)/proteus/proteus.h $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@

$(OUT)/$(ELF).elf: $(B)/start.o $(B)/$(NAME).o $(LIBRARY:%=$(B)/library_%.o) $(SHARED:%=$(B)/%.o) $(SCRIPT)
	$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -o $@
