# SPDX-License-Identifier: Apache-2.0
# What erl, pkg-config and Lua's library say, once, as response files for the compiler. A part of the
# Makefile. Makes of their own in other modes must not write these answers side by side.
ASKED := build/otp.flags build/lua.cflags build/lua.libs build/seccomp.cflags build/seccomp.libs

OTP_INCLUDE := $(lastword $(if $(wildcard build/otp.flags),$(file <build/otp.flags)))
build/otp.flags: $(if $(wildcard $(OTP_INCLUDE)/erl_nif.h),,FORCE)
	@mkdir -p $(@D)
	$(call deps,--check) build
	$(Q)$(ERL) -noshell -eval 'io:format("-isystem ~s/usr/include~n", [code:root_dir()]), halt().' \
	    > $@.new && mv $@.new $@

build/lua.cflags:
	@mkdir -p $(@D)
	$(call deps,--check) build
	$(Q)$(PKG_CONFIG) --cflags lua5.4 | sed 's/-I/-isystem /g' > $@.new && mv $@.new $@
build/lua.choice: FORCE
	@mkdir -p $(@D)
	@echo '$(LUA_LINK)' | cmp -s - $@ || echo '$(LUA_LINK)' > $@
# Made anew when the library is another.
-include build/lua.libs.d
build/lua.libs: build/lua.choice build-aux/lua-library build-aux/lua-probe.c \
    core/lua/lua_streams.c core/lua/lua_names.c core/lua/lua_concat.c core/lua/lua_concat.h
	$(call deps,--check) build
	$(call say,LUA,$(LUA_LINK))
	$(Q)CC='$(CC)' AR='$(AR)' OBJCOPY='$(OBJCOPY)' PKG_CONFIG='$(PKG_CONFIG)' \
	    build-aux/lua-library '$(LUA_LINK)' $@
# The port program's alone.
build/seccomp.cflags:
	@mkdir -p $(@D)
	$(call deps,--check) build
	$(Q)$(PKG_CONFIG) --cflags libseccomp | sed 's/-I/-isystem /g' > $@.new && mv $@.new $@
build/seccomp.libs:
	@mkdir -p $(@D)
	$(call deps,--check) build
	$(Q)$(PKG_CONFIG) --libs libseccomp > $@.new && mv $@.new $@
