# SPDX-License-Identifier: Apache-2.0
# One Makefile for the whole tree; `make help` lists the targets.
#
# Each variant is a complete build of its own below $(O)/<variant>: objects in the folders of their
# sources, programs on top. Sources are found by wildcard: x.c is code, x_test.c a cmocka program,
# main.c a program, tests/*/*.c a helper program for the shell tests.

VERSION := 0.1.0

O      ?= build
DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CNIBINDIR ?= /opt/cni/bin
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions

# The rooms: folders with a .may_include (tools/check-includes), nested ones too.
# DIRS can be narrowed to work on a part: make DIRS='lib/base lib/nl' check-unit
DIRS ?= $(sort $(patsubst %/.may_include,%,$(wildcard */.may_include */*/.may_include */*/*/.may_include)))

# program = folder of its main.c
PROGRAMS := tandem:meta/plugin tandem-controller:controller tandem-node:node tandem-services:services kubectl-macvlan:kubectl
prog_name = $(word 1,$(subst :, ,$1))
prog_dir  = $(word 2,$(subst :, ,$1))
PROGS := $(foreach p,$(PROGRAMS),$(if $(filter $(call prog_dir,$p),$(DIRS)),$(if $(wildcard $(call prog_dir,$p)/main.c),$p)))

# x.bpf.c runs in the kernel, and is no code of the programs.
BPF_SRCS  := $(sort $(wildcard $(addsuffix /*.bpf.c,$(DIRS))))
SRCS      := $(filter-out $(BPF_SRCS),$(sort $(wildcard $(addsuffix /*.c,$(DIRS)))))
HDRS      := $(sort $(wildcard $(addsuffix /*.h,$(DIRS)) tests/*/*.h))
MAIN_SRCS := $(filter %/main.c,$(SRCS))
TEST_SRCS := $(filter %_test.c,$(SRCS))
# What holds the page is linked into the program that serves it and into nothing else: only this needs node and npm.
PAGE_SRCS := $(filter kubectl/ui/page.c,$(SRCS))
CODE_SRCS := $(filter-out $(MAIN_SRCS) $(TEST_SRCS) $(PAGE_SRCS),$(SRCS))
ifeq ($(origin DIRS),file)
TOOL_SRCS := $(filter-out tests/fuzz/%,$(sort $(wildcard tests/*/*.c)))
FUZZ_SRCS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
endif
ALL_C     := $(SRCS) $(BPF_SRCS) $(sort $(wildcard tests/*/*.c))

# ---------------------------------------------------------------------------------- flags
ifeq ($(origin CC),default)
CC := gcc
endif

GIT_HASH := $(shell git rev-parse --short=10 HEAD 2>/dev/null)
FULL_VERSION := $(VERSION)$(if $(GIT_HASH),+g$(GIT_HASH))

CPPFLAGS_ALL := -I. -D_GNU_SOURCE
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wformat=2 -Wundef -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough
# Texts for people may be cut (struct err, log lines); what must not be goes through str_copy().
WARN_CC := $(if $(findstring clang,$(CC)),,-Wjump-misses-init -Wlogical-op -Wduplicated-cond -Wno-format-truncation)
# The netlink and socket interfaces hand out byte buffers that are read as structs.
CFLAGS_ALL := -std=gnu17 -g -pthread -fno-strict-aliasing -fno-common -fstack-protector-strong $(WARN)
LIBS := -lyaml -lcurl -lssl -lcrypto -lcjson -lmnl -lbpf -lelf -lz

CC_dev      := $(CC)
CFLAGS_dev  := -O2 -D_FORTIFY_SOURCE=2 -fPIE $(WARN_CC)
LDFLAGS_dev := -pie -Wl,--as-needed -Wl,-z,relro,-z,now

# -O1: at -O2 gcc 12 with UBSan reports a null format that is none. clang does it as well (CC=clang), where
# its runtime is installed (libclang-rt-*-dev).
CC_asan      := $(CC)
CFLAGS_asan  := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined $(WARN_CC)
LDFLAGS_asan := -fsanitize=address,undefined -Wl,--as-needed

# What ships. Not PIE: relocating 5 MB of OpenSSL costs 0.27 ms of every run, 0.87 instead of 0.60 ms.
# glibc and not musl: OpenSSL would have to be built too, and name lookup, the one thing that a static
# glibc does badly, is settled by tools/static/nss.c. ld warns of it all the same: --no-warnings.
STATIC_DEPS   := $(O)/static/deps
CC_static     := $(CC)
CFLAGS_static := -O2 -D_FORTIFY_SOURCE=2 -fno-pie -ffunction-sections -fdata-sections $(WARN_CC)
CPPFLAGS_static := -isystem $(STATIC_DEPS)/include
LDFLAGS_static := -static -no-pie -L$(STATIC_DEPS)/lib -Wl,--gc-sections -Wl,-z,relro,-z,now \
	-Wl,--wrap=getaddrinfo -Wl,--no-warnings
DEPS_static   := $(O)/static/deps.path
# An object of its own: its symbol is first asked for by libcurl, which comes after our archive.
EXTRA_SRCS_static := tools/static/nss.c

# The same for arm64: cross-built with Debian's compiler, run under qemu-user by the tests.
CC_arm64       := $(O)/arm64/root/bin/cc
CFLAGS_arm64   := $(CFLAGS_static)
CPPFLAGS_arm64 := -isystem $(O)/arm64/deps/include
LDFLAGS_arm64  := $(subst $(STATIC_DEPS),$(O)/arm64/deps,$(LDFLAGS_static))
DEPS_arm64     := $(O)/arm64/deps.path
EXTRA_SRCS_arm64 := $(EXTRA_SRCS_static)

CC_cov      := $(CC)
CFLAGS_cov  := -O0 --coverage $(WARN_CC)
LDFLAGS_cov := --coverage -Wl,--as-needed
# gcov's files are named after the object, so it gets its own name at once.
OUTPUT_cov   = -o $@

# libFuzzer brings the main() that tests/fuzz/replay.c has elsewhere.
CC_fuzz      := clang
CFLAGS_fuzz  := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_fuzz := -fsanitize=address,undefined -Wl,--as-needed

# A second opinion: everything without a warning of clang either, and its unit tests.
CC_clang      := clang
CFLAGS_clang  := -O1 -fPIE
LDFLAGS_clang := -pie -Wl,--as-needed

# The socket programs of tandem-services: one object for all variants and architectures. -mcpu=v3 loads on Linux 5.10.
BPF_OBJ := $(O)/bpf/sock.bpf.o
CC_bpf     := clang
CFLAGS_bpf := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter -I. -I/usr/include/$(shell gcc -dumpmachine)

# The page, the same for all of them too.
PAGE_DIR := $(O)/page
PAGE     := $(PAGE_DIR)/page.js

VARIANTS := dev static arm64 asan cov fuzz clang

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

# What the recipe of an object ends with: write under another name, then rename.
OUTPUT = -o $@.$$$$ && mv $@.$$$$ $@ || { rm -f $@.$$$$; exit 1; }

# $1 = variant. Objects and archives appear by rename, so that two runs of make never see half a file.
define variant
OBJ_$1   := $$(CODE_SRCS:%.c=$$(O)/$1/%.o)
EXTRA_$1 := $$(EXTRA_SRCS_$1:%.c=$$(O)/$1/%.o)
PROGS_$1 := $$(foreach p,$$(PROGS),$$(O)/$1/$$(call prog_name,$$p))
TESTS_$1 := $$(TEST_SRCS:%.c=$$(O)/$1/%)
TOOLS_$1 := $$(TOOL_SRCS:%.c=$$(O)/$1/%)
FUZZ_$1  := $$(FUZZ_SRCS:%.c=$$(O)/$1/%)
LIB_$1   := $$(O)/$1/libtandem.a

.PHONY: $1 tests-$1
$1: $$(PROGS_$1) $$(LIB_$1)
tests-$1: $1 $$(TESTS_$1) $$(TOOLS_$1) $$(FUZZ_$1)

$$(O)/$1/flags: FORCE
	$$(call stamp,$$(CC_$1) $$(CPPFLAGS_ALL) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CPPFLAGS) $$(CFLAGS))

$$(O)/$1/%.o: %.c $$(O)/$1/flags $$(DEPS_$1)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC_$1) $$(CPPFLAGS_ALL) $$(CPPFLAGS_$1) $$(CPPFLAGS) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) \
		-MMD -MP -MF $$(@:.o=.d) -MT $$@ -c $$< $$(or $$(OUTPUT_$1),$$(OUTPUT))

