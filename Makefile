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
V ?= 0
# Extra flags of your own, after ours.
CFLAGS ?=
LDFLAGS ?=

Q := $(if $(filter 0,$(V)),@,)
say = $(if $(filter 0,$(V)),@printf '  %-6s %s\n' '$(1)' '$(2)')
OUT := build/$(MODE)
# What the VM loads. Other modes have a directory of their own, chosen with TRIPOD_PRIV.
PRIV := $(if $(filter release,$(MODE)),priv,$(OUT)/priv)

FLAGS_release := -O2 -g -DNDEBUG
FLAGS_debug := -O0 -g
FLAGS_faults := -O1 -g -DTRIPOD_FAULTS
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_tsan := -O1 -g -fsanitize=thread
FLAGS_cov := -O0 -g --coverage
FLAGS_fuzz := $(FLAGS_asan) -fsanitize=fuzzer-no-link
ifndef FLAGS_$(MODE)
$(error MODE=$(MODE) is none of release debug faults asan tsan cov fuzz)
endif
ifeq ($(MODE),fuzz)
CC := $(CLANG)
endif

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
BASE_FLAGS := -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(if $(CI),-Werror) \
              $(FLAGS_$(MODE)) -Icore -MMD -MP
LINK_FLAGS := $(FLAGS_$(MODE))

