-- SPDX-License-Identifier: Apache-2.0
-- Many short-lived binary trees beside one that stays: allocation and collection, little else.

local function grow(depth)
    if depth == 0 then return {} end
    return {left = grow(depth - 1), right = grow(depth - 1)}
end

local function count(tree)
    if not tree.left then return 1 end
    return 1 + count(tree.left) + count(tree.right)
end

-- For each depth from 4 up in steps of 3: as many trees as make the same number of nodes each time.
function main(depth)
    depth = depth or 15
    local stays = grow(depth)
    local rounds = {}
    for level = 4, depth, 3 do
        local trees = 1 << (depth - level)
        local nodes = 0
        for _ = 1, trees do
            nodes = nodes + count(grow(level))
        end
        rounds[#rounds + 1] = {depth = level, trees = trees, nodes = nodes}
    end
    return {rounds = rounds, stays = count(stays)}
end
