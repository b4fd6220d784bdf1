# SPDX-License-Identifier: Apache-2.0
# The whole build. Objects of a mode live in build/$(MODE), so modes never mix; everything that
# needs erl or pkg-config asks inside a rule, so that this file can be read where neither exists.
# Logic longer than a line or two is a script in build-aux/.

# Variables you may set:
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
MODE ?= release
ERL ?= erl
ERLC ?= erlc
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
# Where Lua is: inside each artefact, in the system's shared library, or auto: inside if that works.
LUA_LINK ?= auto
V ?= 0
# Directories of the services that are built in; core/services.c lists the services themselves.
SERVICES ?= core/echo core/lua
# Extra flags of your own, after ours.
CFLAGS ?=
LDFLAGS ?=

Q := $(if $(filter 0,$(V)),@,)
say = $(if $(filter 0,$(V)),@printf '  %-6s %s\n' '$(1)' '$(2)')
BUILD := build/$(MODE)
# What the VM loads. Other modes have a directory of their own, chosen with TRIPOD_PRIV.
PRIV := $(if $(filter release,$(MODE)),priv,$(BUILD)/priv)

FLAGS_release := -O2 -g -DNDEBUG
# Sanitizers, valgrind and gcov need system calls that the port program otherwise forbids itself
# (port_program/confine.h).
FREE := -DTRIPOD_UNCONFINED
FLAGS_debug := -O0 -g $(FREE)
FLAGS_debugfaults := $(FLAGS_debug) -DTRIPOD_FAULTS
FLAGS_faults := -O1 -g -DTRIPOD_FAULTS
FLAGS_asan := -O1 -g $(FREE) -fsanitize=address,undefined -fno-sanitize-recover=undefined \
              -fno-omit-frame-pointer
# TSan takes no notice of fences, and gcc says so; those of ours order atomics only.
FLAGS_tsan := -O1 -g $(FREE) -fsanitize=thread -Wno-tsan
FLAGS_asanfaults := $(FLAGS_asan) -DTRIPOD_FAULTS
FLAGS_cov := -O0 -g $(FREE) --coverage
# A look at the clock after every instruction of a script and every second step of a loop in C.
FLAGS_replay := $(FLAGS_asan) -DSANDBOX_COUNT=1 -DSANDBOX_POLL_STEPS=2u
FLAGS_fuzz := $(FLAGS_replay) -fsanitize=fuzzer-no-link
# The comparisons of what runs once an instruction tell a fuzzer nothing and cost it most.
FLAGS_hot := $(if $(filter fuzz,$(MODE)),-fno-sanitize-coverage=trace-cmp)
# For the warnings: gcc's without NDEBUG, clang's with it.
FLAGS_gcc := -O2 -Werror
FLAGS_clang := -O2 -Werror -DNDEBUG
ifndef FLAGS_$(MODE)
$(error MODE=$(MODE) is none of release debug faults debugfaults asan asanfaults tsan cov replay fuzz gcc clang)
endif
CC := $(or $(and $(filter fuzz clang,$(MODE)),$(CLANG)),$(and $(filter gcc,$(MODE)),gcc),$(CC))

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
# Without the detour through the PLT a library function of Lua's costs what it costs Lua itself.
BASE_FLAGS := -std=c11 -D_GNU_SOURCE -fPIC -fno-plt -fvisibility=hidden $(WARNINGS) \
              $(if $(CI),-Werror) $(FLAGS_$(MODE)) -Icore -MMD -MP
LINK_FLAGS := $(FLAGS_$(MODE))