$$(VERSION_SRCS:%.c=$$(O)/$1/%.o): CPPFLAGS_$1 += -DTANDEM_VERSION='"$$(FULL_VERSION)"'
$$(VERSION_SRCS:%.c=$$(O)/$1/%.o): $$(O)/version

$$(O)/$1/services/bpf/object.o: CPPFLAGS_$1 += -DBPF_OBJECT='"$$(BPF_OBJ)"'
$$(O)/$1/services/bpf/object.o: $$(BPF_OBJ)

$$(PAGE_SRCS:%.c=$$(O)/$1/%.o): CPPFLAGS_$1 += -DPAGE_DIR='"$$(PAGE_DIR)"'
$$(PAGE_SRCS:%.c=$$(O)/$1/%.o): $$(PAGE)
$$(O)/$1/kubectl-macvlan: $$(PAGE_SRCS:%.c=$$(O)/$1/%.o)

$$(LIB_$1): $$(OBJ_$1) $$(O)/$1/objects
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@.tmp && ar rcs $$@.tmp $$(OBJ_$1) && mv $$@.tmp $$@

$$(O)/$1/objects: FORCE
	$$(call stamp,$$(OBJ_$1))

$$(foreach p,$$(PROGS),$$(eval $$(O)/$1/$$(call prog_name,$$p): $$(O)/$1/$$(call prog_dir,$$p)/main.o))
$$(PROGS_$1): $$(EXTRA_$1) $$(LIB_$1)
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) $$(LDFLAGS_$1) $$(LDFLAGS) -o $$@ \
		$$(filter %.o,$$^) $$(LIB_$1) $$(or $$(LIBS_$1),$$(LIBS))

