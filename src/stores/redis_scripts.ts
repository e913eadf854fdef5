/** The Lua scripts of the Redis store, which run atomically in Redis, and the names of its keys. */

export const RECORD = 'edgemint:registry:'
/** A sorted set of the registry's keys, all with score 0 and so ordered by their octets: pages neither skip nor repeat keys. */
export const RECORD_KEYS = 'edgemint:registry-keys'
export const MARK = 'edgemint:ledger:'
/** Sorted sets of the level keys of each family, scored by expiry. */
export const INDEX = 'edgemint:ledger-index:'

/** Approximate number of levels in one page of a listing, which Redis reads without serving other clients. */
const PAGE_LEVELS = 1000

/** How long Redis keeps a mark after its expiry, for callers whose clocks are slow. */
export const SLACK_SECONDS = 300

// A mark stores its expiry, so that the caller's clock decides. The expiry of the Redis key only cleans up.
const IS_LIVE = `local held = redis.call('HGET', KEYS[1], 'expires_at')
local live = held and tonumber(held) > tonumber(ARGV[1])`
/** (now, value, expires_at, milliseconds to live) → 1 if the mark was made, else 0. */
export const LEDGER_ADD: string = `${IS_LIVE}
if live then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'expires_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`
/** (now, value, expires_at, key in the index) → the value that is kept. */
export const LEDGER_RAISE: string = `${IS_LIVE}
local value, expires_at = tonumber(ARGV[2]), tonumber(ARGV[3])
if live then
  value = math.max(value, tonumber(redis.call('HGET', KEYS[1], 'value')) or value)
  expires_at = math.max(expires_at, tonumber(held))
end
local now = tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'value', string.format('%.0f', value), 'expires_at', string.format('%.0f', expires_at))
redis.call('PEXPIRE', KEYS[1], (math.max(0, expires_at - now) + ${SLACK_SECONDS}) * 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. (now - ${SLACK_SECONDS}))
redis.call('ZADD', KEYS[2], expires_at, ARGV[4])
return value`
/** (now, cursor) → next cursor, then key and value of each level in the page that has not expired. */
export const LEDGER_LIST: string = `local cursor, scores = unpack(redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', ${PAGE_LEVELS}))
local page = { cursor }
for index = 1, #scores, 2 do
  local value = tonumber(scores[index + 1]) > tonumber(ARGV[1]) and redis.call('HGET', '${MARK}' .. scores[index], 'value')
  if value then
    page[#page + 1] = scores[index]
    page[#page + 1] = value
  end
end
return page`
/** (now, end of a window opened now, milliseconds to live) → the count. */
export const LEDGER_COUNT: string = `${IS_LIVE}
if live then return redis.call('HINCRBY', KEYS[1], 'value', 1) end
redis.call('HSET', KEYS[1], 'value', 1, 'expires_at', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`
/** (key, value, expected value if a record is expected) → 1 if it was written, else 0. */
export const REGISTRY_REPLACE = `local held = redis.call('GET', KEYS[1])
if held ~= (ARGV[3] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1`
/** (key, expected) → 1 if it was removed, else 0. */
export const REGISTRY_REMOVE = `if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1`
