-- Remove ended runs, up to so many: of a job all but the latest, or whatever was due before a time.
local removed = 0
local function drop(id, member, name)
  later('HDEL', key('ended'), name)
  later('ZREM', key('history'), name)
  later('ZREM', runs_key(id), member)
  removed = removed + 1
end
if question.before then
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('history'), '-inf', '(' .. question.before, 'LIMIT', 0, question.count)) do
    local id = job_id_of(name)
    drop(id, string.sub(name, #id + 2), name)
  end
  return answer({ removed = removed })
end
for _, id in ipairs(question.ids) do
  if redis.call('ZCARD', runs_key(id)) > question.keep then
    local members, names, kept = redis.call('ZREVRANGE', runs_key(id), 0, question.count + question.keep), {}, 0
    for at, member in ipairs(members) do names[at] = id .. '/' .. member end
    for at, is_ended in ipairs(ask_many('ZMSCORE', key('history'), names)) do
      if is_ended then
        kept = kept + 1
        if kept > question.keep then drop(id, members[at], names[at]) end
      end
    end
  end
end
return answer({ removed = removed })