$$(TESTS_$1) $$(TOOLS_$1): %: %.o $$(EXTRA_$1) $$(LIB_$1)
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) $$(LDFLAGS_$1) $$(LDFLAGS) -o $$@ \
		$$< $$(EXTRA_$1) $$(LIB_$1) -lcmocka $$(or $$(LIBS_$1),$$(LIBS))

$$(FUZZ_$1): %: %.o $$(if $$(filter fuzz,$1),,$$(O)/$1/tests/fuzz/replay.o) $$(EXTRA_$1) $$(LIB_$1)
	$$(call say,LD,$$@)
	$$(Q)$$(CC_$1) $$(CFLAGS_ALL) $$(CFLAGS_$1) $$(CFLAGS) $$(LDFLAGS_$1) $$(LDFLAGS) -o $$@ \
		$$(if $$(filter fuzz,$1),-fsanitize=fuzzer) $$(filter %.o,$$^) $$(LIB_$1) $$(or $$(LIBS_$1),$$(LIBS))

-include $$(OBJ_$1:.o=.d) $$(PAGE_SRCS:%.c=$$(O)/$1/%.d) $$(EXTRA_$1:.o=.d) $$(TESTS_$1:=.d) $$(TOOLS_$1:=.d) $$(FUZZ_$1:=.d) $$(foreach p,$$(PROGS),$$(O)/$1/$$(call prog_dir,$$p)/main.d)
endef
$(foreach v,$(VARIANTS),$(eval $(call variant,$v)))

# The code's own file names stand in it otherwise, and debug information is most of it; its BTF stays.
$(BPF_OBJ): services/bpf/sock.bpf.c Makefile
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CC_bpf) $(CFLAGS_bpf) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@.$$$$ && llvm-strip -g $@.$$$$ && mv $@.$$$$ $@ || { rm -f $@.$$$$; exit 1; }
-include $(BPF_OBJ:.o=.d)

