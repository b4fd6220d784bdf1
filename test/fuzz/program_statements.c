// SPDX-License-Identifier: Apache-2.0
// Statements, metatables and what is called back.
#include "program_grammar.h"

static const char *const metatable_M[] = {
    "{__tostring = $z}",
    "{__index = $g, __tostring = $z}",
    "{__index = $R, __newindex = $g, __tostring = $z}",
    "{__index = $o, __newindex = $r, __tostring = $z}",
    "{__add = $g, __sub = $g, __mul = $g, __div = $g, __tostring = $z}",
    "{__mod = $g, __pow = $g, __unm = $g, __idiv = $g, __tostring = $z}",
    "{__band = $g, __bor = $g, __bxor = $g, __shl = $g, __bnot = $g, __tostring = $z}",
    "{__concat = $g, __len = $h, __tostring = $z}",
    "{__eq = $g, __lt = $g, __le = $g, __tostring = $z}",
    "{__call = $F, __tostring = $z, __name = $T}",
    "{__close = $F, __tostring = $z}",
    "{__len = $h, __index = $g, __newindex = $g, __tostring = $z}",
    "{__pairs = $F, __index = $g, __tostring = $z}",
    "{__metatable = $V, __tostring = $z}",
    "{__call = $g, __add = $o, __index = function(t, k, ...) return k end, __tostring = $z}",
    "{__len = $h, __index = rawget, __newindex = rawset, __concat = $g, __tostring = $z}",
    "{__lt = function(x, y, ...) return rawlen(x) < rawlen(y) end, __tostring = $z}",
    NULL};

static const char *const shower_z[] = {
    "function() return 'obj' end", "function(...) if stop() then return '' end $S return $T end",
    "function(...) if stop() then return '' end return $y end",
    "function(...) if stop() then return '' end error($V) end", NULL};

static const char *const length_h[] = {
    "function() return 3 end", "function(o) return rawlen(o) end", "function(...) return $j end",
    "function(...) if stop() then return 0 end $S return $j end", NULL};

static const char *const small_j[] = {"0",  "1",   "2",   "5",   "3.0", "'4'",
                                      "-1", "2.5", "'x'", "nil", "{}",  NULL};

static const char *const callback_g[] = {
    "f1",
    "function(x, y) return y end",
    "function(x, y, ...) if stop() then return $V end $B return $V end",
    "function(x, y) out('event', y) return x end",
    "function(...) if stop() then return end return $L end",
    "function(x, y) return coroutine.yield(y) end",
    "function(x, y, ...) if stop() then return end error($V) end",
    "function(x, ...) if stop() then return 0 end return $f(...) end",
    NULL};

// None fails: stock Lua calls a failing handler for its own error, too, until the C stack is used
// up, the sandbox eight times. Nor do many nest: each level takes more of the C stack than in stock
// Lua.
static const char *const handler_Z[] = {
    "str",
    "function(e) return type(e) end",
    "function(e, ...) return e, 1 end",
    "function(...) $n = 7 return select('#', ...) end",
    "type",
    "pcall",
    "function(e) out('handler', type(e)) return e end",
    "function(e) if stop() or stop() or stop() then return e end "
    "return out(pcall($F, e)) end",
    "function(e) return {e} end",
    "function(e) local x <close> = nil return e end",
    NULL};

static const char *const block_B[] = {"", "$S", "$S", "$S $S", "$S $S $S", NULL};