FAULT_SRC := $(wildcard test/faults/*.c)
CORE_SRC := $(wildcard core/*.c $(SERVICES:%=%/*.c)) $(if $(filter %faults,$(MODE)),$(FAULT_SRC))
ROOM_SRC := $(wildcard port_program/*.c port_driver/*.c nif/*.c)
FLOOR_SRC := $(wildcard bench/floors/*.c)
TEST_SRC := $(wildcard test/c/*.c test/vm/*.c)
FUZZ_SRC := $(wildcard test/fuzz/*.c)
# Programs with one deliberate fault each, to prove that sanitizers and checks report it.
NET_SRC := $(wildcard test/nets/*.c)
OUR_SRC := $(sort $(CORE_SRC) $(FAULT_SRC) $(ROOM_SRC) $(FLOOR_SRC) $(TEST_SRC) $(FUZZ_SRC) \
             $(PLANT))
C_SRC := $(OUR_SRC) $(NET_SRC)
OBJ := $(C_SRC:%.c=$(BUILD)/%.o)
objects = $(patsubst %.c,$(BUILD)/%.o,$(filter $(1),$(C_SRC)))

ERL_SRC := $(wildcard core/*.erl port_program/*.erl port_driver/*.erl nif/*.erl bench/*.erl)
BEAMS := $(patsubst %.erl,ebin/%.beam,$(notdir $(ERL_SRC)))
TEST_ERL := $(wildcard test/*.erl test/nets/*.erl build-aux/*.erl)
TEST_BEAMS := $(patsubst %.erl,build/test/ebin/%.beam,$(notdir $(TEST_ERL)))
VPATH := core port_program port_driver nif bench test test/nets build-aux

.PHONY: all artefacts floors
all: artefacts floors ebin/tripod.app $(BEAMS) ## build everything (the default)

artefacts: $(addprefix $(PRIV)/,tripod_port_program tripod_port_driver.so tripod_nif.so)

# bench/floors/nif.c becomes tripod_floor_nif.so, and so on; those that exist are built.
FLOOR_OF_nif := tripod_floor_nif.so
FLOOR_OF_driver := tripod_floor_driver.so
FLOOR_OF_echo := tripod_floor_echo
FLOOR_OF_lua := tripod_floor_lua
floors: $(foreach F,$(FLOOR_SRC),$(PRIV)/$(or $(FLOOR_OF_$(basename $(notdir $F))),\
            $(error $F: the floors are nif.c, driver.c, echo.c and lua.c)))

include build-aux/asked.mk

# Rewritten only when the content changed; whoever depends on it is then remade.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(BASE_FLAGS) $(CFLAGS) | $(LINK_FLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	 echo '$(CC) $(BASE_FLAGS) $(CFLAGS) | $(LINK_FLAGS) $(LDFLAGS)' > $@
$(BUILD)/core.list: FORCE
	@mkdir -p $(@D)
	@echo '$(CORE_SRC)' | cmp -s - $@ || echo '$(CORE_SRC)' > $@

OTP_OBJ := $(call objects,nif/% port_driver/% test/vm/% bench/floors/nif.c bench/floors/driver.c)
LUA_OBJ := $(call objects,core/lua/%.c bench/floors/lua.c test/c/%.c test/fuzz/%.c)
$(OTP_OBJ): build/otp.flags
$(OTP_OBJ): EXTRA := @build/otp.flags
PROGRAM_OBJ := $(call objects,port_program/%.c)
$(PROGRAM_OBJ): build/seccomp.cflags
$(PROGRAM_OBJ): EXTRA := @build/seccomp.cflags
$(LUA_OBJ): build/lua.cflags
$(LUA_OBJ): EXTRA := @build/lua.cflags
$(call objects,core/lua/%.c core/preempt.c core/box.c test/fuzz/rig.c): HOT = $(FLAGS_hot)
$(OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(HOT) $(EXTRA) $(CFLAGS) -c -o $@ $<

# An archive, so that each artefact and test takes from the core only what it uses.
$(BUILD)/core.a: $(CORE_SRC:%.c=$(BUILD)/%.o) $(BUILD)/core.list
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

LUA_LIBS := @build/lua.libs
LIBS = -Wl,--as-needed $(ROOM_LIBS) $(LUA_LIBS) -lpthread -lm
link = $(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
$(PRIV)/tripod_port_program: $(PROGRAM_OBJ) build/seccomp.libs
$(PRIV)/tripod_port_program: ROOM_LIBS := @build/seccomp.libs
$(PRIV)/tripod_port_driver.so: $(call objects,port_driver/%.c)
$(PRIV)/tripod_nif.so: $(call objects,nif/%.c)
$(PRIV)/tripod_floor_nif.so: $(BUILD)/bench/floors/nif.o
$(PRIV)/tripod_floor_driver.so: $(BUILD)/bench/floors/driver.o
$(PRIV)/tripod_floor_echo: $(BUILD)/bench/floors/echo.o
$(PRIV)/tripod_floor_lua: $(BUILD)/bench/floors/lua.o
$(PRIV)/tripod_floor_lua: LUA_LIBS := @build/lua.libs.stock
# nodelete: a signal handler of the timer may be on its way out when the VM unloads an artefact.
$(PRIV)/%.so: $(BUILD)/core.a build/lua.libs
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -shared -Wl,-z,nodelete $(LIBS)
$(PRIV)/%: $(BUILD)/core.a build/lua.libs
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) $(LIBS)

# Behaviours come first, because the compiler checks the callbacks of whoever implements them.
BEHAVIOURS := ebin/tripod_strategy.beam ebin/tripod_scenario.beam
compile_erl = $(ERLC) -Werror +debug_info -pa ebin -I core -I test \
              -MMD -MP -MT $@ -MF build/erl/$(*F).d -o $(@D) $<
ebin/%.beam: %.erl build/otp.flags
	$(call say,ERLC,$<)
	@mkdir -p $(@D) build/erl
	$(Q)$(compile_erl)
build/test/ebin/%.beam: %.erl build/otp.flags
	$(call say,ERLC,$<)
	@mkdir -p $(@D) build/erl
	$(Q)$(compile_erl)
$(filter-out $(BEHAVIOURS),$(BEAMS)) $(TEST_BEAMS): $(BEHAVIOURS)
# A variable, because a recipe would hand the ends of its lines on to Erlang.
WRITE_APP = {ok, [{application, App, Keys}]} = file:consult("$<"), \
            {ok, Modules} = file:consult("build/modules.list"), \
            All = {application, App, [{modules, Modules} | Keys]}, \
            ok = file:write_file("$@", io_lib:format("~p.~n", [All])), halt().
ebin/tripod.app: core/tripod.app.src build/modules.list
	@mkdir -p $(@D)
	$(Q)$(ERL) -noshell -eval '$(WRITE_APP)'
build/modules.list: FORCE
	@mkdir -p $(@D)
	@printf '%s.\n' $(notdir $(basename $(ERL_SRC))) | cmp -s - $@ || \
	 printf '%s.\n' $(notdir $(basename $(ERL_SRC))) > $@
	@rm -f $(filter-out $(BEAMS) $(TEST_BEAMS),$(wildcard ebin/*.beam build/test/ebin/*.beam))

# DEPS=skip leaves the system alone.
DEPS_OF_compare := build run bench
DEPS_OF_test := $(DEPS_OF_compare) test
DEPS_OF_lint := build test lint
DEPS_OF_nets := build test safety
DEPS_OF_all := $(DEPS_OF_test) lint safety
deps = @CC='$(CC)' ERL='$(ERL)' PKG_CONFIG='$(PKG_CONFIG)' DEPS='$(DEPS)' build-aux/deps $(1)
again = +@$(MAKE) --no-print-directory $(if $(filter 0,$(V)),-s)

# Of these jobs, one at a time; each runs its own parts side by side.
JOBS := deps test soak lateness bench kill crash compare lint asan valgrind tsan fuzz coverage nets check
ifneq ($(filter $(JOBS),$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: deps test
deps: ## install what any target here needs, named first (DEPS=skip: only name it)
	$(call deps) $(DEPS_OF_all)

test: ## every test; SUITE=TEXT those whose file name contains it
	$(call deps,--brief) $(DEPS_OF_test)
	$(again) all faults test-beams c-tests
	$(again) MODE=replay fuzz-targets
	@BUILD=$(BUILD) V=$(V) ERL='$(ERL)' SUITE='$(SUITE)' GROUP='$(GROUP)' CASE='$(CASE)' \
	    PROPERTIES='$(PROPERTIES)' build-aux/run-tests

# TIMES are per phase, strategy and mode; phases that would take longer than their share of MINUTES are
# cut short, and said to be.
TIMES ?= 5000
MINUTES ?= 30
.PHONY: soak
soak: ## owners killed in every phase, TIMES=5000 each, in MINUTES=30; GROUP=, PHASE= that one
	$(call deps,--brief) $(DEPS_OF_test)
	$(again) all test-beams
	@$(ERL) -noshell -pa ebin build/test/ebin \
	    -run owner_soak main $(TIMES) $(MINUTES) $(or $(GROUP),all) $(or $(PHASE),all)
.PHONY: lateness
lateness: ## how late hostile scripts end, on a machine that does nothing else; GROUP= that mode
	$(call deps,--brief) $(DEPS_OF_test)
	$(again) all test-beams
	@$(ERL) -noshell -pa ebin build/test/ebin -run hostile_late main $(or $(GROUP),all)

.PHONY: faults test-beams c-tests net-programs fuzz-targets objects
faults: | $(ASKED)
faults: ## the artefacts that can be told to crash, in build/faults/priv
	$(again) MODE=faults artefacts

test-beams: ebin/tripod.app $(BEAMS) $(TEST_BEAMS)

# NAME_test.c is a program of its own, NAME_pipe.c is one that a test in Erlang talks to. Other files
# of test/c are linked into each test; those of test/vm, with NIF and driver, into the tests there.
TEST_NAMES := $(patsubst %.c,%,$(filter %_test.c,$(TEST_SRC)))
C_TESTS := $(TEST_NAMES:%=$(BUILD)/%)
C_PIPES := $(patsubst %.c,$(BUILD)/%,$(filter %_pipe.c,$(TEST_SRC)))
C_SHARED := $(call objects,$(filter-out test/vm/% %_test.c %_pipe.c,$(TEST_SRC)))
VM_SHARED := $(call objects,$(filter-out test/c/% %_test.c,$(TEST_SRC)) nif/%.c port_driver/%.c)
c-tests: $(C_TESTS) $(C_PIPES)
$(C_PIPES): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) $(LIBS)
$(filter $(BUILD)/test/vm/%,$(C_TESTS)): $(VM_SHARED)
$(C_TESTS): $(BUILD)/%: $(BUILD)/%.o $(C_SHARED) $(BUILD)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) -lcmocka $(LIBS)

NETS := $(patsubst %.c,$(BUILD)/%,$(filter-out %_fuzz.c,$(NET_SRC)))
net-programs: $(NETS)
$(NETS): $(BUILD)/%: $(BUILD)/%.o
	$(Q)$(link) -lcmocka -lpthread

# test/fuzz/NAME_fuzz.c is a fuzzer of its own; other files there are linked into each, but that
# replay.c stands in for libFuzzer in MODE=replay, which any compiler can build.
FUZZ_NAMES := $(patsubst %.c,%,$(filter %_fuzz.c,$(FUZZ_SRC)))
FUZZ_SHARED := $(call objects,$(filter-out %_fuzz.c test/fuzz/replay.c,$(FUZZ_SRC)))
FUZZ_MAIN := $(if $(filter replay,$(MODE)),$(BUILD)/test/fuzz/replay.o)
FUZZERS := $(FUZZ_NAMES:%=$(BUILD)/%) $(patsubst %.c,$(BUILD)/%,$(filter %_fuzz.c,$(NET_SRC)))
fuzz-targets: $(FUZZERS)
$(FUZZERS): $(BUILD)/%: $(BUILD)/%.o $(FUZZ_SHARED) $(FUZZ_MAIN) $(BUILD)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) $(LIBS)

objects: $(OUR_SRC:%.c=$(BUILD)/%.o)

.PHONY: bench kill crash report compare
cli = ./tripod $(1) $(if $(filter-out 0,$(QUICK)),--quick) $(if $(OUT),--out $(OUT))
bench kill crash compare:
	$(call deps,--brief) $(DEPS_OF_compare)
	$(again) all faults
	@$(call cli,$@)
bench: ## measure every strategy beside its floor (QUICK=1, OUT=DIR)
kill: ## end owners in every way and see what is left (QUICK=1, OUT=DIR)
crash: ## break the service in every way and see what is lost (QUICK=1, OUT=DIR)
compare: ## bench, kill, crash and the report of them (QUICK=1, OUT=DIR)
report: all ## the report of results that are there (OUT=DIR)
	@./tripod report $(OUT)

.PHONY: lint lint-files lint-includes lint-format lint-gcc lint-clang lint-shell lint-dialyzer tidy
lint: ## include rules, layout, warnings of gcc and clang, clang-tidy, dialyzer
	$(call deps,--brief) $(DEPS_OF_lint)
	$(again) -k lint-files lint-includes lint-format lint-shell lint-gcc lint-clang lint-dialyzer
	@echo lint: clean

SCRIPTS = $(shell grep -lE '^\#!.*[/ ](sh|bats|python3|escript)' \
            tripod .ci/run build-aux/* bench/* test/* test/*/* 2>/dev/null)
