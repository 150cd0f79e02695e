-- Try each command of the other scripts once, on keys that hold nothing afterwards; those that the server refuses, each with what it says.
-- All of them must be in this list: a user who may run some alone would leave a script half done, which Redis does not undo.
local hash, set, sorted, list, text = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local tries = {
  { 'TIME' },
  { 'EXISTS', hash },
  { 'SET', text, '1', 'EX', '60' },
  { 'GET', text },
  { 'INCR', text },
  { 'HSET', hash, 'a', '1' },
  { 'HGET', hash, 'a' },
  { 'HMGET', hash, 'a' },
  { 'HGETALL', hash },
  { 'HKEYS', hash },
  { 'HEXISTS', hash, 'a' },
  { 'HINCRBY', hash, 'a', '1' },
  { 'HDEL', hash, 'a' },
  { 'SADD', set, 'a' },
  { 'SMEMBERS', set },
  { 'SRANDMEMBER', set },
  { 'SREM', set, 'a' },
  { 'ZADD', sorted, '1', 'a' },
  { 'ZCARD', sorted },
  { 'ZSCORE', sorted, 'a' },
  { 'ZMSCORE', sorted, 'a' },
  { 'ZRANGE', sorted, '0', '-1' },
  { 'ZREVRANGE', sorted, '0', '-1' },
  { 'ZRANGEBYSCORE', sorted, '-inf', '+inf' },
  { 'ZREVRANGEBYSCORE', sorted, '+inf', '-inf' },
  { 'ZREM', sorted, 'a' },
  { 'RPUSH', list, 'a' },
  { 'LRANGE', list, '0', '-1' },
  { 'LREM', list, '0', 'a' },
  { 'DEL', hash, set, sorted, list, text },
  { 'PUBLISH', ARGV[1], '' },
}
local refused = {}
for _, one in ipairs(tries) do
  local answer = redis.pcall(unpack(one))
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = { one[1], answer.err } end
end
return cjson.encode(refused)
