-- SPDX-License-Identifier: Apache-2.0
-- Token buckets for many API keys under a simulated clock: three plans, bursts, idle keys dropped.
-- All arithmetic is in integers (micro-tokens, milliseconds): a long simulation cannot drift.

local ONE_TOKEN = 1000000

-- rate: micro-tokens per millisecond; burst: micro-tokens that a bucket can hold.
local plans = {
    free = {rate = 2000, burst = 5 * ONE_TOKEN, cost = {read = 1, write = 2, report = 5}},
    team = {rate = 10000, burst = 20 * ONE_TOKEN, cost = {read = 1, write = 2, report = 4}},
    business = {rate = 60000, burst = 60 * ONE_TOKEN, cost = {read = 1, write = 1, report = 2}},
}

local Limiter = {}
Limiter.__index = Limiter

local function new_limiter(idle_ms)
    return setmetatable({buckets = {}, live = 0, dropped = 0, idle_ms = idle_ms}, Limiter)
end

function Limiter:bucket(key, plan, now_ms)
    local bucket = self.buckets[key]
    if not bucket then
        bucket = {plan = plan, tokens = plan.burst, seen_ms = now_ms, denied = 0}
        self.buckets[key] = bucket
        self.live = self.live + 1
    end
    return bucket
end

-- Returns whether the call may go on and, if not, after how many milliseconds it could.
function Limiter:take(key, plan, operation, now_ms)
    local bucket = self:bucket(key, plan, now_ms)
    local refill = (now_ms - bucket.seen_ms) * plan.rate
    bucket.tokens = math.min(plan.burst, bucket.tokens + refill)
    bucket.seen_ms = now_ms
    local price = plan.cost[operation] * ONE_TOKEN
    if bucket.tokens >= price then
        bucket.tokens = bucket.tokens - price
        return true, 0
    end
    bucket.denied = bucket.denied + 1
    return false, (price - bucket.tokens + plan.rate - 1) // plan.rate
end

function Limiter:sweep(now_ms)
    for key, bucket in pairs(self.buckets) do
        if now_ms - bucket.seen_ms > self.idle_ms then
            self.buckets[key] = nil
            self.live = self.live - 1
            self.dropped = self.dropped + 1
        end
    end
end

-- A generator of our own: math.random may be seeded differently from run to run.
local function random_source(seed)
    local state = seed
    return function(limit)
        state = (state * 6364136223846793005 + 1442695040888963407)
        return (state >> 33) % limit
    end
end

local operations = {"read", "read", "read", "read", "read", "read", "write", "write", "write",
                    "report"}

-- Yields one request after the other: key, plan, operation, time. A few keys make most requests.
local function arrivals(requests, keys)
    return coroutine.wrap(function()
        local random = random_source(20240229)
        local now_ms = 0
        for _ = 1, requests do
            now_ms = now_ms + random(4)
            local number = random(10) < 7 and random(keys // 20 + 1) or random(keys)
            local plan = number % 9 == 0 and "business" or number % 3 == 0 and "team" or "free"
            coroutine.yield(string.format("%s:%05d", plan, number), plan,
                            operations[random(#operations) + 1], now_ms)
        end
    end)
end

function main(requests, keys)
    requests = requests or 60000
    keys = keys or 2000
    local limiter = new_limiter(4000)
    local result = {allowed = 0, denied = 0, wait_ms = 0, by_plan = {}}
    local swept_ms, clock_ms = 0, 0
    for name in pairs(plans) do
        result.by_plan[name] = {allowed = 0, denied = 0}
    end
    for key, name, operation, now_ms in arrivals(requests, keys) do
        local allowed, wait_ms = limiter:take(key, plans[name], operation, now_ms)
        local column = allowed and "allowed" or "denied"
        result[column] = result[column] + 1
        result.by_plan[name][column] = result.by_plan[name][column] + 1
        result.wait_ms = result.wait_ms + wait_ms
        clock_ms = now_ms
        if now_ms - swept_ms >= 1000 then
            limiter:sweep(now_ms)
            swept_ms = now_ms
        end
    end
    local most, busiest = -1, ""
    for key, bucket in pairs(limiter.buckets) do
        if bucket.denied > most or bucket.denied == most and key < busiest then
            most, busiest = bucket.denied, key
        end
    end
    result.clock_ms = clock_ms
    result.live = limiter.live
    result.dropped = limiter.dropped
    result.most_denied = {key = busiest, times = most}
    return result
end
