# ipc.mk: the test programs of hypercalls/ipc, which no option changes. Called by Makefile with TOP and OUT.
#
# ipc: as guests have it, optimized. ipcsteps: stops at each access to the shared memory, so that the other end can go on there.

SOURCES  := ipc ring port
TESTS-ipc      := calls threads
TESTS-ipcsteps := steps
PROGRAMS := $(OUT)/ipc/tests $(OUT)/ipcsteps/tests

CFLAGS   := -std=gnu11 -O2 -g -Wall -Wextra -Werror -I. -I$(TOP)/hypercalls/ipc -MMD -MP -pthread
CHECKED  := -Wmissing-prototypes -fsanitize=undefined -fno-sanitize-recover=all
# An access is one step of an end: what is in front of it is in a test's hands.
FLAGS-ipcsteps := '-DIPC_STEP()=ipc_step()' -include ipc/step.h

.PHONY: all
.DELETE_ON_ERROR:
.SECONDARY:
all: $(PROGRAMS)

define program
$(OUT)/$(1)/%.o: $(TOP)/hypercalls/ipc/%.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) $$(CHECKED) $$(FLAGS-$(1)) -c -o $$@ $$<
$(OUT)/$(1)/test_%.o: ipc/test_%.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) $$(FLAGS-$(1)) -Dmain=main_$$* -c -o $$@ $$<
$(OUT)/$(1)/shared.o: ipc/shared.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) -c -o $$@ $$<
$(OUT)/$(1)/main.o: main.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) '-DTESTS=$$(patsubst %,TEST(%),$$(TESTS-$(1)))' -c -o $$@ $$<
$(OUT)/$(1)/tests: $$(addprefix $(OUT)/$(1)/,main.o shared.o $$(SOURCES:%=%.o) $$(TESTS-$(1):%=test_%.o))
	$$(CC) -pthread -fsanitize=undefined -o $$@ $$^ -lcmocka
endef
$(foreach one,ipc ipcsteps,$(eval $(call program,$(one))))

-include $(wildcard $(OUT)/ipc/*.d $(OUT)/ipcsteps/*.d)
