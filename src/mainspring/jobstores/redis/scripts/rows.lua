-- Jobs as rows: of these ids, or of those that call a function.
local ids = question.ids
if question.func then ids = redis.call('SRANDMEMBER', key('func:' .. question.func), question.limit) end
local rows = {}
for _, id in ipairs(ids) do
  if redis.call('EXISTS', job_key(id)) == 1 then
    rows[#rows + 1] = { id, redis.call('HMGET', job_key(id), unpack(question.columns)) }
  end
end
return answer({ rows = rows, followers = redis.call('GET', key('followers_version')) or '0' })