CORE_SRC := $(wildcard core/*.c core/echo/*.c core/lua/*.c) \
            $(if $(filter faults,$(MODE)),$(wildcard test/faults/*.c))
ROOM_SRC := $(wildcard port_program/*.c port_driver/*.c nif/*.c)
FLOOR_SRC := $(wildcard bench/floors/*.c)
TEST_SRC := $(wildcard test/c/*.c)
FUZZ_SRC := $(wildcard test/fuzz/*_fuzz.c)
C_SRC := $(sort $(CORE_SRC) $(ROOM_SRC) $(FLOOR_SRC) $(TEST_SRC) $(FUZZ_SRC) $(wildcard test/faults/*.c))
OBJ := $(C_SRC:%.c=$(OUT)/%.o)
objects = $(patsubst %.c,$(OUT)/%.o,$(filter $(1),$(C_SRC)))

ERL_SRC := $(wildcard core/*.erl port_program/*.erl port_driver/*.erl nif/*.erl bench/*.erl)
BEAMS := $(patsubst %.erl,ebin/%.beam,$(notdir $(ERL_SRC)))
TEST_ERL := $(wildcard test/*.erl test/faults/*.erl build-aux/*.erl)
TEST_BEAMS := $(patsubst %.erl,build/test/ebin/%.beam,$(notdir $(TEST_ERL)))
VPATH := core port_program port_driver nif bench test test/faults build-aux

.PHONY: all artefacts floors
all: artefacts floors ebin/tripod.app $(BEAMS) ## build everything (the default)

artefacts: $(addprefix $(PRIV)/,$(if $(wildcard port_program/*.c),tripod_port_program) \
             $(if $(wildcard port_driver/*.c),tripod_port_driver.so) $(if $(wildcard nif/*.c),tripod_nif.so))

# bench/floors/nif.c becomes tripod_floor_nif.so, and so on; those that exist are built.
FLOOR_OF_nif := tripod_floor_nif.so
FLOOR_OF_driver := tripod_floor_driver.so
FLOOR_OF_echo := tripod_floor_echo
FLOOR_OF_lua := tripod_floor_lua
floors: $(foreach F,$(FLOOR_SRC),$(PRIV)/$(or $(FLOOR_OF_$(basename $(notdir $F))),\
            $(error $F: the floors are nif.c, driver.c, echo.c and lua.c)))

# What erl and pkg-config say, once, as response files for the compiler.
OTP_INCLUDE := $(lastword $(if $(wildcard build/otp.flags),$(file <build/otp.flags)))
build/otp.flags: $(if $(wildcard $(OTP_INCLUDE)/erl_nif.h),,FORCE)
	@mkdir -p $(@D)
	$(Q)build-aux/deps --check erl
	$(Q)$(ERL) -noshell -eval 'io:format("-isystem ~s/usr/include~n", [code:root_dir()]), halt().' > $@

build/lua.cflags:
	@mkdir -p $(@D)
	$(Q)build-aux/deps --check lua
	$(Q)$(PKG_CONFIG) --cflags lua5.4 | sed 's/-I/-isystem /g' > $@
build/lua.libs:
	@mkdir -p $(@D)
	$(Q)build-aux/deps --check lua
	$(Q)$(PKG_CONFIG) --libs lua5.4 > $@

# Rewritten only when the content changed; whoever depends on it is then remade.
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(BASE_FLAGS) $(CFLAGS) | $(LINK_FLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	 echo '$(CC) $(BASE_FLAGS) $(CFLAGS) | $(LINK_FLAGS) $(LDFLAGS)' > $@
$(OUT)/core.list: FORCE
	@mkdir -p $(@D)
	@echo '$(CORE_SRC)' | cmp -s - $@ || echo '$(CORE_SRC)' > $@

OTP_OBJ := $(call objects,nif/%.c port_driver/%.c bench/floors/nif.c bench/floors/driver.c)
LUA_OBJ := $(call objects,core/lua/%.c bench/floors/lua.c test/c/%.c test/fuzz/%.c)
$(OTP_OBJ): build/otp.flags
$(OTP_OBJ): EXTRA := @build/otp.flags
$(LUA_OBJ): build/lua.cflags
$(LUA_OBJ): EXTRA := @build/lua.cflags
$(OBJ): $(OUT)/%.o: %.c $(OUT)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(EXTRA) $(CFLAGS) -c -o $@ $<

# An archive, so that each artefact and test takes from the core only what it uses.
$(OUT)/core.a: $(CORE_SRC:%.c=$(OUT)/%.o) $(OUT)/core.list
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

LIBS = @build/lua.libs -lpthread -lm
link = $(CC) $(LINK_FLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
$(PRIV)/tripod_port_program: $(call objects,port_program/%.c)
$(PRIV)/tripod_port_driver.so: $(call objects,port_driver/%.c)
$(PRIV)/tripod_nif.so: $(call objects,nif/%.c)
$(PRIV)/tripod_floor_nif.so: $(OUT)/bench/floors/nif.o
$(PRIV)/tripod_floor_driver.so: $(OUT)/bench/floors/driver.o
$(PRIV)/tripod_floor_echo: $(OUT)/bench/floors/echo.o
$(PRIV)/tripod_floor_lua: $(OUT)/bench/floors/lua.o
$(PRIV)/%.so: $(OUT)/core.a build/lua.libs
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) -shared $(LIBS)
$(PRIV)/%: $(OUT)/core.a build/lua.libs
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(link) $(LIBS)

# Behaviours come first, because the compiler checks the callbacks of whoever implements them.
BEHAVIOURS := ebin/tripod_strategy.beam
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
ebin/tripod.app: core/tripod.app.src build/modules.list
	@mkdir -p $(@D)
	$(Q)$(ERL) -noshell -eval '{ok, [{application, A, P}]} = file:consult("$<"), {ok, M} = file:consult("build/modules.list"), ok = file:write_file("$@", io_lib:format("~p.~n", [{application, A, [{modules, M} | P]}])), halt().'
build/modules.list: FORCE
	@mkdir -p $(@D)
	@printf '%s.\n' $(notdir $(basename $(ERL_SRC))) | cmp -s - $@ || \
	 printf '%s.\n' $(notdir $(basename $(ERL_SRC))) > $@

.PHONY: deps test faults test-beams c-tests fuzz-targets
# DEPS=skip leaves the system alone.
DEPS_OF_test := build run bench test
DEPS_OF_all := $(DEPS_OF_test) lint safety
deps = @CC='$(CC)' ERL='$(ERL)' PKG_CONFIG='$(PKG_CONFIG)' DEPS='$(DEPS)' build-aux/deps
again = +@$(MAKE) --no-print-directory $(if $(filter 0,$(V)),-s)

deps: ## install what any target here needs, named first (DEPS=skip: only name it)
	$(deps) $(DEPS_OF_all)

test: ## every test; SUITE=TEXT those whose file name contains it
	$(deps) $(DEPS_OF_test)
	$(again) all faults test-beams c-tests
	@OUT=$(OUT) SUITE='$(SUITE)' GROUP='$(GROUP)' CASE='$(CASE)' V=$(V) ERL='$(ERL)' build-aux/run-tests

# A make of its own, which must not write the shared answers of erl and pkg-config beside this one.
faults: | build/otp.flags build/lua.cflags build/lua.libs
faults: ## the artefacts that can be told to crash, in build/faults/priv
	$(again) MODE=faults artefacts

test-beams: $(BEAMS) $(TEST_BEAMS)

# test/c/NAME_test.c is a program of its own, NAME_pipe.c is one that a test in Erlang talks to;
# other files there are linked into each test.
C_TESTS := $(patsubst %.c,$(OUT)/%,$(filter %_test.c,$(TEST_SRC)))
C_PIPES := $(patsubst %.c,$(OUT)/%,$(filter %_pipe.c,$(TEST_SRC)))
c-tests: $(C_TESTS) $(C_PIPES)
$(C_PIPES): $(OUT)/%: $(OUT)/%.o $(OUT)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) $(LIBS)
$(C_TESTS): $(OUT)/%: $(OUT)/%.o $(call objects,$(filter-out %_test.c %_pipe.c,$(TEST_SRC))) $(OUT)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) -lcmocka $(LIBS)

FUZZERS := $(FUZZ_SRC:%.c=$(OUT)/%)
fuzz-targets: $(FUZZERS)
$(FUZZERS): $(OUT)/%: $(OUT)/%.o $(OUT)/core.a build/lua.libs
	$(call say,LINK,$@)
	$(Q)$(link) -fsanitize=fuzzer $(LIBS)

.PHONY: clean help FORCE
clean: ## remove what make built
	rm -rf build priv ebin
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

FORCE:
.DELETE_ON_ERROR:
-include $(OBJ:.o=.d) $(patsubst %.beam,build/erl/%.d,$(notdir $(BEAMS) $(TEST_BEAMS)))
