-- One account's quota, shared by all workers: first what this one reports, then whether a request of
-- it may be sent. One call is atomic. Times are milliseconds on the clock of Redis; workers send
-- durations only, so their clocks need not agree.
--
-- KEYS[1]: a hash of the fields of `q`, and for each worker how many requests it has in flight, and
--   when it said so. A report is a whole state: one that is lost is made good by the next.
-- ARGV: the worker; how many of its requests are in flight, with one that wants to be sent; whether
--   one wants to; whether that can wait; how many are reserved for others, and which share of the
--   limit. Of the latest response: requests left and the limit, or -1; ms until the reset; when its
--   request was admitted. Of a refusal: ms until its delay is over, or 0, and the status code.
-- Returns: 0 to send it, else the status code to expect; ms to wait; why, or '' where too few are
--   left; how many are left; when it was admitted; with fewer than how many left its response must
--   be reported at once; ms until the last delay is over, negative since then; its status code.
--
-- left, limit: requests, as the latest response said, or -1. reset: when the quota resets. learned:
-- when `left` was, in microseconds: admitted later is newer for certain. delay, why: until when a
-- refusal asked to wait, and its status code. probe: until when others wait for the response of one
-- that was sent to learn what is left. blind: until when nobody expects the server to say it.
-- in_flight: of all workers; counted: when that was added up.
local FIELDS = {'left', 'limit', 'reset', 'learned', 'delay', 'why', 'probe', 'blind', 'in_flight',
                'counted'}
local PROBE, RECHECK, POLL, MINUTE, HOUR = 2000, 5000, 50, 60000, 3600000
local SLACK = 2500  -- HTTP dates are whole seconds
local NEARLY = 32   -- where others wait for what becomes of each request, or one says so many less
local ALWAYS = 1e9

local worker, mine, wants, can_wait = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local left, limit, admitted_at = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[10])
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local reset, delay = now + math.min(tonumber(ARGV[9]), HOUR), math.min(tonumber(ARGV[11]), HOUR)

local q, stored = {}, redis.call('HMGET', KEYS[1], worker, unpack(FIELDS))
for at, name in ipairs(FIELDS) do q[name] = tonumber(stored[at + 1] or (at <= 2 and -1 or 0)) end
local others = q.in_flight - (stored[1] and stored[1]:match('^%d+') or 0)
if now > q.counted + MINUTE then  -- a worker that was killed reports nothing more
  others, q.counted, stored = 0, now, redis.call('HGETALL', KEYS[1])
  for at = 1, #stored, 2 do
    local count, reported = stored[at + 1]:match('^(%d+) (%d+)$')
    if not count or stored[at] == worker then -- it is no other worker
    elseif now - reported > MINUTE then redis.call('HDEL', KEYS[1], stored[at])
    else others = others + count end
  end
end
local in_flight = others + mine - (wants and 1 or 0)
if now >= q.reset then q.left = -1 end

if limit >= 0 then q.limit = limit end
if delay > 0 then q.delay, q.why = math.max(q.delay, now + delay), tonumber(ARGV[12]) end
local is_newer, is_same_hour = admitted_at > q.learned, math.abs(reset - q.reset) <= SLACK
if left < 0 then
  if q.left < 0 and admitted_at > micros - MINUTE * 1000 then q.blind = now + MINUTE end
elseif reset > now and (q.left < 0 or is_newer or reset > q.reset + SLACK) then
  -- Nothing was known, it is newer for certain, or a new hour has begun.
  q.reset = q.left >= 0 and is_same_hour and math.min(q.reset, reset) or reset
  q.left, q.learned, q.probe, q.blind = left, micros, now + RECHECK, 0
elseif is_same_hour and left < q.left then
  q.left, q.learned, q.probe = left, micros, now + RECHECK
end

local reserve = tonumber(ARGV[5]) + math.ceil(tonumber(ARGV[6]) * math.max(0, q.limit))
local free = q.left - in_flight - reserve
local poll = POLL + micros % POLL  -- not all at once
local status, wait, why, news = 0, 0, '', math.max(0, q.left - in_flight - 1) - NEARLY
if not wants then status = -1
elseif now < q.delay then
  status, wait, why = q.why, q.delay - now, 'the server has refused a request of a worker'
elseif q.left < 0 and now < q.blind then news = -1
elseif q.left < 0 and now < q.probe and can_wait then
  status, wait, why = 429, poll, 'another worker is asking the server what is left of the quota'
elseif q.left < 0 then q.probe, news = now + PROBE, ALWAYS
elseif q.left <= reserve then status, wait = 420, q.reset - now
elseif free <= 0 and in_flight > 0 and now < q.probe then
  status, wait, why = 420, poll, "requests in flight may use up the account's quota"
elseif free <= 0 then q.probe, news = now + RECHECK, ALWAYS
elseif free <= NEARLY then news = ALWAYS end

q.in_flight = in_flight + (status == 0 and 1 or 0)
local values = {worker, q.in_flight - others .. ' ' .. now}
for _, name in ipairs(FIELDS) do
  values[#values + 1], values[#values + 2] = name, q[name]
end
redis.call('HSET', KEYS[1], unpack(values))
redis.call('PEXPIRE', KEYS[1], 2 * HOUR)
return {status, wait, why, q.left, micros, news, q.delay - now, q.why}