$(PAGE): tools/page.sh $(wildcard ui/*.* ui/src/*)
	$(call say,PAGE,$(PAGE_DIR))
	$(Q)tools/page.sh build $(PAGE_DIR)

$(O)/version: FORCE
	$(call stamp,$(FULL_VERSION))

# The path changes with the versions of the libraries, and the static objects with it.
$(O)/static/deps.path: FORCE
	@mkdir -p $(@D)
	@path=$$(CC='$(CC_static)' tools/static-deps.sh) || exit 1; \
		ln -sfn "$$path" $(STATIC_DEPS); \
		[ "$$path" = "$$(cat $@ 2>/dev/null)" ] || echo "$$path" >$@

# Two folders here: the other architecture's libraries with the compiler that uses them, and our own archives.
$(O)/arm64/deps.path: FORCE
	@mkdir -p $(@D)
	@root=$$(tools/sysroot.sh arm64) && path=$$(CC="$$root/bin/cc" tools/static-deps.sh) || exit 1; \
		ln -sfn "$$root" $(O)/arm64/root; ln -sfn "$$path" $(O)/arm64/deps; \
		[ "$$root $$path" = "$$(cat $@ 2>/dev/null)" ] || echo "$$root $$path" >$@

# ---------------------------------------------------------------------------------- tests
# A suite is a list of programs for tests/run.sh; lib*.sh in a folder of tests is no test.
shell_tests = $(filter-out tests/$1/lib%.sh,$(sort $(wildcard tests/$1/*.sh)))
SUITE_unit     = $(TESTS_dev)
SUITE_tools    = $(sort $(wildcard tests/*_test.sh tools/*_test.sh tools/*/*_test.sh))
SUITE_fuzz     = $(call shell_tests,fuzz)
SUITE_contract = $(call shell_tests,contract)
SUITE_services = $(call shell_tests,services)
SUITE_vm       = $(wildcard tests/vm/run.sh tests/vm/services.sh tests/vm/services-5.10.sh)
SUITE_api      = $(filter-out tests/api/controller.sh,$(call shell_tests,api))
SUITE_cluster  = $(wildcard tests/cluster/run.sh tests/cluster/run-containerd2.sh)
SUITE_ui       = $(call shell_tests,ui)
SUITE_lint     = tools/lint.sh
SUITE_clang    = $(TESTS_clang)
SUITE_image    = $(call shell_tests,image)

ifneq ($(filter 1,$(STRICT))$(filter true,$(CI)),)
SUITE ?= lint tools unit clang fuzz image contract services vm api ui cluster
endif
SUITE ?= tools unit fuzz image contract services vm api ui cluster

# How many programs of tests run beside each other, and how many files are compiled.
JOBS ?= 2

# $(call run,VARIANT,PROGRAMS[,LOGS])
run = TANDEM_BUILD=$(abspath $(O)/$1) TANDEM_TOOLS=$(abspath $(O)/dev/tests) CC='$(CC)' \
	tests/run.sh -j $(JOBS) -l $(O)/test-logs/$(or $3,$1) $2

# One after the other: setup brings what the builds need. Kubernetes and the virtual machine's kernel before
# the tests, since only a fresh machine has to build or fetch them and no test's time limit allows for that.
check:
	tools/setup.sh
	tests/cluster/build-kubernetes.sh cri-v1
	tests/cluster/containerd2.sh
	tests/vm/kernel.sh
	tests/vm/kernel.sh bullseye
	@echo '# building: a few minutes on a fresh machine'
	$(MAKE) --no-print-directory -j $(JOBS) tests-dev static \
		$(if $(filter clang,$(SUITE)),tests-clang) $(if $(filter image,$(SUITE)),tests-arm64)
	@$(MAKE) --no-print-directory $(if $(RESUME),check-resume,check-only)

# The suites of $(SUITE) on what is built; and what of the last such run failed or did not run.
check-only:
	@$(call run,static,$(foreach s,$(SUITE),$(SUITE_$s)))
check-resume:
	@$(call run,static,-r)
check-failed: $(if $(wildcard $(O)/clang),tests-clang) $(if $(wildcard $(O)/arm64),tests-arm64) tests-dev static
	@$(MAKE) --no-print-directory check-resume

check-unit: tests-dev
	@$(call run,dev,$(SUITE_unit),unit)
check-clang: tests-clang
	@$(call run,dev,$(SUITE_clang),clang)
check-tools: static
	@$(call run,static,$(SUITE_tools),tools)
check-fuzz: tests-dev
	@$(call run,dev,$(SUITE_fuzz),fuzz)
check-image: static tests-arm64
	@$(call run,static,$(SUITE_image),image)
check-contract: tests-dev static
	@$(call run,static,$(SUITE_contract),contract)
check-services: tests-dev static
	@$(call run,static,$(SUITE_services),services)
check-vm: tests-dev static
	@$(call run,static,$(SUITE_vm),vm)
check-api: tests-dev static
	@$(call run,static,$(SUITE_api),api)
check-ui: tests-dev static
	@$(call run,static,$(SUITE_ui),ui)
