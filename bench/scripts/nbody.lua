-- SPDX-License-Identifier: Apache-2.0
-- Gravity between bodies that start on a ring around a heavy centre, integrated by leapfrog
-- (kick, drift, kick). Only + - * / and sqrt, which IEEE 754 rounds exactly: the same floats on
-- every machine.

local SOFTENING = 0.0025 -- keeps close encounters finite

-- Points of the unit circle from rational slopes: no sine, whose last digit depends on the library.
local function on_circle(index, count)
    local turn = 2.0 * index / count - 1.0
    local left = turn < 0.0
    local slope = left and 2.0 * turn + 1.0 or 2.0 * turn - 1.0
    local square = slope * slope
    local x, y = (1.0 - square) / (1.0 + square), 2.0 * slope / (1.0 + square)
    if left then return -x, -y end
    return x, y
end

local function ring(count)
    local bodies = {{x = 0.0, y = 0.0, z = 0.0, vx = 0.0, vy = 0.0, vz = 0.0, mass = 1.0}}
    for index = 1, count - 1 do
        local x, y = on_circle(index, count - 1)
        local radius = 1.0 + 0.25 * index
        local speed = math.sqrt(1.0 / radius)
        bodies[#bodies + 1] = {
            x = x * radius, y = y * radius, z = 0.01 * index,
            vx = -y * speed, vy = x * speed, vz = 0.0,
            mass = 0.001 / index,
        }
    end
    return bodies
end

-- The centre moves against the rest, so that the whole stays where it is.
local function still(bodies)
    local px, py, pz = 0.0, 0.0, 0.0
    for _, body in ipairs(bodies) do
        px = px + body.vx * body.mass
        py = py + body.vy * body.mass
        pz = pz + body.vz * body.mass
    end
    local centre = bodies[1]
    centre.vx, centre.vy, centre.vz = -px / centre.mass, -py / centre.mass, -pz / centre.mass
end

local function kick(bodies, dt)
    for i = 1, #bodies do
        local a = bodies[i]
        local ax, ay, az, am = a.x, a.y, a.z, a.mass
        local vx, vy, vz = a.vx, a.vy, a.vz
        for j = i + 1, #bodies do
            local b = bodies[j]
            local dx, dy, dz = ax - b.x, ay - b.y, az - b.z
            local square = dx * dx + dy * dy + dz * dz + SOFTENING
            local pull = dt / (square * math.sqrt(square))
            local on_a, on_b = b.mass * pull, am * pull
            vx, vy, vz = vx - dx * on_a, vy - dy * on_a, vz - dz * on_a
            b.vx, b.vy, b.vz = b.vx + dx * on_b, b.vy + dy * on_b, b.vz + dz * on_b
        end
        a.vx, a.vy, a.vz = vx, vy, vz
    end
end

local function drift(bodies, dt)
    for i = 1, #bodies do
        local body = bodies[i]
        body.x = body.x + dt * body.vx
        body.y = body.y + dt * body.vy
        body.z = body.z + dt * body.vz
    end
end

local function energy(bodies)
    local sum = 0.0
    for i, a in ipairs(bodies) do
        sum = sum + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
        for j = i + 1, #bodies do
            local b = bodies[j]
            local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            sum = sum - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz + SOFTENING)
        end
    end
    return sum
end

function main(steps, count)
    steps = steps or 15000
    local bodies = ring(count or 6)
    still(bodies)
    local dt = 0.005
    local before = energy(bodies)
    for _ = 1, steps do
        kick(bodies, 0.5 * dt)
        drift(bodies, dt)
        kick(bodies, 0.5 * dt)
    end
    local last = bodies[#bodies]
    return {before = before, after = energy(bodies), x = last.x, y = last.y, z = last.z}
end
