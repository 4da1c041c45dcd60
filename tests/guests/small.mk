# small.mk: a guest of one C file and one assembler file. Its Makefile sets NAME (and HERE) and includes this.

CROSS_COMPILE ?= $(if $(shell command -v powerpc-eabi-gcc),powerpc-eabi-,powerpc-linux-gnu-)
CC := $(CROSS_COMPILE)gcc
CFLAGS := -mcpu=405 -msoft-float -mno-dlmzb -mno-eabi -msdata=none -G0 -mlong-double-64 -std=gnu11 -O2 -Wall -Wextra \
          -Werror -ffreestanding -fno-builtin -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
          -Wa,-mregnames -I$(HERE)
LDFLAGS := -nostdlib -static -Wl,--build-id=none -Wl,-n -Wl,-T,$(HERE)/$(NAME).ld -Wl,--fatal-warnings \
           -Wl,--no-warn-rwx-segments

ifeq ($(OUT),)
$(error OUT is not set. hint: make OUT=/absolute/build/directory)
endif
B := $(OUT)/$(NAME).obj
BUILT_BY := $(HERE)/Makefile $(HERE)/../small.mk

.PHONY: all
all: $(OUT)/$(NAME).elf

$(B)/start.o: $(HERE)/start.S $(HERE)/$(NAME).h $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@

$(B)/$(NAME).o: $(HERE)/$(NAME).c $(HERE)/$(NAME).h $(BUILT_BY)
	@mkdir -p $(B)
	$(CC) $(CFLAGS) -c $< -o $@

$(OUT)/$(NAME).elf: $(B)/start.o $(B)/$(NAME).o $(HERE)/$(NAME).ld
	$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -o $@