check-cluster: tests-dev static
	@$(call run,static,$(SUITE_cluster),cluster)

SANITIZER_LOG = $(abspath $(O)/test-logs/asan/sanitizer)
check-asan: tests-asan tests-dev
	tests/cluster/build-kubernetes.sh >/dev/null
	@mkdir -p $(O)/test-logs/asan && rm -f $(SANITIZER_LOG).*
	@SANITIZER_LOG=$(SANITIZER_LOG) UBSAN_OPTIONS=print_stacktrace=1:log_path=$(SANITIZER_LOG) \
		ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:log_path=$(SANITIZER_LOG) \
		$(call run,asan,$(TESTS_asan) $(SUITE_fuzz) $(SUITE_contract) $(SUITE_api))

cov: tests-cov
	@find $(O)/cov -name '*.gcda' -delete
	@$(call run,cov,$(TESTS_cov))
	@tools/cov.sh $(O)/cov $(CODE_SRCS)

# What takes longer than a suite may: every point of the sweep, and the whole of the stress.
sweep stress: tests-dev static
	tests/cluster/build-kubernetes.sh
	@TANDEM_BUILD=$(abspath $(O)/static) TANDEM_TOOLS=$(abspath $(O)/dev/tests) SWEEP=full STRESS=full tests/api/$@.sh

