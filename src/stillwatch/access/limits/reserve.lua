-- The keeper of limits that several replicas share: every operation is one call of this script.
-- KEYS: 1 ends of leases by reservation, 2 what each reservation holds, then one a charge.
-- ARGV: 1 the operation, 2 its arguments in MessagePack.
-- Numbers are doubles, so all that is counted stays whole below 2^53: moments and leases are in
-- microseconds, rates in nanoseconds. The arithmetic is that of gcra.py, windows.py, distinct.py.
local LEASES, HOLDS = KEYS[1], KEYS[2]
local MOST, DOWN, LEAST = 2 ^ 52, 1 - 2 ^ -51, 1e-200
local floor, min, max = math.floor, math.min, math.max
local call, pack, unpacked = redis.call, cmsgpack.pack, cmsgpack.unpack
local args = unpacked(ARGV[2])
local now = args.now
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function text(number) return string.format('%.0f', number) end

-- Keys outlive what they hold by a lease, so that a key never goes while it still counts.
local function live(microseconds)
  return text(math.ceil(max(microseconds, 0) / 1000) + args.lease / 1000 + 1000)
end

local function load(key, fresh)
  local packed = call('GET', key)
  if packed then return unpacked(packed) end
  return fresh
end

local rate, budget, slots, distinct = {}, {}, {}, {}

-- A rate: {spent, held, share, era, at}.
function rate.load(key)
  local s = load(key, {0, 0, 1, now, now})
  local left = min((now - s[5]) * 1000, 2 ^ 53)
  if left <= 0 then return s end
  s[5] = now
  if left < s[1] then
    s[1] = s[1] - left
    return s
  end
  left = left - s[1]
  s[1] = 0
  if s[2] == 0 then return s end
  if left < s[2] then
    local rest = s[2] - left
    s[3] = s[3] * (rest / s[2] * DOWN)
    s[2] = rest
    if s[3] > LEAST then return s end
  else
    s[2] = 0
  end
  s[3], s[4] = 1, now
  return s
end

function rate.take(s, charge)
  if s[1] + s[2] + charge.units > charge.room then
    return nil, math.ceil((s[1] + s[2] + charge.units - charge.room) / 1000)
  end
  s[2] = s[2] + charge.units
  return {charge.units, s[3], s[4]}
end

function rate.settle(s, hold, due)
  local left = 0
  if hold[3] == s[4] then
    left = hold[1]
    if hold[2] ~= s[3] then left = floor(left * (s[3] / hold[2]) * DOWN) end
    s[2] = s[2] - left
  end
  s[1] = min(s[1] + max(due - (hold[1] - left), 0), MOST)
end

function rate.save(key, s) call('SET', key, pack(s), 'PX', live((s[1] + s[2]) / 1000)) end

-- The UTC month of a day since 1970: its first day, and that of the next one. After "days_from_civil"
-- and "civil_from_days" of Howard Hinnant, chrono-Compatible Low-Level Date Algorithms.
local function month(day)
  local function first(year, number)
    if number <= 2 then year = year - 1 end
    local era = floor(year / 400)
    local yoe = year - era * 400
    local doy = floor((153 * (number + (number > 2 and -3 or 9)) + 2) / 5)
    return era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
  end
  local era = floor((day + 719468) / 146097)
  local doe = day + 719468 - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local shifted = floor((5 * doy + 2) / 153)
  local number = shifted + (shifted < 10 and 3 or -9)
  local year = yoe + era * 400 + (number <= 2 and 1 or 0)
  local after = number % 12 + 1
  return first(year, number), first(year + (after == 1 and 1 or 0), after)
end

-- A budget: {used, start, end}.
function budget.load(key, charge)
  local s = load(key, {0, 0, 0})
  if now < s[3] then return s end
  local day = 86400000000
  if charge.calendar == 'month' then
    local first, after = month(floor(now / day))
    return {0, first * day, after * day}
  end
  local length = charge.calendar == 'hour' and 3600000000 or day
  local start = now - now % length
  return {0, start, start + length}
end

function budget.take(s, charge)
  if s[1] + charge.units > charge.room then return nil, s[3] - now end
  s[1] = s[1] + charge.units
  return {charge.units, s[2]}
end

function budget.settle(s, hold, due)
  local more = due - hold[1]
  if more > 0 or hold[2] == s[2] then s[1] = min(s[1] + more, MOST) end
end

function budget.save(key, s) call('SET', key, pack(s), 'PX', live(s[3] - now)) end

-- Slots: the number taken, and what to write; in the store a set of slots by the end of the lease.
function slots.load(key)
  call('ZREMRANGEBYSCORE', key, '-inf', text(now))
  return {call('ZCARD', key), {}, {}}
end

