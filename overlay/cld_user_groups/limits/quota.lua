-- One account's quota, shared by all workers: first what they have observed since they last asked,
-- then whether one more request may be sent. One call is atomic. Times are milliseconds on the
-- clock of Redis; workers send durations only, so their clocks need not agree.
--
-- KEYS[1]: a hash with the fields below.
-- ARGV: 1. whether a request wants to be sent; 2. how many requests are reserved for others;
--   3. which share of the limit is reserved as well; 4. whether the call can wait;
--   then for each observation: epoch, number and minute of its ticket; the status code, 0 where no
--   response came, or -1 if it was never sent; requests left and the limit, or -1; ms until the quota resets, or -1; ms that
--   the server asks to wait, or 0 if it does not say.
-- Returns: 0 to send it, else the status code to expect; ms to wait; why; how many are left, less
--   those in flight if it is to be sent; the epoch, number and minute of the ticket; whether its outcome must be reported at once.
local FIELDS = {
  'epoch',   -- when this hash began: tickets of another one, lost by Redis since, count for nothing
  'issued',  -- how many tickets there were
  'left',    -- requests left, as the latest response said; -1: unknown
  'limit',   -- requests an hour; -1: unknown
  'reset',   -- when the quota resets
  'since',   -- `issued` when `left` was learned: responses of later tickets are newer for certain
  'assumed', -- requests since then whose fate nobody will report
  'current', -- tickets of this minute that are in flight
  'last',    -- those of the last minute
  'minute',  -- which minute that is
  'hold',    -- until when the server asked to wait
  'why',     -- the status code of that refusal
  'line',    -- how many were let out after it
  'out',     -- `issued` when it came
  'served',  -- 1 if one of them was not refused
  'guess',   -- how long the last one lasted, in ms, if the server did not say
  'rate',    -- how many are let out in a second, at first
  'double',  -- the seconds in which that doubles
  'probe',   -- until when others wait for the response of one that was sent to learn what is left
  'blind',   -- until when nobody expects the server to say what is left
}
local MINUTE, AFTERWARDS = 60000, 5000
local FIRST_RATE, FIRST_DOUBLING = 10, 1
local LOWEST_RATE, SECOND_DOUBLING, LONGEST_DOUBLING = 1, 16, 64
local PROBE, RECHECK, POLL, NEARLY = 2000, 5000, 50, 32
local FIRST_GUESS, LONGEST_GUESS = 500, {[420] = 60000, [429] = 8000}  -- see window.py
local SLACK = 2500  -- HTTP dates are whole seconds
local LONGEST_HOLD, LIFE = 3600000, 7200000

local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local values = redis.call('HMGET', KEYS[1], unpack(FIELDS))
local q = {}
for index, name in ipairs(FIELDS) do
  q[name] = tonumber(values[index] or 0)
end
if q.epoch == 0 then
  q.epoch, q.left, q.limit = micros, -1, -1
  q.rate, q.double = FIRST_RATE, FIRST_DOUBLING
  q.minute = math.floor(now / MINUTE)
end

-- A worker that was killed reports nothing: what it had in flight is assumed to be used.
local minute = math.floor(now / MINUTE)
if minute > q.minute then
  local lost = q.last
  if minute > q.minute + 1 then lost, q.current = lost + q.current, 0 end
  q.last, q.current, q.minute = q.current, 0, minute
  if lost > 0 then q.assumed, q.since = q.assumed + lost, q.issued end
end
if q.left >= 0 and now >= q.reset then
  q.left, q.assumed, q.probe, q.blind = -1, 0, 0, 0
end

local function learn(number, left, limit, reset)
  if limit >= 0 then q.limit = limit end
  reset = math.min(reset, now + LONGEST_HOLD)
  local is_same_hour = math.abs(reset - q.reset) <= SLACK
  if q.left < 0 or number > q.since or reset > q.reset + SLACK then
    -- Nothing was known, it is newer for certain, or a new hour has begun.
    if q.left < 0 or not is_same_hour then q.reset = reset end
    q.left, q.assumed, q.since = left, 0, q.issued
  elseif not is_same_hour then
    return  -- of an hour that is over
  elseif left < q.left then
    q.left, q.since = left, q.issued
  end
  q.reset = math.min(q.reset, reset)
  q.probe, q.blind = now + RECHECK, 0
