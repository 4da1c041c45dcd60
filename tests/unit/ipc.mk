# ipc.mk: the test programs of hypercalls/ipc, which no option changes. Called by Makefile with TOP and OUT.
#
# ipc: as guests have it, optimized. ipcsteps, ipcconsole, ipcnetwork, ipcdisk: stop at each access to the shared memory, so that
# the other end can go on there, or this one die.

SOURCES  := ipc ring port
TESTS-ipc      := calls threads
TESTS-ipcsteps := steps
TESTS-ipcconsole := console
MORE-ipcconsole  := terminal server
TESTS-ipcnetwork := network
MORE-ipcnetwork  := netcard netswitch
TESTS-ipcdisk := disk
MORE-ipcdisk  := disk diskserver
HELP-ipcconsole  := tunnels
HELP-ipcnetwork  := tunnels
HELP-ipcdisk  := tunnels
RUNS     := ipc ipcsteps ipcconsole ipcnetwork ipcdisk
PROGRAMS := $(RUNS:%=$(OUT)/%/tests)

CFLAGS   := -std=gnu11 -O2 -g -Wall -Wextra -Werror -I. -Iipc -I$(TOP)/hypercalls/ipc -MMD -MP -pthread
CHECKED  := -Wmissing-prototypes -fsanitize=undefined -fno-sanitize-recover=all
# An access is one step of an end: what is in front of it is in a test's hands.
FLAGS-ipcsteps := '-DIPC_STEP()=ipc_step()' -include ipc/step.h
FLAGS-ipcconsole := $(FLAGS-ipcsteps)
FLAGS-ipcnetwork := $(FLAGS-ipcsteps)
FLAGS-ipcdisk := $(FLAGS-ipcsteps)

.PHONY: all
.DELETE_ON_ERROR:
.SECONDARY:
all: $(PROGRAMS)

define program
$(OUT)/$(1)/%.o: $(TOP)/hypercalls/ipc/%.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) $$(CHECKED) $$(FLAGS-$(1)) -c -o $$@ $$<
$(OUT)/$(1)/test_%.o: ipc/test_%.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) $$(FLAGS-$(1)) -Dmain=main_$$* -c -o $$@ $$<
$(OUT)/$(1)/shared.o $(OUT)/$(1)/tunnels.o: $(OUT)/$(1)/%.o: ipc/%.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) -c -o $$@ $$<
$(OUT)/$(1)/main.o: main.c ipc.mk
	mkdir -p $$(@D); $$(CC) $$(CFLAGS) '-DTESTS=$$(patsubst %,TEST(%),$$(TESTS-$(1)))' -c -o $$@ $$<
$(OUT)/$(1)/tests: $$(addprefix $(OUT)/$(1)/,main.o shared.o $$(SOURCES:%=%.o) $$(MORE-$(1):%=%.o) $$(HELP-$(1):%=%.o) \
  $$(TESTS-$(1):%=test_%.o))
	$$(CC) -pthread -fsanitize=undefined -o $$@ $$^ -lcmocka
endef
$(foreach one,$(RUNS),$(eval $(call program,$(one))))

-include $(wildcard $(RUNS:%=$(OUT)/%/*.d))
