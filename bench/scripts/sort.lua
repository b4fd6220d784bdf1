-- SPDX-License-Identifier: Apache-2.0
-- Sorting records: table.sort with and without a comparator, and a merge sort written in Lua. No
-- two records compare equal where the order would show, because table.sort is not stable.

local function records(count)
    local state = 42
    local list = {}
    for id = 1, count do
        state = (state * 1103515245 + 12345) & 0x7fffffff
        list[id] = {id = id, score = state >> 8 & 0x3ff, name = ("n%06x"):format(state & 0xffffff)}
    end
    return list
end

local function by_score(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.id < b.id
end

local function merge_sort(list, before)
    local from, to = list, {}
    local count, width = #list, 1
    while width < count do
        for low = 1, count, 2 * width do
            local middle = math.min(low + width, count + 1)
            local high = math.min(low + 2 * width, count + 1)
            local left, right = low, middle
            for place = low, high - 1 do
                if left < middle and (right >= high or not before(from[right], from[left])) then
                    to[place], left = from[left], left + 1
                else
                    to[place], right = from[right], right + 1
                end
            end
        end
        from, to = to, from == list and {} or from
        width = 2 * width
    end
    return from
end

local function ranks(list, places)
    local out = {}
    for place = 1, places do out[place] = list[place].id end
    return out
end

function main(count)
    count = count or 15000
    local list = records(count)
    local names, scores = {}, {}
    for index, record in ipairs(list) do
        names[index], scores[index] = record.name, record.score
    end
    table.sort(names)
    table.sort(scores)
    local merged = merge_sort(list, by_score)
    table.sort(list, by_score)
    for place = 1, count do
        if merged[place] ~= list[place] then error("the two sorts differ at " .. place) end
    end
    return {first = ranks(list, 5), name = names[1], median = scores[(count + 1) // 2]}
end
