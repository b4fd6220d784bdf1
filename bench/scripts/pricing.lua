-- SPDX-License-Identifier: Apache-2.0
-- Pricing rules over a nested order: an order table in, a priced order of the same shape out.
-- Money is integer cents and rates are basis points, rounded half up, so that totals are exact.

local function share(cents, basis_points)
    return (cents * basis_points + 5000) // 10000
end

local catalogue = {
    ["TEA-100"] = {name = "Green tea, 100 g", cents = 790, group = "food"},
    ["TEA-500"] = {name = "Green tea, 500 g", cents = 3250, group = "food"},
    ["POT-1"] = {name = "Teapot", cents = 4900, group = "kitchen"},
    ["CUP-6"] = {name = "Six cups", cents = 3600, group = "kitchen"},
    ["BOOK-7"] = {name = "The book of tea", cents = 1895, group = "book"},
    ["WRAP"] = {name = "Gift wrapping", cents = 350, group = "service"},
    ["CARD"] = {name = "Greeting card", cents = 220, group = "book"},
}

local tax_points = {
    DE = {food = 700, book = 700, kitchen = 1900, service = 1900},
    FR = {food = 550, book = 550, kitchen = 2000, service = 2000},
    SE = {food = 1200, book = 600, kitchen = 2500, service = 2500},
}

local tier_points = {standard = 0, silver = 300, gold = 500}

-- Each rule looks at one line and returns a discount in cents, or nothing.
local line_rules = {
    {id = "bulk", apply = function(line)
        if line.quantity >= 50 then return share(line.gross_cents, 1200) end
        if line.quantity >= 10 then return share(line.gross_cents, 500) end
    end},
    {id = "three-for-two-books", apply = function(line)
        if line.group == "book" then return line.quantity // 3 * line.unit_cents end
    end},
    {id = "tier", apply = function(line, order)
        if line.group ~= "service" then
            return share(line.gross_cents, tier_points[order.customer.tier] or 0)
        end
    end},
}

-- Coupons look at a whole shipment, after its lines have been priced.
local coupons = {
    TEATIME = function(shipment)
        for _, line in ipairs(shipment.lines) do
            if line.sku:find("^POT%-") then return 500 end
        end
        return 0
    end,
    ["SAVE10"] = function(shipment)
        return shipment.goods_cents >= 5000 and share(shipment.goods_cents, 1000) or 0
    end,
}

local function price_line(line, order)
    local item = catalogue[line.sku]
    if not item then error("unknown sku: " .. tostring(line.sku)) end
    local priced = {sku = line.sku, name = item.name, group = item.group,
                    quantity = line.quantity, unit_cents = item.cents,
                    gross_cents = item.cents * line.quantity, discounts = {}, extras = {}}
    local extra_cents = 0
    for _, extra in ipairs(line.extras or {}) do
        local one = price_line({sku = extra, quantity = line.quantity}, order)
        priced.extras[#priced.extras + 1] = one
        extra_cents = extra_cents + one.net_cents
    end
    local discount_cents = 0
    for _, rule in ipairs(line_rules) do
        local cents = rule.apply(priced, order)
        if cents and cents > 0 then
            cents = math.min(cents, priced.gross_cents - discount_cents)
            priced.discounts[#priced.discounts + 1] = {rule = rule.id, cents = cents}
            discount_cents = discount_cents + cents
        end
    end
    priced.net_cents = priced.gross_cents - discount_cents + extra_cents
    return priced
end

-- A coupon is spread over the lines in proportion, the rest goes to the last: taxes differ by line.
local function tax_shipment(shipment, rates, coupon_cents)
    local left = coupon_cents
    local tax_cents = 0
    for index, line in ipairs(shipment.lines) do
        local cut = index == #shipment.lines and left
            or coupon_cents * line.net_cents // math.max(1, shipment.goods_cents)
        left = left - cut
        line.taxed_cents = line.net_cents - cut
        line.tax_cents = share(line.taxed_cents, rates[line.group])
        tax_cents = tax_cents + line.tax_cents
    end
    return tax_cents
end

local function price_shipment(given, order)
    local rates = tax_points[given.country]
    if not rates then error("no tax rates for " .. tostring(given.country)) end
    local shipment = {country = given.country, lines = {}, goods_cents = 0}
    for index, line in ipairs(given.lines) do
        shipment.lines[index] = price_line(line, order)
        shipment.goods_cents = shipment.goods_cents + shipment.lines[index].net_cents
    end
    local coupon = coupons[order.coupon or ""]
    shipment.coupon_cents = coupon and math.min(coupon(shipment), shipment.goods_cents) or 0
    shipment.tax_cents = tax_shipment(shipment, rates, shipment.coupon_cents)
    shipment.freight_cents = shipment.goods_cents - shipment.coupon_cents >= 6000 and 0 or 590
    shipment.total_cents = shipment.goods_cents - shipment.coupon_cents
        + shipment.tax_cents + shipment.freight_cents
    return shipment
end

local function price(order)
    local priced = {id = order.id, customer = order.customer, coupon = order.coupon,
                    shipments = {}, total_cents = 0}
    for index, shipment in ipairs(order.shipments) do
        priced.shipments[index] = price_shipment(shipment, order)
        priced.total_cents = priced.total_cents + priced.shipments[index].total_cents
    end
    return priced
end

local sample = {
    id = "A-1001",
    customer = {name = "Kvasir AB", tier = "gold"},
    coupon = "SAVE10",
    shipments = {
        {country = "DE", lines = {
            {sku = "POT-1", quantity = 2, extras = {"WRAP", "CARD"}},
            {sku = "TEA-100", quantity = 12},
            {sku = "BOOK-7", quantity = 7},
        }},
        {country = "SE", lines = {
            {sku = "TEA-500", quantity = 1},
            {sku = "CUP-6", quantity = 1, extras = {"WRAP"}},
        }},
        {country = "FR", lines = {{sku = "CARD", quantity = 60}}},
    },
}

-- Prices the order `rounds` times, with every customer tier in turn; the last round is returned as
-- given, with the sum of all totals.
function main(order, rounds)
    order = order or sample
    rounds = rounds or 5000
    local tiers = {"standard", "silver", "gold"}
    local sum_cents, priced = 0, nil
    for round = 1, rounds do
        local tier = round == rounds and order.customer.tier or tiers[round % #tiers + 1]
        priced = price({id = order.id, coupon = order.coupon, shipments = order.shipments,
                        customer = {name = order.customer.name, tier = tier}})
        sum_cents = sum_cents + priced.total_cents
    end
    return priced, sum_cents
end