# Each fuzzer for FUZZ_SECONDS; what is new goes to build/corpus, and a find ends the run.
FUZZ_SECONDS ?= 600
fuzz: $(FUZZ_fuzz)
	@set -e; for f in $(FUZZ_fuzz); do name=$${f##*/fuzz_}; mkdir -p $(O)/corpus/$$name; \
		$$f -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=20 -print_final_stats=1 \
			-artifact_prefix=$(O)/corpus/$$name- $(O)/corpus/$$name tests/fuzz/corpus/$$name; done

demo:
	tools/setup.sh
	$(MAKE) --no-print-directory dev static
	@TANDEM_BUILD=$(abspath $(O)/static) TANDEM_TOOLS=$(abspath $(O)/dev/tests) tests/demo/run.sh

bench: tests-dev static
	@for b in run publishing; do TANDEM_BUILD=$(abspath $(O)/static) TANDEM_TOOLS=$(abspath $(O)/dev/tests) \
		tests/bench/$$b.sh || exit 1; done

# What a ClusterIP costs beside a pod's own address, and what 10,000 Services cost their node: not five minutes, and figures
# for programs in build/bench-services*.json.
bench-services: tests-dev static
	@export TANDEM_BUILD=$(abspath $(O)/static) TANDEM_TOOLS=$(abspath $(O)/dev/tests); \
		tests/bench/services.sh 15 $(O)/bench-services.json && \
		tests/bench/services-scale.sh 10000 5 $(O)/bench-services-scale.json

ci:
	.ci/run

# ---------------------------------------------------------------------------------- source
lint:
	@tools/lint.sh

format:
	clang-format -i $(ALL_C) $(HDRS) $(wildcard tools/*/*.c)

# ---------------------------------------------------------------------------------- shipping
# The plugin goes where runtimes look for plugins, the other programs, manuals and completions below PREFIX.
install: static
	install -d $(DESTDIR)$(CNIBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR)
	$(foreach p,$(PROGS_static),install -s -m 755 $p \
		$(DESTDIR)$(if $(filter tandem,$(notdir $p)),$(CNIBINDIR),$(BINDIR))/$(newline))
	$(if $(wildcard man/*.8),install -m 644 $(wildcard man/*.8) $(DESTDIR)$(MANDIR)/man8/)
	$(if $(wildcard man/*.1),install -m 644 $(wildcard man/*.1) $(DESTDIR)$(MANDIR)/man1/)
	install -m 755 completion/kubectl_complete-macvlan $(DESTDIR)$(BINDIR)/
	install -m 644 completion/kubectl-macvlan.bash $(DESTDIR)$(BASHCOMPDIR)/kubectl-macvlan
	install -m 644 completion/_kubectl-macvlan $(DESTDIR)$(ZSHCOMPDIR)/

# The images' and manifests' names; the registry is where `make dist` for a cluster of one's own points to.
REGISTRY ?= localhost
DIST     ?= dist
SHIP      = VERSION=$(VERSION) REGISTRY=$(REGISTRY)

# OCI archives of both architectures, and what they are made of beside them.
image: static arm64
	$(SHIP) tools/image.sh $(O) $(DIST)

# kubectl-macvlan for users' machines, an archive for each architecture.
cli: static arm64
	VERSION=$(VERSION) tools/cli.sh $(O) $(DIST)

# tandem.yaml, tandem-crds.yaml and the Helm chart.
manifests:
	$(SHIP) tools/manifests.sh $(DIST)

# Everything of a release. Without an entry in NEWS there is none, nor of what is not committed.
dist-allowed:
	@grep -qF '$(VERSION)' NEWS || { echo 'NEWS has no entry for $(VERSION)' >&2; exit 1; }
	@git diff --quiet HEAD || { echo 'there are changes that are not committed' >&2; exit 1; }
dist: dist-allowed image manifests cli
	git archive --format=tar --prefix=tandem-$(VERSION)/ HEAD | gzip -n -9 >$(DIST)/tandem-$(VERSION).tar.gz
	@cd $(DIST) && LC_ALL=C sha256sum $(DIST_FILES) >SHA256SUMS.tmp && mv SHA256SUMS.tmp SHA256SUMS && cat SHA256SUMS
DIST_FILES = tandem-$(VERSION).tar.gz tandem-$(VERSION).tgz $(foreach i,controller node services,tandem-$i-$(VERSION).oci.tar \
	tandem-$i-$(VERSION).spdx.json) tandem-crds.yaml tandem-services.yaml tandem-services-uninstall.yaml tandem-uninstall.yaml \
	tandem.yaml \
	$(foreach a,amd64 arm64,kubectl-macvlan-$(VERSION)-linux-$a.tar.gz)

clean:
	rm -rf $(O) dist

define newline


endef

# For scripts: make -s print-CFLAGS_static
print-%:
	@echo '$($*)'

help:
	@sed -n 's/^# help: \{0,1\}//p' $(firstword $(MAKEFILE_LIST))
# help: all (default)   dynamic programs in build/dev, for development
# help: static          what ships, in build/static: tandem, tandem-*, kubectl-macvlan; arm64: the same for arm64
# help: check           setup, the builds, and every test; SUITE="unit api" selects among
# help:                 lint tools unit clang fuzz image contract services vm api ui cluster; STRICT=1: a skip fails, and
# help:                 lint and clang are included. JOBS=2 programs run at a time
# help: check-failed    what failed or did not run in the last make check; make check RESUME=1 likewise
# help: check-unit      one suite, nothing installed: also -clang -tools -fuzz -image -contract -services -vm -api -ui -cluster
# help: check-only      $(SUITE) on what is already built
# help: check-asan      unit, fuzz, contract and api with address and undefined-behaviour sanitizers
# help: sweep           a leader parked, cut and killed at each of its writes, all of them (an hour)
# help: stress          1,000 pods on 1,000 addresses, leaders killed and paused (a quarter of an hour)
# help: fuzz            each fuzzer for FUZZ_SECONDS (600); check-fuzz replays the corpus in tests/fuzz
# help: cov             line coverage of the unit tests
# help: demo            the whole thing on a two-node cluster on this machine
# help: lint, format    all static checks; clang-format in place
# help: bench           measurements; bench-services: ClusterIPs beside pods' addresses (3 minutes)
# help: install         DESTDIR= PREFIX=/usr/local CNIBINDIR=/opt/cni/bin
# help: image           OCI archives of amd64 and arm64 in dist, with SBOMs; REGISTRY=localhost
# help: cli             kubectl-macvlan of both architectures, with manual and completions, in dist
# help: manifests       dist/tandem.yaml, dist/tandem-crds.yaml, dist/tandem-services.yaml and the Helm chart
# help: dist            all of a release: source, images, manifests, chart, SBOMs, SHA256SUMS
# help: clean, ci
# help:
# help: Variables: V=1 shows commands, O=dir builds elsewhere, CC=, CFLAGS=, LDFLAGS=,
# help: DIRS="lib/base lib/nl" works on a part of the tree, TANDEM_CACHE=dir for what is fetched.

FORCE:
.PHONY: FORCE all help image cli manifests dist-allowed check-image check check-only check-resume check-failed check-unit check-clang check-tools check-api check-fuzz check-contract check-services \
	check-vm check-ui check-cluster check-asan sweep stress fuzz cov demo bench bench-services ci lint format install dist clean