static const char *const statement_S[] = {
    "out($n)",
    "$n = $N",
    "$s = cut($T, 1, 60)",
    "$v = $V",
    "out($V)",
    "out($l)",
    "out(#$a, $s, $n)",
    "out(pcall($F, $L))",
    "$a = $A",
    "$r = $R",
    "$o = $O",
    "$f = $F",
    "$r.$k = $V",
    "$a[$i] = $V",
    "$o[$i] = $V",
    "$o.$k = $V",
    "$a[#$a + 1] = $V",
    "local $n = $N out($n)",
    "local $s <const> = cut($T, 1, 60)",
    "do local $n, $s = $N, $K $B end",
    "$n, $s = $N, cut($T, 1, 40)",
    "$n, $n, $n = $n, $N",
    "$a[$i], $a[$i] = $a[$i], $a[$i]",
    "$v, $v = $L",
    "local x@, y@, z@ = $L out(x@, y@, z@)",
    "if $E then $B end",
    "if $E then $B elseif $E then $B else $B end",
    "if $E then return $L end",
    "do return $L end",
    "while not stop() and $E do $B if $E then break end end",
    "repeat local x@ = $V $B until stop() or x@ == nil or $E",
    "for i@ = 1, $i do if stop() then break end out(i@) $B end",
    "for i@ = $C, $C, $C do if stop() then break end out(i@) end",
    "for i@ = $N, $N, $i do if stop() then break end $B end",
    "for i@ = $C, $C do if stop() then break end out(i@) $B end",
    "for i@ = $w, $w, $w do if stop() then break end out(i@) end",
    "for k@, x@ in ipairs($A) do if stop() then break end out(k@, x@) $B end",
    "local l@ = {} for k@, x@ in pairs($a) do if note(l@, k@, x@) then break end end "
    "out(sorted(l@))",
    "for k@ in pairs($r) do $n = $n + 1 end",
    "local t@ = $a for k@, x@ in next, t@ do t@[k@] = nil end out(next(t@))",
    "for x@, y@ in $F, $V, $V do if stop() then break end $B end",
    "for x@ in coroutine.wrap($F) do if stop() then break end $B end",
    "for x@ in $o, $V, nil, $O do if stop() then break end $B end",
    "do local k@ = 0 ::l@:: k@ = k@ + 1 $B if k@ < $i and not stop() then goto l@ end end",
    "for i@ = 1, 3 do if stop() then break end if $E then goto c@ end $B ::c@:: end",
    "do goto e@ local x@ out(x@) ::e@:: end",
    "do $B goto e@ do $B end ::e@:: end",
    "local fs@ = {} for i@ = 1, 3 do fs@[i@] = function(...) i@ = i@ + $n return i@ end end "
    "out(fs@[1](), fs@[1](), fs@[2](), fs@[3] == fs@[2])",
    "local function g@(x, ...) if stop() or x <= 0 then return $L end return g@(x - 1, $V) end "
    "out(g@($i))",
    "local function g@(x, ...) if stop() or x <= 0 then return $N end return $N + g@(x - 1) end "
    "out(g@($i))",
    "function $o:m(...) if stop() then return end $B return self, ... end",
    "out($o:m($l))",
    "function $r.m(...) if stop() then return end return $L end",
    "out($r.m($l))",
    "local x@ <close> = $O $B",
    "local x@ <close> = nil $B",
    "local x@ <close> = $V out('open')",
    "local x@ <close> = setmetatable({}, {__close = function(x, e, ...) out('close', type(e), $n) "
    "end}) "
    "$B",
    "do local x@ <close> = setmetatable({}, {__close = function(x, e, ...) out('c1') $S end}) "
    "local y@ <close> = setmetatable({}, {__close = function(x, e, ...) error($V) end}) $B end",
    "while true do local x@ <close> = setmetatable({}, {__close = $F}) $B break end",
    "out(pcall(function(...) local x@ <close> = setmetatable({}, {__close = $g}) error($V) end))",
    "error($V)",
    "error($T, $i)",
    "error($V, 2)",
    "assert($V, $V)",
    "out(pcall(error, $L))",
    "out(pcall(function(...) $B end, $L))",
    "out(xpcall(function(...) $B return $L end, $Z, "
    "$L))",
    "out(xpcall($F, $Z, $L))",
    "out(select('#', pcall(pcall, $F, $L)))",
    "c1 = coroutine.create($F)",
    "c2 = coroutine.create(function(...) $B local x@ = "
    "coroutine.yield($l) $B return x@, $L end)",
    "out(coroutine.resume($c, $L))",
    "out(coroutine.resume($c))",
    "out(coroutine.status($c))",
    "out(coroutine.close($c))",
    "out(coroutine.isyieldable($c), coroutine.isyieldable())",
    "out(select(2, coroutine.running()))",
    "out(pcall(coroutine.yield, $L))",
    "out(coroutine.yield($l))",
    "out(coroutine.wrap($F)($l))",
    "local w@ = coroutine.wrap(function(...) for i@ = 1, 3 do out(coroutine.yield(i@, $V)) end $B "
    "end) out(w@()) out(w@($l)) out(pcall(w@, $V))",
    "c1 = coroutine.create(function(...) local x@ <close> = setmetatable({}, {__close = $F}) "
    "coroutine.yield($V) $B end) out(coroutine.resume(c1)) out(coroutine.close(c1))",
    "c1 = coroutine.create(function(...) out(pcall(function(...) coroutine.yield($V) $B end)) "
    "return $L end) out(coroutine.resume(c1)) out(coroutine.resume(c1, $L))",
    "c1 = coroutine.wrap(function(...) return pcall(pcall, coroutine.yield, $L) end) out(c1()) "
    "out(pcall(c1, $V)) c1 = coroutine.create(f1)",
    "setmetatable($o, $M)",
    "out(getmetatable($o) == $V)",
    "out(rawlen($A), rawget($A, $i))",
    "rawset($a, $i, $V)",
    "out($x)",
    "out(walk($A))",
    "local t@ = ({math, table, string, utf8, coroutine, os})[$i] t@.zz = $y out(walk(t@)) "
    "t@.zz = nil",
    "for k@, x@ in pairs({$V, $V, $V}) do if stop() then break end out(k@, x@) $B end",
    "$x",
    "out($u)",
    "out($u)",
    "local t@ = {$V, $V, $V} for k@ in next, t@ do t@[k@] = $y end out(walk(t@))",
    "local t@ = $a for k@, x@ in next, t@ do t@[k@] = $n end out(walk(t@))",
    "$n = $m",
    "out($t)",
    "out($t)",
    "out($t)",
    "s1 = cut($t, 1, 60)",
    "collectgarbage()",
    "local t@ = {$L} out(#t@ >= 0)",
    "out(- $N, ~$i, not $V, #$T)",
    NULL};

const struct program_rule program_statements[] = {
    {'M', 1, metatable_M}, {'z', 1, shower_z},    {'h', 2, length_h},
    {'j', 11, small_j},    {'g', 2, callback_g},  {'Z', 3, handler_Z},
    {'B', 1, block_B},     {'S', 3, statement_S}, {'\0', 0, NULL},
};
