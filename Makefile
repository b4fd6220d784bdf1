# SPDX-License-Identifier: Apache-2.0
# Variables you may set:
CC ?= gcc
MODE ?= release
ERL ?= erl
ERLC ?= erlc
V ?= 0
# Extra flags of your own, after ours.
CFLAGS ?=
LDFLAGS ?=

Q := $(if $(filter 0,$(V)),@,)
OUT := build/$(MODE)
# What the VM loads. Other modes have a directory of their own, chosen with TRIPOD_PRIV.
PRIV := $(if $(filter release,$(MODE)),priv,$(OUT)/priv)

FLAGS_release := -O2 -g -DNDEBUG
FLAGS_debug := -O0 -g
FLAGS_faults := -O1 -g -DTRIPOD_FAULTS
FLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FLAGS_tsan := -O1 -g -fsanitize=thread
FLAGS_cov := -O0 -g --coverage

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes
BASE_FLAGS := -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(if $(CI),-Werror) \
              $(FLAGS_$(MODE)) -Icore -MMD -MP

# One erl call, cached: where this OTP keeps its headers.
build/otp.mk:
	@mkdir -p build
	$(Q)$(ERL) -noshell -eval 'io:format("OTP_INCLUDE := ~s/erts-~s/include~n", [code:root_dir(), erlang:system_info(version)]), halt().' > $@
-include build/otp.mk

LUA_CFLAGS = $(shell pkg-config --cflags lua5.4)
LUA_LIBS = $(shell pkg-config --libs lua5.4)

CORE_SRC := $(wildcard core/*.c) $(wildcard core/echo/*.c) $(wildcard core/lua/*.c) \
            $(if $(filter faults,$(MODE)),$(wildcard test/faults/*.c))
CORE_OBJ := $(CORE_SRC:%.c=$(OUT)/%.o)
PROGRAM_OBJ := $(patsubst %.c,$(OUT)/%.o,$(wildcard port_program/*.c))
DRIVER_OBJ := $(patsubst %.c,$(OUT)/%.o,$(wildcard port_driver/*.c))
NIF_OBJ := $(patsubst %.c,$(OUT)/%.o,$(wildcard nif/*.c))

ERL_SRC := $(wildcard core/*.erl port_program/*.erl port_driver/*.erl nif/*.erl bench/*.erl)
BEAMS := $(patsubst %.erl,ebin/%.beam,$(notdir $(ERL_SRC)))
VPATH := core port_program port_driver nif bench

.PHONY: all
all: artefacts ebin/tripod.app $(BEAMS)  ## build everything

.PHONY: artefacts
artefacts: $(PRIV)/tripod_port_program $(PRIV)/tripod_port_driver.so $(PRIV)/tripod_nif.so

$(PRIV)/tripod_port_program: $(PROGRAM_OBJ) $(CORE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS_$(MODE)) $(LDFLAGS) -o $@ $^ $(LUA_LIBS) -lpthread

$(PRIV)/tripod_port_driver.so: $(DRIVER_OBJ) $(CORE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS_$(MODE)) -shared $(LDFLAGS) -o $@ $^ $(LUA_LIBS) -lpthread

$(PRIV)/tripod_nif.so: $(NIF_OBJ) $(CORE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FLAGS_$(MODE)) -shared $(LDFLAGS) -o $@ $^ $(LUA_LIBS) -lpthread

$(OUT)/core/lua/%.o: EXTRA = $(LUA_CFLAGS)
$(OUT)/port_driver/%.o $(OUT)/nif/%.o: EXTRA = -isystem $(OTP_INCLUDE)
$(OUT)/%.o: %.c build/otp.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(EXTRA) $(CFLAGS) -c -o $@ $<

ebin/tripod_strategy.beam: tripod_strategy.erl
	@mkdir -p ebin
	$(Q)$(ERLC) -Werror +debug_info -o ebin $<
ebin/%.beam: %.erl ebin/tripod_strategy.beam
	@mkdir -p ebin
	$(Q)$(ERLC) -Werror +debug_info -pa ebin -o ebin $<
ebin/tripod.app: core/tripod.app.src $(ERL_SRC)
	@mkdir -p ebin
	$(Q)$(ERL) -noshell -eval '{ok, [{application, A, P}]} = file:consult("$<"), M = [list_to_atom(filename:basename(F, ".erl")) || F <- string:lexemes("$(ERL_SRC)", " ")], ok = file:write_file("$@", io_lib:format("~p.~n", [{application, A, [{modules, M} | P]}])), halt().'

.PHONY: clean
clean:  ## remove what make built
	rm -rf build priv ebin

-include $(CORE_OBJ:.o=.d) $(PROGRAM_OBJ:.o=.d) $(DRIVER_OBJ:.o=.d) $(NIF_OBJ:.o=.d)
