-- Remove ended runs, up to so many: of a job all but the latest, or whatever was due before a time.
local removed = 0
local function drop(id, member, name)
  redis.call('HDEL', key('ended'), name)
  redis.call('ZREM', key('history'), name)
  redis.call('ZREM', runs_key(id), member)
  removed = removed + 1
end
if question.before then
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('history'), '-inf', '(' .. question.before, 'LIMIT', 0, question.count)) do
    local text = redis.call('HGET', key('ended'), name)
    local id = text and cjson.decode(text).job_id or string.match(name, '^(.*)/[^/]*/[^/]*$')
    drop(id, string.sub(name, #id + 2), name)
  end
  return answer({ removed = removed })
end
for _, id in ipairs(question.ids) do
  local kept = 0
  for _, member in ipairs(redis.call('ZREVRANGE', runs_key(id), 0, question.count + question.keep)) do
    local name = id .. '/' .. member
    if redis.call('HEXISTS', key('ended'), name) == 1 then
      kept = kept + 1
      if kept > question.keep then drop(id, member, name) end
    end
  end
end
return answer({ removed = removed })
