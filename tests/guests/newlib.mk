# newlib.mk: newlib and soft-float arithmetic for the guests that compute, by build-newlib.sh; included by Makefile.
#
# NEWLIB_PATH is a file that holds the path of the finished library. It is checked at each build, and rewritten (so that
# what depends on it is built again) only if the library's inputs changed.

NEWLIB_CACHE ?= $(abspath ../../build/newlib)
NEWLIB_PATH  := $(OBJ)/newlib.path

# Expanded in recipes only, when the file exists
NEWLIB_CPPFLAGS = -isystem $$(cat $(NEWLIB_PATH))/include
NEWLIB_LIBS     = -L$$(cat $(NEWLIB_PATH))/lib -Wl,--start-group -lm -lc -lsoft-fp -Wl,--end-group

# Its own recipe, not that of a prerequisite: make looks at the file's time again only behind one
.PHONY: newlib-check
$(NEWLIB_PATH): newlib-check
	@CROSS_COMPILE=$(CROSS_COMPILE) ./build-newlib.sh $(NEWLIB_CACHE) $(NEWLIB_PATH)