SOURCE_DIRS := core core/* nif port_program port_driver bench bench/* test test/* build-aux
HEADERS = $(wildcard $(SOURCE_DIRS:%=%/*.h))
lint-files:
	$(call say,LINT,sizes and SPDX lines)
	@build-aux/check-files $(sort Makefile $(SCRIPTS) $(wildcard rebar.config \
	    $(foreach X,c h erl hrl lua bats,$(SOURCE_DIRS:%=%/*.$X))))
lint-includes: $(ASKED)
	$(call say,LINT,who includes whom)
	@CC='$(CC)' OTP_FLAGS=@build/otp.flags LUA_FLAGS=@build/lua.cflags build-aux/check-includes
lint-format:
	$(call say,LINT,clang-format)
	@clang-format --dry-run -Werror $(C_SRC) $(HEADERS)
lint-shell:
	$(call say,LINT,shellcheck)
	@if command -v shellcheck >/dev/null; then \
	     shellcheck --severity=warning $$(grep -lE '^#!.*[/ ](sh|bats)' $(SCRIPTS)); \
	 else echo 'shellcheck is missing: shell scripts were not checked'; fi
lint-gcc: | $(ASKED)
	$(call say,LINT,warnings of gcc)
	$(again) MODE=gcc objects
lint-clang: | $(ASKED)
	$(call say,LINT,warnings of clang and clang-tidy)
	$(again) MODE=clang objects tidy
# In MODE=clang: once for each object that was compiled anew.
tidy: $(OUR_SRC:%.c=$(BUILD)/%.tidy)
$(OTP_OBJ:.o=.tidy): EXTRA := $$(cat build/otp.flags)
$(LUA_OBJ:.o=.tidy): EXTRA := $$(cat build/lua.cflags)
$(PROGRAM_OBJ:.o=.tidy): EXTRA := $$(cat build/seccomp.cflags)
$(BUILD)/%.tidy: $(BUILD)/%.o $(wildcard .clang-tidy test/.clang-tidy)
	$(Q)clang-tidy --quiet $*.c -- -std=c11 -D_GNU_SOURCE -DNDEBUG -Icore $(EXTRA) 2>$@.log || \
	    { cat $@.log; exit 1; }
	@touch $@
lint-dialyzer: test-beams
	$(call say,LINT,dialyzer)
	@ERL='$(ERL)' build-aux/dialyze build/dialyzer.plt ebin build/test/ebin
.PHONY: lint-selftest
lint-selftest: $(ASKED) ## plants a breach of every rule of lint and proves that each is reported
	@CC='$(CC)' ERL='$(ERL)' ERLC='$(ERLC)' MAKE='$(MAKE)' build-aux/lint-selftest

.PHONY: asan valgrind tsan fuzz coverage nets check
asan: ## C unit tests, the port program, and the NIF and driver in the VM, under ASan and UBSan
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) all test-beams
	$(again) MODE=asan c-tests artefacts
	$(again) MODE=asanfaults artefacts
	@CC='$(CC)' ERL='$(ERL)' build-aux/net-all asan $(TEST_NAMES:%=build/asan/%)
valgrind: ## C unit tests and the port program under valgrind
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) all test-beams
	$(again) MODE=debug c-tests build/debug/priv/tripod_port_program
	@ERL='$(ERL)' build-aux/net-all valgrind $(patsubst %,build/debug/%,$(filter-out %/stack_test,$(TEST_NAMES)))
# What starts threads. Not loops of Lua's that the timer is to end: TSan hands over signals only in
# calls of the C library. Nor the measuring of stacks, which its own frames are a part of.
TSAN_NAMES = $(patsubst %.c,%,$(filter-out %/lua_test.c %/pattern_bomb_test.c %/stack_test.c,\
    $(shell grep -lE 'pthread_create|timer_start|reaper_start' test/c/*_test.c test/vm/*_test.c)))
tsan: ## C unit tests of threaded code, the NIF's too, under ThreadSanitizer
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) MODE=tsan $(TSAN_NAMES:%=build/tsan/%)
	@build-aux/net tsan $(TSAN_NAMES:%=build/tsan/%)
FUZZ_SECONDS ?= 60
FUZZ ?=
fuzz: ## every fuzzer for FUZZ_SECONDS=60 each (0: only the corpora); FUZZ=NAME that one
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) MODE=fuzz fuzz-targets
	@build-aux/fuzz $(FUZZ_SECONDS) \
	    $(patsubst %,build/fuzz/%,$(filter $(if $(FUZZ),%/$(FUZZ)_fuzz,%),$(FUZZ_NAMES)))
coverage: ## lines of core/ that the C unit tests reach
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) MODE=cov c-tests
	@build-aux/coverage '^core/' $(TEST_NAMES:%=build/cov/%)
nets: ## proves that each of these reports a fault that was planted for it
	$(call deps,--brief) $(DEPS_OF_nets)
	$(again) test-beams
	$(again) MODE=asan net-programs
	$(again) MODE=asanfaults artefacts
	$(again) MODE=debug net-programs
	$(again) MODE=debugfaults build/debugfaults/priv/tripod_port_program
	$(again) MODE=tsan net-programs build/tsan/test/vm/nif_crowd_test
	$(again) MODE=cov net-programs
	$(again) MODE=fuzz fuzz-targets
	@CC='$(CC)' ERL='$(ERL)' build-aux/nets
check: ## lint, test, asan, valgrind, tsan, fuzz corpora, and the proof that they work
	$(again) lint
	$(again) lint-selftest
	$(again) nets
	$(again) valgrind
	$(again) tsan
	$(again) asan
	$(again) fuzz FUZZ_SECONDS=0
	$(again) test

.PHONY: test-fresh
test-fresh: ## the README's commands in a Debian where nothing is installed (root, network)
	@build-aux/test-fresh

.PHONY: clean help FORCE
clean: ## remove what make built
	rm -rf build priv ebin
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	    expand -t 22

FORCE:
.DELETE_ON_ERROR:
-include $(OBJ:.o=.d) $(patsubst %.beam,build/erl/%.d,$(notdir $(BEAMS) $(TEST_BEAMS)))
