# One Makefile for the whole tree; `make help` lists the targets.
#
# Each variant is a complete build of its own below $(O)/<variant>: objects in the folders of their
# sources, programs on top. Sources are found by wildcard: x.c is code, x_test.c a cmocka program,
# main.c a program, tests/*/*.c a helper program for the shell tests.

VERSION := 0.1.0

O      ?= build
PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
CNIBINDIR ?= /opt/cni/bin

# DIRS can be narrowed to work on a part: make DIRS='lib/base lib/nl' check-unit
DIRS ?= $(sort $(patsubst %/,%,$(wildcard lib/*/))) api delegate macvlan ipam meta controller node

# program = folder of its main.c
PROGRAMS := tandem:meta tandem-controller:controller tandem-node:node
prog_name = $(word 1,$(subst :, ,$1))
prog_dir  = $(word 2,$(subst :, ,$1))
PROGS := $(foreach p,$(PROGRAMS),$(if $(filter $(call prog_dir,$p),$(DIRS)),$(if $(wildcard $(call prog_dir,$p)/main.c),$p)))

SRCS      := $(sort $(wildcard $(addsuffix /*.c,$(DIRS))))
HDRS      := $(sort $(wildcard $(addsuffix /*.h,$(DIRS)) tests/*/*.h))
MAIN_SRCS := $(filter %/main.c,$(SRCS))
TEST_SRCS := $(filter %_test.c,$(SRCS))
CODE_SRCS := $(filter-out $(MAIN_SRCS) $(TEST_SRCS),$(SRCS))
TOOL_SRCS := $(filter-out tests/fuzz/%,$(sort $(wildcard tests/*/*.c)))
ALL_C     := $(SRCS) $(sort $(wildcard tests/*/*.c))

# ---------------------------------------------------------------------------------- flags
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang

GIT_HASH := $(shell git rev-parse --short=10 HEAD 2>/dev/null)
FULL_VERSION := $(VERSION)$(if $(GIT_HASH),+g$(GIT_HASH))

CPPFLAGS_ALL := -I. -D_GNU_SOURCE
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wformat=2 -Wundef -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
WARN_GCC := -Wjump-misses-init -Wlogical-op -Wduplicated-cond
# The netlink and socket interfaces hand out byte buffers that are read as structs.
CFLAGS_ALL := -std=gnu17 -g -pthread -fno-strict-aliasing -fno-common -fstack-protector-strong $(WARN)
LIBS := -lyaml -lcurl -lssl -lcrypto -lcjson -lmnl

CC_dev      := $(CC)
CFLAGS_dev  := -O2 -D_FORTIFY_SOURCE=2 -fPIE $(WARN_GCC)
LDFLAGS_dev := -pie -Wl,--as-needed -Wl,-z,relro,-z,now

# Sanitizers run under clang: gcc 12 with UBSan reports a null format that is none, and every line of
# code is so built by the second compiler too.
CC_asan      := $(CLANG)
CFLAGS_asan  := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS_asan := -fsanitize=address,undefined -Wl,--as-needed

VARIANTS := dev asan

# ---------------------------------------------------------------------------------- rules
all: dev
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $1 $2)

# Only the sources that name TANDEM_VERSION are compiled again when it changes.
VERSION_SRCS := $(if $(SRCS),$(shell grep -ls TANDEM_VERSION $(SRCS)))

# $(call stamp,TEXT): a recipe that rewrites its target only when TEXT differs.
stamp = @mkdir -p $(@D); printf '%s\n' '$1' | cmp -s - $@ || printf '%s\n' '$1' >$@

# $1 = variant. Objects and archives appear by rename, so that two runs of make never see half a file.
define variant
OBJ_$1   := $$(CODE_SRCS:%.c=$$(O)/$1/%.o)
PROGS_$1 := $$(foreach p,$$(PROGS),$$(O)/$1/$$(call prog_name,$$p))
TESTS_$1 := $$(TEST_SRCS:%.c=$$(O)/$1/%)
TOOLS_$1 := $$(TOOL_SRCS:%.c=$$(O)/$1/%)
LIB_$1   := $$(O)/$1/libtandem.a

.PHONY: $1 tests-$1
$1: $$(PROGS_$1) $$(LIB_$1)
tests-$1: $1 $$(TESTS_$1) $$(TOOLS_$1)

$$(O)/$1/flags: FORCE
	$$(call stamp,$$(CC_$1) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CPPFLAGS) $$(CFLAGS))

$$(O)/$1/%.o: %.c $$(O)/$1/flags $$(DEPS_$1)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$1) $$(CPPFLAGS_ALL) $$(CPPFLAGS_$1) $$(CPPFLAGS) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) \
		-MMD -MP -MF $$(@:.o=.d) -MT $$@ -c -o $$@.$$$$$$$$ $$< && mv $$@.$$$$$$$$ $$@ || { rm -f $$@.$$$$$$$$; exit 1; }

$$(VERSION_SRCS:%.c=$$(O)/$1/%.o): CPPFLAGS_$1 += -DTANDEM_VERSION='"$$(FULL_VERSION)"'
$$(VERSION_SRCS:%.c=$$(O)/$1/%.o): $$(O)/version

$$(LIB_$1): $$(OBJ_$1) $$(O)/$1/objects
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@.tmp && ar rcs $$@.tmp $$(OBJ_$1) && mv $$@.tmp $$@

$$(O)/$1/objects: FORCE
	$$(call stamp,$$(OBJ_$1))

$$(foreach p,$$(PROGS),$$(eval $$(O)/$1/$$(call prog_name,$$p): $$(O)/$1/$$(call prog_dir,$$p)/main.o))
$$(PROGS_$1): $$(LIB_$1)
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) $$(LDFLAGS_$1) $$(LDFLAGS) -o $$@ \
		$$(filter %.o,$$^) $$(LIB_$1) $$(or $$(LIBS_$1),$$(LIBS))

$$(TESTS_$1) $$(TOOLS_$1): %: %.o $$(LIB_$1)
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) $$(LDFLAGS_$1) $$(LDFLAGS) -o $$@ \
		$$< $$(LIB_$1) -lcmocka $$(or $$(LIBS_$1),$$(LIBS))

-include $$(OBJ_$1:.o=.d) $$(TESTS_$1:=.d) $$(TOOLS_$1:=.d) $$(foreach p,$$(PROGS),$$(O)/$1/$$(call prog_dir,$$p)/main.d)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant,$v)))

$(O)/version: FORCE
	$(call stamp,$(FULL_VERSION))

FORCE:
.PHONY: FORCE all help clean format check-unit

check-unit: tests-dev
	@for t in $(TESTS_dev); do echo "== $$t"; $$t || exit 1; done

format:
	clang-format -i $(ALL_C) $(HDRS)

clean:
	rm -rf $(O)

help:
	@printf '%s\n' 'all (default)  build $(O)/dev' 'check-unit     run the unit tests' 'format         clang-format in place'
	@printf '%s\n' 'Variables: V=1, O=dir, DIRS="lib/base lib/nl" (work on a part), CC=gcc|clang'