function slots.take(s, charge)
  if s[1] + charge.units > charge.room then return nil, 1000000 end
  local names = {}
  for i = 1, charge.units do
    names[i] = args.id .. ':' .. charge.index .. ':' .. i
    s[2][#s[2] + 1] = names[i]
  end
  s[1] = s[1] + charge.units
  return names
end

function slots.settle(s, hold) s[3] = hold end

function slots.save(key, s)
  for _, name in ipairs(s[2]) do call('ZADD', key, text(now + args.lease), name) end
  for _, name in ipairs(s[3]) do call('ZREM', key, name) end
  call('PEXPIRE', key, live(args.lease))
end

-- Different items: their number, what to write, the period; in the store a set by last use.
function distinct.load(key, charge)
  call('ZREMRANGEBYSCORE', key, '-inf', text(now - charge.period))
  return {call('ZCARD', key), {}, charge.period}
end

local function last(s, key, item)
  return s[2][item] or tonumber(call('ZSCORE', key, item))
end

function distinct.take(s, charge)
  local fresh = 0
  for _, item in ipairs(charge.items) do
    if not last(s, charge.key, item) then fresh = fresh + 1 end
  end
  local surplus = s[1] + fresh - charge.room
  if surplus > 0 then
    local asked = {}
    for _, item in ipairs(charge.items) do asked[item] = true end
    local oldest = call('ZRANGE', charge.key, 0, surplus + #charge.items - 1, 'WITHSCORES')
    for i = 1, #oldest, 2 do
      if not asked[oldest[i]] then surplus = surplus - 1 end
      if surplus == 0 then return nil, oldest[i + 1] + charge.period - now end
    end
    return nil, charge.period
  end
  local hold = {}
  for i, item in ipairs(charge.items) do
    local before = last(s, charge.key, item)
    -- strictly later than before: a time that has not changed proves that nobody came since
    s[2][item] = before and max(before + 1, now) or now
    hold[i] = {item, s[2][item], before or -1}
  end
  s[1] = s[1] + fresh
  return hold
end

function distinct.settle(s, hold, _, key)
  for _, entry in ipairs(hold) do
    if last(s, key, entry[1]) == entry[2] then s[2][entry[1]] = entry[3] end
  end
end

function distinct.save(key, s)
  for item, at in pairs(s[2]) do
    if at < 0 then call('ZREM', key, item) else call('ZADD', key, text(at), item) end
  end
  call('PEXPIRE', key, live(s[3]))
end

local kinds = {rate = rate, budget = budget, slots = slots, distinct = distinct}

-- What a reservation took stays charged; only the note of it goes.
local function sweep(most)
  local ended = call('ZRANGEBYSCORE', LEASES, '-inf', text(now), 'LIMIT', 0, most)
  if #ended > 0 then
    call('ZREM', LEASES, unpack(ended))
    call('HDEL', HOLDS, unpack(ended))
  end
  return #ended
end

local operations = {}

-- All charges are tried on copies, which are written when every one had room.
function operations.reserve()
  sweep(4)
  local states, holds = {}, {}
  for i, charge in ipairs(args.charges) do
    charge.key, charge.index = KEYS[i + 2], i
    local kind = kinds[charge.kind]
    local state = states[charge.key] or kind.load(charge.key, charge)
    states[charge.key] = state
    local hold, wait = kind.take(state, charge)
    if not hold then return {0, i, wait} end
    holds[i] = hold
  end
  for i, charge in ipairs(args.charges) do
    if states[charge.key] then kinds[charge.kind].save(charge.key, states[charge.key]) end
    states[charge.key] = nil
    holds[i] = {charge.kind, holds[i]}
  end
  call('ZADD', LEASES, text(now + args.lease), args.id)
  call('HSET', HOLDS, args.id, pack(holds))
  return {1, now}
end

-- Each charge says what is due of it; below 0: it stays as it was reserved.
function operations.settle()
  local packed = call('HGET', HOLDS, args.id)
  if not packed then return 0 end
  for i, hold in ipairs(unpacked(packed)) do
    local kind, key, charge = kinds[hold[1]], KEYS[i + 2], args.charges[i]
    if charge.due >= 0 then
      local state = kind.load(key, charge)
      kind.settle(state, hold[2], charge.due, key)
      kind.save(key, state)
    end
  end
  call('ZREM', LEASES, args.id)
  call('HDEL', HOLDS, args.id)
  return 1
end

function operations.renew()
  local packed = call('HGET', HOLDS, args.id)
  if not packed then return 0 end
  call('ZADD', LEASES, text(now + args.lease), args.id)
  for i, hold in ipairs(unpacked(packed)) do
    if hold[1] == 'slots' then slots.save(KEYS[i + 2], {0, hold[2], {}}) end
  end
  return 1
end

function operations.sweep() return sweep(1000) end

function operations.count() return call('ZCARD', LEASES) end

return operations[ARGV[1]]()