end

-- Returns when the next one is let out, in seconds after the hold; see pace.py.
local function next_turn()
  return q.double * math.log(1 + q.line * math.log(2) / (q.rate * q.double)) / math.log(2)
end

local function is_letting_out()
  return now < q.hold + next_turn() * 1000 + AFTERWARDS
end

local function refuse(number, status, delay)
  local is_of_line = number > q.out and now >= q.hold
  if not is_letting_out() then
    q.rate, q.double, q.guess = FIRST_RATE, FIRST_DOUBLING, 0
  elseif is_of_line and q.served == 1 then
    local seconds = (now - q.hold) / 1000
    local reached = q.rate * 2 ^ (seconds / q.double)
    q.rate = math.max(LOWEST_RATE, q.line / math.max(seconds, 1), reached / 2)
    q.double = math.min(math.max(SECOND_DOUBLING, 2 * q.double), LONGEST_DOUBLING)
  end
  if delay <= 0 then
    if q.served == 1 then q.guess = 0 elseif is_of_line then q.guess = 2 * q.guess end
    q.guess = math.min(math.max(q.guess, FIRST_GUESS), LONGEST_GUESS[status])
    delay = q.guess
  end
  if now >= q.hold then q.line, q.out, q.served = 0, q.issued, 0 end
  q.hold, q.why = math.max(q.hold, now + math.min(delay, LONGEST_HOLD)), status
end

for at = 5, #ARGV, 8 do
  local epoch, number, asked = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local status, left, limit = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local reset, delay = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
  if epoch ~= q.epoch then
    number = 0
  elseif asked == q.minute and q.current > 0 then
    q.current = q.current - 1
  elseif asked == q.minute - 1 and q.last > 0 then
    q.last = q.last - 1
  end
  if status == 0 then
    if number > 0 then q.assumed, q.since = q.assumed + 1, q.issued end
  elseif left >= 0 and reset > 0 then
    learn(number, left, limit, now + reset)
  elseif q.left < 0 and status >= 200 and status < 500 and not LONGEST_GUESS[status] then
    q.blind = now + MINUTE
  end
  if q.left < 0 then q.probe = 0 end
  if LONGEST_GUESS[status] then
    refuse(number, status, delay)
  elseif status > 0 and number > q.out and now >= q.hold then
    q.served = 1
  end
end

local wants, can_wait = ARGV[1] == '1', ARGV[4] == '1'
local reserve = tonumber(ARGV[2]) + math.ceil(tonumber(ARGV[3]) * math.max(0, q.limit))
local status, wait, why, must_report = 0, 0, '', 0
local in_flight = q.current + q.last
local after_hold = (now - q.hold) / 1000
if not wants then
  status = -1
elseif after_hold < 0 then
  status, wait, why = q.why, q.hold - now, 'refused'
elseif is_letting_out() and can_wait and next_turn() > after_hold then
  status, wait, why = 429, math.max(POLL, (next_turn() - after_hold) * 1000), 'pace'
elseif q.left < 0 then
  if now >= q.blind then
    if now < q.probe and can_wait then
      status, wait, why = 429, POLL, 'unknown'
    else
      q.probe, must_report = now + PROBE, 1
    end
  end
elseif q.left <= reserve then
  status, wait, why = 420, q.reset - now, 'used'
elseif q.left - q.assumed - in_flight <= reserve then
  if in_flight > 0 and now < q.probe then
    status, wait, why = 420, POLL, 'in flight'
  else
    q.probe, must_report = now + RECHECK, 1
  end
elseif q.left - q.assumed - in_flight <= reserve + NEARLY then
  must_report = 1
end
if status == 0 then
  q.issued, q.current = q.issued + 1, q.current + 1
  if is_letting_out() then q.line = q.line + 1 end
end

local fields = {}
for _, name in ipairs(FIELDS) do
  fields[#fields + 1] = name
  fields[#fields + 1] = q[name]
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], LIFE)
local left = q.left
if status == 0 and left >= 0 then left = math.max(0, left - q.assumed - q.current - q.last) end
return {status, math.ceil(wait), why, left, q.epoch, q.issued, q.minute, must_report}
