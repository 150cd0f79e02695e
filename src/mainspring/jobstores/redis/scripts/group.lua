-- Give a group its limits, or take them from it.
local had = redis.call('HEXISTS', key('groups'), question.name) == 1
if question.limits then
  redis.call('HSET', key('groups'), question.name, question.limits)
else
  redis.call('HDEL', key('groups'), question.name)
  redis.call('DEL', key('begun:' .. question.name))
end
redis.call('HINCRBY', key('group_version'), question.name, 1)
tell()
return answer({ had = had })
