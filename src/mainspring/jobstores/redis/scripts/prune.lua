-- Remove ended runs, up to so many: of a job all but the latest, or whatever was due and ended before a time; a backfill runs now what
-- was due long ago. By the runs of backfills, one that is asked for again knows what it has done: they aren't among those that are counted.
local removed = 0
local function drop(id, member, name)
  later('HDEL', key('ended'), name)
  later('ZREM', key('history'), name)
  later('ZREM', runs_key(id), member)
  removed = removed + 1
end
if question.before then
  local names = redis.call(
    'ZRANGEBYSCORE', key('history'), '-inf', '(' .. question.before, 'LIMIT', question.from, question.count
  )
  for at, text in ipairs(ask_many('HMGET', key('ended'), names)) do
    local finished = text and string.match(text, '"finished":"([^"]*)"')
    if not finished or finished < question.before_text then
      local id = job_id_of(names[at])
      drop(id, string.sub(names[at], #id + 2), names[at])
    end
  end
  return answer({ removed = removed, kept = #names - removed })
end
local function is_counted(text)
  return text and not (string.find(text, '"cause":"backfill"', 1, true) or string.find(text, '"cause":"parallel"', 1, true))
end
for _, id in ipairs(question.ids) do
  if redis.call('ZCARD', runs_key(id)) > question.keep then
    local from, kept, members = 0, 0, nil
    repeat
      members = redis.call('ZREVRANGE', runs_key(id), from, from + CHUNK - 1)
      local names = {}
      for at, member in ipairs(members) do names[at] = id .. '/' .. member end
      for at, text in ipairs(ask_many('HMGET', key('ended'), names)) do
        if is_counted(text) then
          kept = kept + 1
          if kept > question.keep then drop(id, members[at], names[at]) end
        end
      end
      from = from + CHUNK
    until #members < CHUNK or removed >= question.count
  end
end
return answer({ removed = removed, kept = 0 })
