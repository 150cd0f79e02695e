-- Jobs that were due before a time, and whose executor is none of these.
local here = {}
for _, executor in ipairs(question.executors) do here[executor] = true end
local rows = {}
for _, executor in ipairs(redis.call('SMEMBERS', key('executors'))) do
  if not here[executor] then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', due_key(executor), '-inf', question.before, 'LIMIT', 0, question.limit)) do
      rows[#rows + 1] = { id, redis.call('HMGET', job_key(id), unpack(question.columns)) }
    end
  end
end
return answer({ rows = rows })
